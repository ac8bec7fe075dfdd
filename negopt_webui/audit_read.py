"""What an audit of the webui is asked for, read with limits; and texts in the webui's own notation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from negopt_core.errors import PromptError
from negopt_core.policy.loglinear.knowledge import Side
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import Span
from negopt_core.tune.hosted import is_id
from negopt_core.tune.run_folders import is_name
from negopt_core.tune.start import CLICKS, LONGEST, MOST_PICTURES, WEBUI, Start, check_start, cleaned, whole_letters

from .native import add_words, plain_words
from .painting import Sampling
from .request import read_field

Values = Mapping[str, Any]
PICTURES = 128
"""Unless somebody says otherwise."""
_COMMENT = re.compile(r"#[^\n]*")
_AND = re.compile(r"\bAND\b")
_SAMPLING: dict[str, Any] = {field.name: field.default for field in fields(Sampling)}
_LIMITS = {"steps": (1, 150), "cfg_scale": (1.0, 30.0), "width": (64, 4096), "height": (64, 4096)}
_KNOWN = ("prompts", "negative", "modifiers", "pictures", "judge", "seed", *_SAMPLING)


@dataclass(frozen=True, slots=True)
class WebuiNotation:
    """Texts for the webui; a phrase is the user's own and stays as it was written."""

    def prompt(self, prompt: str, added: Sequence[Span]) -> str:
        """A prompt, given as DF-Prompt text, with modifiers at the end of every part that `AND` makes."""
        return add_words(parse_prompt(prompt).text, self.phrases("modifiers", added), False)

    def phrases(self, side: Side, spans: Sequence[Span]) -> str:
        """A list of phrases."""
        return ", ".join(one.text if one.weight == 1.0 else f"({one.text}:{one.weight:g})" for one in spans)


def words_of(prompt: str) -> str:
    """The words of DF-Prompt text that a scorer reads, without the webui's notation."""
    return plain_words(parse_prompt(prompt).text)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request; PromptError for anything else."""
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise PromptError(f"the request is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise PromptError(f"a request is a JSON object, got {type(values).__name__}; send {{'prompts': …}}")
    return values


def read_sampling(values: Values) -> Sampling:
    """PromptError naming the value that is wrong."""
    found: dict[str, Any] = {}
    for name, default in _SAMPLING.items():
        value = values.get(name, default)
        if name not in _LIMITS:
            found[name] = read_field(values, name, default, 200)
            continue
        low, high = _LIMITS[name]
        is_number = isinstance(value, int | float if isinstance(low, float) else int) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise PromptError(f"{name} is a number from {low:g} to {high:g}, got {str(value)[:40]!r}; change it")
        if name in ("width", "height") and value % 8:
            raise PromptError(f"{name} is a multiple of 8, got {value}; take {value // 8 * 8}")
        found[name] = type(low)(value)
    return Sampling(**found)


def read_start(values: Values, family: str, model: str, surroundings: str) -> tuple[Start, Sampling]:
    """What to audit and how to sample; PromptError naming the value that is wrong."""
    if unknown := [str(key)[:40] for key in values if key not in _KNOWN]:
        raise PromptError(f"an audit knows no {', '.join(unknown)}; send some of {', '.join(_KNOWN)}")
    sampling = read_sampling(values)
    negative, modifiers = (
        _COMMENT.sub("", read_field(values, name, "", LONGEST)) for name in ("negative", "modifiers")
    )
    if negative.strip() and sampling.cfg_scale == 1.0:
        raise PromptError(
            "at CFG 1 the webui does not evaluate the negative: there is nothing to audit; raise cfg_scale"
        )
    if _AND.search(modifiers):
        raise PromptError("modifiers cannot hold AND, which splits a prompt; write them as a list with commas")
    start = Start(
        kind="audit",
        prompts=_prompts(values.get("prompts")),
        negative=whole_letters(negative),
        modifiers=whole_letters(modifiers),
        positive_notation=WEBUI,
        negative_notation=WEBUI,
        windows=False,
        modes=("negative", "modifiers"),
        judge=read_field(values, "judge", CLICKS, 200),
        pictures=_whole(values, "pictures", PICTURES, MOST_PICTURES),
        family=family,
        model=model,
        sampling=f"{sampling}, {surroundings}",
        seed=_whole(values, "seed", 0, 2**31),
    )
    return check_start(start), sampling


def read_click(values: Values) -> tuple[str, str, bool]:
    """The better picture, the worse one, and whether there is no difference."""
    better, worse, is_same = values.get("better"), values.get("worse"), values.get("same", False)
    for name, value in (("better", better), ("worse", worse)):
        check_id(value, name)
    if not isinstance(is_same, bool):
        raise PromptError(f"same is true or false, got {str(is_same)[:40]!r}")
    return str(better), str(worse), is_same


def check_id(value: Any, name: str = "id") -> str:
    """A picture of a run; PromptError for what cannot be one."""
    if not isinstance(value, str) or not is_id(value):
        raise PromptError(f"{name} is a picture's id as the state has it, got {str(value)[:40]!r}")
    return value


def check_name(value: Any) -> str:
    """A run; PromptError for what cannot be the name of one."""
    if not isinstance(value, str) or not is_name(value):
        raise PromptError(f"run is the name of a run as the start gave it, got {str(value)[:40]!r}")
    return value


def _prompts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise PromptError("prompts is a list of texts, or one text with a prompt in each line; send it")
    return cleaned(whole_letters(_COMMENT.sub("", one)) for one in value)


def _whole(values: Values, name: str, default: int, largest: int) -> int:
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise PromptError(f"{name} is a whole number from 0 to {largest}, got {str(value)[:40]!r}")
    return value
