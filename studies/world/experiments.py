"""What the world's report paints, in order: the searches, then every arm on fresh prompts and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from negopt_core.lab.compare.arms import Arm, Writer
from negopt_core.lab.compare.prompt_sets import Item
from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.text.prompt import FULL, Span
from negopt_core.world import vocabulary as words
from studies.world import arms
from studies.world.runner import Runner, design_of
from studies.world.scores import Scores
from studies.world.search import Gains, content_features, fit_gains, random_negatives
from studies.world.settings import ReportSettings

SEARCHED_FIXED, SEARCHED, RULES, RULES_PLAIN = (
    "searched, one for all prompts",
    "searched, one for each prompt",
    "`rules`, scheduled",
    "`rules`, the same words at all steps",
)
APPENDED, SCHEDULED = "modifiers, all steps", "modifiers, each in its window"
"""Those of `scheduled_words`."""
EVERY_MODIFIER, AGAINST = "every modifier", "what the prompt asks for"
_ROUNDS = 4
"""Random negatives tried for each search prompt."""


@dataclass(frozen=True, slots=True)
class WorldResults:
    """Everything that was painted, as scores."""

    prompts: tuple[str, ...]
    arms: dict[str, Scores]
    """By name, on `prompts`."""
    two_objects: Scores
    gains: Gains
    searched: tuple[str, ...]
    """The searched negative for each prompt."""
    windows: dict[str, str]
    """Name of the best window of each modifier, from a search of its own; those first that gain most from it."""
    best_fixed: str
    """Name of the fixed negative with the highest R on `prompts` themselves: the hardest to beat."""


def run_experiments(runner: Runner, settings: ReportSettings) -> WorldResults:
    """Paint and judge everything; what is in the runner's cache is not painted again."""
    gains = search_negatives(runner, settings)
    windows = search_windows(runner, settings)
    prompts = report_prompts(settings)
    searched = tuple(", ".join(gains.choose(row)) for row in content_features(prompts))

    def run(compared: Sequence[Arm], label: str) -> dict[str, Scores]:
        return runner.run(design_of(prompts, compared, settings.seeds, settings.seed), "eval", label)

    results = run(_negative_arms(prompts, gains, searched), "negatives")
    fixed = arms.FIXED | {SEARCHED_FIXED: ", ".join(gains.choose())}
    best = max(fixed, key=lambda name: float(results[name].reward.mean()))
    late = arms.delayed_arms({best: fixed[best]}, arms.STARTS)
    late += arms.delayed_arms({word: word for word in words.DEGRADATIONS}, (0.2, 0.4))
    results |= run(late, "delayed negatives")
    results |= run([*arms.timing_arms(), *_combined(windows)], "timing")
    results |= run(arms.weight_arms(), "weights")
    pairs = draw_prompts(settings.prompts, settings.seed + 1, objects=2)
    two = design_of(pairs, [Arm(arms.NONE, "none")], settings.seeds, settings.seed + 1)
    two_objects = runner.run(two, "eval", "two objects")[arms.NONE]
    return WorldResults(prompts, results, two_objects, gains, searched, windows, best)


def search_negatives(runner: Runner, settings: ReportSettings) -> Gains:
    """Random negatives beside none on `search_prompts`, then a linear model of what each word gains."""
    prompts = search_prompts(settings)
    tried = [random_negatives(prompts, settings.seed + number) for number in range(_ROUNDS)]
    random_arms = [
        arms.negatives_arm(f"random {number}", prompts, [", ".join(negative) for negative in negatives])
        for number, negatives in enumerate(tried)
    ]
    design = design_of(prompts, [Arm(arms.NONE, "none"), *random_arms], 1, settings.seed + 2_000_000)
    results = runner.run(design, "reward", "search")
    gains = torch.cat([results[arm.name].reward - results[arms.NONE].reward for arm in random_arms])
    return fit_gains(prompts * _ROUNDS, [negative for negatives in tried for negative in negatives], gains)


def search_windows(runner: Runner, settings: ReportSettings) -> dict[str, str]:
    """The window of each modifier with the highest R on prompts drawn anew and noise of its own."""
    design = design_of(window_prompts(settings), arms.timing_arms(), 1, settings.seed + 3_000_000)
    results = runner.run(design, "reward", "search of windows")

    def reward(word: str, window: str) -> float:
        return float(results[arms.timed(word, window)].reward.mean())

    best = {word: max(arms.WINDOWS, key=partial(reward, word)) for word in words.ENHANCEMENTS}
    order = sorted(best, key=lambda word: reward(word, best[word]) - reward(word, "all steps"), reverse=True)
    return {word: best[word] for word in order}


def report_prompts(settings: ReportSettings) -> tuple[str, ...]:
    """The prompts of the tables, drawn from all; some may come twice."""
    return tuple(draw_prompts(settings.prompts, settings.seed))


def search_prompts(settings: ReportSettings) -> list[str]:
    """The prompts of the search for negatives: of those for training, so that it meets no held-out one."""
    return draw_prompts(settings.searches, settings.seed + 2, part="train")


def window_prompts(settings: ReportSettings) -> list[str]:
    """The prompts of the search for windows, drawn from all."""
    return draw_prompts(settings.window_searches, settings.seed + 3)


def scheduled_words(windows: dict[str, str]) -> list[str]:
    """Up to three modifiers whose best window is not the whole run, those first that gain most; any if none is."""
    timed = [word for word, window in windows.items() if arms.WINDOWS[window] != FULL]
    return (timed or list(windows))[:3]


def _combined(windows: dict[str, str]) -> list[Arm]:
    chosen = scheduled_words(windows)
    return [
        arms.modifiers_arm(APPENDED, [Span(word) for word in chosen]),
        arms.modifiers_arm(SCHEDULED, [Span(word, 1.0, arms.WINDOWS[windows[word]]) for word in chosen]),
    ]


def _negative_arms(prompts: Sequence[str], gains: Gains, searched: Sequence[str]) -> list[Arm]:
    rules = Arm(RULES, "policy-negative", "rules:world")
    plain = [pair.negative.text for pair in Writer().write(rules, [Item(prompt) for prompt in prompts])]
    same = arms.FIXED | arms.IRRELEVANT | {EVERY_MODIFIER: arms.HARMFUL, SEARCHED_FIXED: ", ".join(gains.choose())}
    same |= {word: word for word in arms.SYNONYMS}
    return [
        Arm(arms.NONE, "none"),
        *(arms.negative_arm(name, text) for name, text in same.items()),
        arms.negatives_arm(AGAINST, prompts, arms.against_the_prompt(prompts)),
        arms.negatives_arm(SEARCHED, prompts, searched),
        rules,
        arms.negatives_arm(RULES_PLAIN, prompts, plain),
    ]
