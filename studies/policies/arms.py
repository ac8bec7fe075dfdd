"""The arms of docs/results.md: for each the prompt pairs that it writes for the held-out prompts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from negopt_core.lab.compare.arms import Arm, Writer
from negopt_core.lab.compare.prompt_sets import Item
from negopt_core.lab.data.world_people import human_negatives
from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from negopt_core.policy.phrases import append_phrases, phrases_behind
from negopt_core.policy.suggest import MODES
from negopt_core.text.prompt import FULL, DFPrompt, PromptPair, Span
from studies.policies.recipe import BALANCES, DATA_SIZES, ISOLATED, Recipe
from studies.policies.ship import SHIPPED_RUNS, likeliest
from studies.world.arms import FIXED, NONE, negative_arm, negatives_arm

PROMPT_SEED, HUMAN_SEED, SUGGEST_SEED = 70_001, 70_002, 70_003


@dataclass(frozen=True, slots=True)
class PolicyArms:
    """Held-out prompts, the folder of the training runs, and what was trained."""

    prompts: tuple[str, ...]
    folder: Path
    recipe: Recipe

    @classmethod
    def draw(cls, count: int, folder: Path, recipe: Recipe) -> PolicyArms:
        """Different prompts that no training saw; fewer if the world has not that many."""
        drawn = draw_prompts(20 * count, PROMPT_SEED, part="held-out")
        return cls(tuple(list(dict.fromkeys(drawn))[:count]), folder, recipe)

    def all(self) -> list[Arm]:
        """Untrained, trained negatives, trained modifiers, both sides at once, likeliest words."""
        return [*self._untrained(), *self._negatives(), *self._modifiers(), *self._both_sides(), *self._likeliest()]

    def _untrained(self) -> list[Arm]:
        """None, pasted lists, people, `rules`."""
        people = [", ".join(span.text for span in pair.spans) for pair in human_negatives(self.prompts, HUMAN_SEED)]
        rules = self._write("rules:world", "negative")
        return [
            Arm(NONE, "none"),
            *(negative_arm(name, text) for name, text in FIXED.items()),
            negatives_arm("people", self.prompts, people),
            Arm.written("rules", rules),
            Arm.written("rules, all steps", plain(rules)),
        ]

    def _negatives(self) -> list[Arm]:
        """NegOpt's stages, reward balances, data sizes, and the scheduled ones with and without windows and weights."""
        kinds = [f"{kind}-{stage}" for kind in ("negative", "scheduled") for stage in ("sft", "rl")]
        names = [f"{kind}-{seed}" for kind in kinds for seed in self._seeds]
        names += ["rl-only", *(f"balance-{name.replace(':', '-')}" for name in BALANCES)]
        names += [f"negative-{count}-{stage}-0" for count in DATA_SIZES.values() for stage in ("sft", "rl")]
        written = {name: self.of_run(name, "negative") for name in names}
        for seed in self._seeds:
            pairs = written[f"scheduled-rl-{seed}"]
            written[f"scheduled-rl-plain-{seed}"] = plain(pairs)
            written[f"scheduled-rl-weights-{seed}"] = at_all_steps(pairs)
        return [Arm.written(name, pairs) for name, pairs in written.items()]

    def _modifiers(self) -> list[Arm]:
        """PAE's stages, with the same phrases unscheduled and in random windows beside them."""
        names = [f"modifiers-{stage}-{seed}" for stage in ("sft", "rl") for seed in self._seeds]
        names += [f"modifiers-{label}" for label in ISOLATED]
        written = {name: self.of_run(name, "modifiers") for name in names}
        for seed in self._seeds:
            supervised = written[f"modifiers-sft-{seed}"]
            written[f"modifiers-plain-{seed}"] = plain(supervised)
            written[f"modifiers-random-{seed}"] = in_random_windows(self.prompts, supervised, seed)
            written[f"modifiers-rl-plain-{seed}"] = plain(written[f"modifiers-rl-{seed}"])
        return [Arm.written(name, pairs) for name, pairs in written.items()]

    def _both_sides(self) -> list[Arm]:
        """Negative and modifiers at once, from the two policies of a seed."""
        arms = []
        for seed in self._seeds:
            negative, modifiers = (self.of_run(f"{mode}-rl-{seed}", mode) for mode in MODES)
            pairs = [PromptPair(two.positive, one.negative) for one, two in zip(negative, modifiers, strict=True)]
            arms.append(Arm.written(f"both-rl-{seed}", pairs))
        return arms

    def _likeliest(self) -> list[Arm]:
        """The shipped policies as whoever names no seed meets them: the likeliest words, not drawn ones."""
        modes = {run: "modifiers" if run.startswith("modifiers") else "negative" for run in SHIPPED_RUNS.values()}
        return [Arm.written(likeliest(run), self.of_run(run, mode, seed=0)) for run, mode in modes.items()]

    def of_run(self, name: str, mode: str, seed: int = SUGGEST_SEED) -> tuple[PromptPair, ...]:
        """What the policy of a training run writes for the prompts."""
        return self._write(str(self.folder / name / "policy"), mode, seed)

    def _write(self, policy: str, mode: str, seed: int = SUGGEST_SEED) -> tuple[PromptPair, ...]:
        return Writer(seed=seed).write(Arm(policy, f"policy-{mode}", policy), [Item(prompt) for prompt in self.prompts])

    @property
    def _seeds(self) -> range:
        return range(self.recipe.seeds)


def plain(pairs: Sequence[PromptPair]) -> tuple[PromptPair, ...]:
    """The same words at weight 1 and at all steps."""
    return tuple(PromptPair.plain(pair.positive.text, pair.negative.text) for pair in pairs)


def at_all_steps(pairs: Sequence[PromptPair]) -> tuple[PromptPair, ...]:
    """The same words with their weights, at all steps."""
    return tuple(PromptPair(_always(pair.positive), _always(pair.negative)) for pair in pairs)


def _always(prompt: DFPrompt) -> DFPrompt:
    return DFPrompt(tuple(replace(span, window=FULL) for span in prompt.spans))


def changed(
    prompts: Sequence[str], pairs: Sequence[PromptPair], change: Callable[[Span], Span]
) -> tuple[PromptPair, ...]:
    """The same pairs with each added modifier changed, one after the other."""
    found = []
    for prompt, pair in zip(prompts, pairs, strict=True):
        spans = [change(span) for span in phrases_behind(prompt, pair.positive)]
        found.append(PromptPair(append_phrases(DFPrompt.plain(prompt), spans), pair.negative))
    return tuple(found)


def in_random_windows(prompts: Sequence[str], pairs: Sequence[PromptPair], seed: int) -> tuple[PromptPair, ...]:
    """The same modifiers, each with one of PAE's windows and weights drawn at random."""
    rng = random.Random(seed)
    return changed(prompts, pairs, lambda span: Span(span.text, rng.choice(PAE_WEIGHTS), rng.choice(PAE_WINDOWS)))
