"""What the page sends, read with limits: every value is checked here, and nothing past here sees a raw request."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..negopt_core.errors import NegOptError, PolicyError
from ..negopt_core.policy.store import default_policy, with_windows
from ..negopt_core.policy.token_estimate import encoder_tokens, estimate_tokens
from ..negopt_core.text.cfg_parts import RunPart
from ..negopt_core.text.checks import Setup
from .writing import MODES

MAX_BODY_BYTES = 4_000_000
MAX_ARCHIVE_BYTES = 8_000_000_000
"""Of an imported policy, as a ZIP."""
MAX_TEXT = 200_000
"""Characters of one prompt that the routes take; far above any prompt that can act."""
_MAX_NAME = 200
_MAX_BUDGET = 10_000
_MAX_STEPS = 10_000
_MAX_PARTS = 100
VERDICTS = ("up", "down")

Body = Mapping[str, Any]


class RequestError(NegOptError):
    """A request that cannot be answered: its HTTP `status`, a stable `code` and what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class SuggestAsk:
    """What is wanted of a policy; `max_tokens` None is the policy's own budget."""

    prompt: str
    negative: str
    modes: tuple[str, ...]
    seed: int
    policy: str
    max_tokens: int | None
    model_family: str | None
    on_gpu: bool = False
    """Whether a policy with weights may run on the graphics card while nothing is being painted."""


@dataclass(frozen=True, slots=True)
class InspectAsk:
    """Both prompts as DF text and what the page knows of the run."""

    positive: str
    negative: str
    setup: Setup


@dataclass(frozen=True, slots=True)
class Like:
    """A verdict on one suggestion; the texts are DF text, `prompt` is what the user wrote."""

    verdict: str
    prompt: str
    positive: str
    negative: str
    policy: str
    seed: int


def read_body(raw: bytes) -> Body:
    """The JSON object of a request; NaN, Infinity and anything but an object are refused."""
    try:
        values = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "bad-json", f"the request is no JSON: {str(error)[:200]}") from None
    if not isinstance(values, dict):
        raise RequestError(400, "bad-json", f"the request must be a JSON object, got {type(values).__name__}")
    return values


def read_suggest(body: Body) -> SuggestAsk:
    """Raises RequestError naming the field that is wrong."""
    mode = read_choice(body, "mode", list(MODES), "negative and modifiers")
    policy = read_words(body, "policy", "", _MAX_NAME) or _default(read_words(body, "model_family", "", _MAX_NAME))
    return SuggestAsk(
        prompt=read_words(body, "prompt"),
        negative=read_words(body, "negative"),
        modes=MODES[mode],
        seed=_seed(body),
        policy=with_windows(policy) if _flag(body, "scheduled") else policy,
        max_tokens=check_whole(body, "max_tokens", _MAX_BUDGET),
        model_family=read_words(body, "model_family", "", _MAX_NAME) or None,
        on_gpu=_flag(body, "on_gpu"),
    )


def _default(family: str) -> str:
    """The default policy for a family; for any model, if it is none that the policy knows."""
    try:
        return default_policy(family)
    except PolicyError:
        return default_policy()


def read_inspect(body: Body, embeddings: frozenset[str]) -> InspectAsk:
    """Raises RequestError naming the field that is wrong."""
    family = read_words(body, "model_family", "", _MAX_NAME) or None
    setup = Setup(
        steps=check_whole(body, "steps", _MAX_STEPS),
        cfg=_number(body, "cfg"),
        parts=_parts(body),
        nag=_flag(body, "nag"),
        negative_zeroed=_flag(body, "negative_zeroed"),
        model_family=family,
        policy_family=read_words(body, "policy_family", "", _MAX_NAME) or None,
        embeddings=embeddings,
        count_tokens=estimate_tokens,
        chunk_tokens=encoder_tokens(family),
    )
    return InspectAsk(read_words(body, "positive"), read_words(body, "negative"), setup)


def read_like(body: Body) -> Like:
    """Raises RequestError naming the field that is wrong."""
    verdict = read_choice(body, "verdict", VERDICTS, "")
    texts = {key: read_words(body, key) for key in ("prompt", "positive", "negative")}
    return Like(verdict, **texts, policy=read_words(body, "policy", "", _MAX_NAME), seed=_seed(body))


def read_name(value: Any) -> str:
    """The name of a policy, in a query or a body."""
    if not isinstance(value, str) or not value or len(value) > _MAX_NAME:
        raise RequestError(400, "bad-value", f"name must be a policy's name of 1 to {_MAX_NAME} characters")
    return value


def read_words(body: Body, key: str, default: str = "", longest: int = MAX_TEXT) -> str:
    """A text of at most `longest` characters."""
    value = body.get(key, default)
    if not isinstance(value, str):
        raise RequestError(400, "bad-value", f"{key} must be text, got {type(value).__name__}")
    if len(value) > longest:
        raise RequestError(413, "too-long", f"{key} may have {longest:,} characters, got {len(value):,}; shorten it")
    return value


def read_choice(body: Body, key: str, choices: Sequence[str], default: str) -> str:
    """One of a few texts."""
    value = read_words(body, key, default, _MAX_NAME)
    if value not in choices:
        raise RequestError(400, "bad-value", f"{key} must be one of {', '.join(choices)}, got {value!r}")
    return value


def check_whole(body: Body, key: str, largest: int) -> int | None:
    """A whole number from 1 to `largest`; None if there is none."""
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise RequestError(
            400, "bad-value", f"{key} must be a whole number from 1 to {largest}, got {str(value)[:40]!r}"
        )
    return value


def _number(body: Body, key: str) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1000:
        raise RequestError(400, "bad-value", f"{key} must be a number from 0 to 1000, got {str(value)[:40]!r}")
    return float(value) if math.isfinite(value) else None


def _parts(body: Body) -> tuple[RunPart, ...]:
    value = body.get("parts", [])
    if not isinstance(value, list) or len(value) > _MAX_PARTS or not all(isinstance(one, dict) for one in value):
        raise RequestError(
            400, "bad-value", f"parts must be a list of up to {_MAX_PARTS} objects, got {str(value)[:40]!r}"
        )
    numbers = [tuple(_number(one, key) for key in ("start", "end", "cfg")) for one in value]
    parts = []
    for start, end, cfg in numbers:
        if start is None or end is None or cfg is None or not start < end <= 1:
            raise RequestError(400, "bad-value", "each of parts needs 0 <= start < end <= 1 and cfg, as numbers")
        parts.append(RunPart(start, end, cfg))
    return tuple(parts)


def _flag(body: Body, key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise RequestError(400, "bad-value", f"{key} must be true or false, got {str(value)[:40]!r}")
    return value


def _seed(body: Body) -> int:
    value = body.get("seed", 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise RequestError(
            400, "bad-value", f"seed must be a whole number from 0 to 2**64 - 1, got {str(value)[:40]!r}"
        )
    return value % 2**63


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
