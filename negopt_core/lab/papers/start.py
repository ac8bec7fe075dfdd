"""Where a paper's training starts: the published language model as a policy of the right side, with heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ...errors import TrainingError
from ...policy.card import PolicyCard
from ...policy.language import LanguagePolicy
from ...policy.language.folder import make_policy, open_policy
from ...policy.language.grammar import StockGrammar
from ...policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from ...policy.store import CARD_NAME
from ..train.setup import PAE_WEIGHT_PRIOR, PAE_WINDOW_PRIOR
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
    if not paper.is_scheduled or max(len(card.windows), len(card.weights)) > 1:
        policy.card = card
        return policy
    return _with_heads(policy, replace(card, windows=PAE_WINDOWS, weights=PAE_WEIGHTS))


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


def _with_heads(policy: LanguagePolicy, card: PolicyCard) -> LanguagePolicy:
    stock = policy.grammar.phrases if isinstance(policy.grammar, StockGrammar) else ()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = make_policy(policy.model, policy.tokenizer, card, stock, policy.reader)
    made.set_prior("windows", PAE_WINDOW_PRIOR)
    made.set_prior("weights", PAE_WEIGHT_PRIOR)
    return made.eval()
