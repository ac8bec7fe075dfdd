"""What a report paints, in order: the searches, then every arm on fresh prompts and noise."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from negopt_core.lab.make_world.measure import draw_prompts
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.text.prompt import FULL, Span
from negopt_core.world import vocabulary as words
from studies.world import arms
from studies.world.outcome import Outcome
from studies.world.search import Gains, content_features, fit_gains, random_negatives
from studies.world.settings import ReportSettings
from studies.world.studio import Arm, Batch, Studio

log = logging.getLogger("negopt")

SEARCHED_FIXED, SEARCHED, RULES, RULES_PLAIN = (
    "searched, one for all prompts",
    "searched, one for each prompt",
    "`rules`, scheduled",
    "`rules`, the same words at all steps",
)
APPENDED, SCHEDULED = "modifiers, all steps", "modifiers, each in its window"
"""Those of `scheduled_words`."""
_ROUNDS = 4
"""Random negatives tried for each search prompt."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was painted, as verdicts."""

    prompts: tuple[str, ...]
    outcomes: dict[str, Outcome]
    """By name of the arm, on `prompts`."""
    two_objects: Outcome
    gains: Gains
    searched: tuple[str, ...]
    """The searched negative for each prompt."""
    windows: dict[str, str]
    """Name of the best window of each modifier, from a search of its own; those first that gain most from it."""
    best_fixed: str
    """Name of the fixed negative with the highest R on `prompts` themselves: the hardest to beat."""


def run_experiments(studio: Studio, settings: ReportSettings) -> Findings:
    """Paint and judge everything; what is in the studio's cache is not painted again."""
    gains = search_negatives(studio, settings)
    windows = search_windows(studio, settings)
    prompts = report_prompts(settings)
    batch = Batch(prompts, settings.seeds, settings.seed, "eval")
    searched = tuple(", ".join(gains.choose(row)) for row in content_features(prompts))
    outcomes = studio.paint(batch, _negative_arms(prompts, gains, searched), "negatives")
    fixed = [*arms.FIXED, SEARCHED_FIXED]
    best = max(fixed, key=lambda name: float(outcomes[name].reward.mean()))
    texts = {**arms.FIXED, SEARCHED_FIXED: ", ".join(gains.choose())}
    late = arms.delayed_arms(prompts, {best: texts[best]}, arms.STARTS)
    late += arms.delayed_arms(prompts, {word: word for word in words.DEGRADATIONS}, (0.2, 0.4))
    outcomes |= studio.paint(batch, late, "delayed negatives")
    outcomes |= studio.paint(batch, [*arms.timing_arms(prompts), *_combined(prompts, windows)], "timing")
    outcomes |= studio.paint(batch, arms.weight_arms(prompts), "weights")
    pairs = draw_prompts(settings.prompts, settings.seed + 1, objects=2)
    two = Batch(tuple(pairs), settings.seeds, settings.seed + 1, "eval")
    two_objects = studio.paint(two, [arms.with_negative(arms.NONE, pairs, "")], "two objects")[arms.NONE]
    return Findings(prompts, outcomes, two_objects, gains, searched, windows, best)


def search_negatives(studio: Studio, settings: ReportSettings) -> Gains:
    """Random negatives beside none on `search_prompts`, then a linear model of what each word gains."""
    prompts = search_prompts(settings)
    batch = Batch(tuple(prompts), 1, settings.seed + 2_000_000, "reward")
    tried = [random_negatives(prompts, settings.seed + number) for number in range(_ROUNDS)]
    random_arms = [
        arms.with_negatives(f"random {number}", prompts, [", ".join(negative) for negative in negatives])
        for number, negatives in enumerate(tried)
    ]
    found = studio.paint(batch, [arms.with_negative(arms.NONE, prompts, ""), *random_arms], "search")
    plain = found[arms.NONE].reward
    gains = torch.cat([found[arm.name].reward - plain for arm in random_arms])
    return fit_gains(prompts * _ROUNDS, [negative for negatives in tried for negative in negatives], gains)


def report_prompts(settings: ReportSettings) -> tuple[str, ...]:
    """The prompts of the tables, drawn from all; some may come twice."""
    return tuple(draw_prompts(settings.prompts, settings.seed))


def search_prompts(settings: ReportSettings) -> list[str]:
    """The prompts of the search for negatives: of those for training, so that it meets no held-out one."""
    return draw_prompts(settings.searches, settings.seed + 2, part="train")


def window_prompts(settings: ReportSettings) -> list[str]:
    """The prompts of the search for windows, drawn from all."""
    return draw_prompts(settings.window_searches, settings.seed + 3)


def search_windows(studio: Studio, settings: ReportSettings) -> dict[str, str]:
    """The window of each modifier with the highest R on prompts drawn anew and noise of its own."""
    prompts = window_prompts(settings)
    batch = Batch(tuple(prompts), 1, settings.seed + 3_000_000, "reward")
    found = studio.paint(batch, arms.timing_arms(prompts), "search of windows")

    best = {word: max(arms.WINDOWS, key=partial(_mean_reward, found, word)) for word in words.ENHANCEMENTS}

    def gain(word: str) -> float:
        return _mean_reward(found, word, best[word]) - _mean_reward(found, word, "all steps")

    return {word: best[word] for word in sorted(best, key=gain, reverse=True)}


def _mean_reward(found: dict[str, Outcome], word: str, window: str) -> float:
    return float(found[arms.timed(word, window)].reward.mean())


def scheduled_words(windows: dict[str, str]) -> list[str]:
    """Up to three modifiers whose best window is not the whole run, those first that gain most; any if none is."""
    timed = [word for word, window in windows.items() if arms.WINDOWS[window] != FULL]
    return (timed or list(windows))[:3]


def _combined(prompts: Sequence[str], windows: dict[str, str]) -> list[Arm]:
    chosen = scheduled_words(windows)
    return [
        arms.with_modifiers(APPENDED, prompts, [Span(word) for word in chosen]),
        arms.with_modifiers(SCHEDULED, prompts, [Span(word, 1.0, arms.WINDOWS[windows[word]]) for word in chosen]),
    ]


def _negative_arms(prompts: Sequence[str], gains: Gains, searched: Sequence[str]) -> list[Arm]:
    rules = load_policy("rules:world")
    pairs = tuple(item.pair for item in suggest(rules, list(prompts), SuggestOptions(modes=("negative",))))
    found = [arms.with_negative(arms.NONE, prompts, "")]
    found += [arms.with_negative(name, prompts, text) for name, text in (arms.FIXED | arms.IRRELEVANT).items()]
    found.append(arms.with_negative("every modifier", prompts, arms.HARMFUL))
    found.append(arms.with_negatives("what the prompt asks for", prompts, arms.against_the_prompt(prompts)))
    found.append(arms.with_negative(SEARCHED_FIXED, prompts, ", ".join(gains.choose())))
    found.append(arms.with_negatives(SEARCHED, prompts, searched))
    found += [Arm(RULES, pairs), arms.with_negatives(RULES_PLAIN, prompts, [pair.negative.text for pair in pairs])]
    return found + arms.word_arms(prompts)
