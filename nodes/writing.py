"""Asking a policy for prompts, or taking the texts that are locked in the node; the same for every node that writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from comfy_api.latest import io

from ..negopt_core import __version__
from ..negopt_core.policy import Policy, SuggestOptions, suggest
from ..negopt_core.text.df_text import parse_report
from .host import advanced, show_on_node
from .workflow import LOCK_WIDGETS, lock_in_workflow

MODES = {
    "negative and modifiers": ("negative", "modifiers"),
    "negative": ("negative",),
    "modifiers": ("modifiers",),
}


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What the user set in the node. `locked_*`: the texts to use as they are, if `is_locked`."""

    prompt: str
    negative: str
    mode: str
    seed: int
    is_locked: bool
    locked_positive: str
    locked_negative: str


@dataclass(frozen=True, slots=True)
class WrittenPrompts:
    """Both prompts as DF text, what the user should know, and the record that goes into the picture (JSON)."""

    positive: str
    negative: str
    warnings: str
    record: str


def writing_inputs() -> list[io.Input]:
    """The widgets of a node that writes prompts; order and names are part of saved workflows."""
    return [
        io.String.Input("prompt", multiline=True, dynamic_prompts=True, default="", tooltip="What the picture shows."),
        io.String.Input(
            "negative", multiline=True, dynamic_prompts=True, default="", tooltip="Your own negative; kept, and first."
        ),
        *map(advanced, _settings()),
    ]


def _settings() -> list[io.Input]:
    """What most people leave as it is, and the texts that a run fills in."""
    return [
        io.Combo.Input("mode", options=list(MODES), default="negative and modifiers", tooltip="What to write."),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**64 - 1,
            control_after_generate=True,
            tooltip="Another seed, another suggestion (if the policy has any choice).",
        ),
        io.Boolean.Input(
            LOCK_WIDGETS[0],
            default=False,
            tooltip="Use the two texts below as they are, edited or not; the policy is not asked, nor needed.",
        ),
        io.String.Input(LOCK_WIDGETS[1], multiline=True, default="", tooltip="Filled after a run. Used when locked."),
        io.String.Input(LOCK_WIDGETS[2], multiline=True, default="", tooltip="Filled after a run. Used when locked."),
    ]


def write_prompts(settings: NodeSettings, load: Callable[[], Policy], node: type[io.ComfyNode]) -> WrittenPrompts:
    """Both prompts; `load` is called only if the policy is needed. The texts are kept in the node and its pictures."""
    written = _locked(settings) if settings.is_locked else _suggested(settings, load())
    if node.hidden is not None:
        lock_in_workflow(node.hidden.extra_pnginfo, str(node.hidden.unique_id), written.positive, written.negative)
        show_on_node(node.hidden.unique_id, written.warnings)
    return written


def shown(written: WrittenPrompts) -> dict[str, list[str]]:
    """What the page gets: it fills the node's text fields with it and says where they come from."""
    texts = {"negopt_positive": [written.positive], "negopt_negative": [written.negative]}
    return {**texts, "negopt_record": [written.record]}


def _locked(settings: NodeSettings) -> WrittenPrompts:
    sides = {"positive": settings.locked_positive, "negative": settings.locked_negative}
    problems = [f"{side}, {problem}" for side, text in sides.items() for problem in parse_report(text).problems]
    if settings.prompt.strip() and not any(text.strip() for text in sides.values()):
        problems.append("'locked' is on and both locked texts are empty: no words are painted; switch it off")
    return _written(settings, sides["positive"], sides["negative"], problems, {"policy": "", "locked": True})


def _suggested(settings: NodeSettings, policy: Policy) -> WrittenPrompts:
    options = SuggestOptions(
        modes=MODES[settings.mode],
        negative=settings.negative,
        seed=settings.seed % 2**63,
        embeddings=embedding_names(),
    )
    answer = suggest(policy, [settings.prompt], options)[0]
    source = {
        "policy": answer.policy,
        "policy_hash": policy.fingerprint,
        "policy_licence": policy.card.licence,
        "locked": False,
    }
    lines = [*answer.warnings, *([policy.summary(settings.prompt)] if hasattr(policy, "summary") else [])]
    return _written(settings, answer.df_positive, answer.df_negative, lines, source)


def _written(
    settings: NodeSettings, positive: str, negative: str, warnings: Any, source: dict[str, Any]
) -> WrittenPrompts:
    record = {
        "negopt": __version__,
        **source,
        "seed": settings.seed,
        "mode": settings.mode,
        "modes": list(MODES[settings.mode]),
        "prompt": settings.prompt,
        "df_positive": positive,
        "df_negative": negative,
    }
    return WrittenPrompts(positive, negative, "\n".join(warnings), json.dumps(record, ensure_ascii=False))


def embedding_names() -> frozenset[str]:
    import folder_paths

    return frozenset(PurePath(name).stem for name in folder_paths.get_filename_list("embeddings"))
