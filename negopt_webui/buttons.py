"""What the buttons do: each takes the boxes' contents and gives back their new contents and a line for the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from negopt_core.errors import NegOptError, PromptError
from negopt_core.policy.menu import PolicyMenu
from negopt_core.policy.store import with_windows
from negopt_core.provenance.plan import check_passes
from negopt_core.text.df_text import format_prompt, parse_prompt
from negopt_core.text.prompt import DFPrompt

from .check import Boxes, check, in_scroller, to_html
from .host import Webui
from .model_family import AUTOMATIC, DEFAULT, family_of, judged_families, name_for
from .native import add_schedule
from .request import MAX_WORDS
from .writing import UserPrompts, as_text, ask, count_windows, into_prompt, joined

Answer = tuple[Any, ...]
NEGATIVE, MODIFIERS = ("negative",), ("modifiers",)
TITLE, TITLE_ON = "negopt", "negopt (enabled)"


class Asked(NamedTuple):
    """What the three buttons that write are given, in the page's order; None for what the page has not."""

    prompt: str | None
    negative: str | None
    positive_words: str | None
    negative_words: str | None
    policy: Any
    seed: Any
    family: Any = None


@dataclass(frozen=True, slots=True)
class Buttons:
    """The page's actions; `update` changes a part of the page, and without arguments leaves it as it is."""

    menu: PolicyMenu
    host: Webui
    update: Callable[..., Any]

    def write_negative(self, *asked: Any) -> Answer:
        """New text for the negative box, and the line; `asked` as `Asked` has it."""
        return self._into_box(Asked(*asked), NEGATIVE)

    def add_modifiers(self, *asked: Any) -> Answer:
        """New text for the prompt box, and the line."""
        return self._into_box(Asked(*asked), MODIFIERS)

    def fill_schedule(self, *asked: Any) -> Answer:
        """New text for both schedule boxes, and the line."""
        wanted = Asked(*asked)
        prompts = self._read_prompts(wanted, NEGATIVE + MODIFIERS)
        try:
            written = ask(self.menu.policy(with_windows(self._name(wanted))), prompts)
        except NegOptError as error:
            return self.update(), self.update(), to_html([str(error)])
        positive = joined(prompts.scheduled_prompt, written.positive)
        negatives = joined(prompts.scheduled_negative, written.negative)
        if not written.positive.text and not written.negative.text:
            return self.update(), self.update(), to_html([f"{written.policy} has nothing to add", *written.warnings])
        told = [f"{written.policy} has filled the schedule", *written.warnings]
        return format_prompt(positive), format_prompt(negatives), to_html(told)

    def to_native(
        self,
        prompt: str,
        negative: str,
        positive_words: str,
        negative_words: str,
        passes: str,
        steps: Any,
        sampler: Any,
        hires: Any,
        hires_steps: Any,
    ) -> Answer:
        """Both prompt boxes with the schedule as prompt editing, both schedule boxes empty, and the line."""
        try:
            chosen = check_passes(passes)
            first = self.host.total_steps(str(sampler or ""), _whole(steps))
            second = self.host.total_steps(str(sampler or ""), _whole(hires_steps or steps)) if hires is True else None
            new_prompt = add_schedule(prompt, _words(positive_words), False, first, second, chosen)
            new_negative = add_schedule(negative, _words(negative_words), True, first, second, chosen)
        except NegOptError as error:
            return *(self.update() for _ in range(4)), to_html([str(error)])
        told = f"moved into the prompt boxes for {first} steps" + (f" and {second} in the hires pass" if second else "")
        return new_prompt, new_negative, "", "", to_html([f"{told}; with other steps it would act at other places"])

    def check(
        self,
        positive_words: str,
        negative_words: str,
        prompt: str,
        negative: str,
        steps: Any,
        cfg: Any,
        enabled: Any,
        policy: Any = None,
        family: Any = None,
        passes: Any = "both",
        hires: Any = None,
    ) -> str:
        """What is wrong with the words in the boxes, and when they act."""
        of_model, of_policy = judged_families(str(policy or DEFAULT), str(family or AUTOMATIC), self.host.loaded())
        known = Boxes(
            positive_words or "",
            negative_words or "",
            prompt or "",
            negative or "",
            enabled is not False,
            model_family=of_model,
            policy_family=of_policy,
            embeddings=self.host.embeddings(),
            passes=str(passes or "both"),
            has_hires=hires if isinstance(hires, bool) else None,
        )
        if isinstance(steps, int | float):
            known = replace(known, steps=int(steps))
        if isinstance(cfg, int | float):
            known = replace(known, cfg=float(cfg))
        return in_scroller(to_html(check(known)))

    def choose(self, name: Any) -> Answer:
        """A policy of the longer list, for the policy box; and none for the list, so that it can be chosen again."""
        return (str(name), None) if name else (self.update(), self.update())

    def title(self, enabled: Any) -> Any:
        """The accordion's title, which says that negopt is on also where it is folded, as after a paste."""
        return self.update(label=TITLE_ON if enabled is True else TITLE)

    def _into_box(self, wanted: Asked, mode: tuple[str, ...]) -> Answer:
        prompts, is_negative = self._read_prompts(wanted, mode), mode == NEGATIVE
        try:
            written = ask(self.menu.policy(self._name(wanted)), prompts)
            added = written.negative if is_negative else written.positive
            text = into_prompt(prompts.negative if is_negative else prompts.prompt, added, is_negative)
        except NegOptError as error:
            return self.update(), to_html([str(error)])
        if not added.text:
            return self.update(), to_html([f"{written.policy} has nothing to add", *written.warnings])
        windows = count_windows(added)
        box = "negative prompt" if is_negative else "prompt"
        told = [f"written by {written.policy} into the {box}: {as_text(added)}"]
        if windows:
            told.append(
                f"{windows} of the phrases have a window, which plain text cannot keep: they act in every step; "
                "'Fill the schedule' keeps the windows"
            )
        return text, to_html([*told, *written.warnings])

    def _name(self, wanted: Asked) -> str:
        return name_for(str(wanted.policy), str(wanted.family or AUTOMATIC), self.host.loaded())

    def _read_prompts(self, wanted: Asked, modes: tuple[str, ...]) -> UserPrompts:
        seed = wanted.seed
        chosen = int(seed) if isinstance(seed, int | float) and seed >= 0 else 0  # -1 has no picture's seed to take
        return UserPrompts(
            wanted.prompt or "",
            wanted.negative or "",
            _words(wanted.positive_words or ""),
            _words(wanted.negative_words or ""),
            modes,
            chosen,
            family_of(self.host.loaded()) or None,
            self.host.embeddings(),
        )


def _words(text: str) -> DFPrompt:
    return parse_prompt((text or "")[:MAX_WORDS])


def _whole(value: Any) -> int:
    if not isinstance(value, int | float) or value < 1:
        raise PromptError(f"a schedule in the prompt's own notation needs the number of steps, got {value!r}")
    return int(value)
