"""Arms: the ways of writing that are compared. `NAME=KIND:VALUE`, or KIND:VALUE alone, which is then its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import PromptError
from ...policy import SuggestOptions, load_policy, suggest
from ...policy.phrases import append_phrases, phrase_spans
from ...text.df_text import format_prompt, parse_prompt
from ...text.prompt import DFPrompt, PromptPair, Span, Window
from .prompt_sets import Item
from .tables import NEGATIVE, PROMPT, REWRITTEN, as_text, is_table, pick, read_rows

POLICY_MODES = {
    "policy": ("negative", "modifiers"),
    "policy-negative": ("negative",),
    "policy-modifiers": ("modifiers",),
}
WRITTEN = "written"
"""The kind of an arm that has its pairs already; it has no form on the command line."""
KINDS = ("none", "own", "text", "modifiers", "file", WRITTEN, *POLICY_MODES)
HELP = (
    "[NAME=]KIND[:VALUE]: none; own (the set's negatives); text:NEGATIVE; modifiers:TEXT; file:PATH (a negative a line "
    "or JSON Lines, JSON, CSV, TSV with prompt, positive, negative, such as a language model or another tool wrote); "
    "policy:NAME, policy-negative:NAME, policy-modifiers:NAME"
)
_SIDES = ("negative", "modifiers")


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of writing. Texts are DF-Prompt text. A window replaces those of every phrase of its side."""

    name: str
    kind: str
    value: str = ""
    negative_window: Window | None = None
    modifiers_window: Window | None = None
    pairs: tuple[PromptPair, ...] = ()
    """Of the kind `WRITTEN`: what it paints, a pair for each prompt."""

    @classmethod
    def written(cls, name: str, pairs: Iterable[PromptPair]) -> Arm:
        """An arm of pairs that were made elsewhere, one for each prompt, in order."""
        return cls(name, WRITTEN, pairs=tuple(pairs))

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PromptError(f"an arm is {HELP}; got the kind {self.kind!r}")
        if bool(self.pairs) != (self.kind == WRITTEN):
            raise PromptError(
                f"the arm {self.name!r} of kind {self.kind!r} and {len(self.pairs)} pairs; an arm is {HELP}"
            )
        if bool(self.value.strip()) == (self.kind in ("none", "own", WRITTEN)):
            need = "takes no value" if self.value else "needs a value"
            raise PromptError(f"the arm {self.name!r} of kind {self.kind!r} {need}; an arm is {HELP}")


def parse_arm(text: str, usual: str = "") -> Arm:
    """Read `[NAME=]KIND[:VALUE]`; a text without a known kind is a value of the kind `usual`, if there is one.

    Raises PromptError for anything else.
    """
    name, sign, rest = text.partition("=")
    if not sign or ":" in name:
        name, rest = text, text
    kind, _, value = rest.partition(":")
    if usual and kind.strip() not in KINDS:
        name, kind, value = text, usual, text
    return Arm(name.strip(), kind.strip(), value.strip())


def delayed(arm: Arm, side: str, start: float) -> Arm:
    """The arm with every phrase of a side acting from `start` (0..1 of the run) to the end."""
    if side not in _SIDES:
        raise PromptError(f"a sweep moves {' or '.join(_SIDES)}, got {side!r}")
    name = f"{arm.name}, {side} from {100 * start:g} %"
    if side == "negative":
        return replace(arm, name=name, negative_window=Window(start, 1.0))
    return replace(arm, name=name, modifiers_window=Window(start, 1.0))


