"""Where a paper's training starts: the published language model as a policy of the right side, with heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ...errors import TrainingError
from ...policy.card import PolicyCard
from ...policy.language import LanguagePolicy
from ...policy.language.folder import open_policy
from ...policy.store import CARD_NAME
from ..train.setup import with_schedule
from .settings import Paper
from .task import Task


def open_start(task: Task) -> LanguagePolicy:
    """The policy to train. A model without heads gets PAE's where the paper has windows and weights, at PAE's prior.

    TrainingError for a model of another kind, or a policy that writes the other side.
    """
    policy, paper = open_policy(task.start), task.paper
    is_plain = not (task.start / CARD_NAME).exists()
    _check(policy.card, paper, task.start, is_plain)
    history = policy.card.provenance.get("history") or [f"start: {task.start.name}"]
    card = replace(policy.card, polarity=paper.polarity, provenance={**policy.card.provenance, "history": [*history]})
    policy.card = card
    if not paper.is_scheduled or max(len(card.windows), len(card.weights)) > 1:
        return policy
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return with_schedule(policy, ())


def _check(card: PolicyCard, paper: Paper, folder: Path, is_plain: bool) -> None:
    if card.kind != paper.kind:
        wanted = "T5" if paper.kind == "seq2seq" else "GPT-2 or another decoder"
        raise TrainingError(
            f"{paper.title} starts from {wanted}, and {folder} holds a {card.kind}; give another --start"
        )
    if not is_plain and card.polarity not in (paper.polarity, "both"):
        raise TrainingError(
            f"the policy in {folder} writes {card.polarity}, and {paper.title} wants {paper.polarity}; give another "
            "--start"
        )
