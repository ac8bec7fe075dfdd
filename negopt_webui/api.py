"""`/negopt/v1/suggest` and `/negopt/v1/policies`: what the buttons do, for programs.

The webui's own password does not cover routes of extensions, so: small input, policies by name only, nothing written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from negopt_core.errors import NegOptError, PromptError
from negopt_core.policy.menu import PolicyMenu
from negopt_core.text.df_text import format_prompt, parse_prompt

from .host import Webui
from .model_family import AUTOMATIC, DEFAULT, family_of, name_for
from .request import EVERYTHING, NOTHING, WRITES, read_field
from .writing import UserPrompts, ask, into_prompt

SUGGEST, POLICIES = "/negopt/v1/suggest", "/negopt/v1/policies"
MAX_BODY = 64 * 1024
"""Bytes of a request that are read at all."""
MAX_TEXT = 8_000
"""Characters of either prompt."""
_MODES = [mode for mode in WRITES if mode != NOTHING]

Answer = tuple[int, dict[str, Any]]
"""HTTP status and JSON."""


def policies(menu: PolicyMenu) -> Answer:
    """What can be asked."""
    families = [AUTOMATIC, *menu.groups().families]
    return 200, {"policies": menu.names(), "default": DEFAULT, "modes": _MODES, "families": families}


def too_large() -> Answer:
    """For a body that was not read to its end."""
    return 413, {"error": f"a request may have {MAX_BODY:,} bytes; shorten the prompt"}


def suggest(menu: PolicyMenu, host: Webui, body: bytes) -> Answer:
    """Both prompts with the policy's words written into them, and the same words with their windows."""
    try:
        values = json.loads(body)
        if not isinstance(values, dict):
            raise PromptError(f"a request is a JSON object, got {type(values).__name__}; send {{'prompt': …}}")
        model = host.loaded()
        known = replace(_read_prompts(values), model_family=family_of(model) or None, embeddings=host.embeddings())
        name = name_for(_text(values, "policy", DEFAULT), _text(values, "family", AUTOMATIC), model)
        written = ask(menu.policy(name), known)
        return 200, {
            "prompt": into_prompt(known.prompt, written.positive, False),
            "negative": into_prompt(known.negative, written.negative, True),
            "scheduled_prompt": format_prompt(written.positive),
            "scheduled_negative": format_prompt(written.negative),
            "policy": written.policy,
            "seed": known.seed,
            "warnings": list(written.warnings),
        }
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or brackets without end
        return 400, {"error": f"the request is not JSON: {error}"}
    except NegOptError as error:
        return 400, {"error": str(error)}


def _read_prompts(values: dict[str, Any]) -> UserPrompts:
    mode = _text(values, "mode", EVERYTHING)
    if mode not in _MODES:
        raise PromptError(f"mode is one of {', '.join(_MODES)}, got {mode[:80]!r}")
    seed = values.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise PromptError(f"a seed is a whole number, got {str(seed)[:80]!r}")
    return UserPrompts(
        _text(values, "prompt", None),
        _text(values, "negative", ""),
        parse_prompt(_text(values, "scheduled_prompt", "")),
        parse_prompt(_text(values, "scheduled_negative", "")),
        WRITES[mode],
        seed,
    )


def _text(values: dict[str, Any], name: str, default: str | None) -> str:
    return read_field(values, name, default, MAX_TEXT)