@dataclass(frozen=True, slots=True)
class Writer:
    """What arms need to write their texts."""

    policy_folders: tuple[Path, ...] = ()
    seed: int = 0
    """For policies that sample."""
    rename: Callable[[str], str] = str
    """What a policy's name means for the painting model: `rules` alone is the rules of its family."""

    def write(self, arm: Arm, items: Sequence[Item]) -> tuple[PromptPair, ...]:
        """A pair for each prompt, in order. Raises PromptError or PolicyError for texts that are not there."""
        pairs = self._plain(arm, items)
        return tuple(_timed(arm, item.prompt, pair) for item, pair in zip(items, pairs, strict=True))

    def card(self, arm: Arm) -> dict[str, str]:
        """Name, hash and licence of the arm's policy; nothing for other arms."""
        if arm.kind not in POLICY_MODES:
            return {}
        policy = load_policy(self.rename(arm.value), self.policy_folders)
        return {"policy": policy.card.name, "policy_hash": policy.fingerprint, "policy_licence": policy.card.licence}

    def _plain(self, arm: Arm, items: Sequence[Item]) -> list[PromptPair]:
        if arm.kind in POLICY_MODES:
            policy = load_policy(self.rename(arm.value), self.policy_folders)
            options = SuggestOptions(POLICY_MODES[arm.kind], seed=self.seed)
            return [one.pair for one in suggest(policy, [item.prompt for item in items], options)]
        if arm.kind == WRITTEN:
            if len(arm.pairs) != len(items):
                raise PromptError(f"the arm {arm.name!r} has {len(arm.pairs)} pairs for {len(items)} prompts")
            return list(arm.pairs)
        if arm.kind == "file":
            return _from_file(Path(arm.value).expanduser(), items)
        prompts = [parse_prompt(item.prompt) for item in items]
        if arm.kind == "modifiers":
            phrases = phrase_spans(parse_prompt(arm.value).spans)
            return [PromptPair(append_phrases(prompt, phrases)) for prompt in prompts]
        negatives = [item.negative if arm.kind == "own" else arm.value for item in items]
        return [PromptPair(prompt, parse_prompt(text)) for prompt, text in zip(prompts, negatives, strict=True)]


def _from_file(path: Path, items: Sequence[Item]) -> list[PromptPair]:
    """Texts for the prompts: by position from a text file, by prompt from a table."""
    if not is_table(path):
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"cannot read the texts of an arm from {path}: {error}") from error
        if len(lines) != len(items):
            raise PromptError(f"{path} has {len(lines)} lines for {len(items)} prompts; write one negative a line")
        if any(item.line not in (0, place) for place, item in enumerate(items, 1)):
            raise PromptError(
                f"{path} has a negative a line, but these prompts are not in the order of their file: a count chose "
                "them, or some are repeated; write JSON Lines with 'prompt' and 'negative'"
            )
        return [
            PromptPair(parse_prompt(item.prompt), parse_prompt(line)) for item, line in zip(items, lines, strict=True)
        ]
    found = dict(_row(row, where) for where, row in read_rows(path))
    missing = [item.prompt for item in items if item.prompt not in found]
    if missing:
        raise PromptError(f"{path} says nothing for {len(missing)} of {len(items)} prompts, first {missing[0][:60]!r}")
    return [found[item.prompt] for item in items]


def _row(row: dict[str, Any], where: str) -> tuple[str, PromptPair]:
    prompt = as_text(pick(row, PROMPT))
    if prompt is None:
        raise PromptError(f"{where} has no text under 'prompt'; its names are {', '.join(row) or 'none'}"[:300])
    given = {"positive": pick(row, REWRITTEN), "negative": pick(row, NEGATIVE)}
    texts = {name: as_text("" if value is None else value) for name, value in given.items()}
    if None in texts.values():
        raise PromptError(f"{where}: 'positive' and 'negative' are texts, got {given}"[:300])
    return prompt, PromptPair(parse_prompt(texts["positive"] or prompt), parse_prompt(texts["negative"] or ""))


def _timed(arm: Arm, prompt: str, pair: PromptPair) -> PromptPair:
    """The pair with the arm's windows."""
    if arm.negative_window is not None:
        pair = PromptPair(pair.positive, append_phrases(DFPrompt(), _moved(pair.negative.spans, arm.negative_window)))
    if arm.modifiers_window is not None:
        base = parse_prompt(prompt)
        before, whole = format_prompt(base), format_prompt(pair.positive)
        if not whole.startswith(before):
            raise PromptError(
                f"the arm {arm.name!r} does not begin with the prompt {prompt[:60]!r}: no modifiers to move"
            )
        pair = PromptPair(
            append_phrases(base, _moved(parse_prompt(whole[len(before) :]).spans, arm.modifiers_window)), pair.negative
        )
    return pair


def _moved(spans: Sequence[Span], window: Window) -> list[Span]:
    return [replace(span, window=window) for span in phrase_spans(spans)]
