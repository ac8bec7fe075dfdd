"""Places in a prompt that another program should have filled in before it came here: wildcards and templates."""

from __future__ import annotations

import re

_PLACE = re.compile(
    r"\{[^{}\"\n]*\|[^{}\"\n]*\}"  # {cat|dog}
    r"|(?<!\w)__[\w*][\w*/.\-]*?__(?!\w)"  # __animals__, __folder/colors__
    r"|\{\{?\s*(?:prompt|negative_prompt|negative|text|input|user_prompt)\s*\}?\}"  # {prompt}
    r"|\$\{[\w.]+\}|%\w+(?:\.\w+)?%|<%[^%\n]*%>"  # ${style}, %date%, <% x %>
)


def unexpanded(text: str) -> tuple[str, ...]:
    """The places in the text, as they are written, each once and in order; linear in its length."""
    return tuple(dict.fromkeys(found.group()[:60] for found in _PLACE.finditer(text)))
