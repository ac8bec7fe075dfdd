"""Who is compared in docs/results.md: for every contestant the prompt pairs it writes for the held-out prompts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from negopt_core.lab.data.world_people import human_negatives
from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from negopt_core.policy.phrases import append_phrases, phrases_behind
from negopt_core.policy.suggest import MODES
from negopt_core.text.prompt import FULL, DFPrompt, PromptPair, Span
from studies.policies.recipe import BALANCES, DATA_SIZES, ISOLATED, Recipe
from studies.policies.ship import SHIPPED_RUNS, likeliest
from studies.world import arms
from studies.world.studio import Arm

PROMPT_SEED, HUMAN_SEED, SUGGEST_SEED = 70_001, 70_002, 70_003


@dataclass(frozen=True, slots=True)
class Contest:
    """Held-out prompts, the folder of the training runs, and what was trained."""

    prompts: tuple[str, ...]
    folder: Path
    recipe: Recipe

    @classmethod
    def draw(cls, count: int, folder: Path, recipe: Recipe) -> Contest:
        """Different prompts that no training saw; fewer if the world has not that many."""
        drawn = draw_prompts(20 * count, PROMPT_SEED, part="held-out")
        return cls(tuple(list(dict.fromkeys(drawn))[:count]), folder, recipe)

    def arms(self) -> list[Arm]:
        """Everybody."""
        return [*self.fixed(), *self.trained_negatives(), *self.trained_modifiers(), *self.joint(), *self.likeliest()]

    def fixed(self) -> list[Arm]:
        """Those that learn nothing: none, pasted lists, people, `rules`."""
        human = human_negatives(self.prompts, HUMAN_SEED)
        people = [", ".join(span.text for span in pair.spans) for pair in human]
        found = [arms.with_negative(arms.NONE, self.prompts, "")]
        found += [arms.with_negative(name, self.prompts, text) for name, text in arms.FIXED.items()]
        found.append(arms.with_negatives("people", self.prompts, people))
        rules = self._written("rules:world", "negative")
        return [*found, Arm("rules", rules), Arm("rules, all steps", plain(rules))]

    def trained_negatives(self) -> list[Arm]:
        """NegOpt's stages, reward balances, data sizes, and the scheduled ones with and without windows and weights."""
        kinds = [f"{kind}-{stage}" for kind in ("negative", "scheduled") for stage in ("sft", "rl")]
        names = [f"{kind}-{seed}" for kind in kinds for seed in self._seeds]
        names += ["rl-only", *(f"balance-{name.replace(':', '-')}" for name in BALANCES)]
        names += [f"negative-{count}-{stage}-0" for count in DATA_SIZES.values() for stage in ("sft", "rl")]
        found = {name: Arm(name, self.written(name, "negative")) for name in names}
        unscheduled = []
        for seed in self._seeds:
            pairs = found[f"scheduled-rl-{seed}"].pairs
            unscheduled.append(Arm(f"scheduled-rl-plain-{seed}", plain(pairs)))
            unscheduled.append(Arm(f"scheduled-rl-weights-{seed}", at_all_steps(pairs)))
        return [*found.values(), *unscheduled]

    def trained_modifiers(self) -> list[Arm]:
        """PAE's stages, with the same phrases unscheduled and in random windows beside them."""
        names = [f"modifiers-{stage}-{seed}" for stage in ("sft", "rl") for seed in self._seeds]
        names += [f"modifiers-{label}" for label in ISOLATED]
        found = [Arm(name, self.written(name, "modifiers")) for name in names]
        by_name = {arm.name: arm for arm in found}
        for seed in self._seeds:
            pairs = by_name[f"modifiers-sft-{seed}"].pairs
            found.append(Arm(f"modifiers-plain-{seed}", plain(pairs)))
            found.append(Arm(f"modifiers-random-{seed}", in_random_windows(self.prompts, pairs, seed)))
            learned = by_name[f"modifiers-rl-{seed}"].pairs
            found.append(Arm(f"modifiers-rl-plain-{seed}", plain(learned)))
        return found

    def joint(self) -> list[Arm]:
        """Both sides at once, from the two policies of a seed."""
        found = []
        for seed in self._seeds:
            negative, modifiers = (self.written(f"{mode}-rl-{seed}", mode) for mode in MODES)
            pairs = [PromptPair(two.positive, one.negative) for one, two in zip(negative, modifiers, strict=True)]
            found.append(Arm(f"both-rl-{seed}", tuple(pairs)))
        return found

    def likeliest(self) -> list[Arm]:
        """The shipped policies as whoever names no seed meets them: the likeliest words, not drawn ones."""
        runs = [(run, "modifiers" if run.startswith("modifiers") else "negative") for run in SHIPPED_RUNS.values()]
        return [Arm(likeliest(run), self.written(run, mode, seed=0)) for run, mode in runs]

    def written(self, name: str, mode: str, seed: int = SUGGEST_SEED) -> tuple[PromptPair, ...]:
        """What the policy of a training run writes for the prompts."""
        return self._written(str(self.folder / name / "policy"), mode, seed)

    def _written(self, policy: str, mode: str, seed: int = SUGGEST_SEED) -> tuple[PromptPair, ...]:
        options = SuggestOptions(modes=(mode,), seed=seed)
        return tuple(item.pair for item in suggest(load_policy(policy), list(self.prompts), options))

    @property
    def _seeds(self) -> range:
        return range(self.recipe.seeds)


def plain(pairs: Sequence[PromptPair]) -> tuple[PromptPair, ...]:
    """The same words at weight 1 and at all steps."""
    return tuple(PromptPair.plain(pair.positive.text, pair.negative.text) for pair in pairs)


def at_all_steps(pairs: Sequence[PromptPair]) -> tuple[PromptPair, ...]:
    """The same negatives with their weights, at all steps."""
    return tuple(
        PromptPair(pair.positive, DFPrompt(tuple(replace(span, window=FULL) for span in pair.negative.spans)))
        for pair in pairs
    )


def in_random_windows(prompts: Sequence[str], pairs: Sequence[PromptPair], seed: int) -> tuple[PromptPair, ...]:
    """The same modifiers, each with one of PAE's windows and weights drawn at random."""
    rng = random.Random(seed)
    found = []
    for prompt, pair in zip(prompts, pairs, strict=True):
        phrases = phrases_behind(prompt, pair.positive)
        drawn = [Span(span.text, rng.choice(PAE_WEIGHTS), rng.choice(PAE_WINDOWS)) for span in phrases]
        found.append(PromptPair(append_phrases(DFPrompt.plain(prompt), drawn), pair.negative))
    return tuple(found)
