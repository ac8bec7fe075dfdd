"""`world learning`: what was learned from how many pictures, measured on held-out prompts; goes on where it stopped."""

from __future__ import annotations

import logging
from functools import partial

import torch

from negopt_core.lab.make_world.measure import draw_prompts
from studies.learning.arms import kept, learners, measure
from studies.learning.settings import LearningSettings
from studies.learning.simulate import audit_figures

log = logging.getLogger("negopt")
PROMPT_SEED = 70_001
NONE = "none"
Scores = dict[str, dict[str, dict[str, list[float]]]]
"""Learner -> pictures -> seed -> [P] R over none."""


def audit_shares(settings: LearningSettings) -> dict[int, dict[str, float]]:
    """How often a simulated audit is right, by its number of pictures."""
    return {
        pictures: kept(settings.folder / f"audit-{pictures}.json", partial(audit_figures, settings.audits, pictures))
        for pictures in settings.audit_pictures
    }


def run_learning(settings: LearningSettings) -> Scores:
    """Learn what is missing, measure what is not measured."""
    torch.set_num_threads(1)
    drawn = draw_prompts(20 * settings.prompts, PROMPT_SEED, part="held-out")
    held_out = list(dict.fromkeys(drawn))[: settings.prompts]
    scores: Scores = {}
    plain = kept(settings.folder / "scores" / "none.json", partial(measure, settings, held_out, [""] * len(held_out)))
    for name, learn in learners(settings, held_out).items():
        if settings.only not in ("", name):
            continue
        for seed in range(settings.seeds):
            log.info("%s, seed %d", name, seed)
            texts = kept(settings.folder / "texts" / f"{name}-{seed}.json", partial(learn, seed))
            for pictures, negatives in texts.items():
                place = settings.folder / "scores" / f"{name}-{seed}-{pictures}.json"
                rows = kept(place, partial(measure, settings, held_out, negatives))
                gains = [one - two for one, two in zip(rows, plain, strict=True)]
                scores.setdefault(name, {}).setdefault(pictures, {})[str(seed)] = gains
    return scores
