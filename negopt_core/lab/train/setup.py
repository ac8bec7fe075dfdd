"""Putting a run together: models from nothing or from a folder, rewards from a line of text, prompts from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, T5Config

from ...errors import TrainingError
from ...files import read_json_lines, read_lines
from ...policy.card import PolicyCard
from ...policy.language.backbone import build_model
from ...policy.language.folder import KINDS, make_policy
from ...policy.language.model import LanguagePolicy
from ...policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from ...policy.language.reader import Reader
from ...policy.language.tokenizer import read_tokenizer
from ...policy.store import CARD_NAME, SHIPPED, read_card, shipped_names
from ...scorers.base import Reward, RewardTerm, Scorer
from .priors import NEGATIVE_WINDOWS, SCHEDULE_WEIGHTS, schedule_targets
from .settings import Size

PAE_WINDOW_PRIOR = (0.15866, 0.68269, 0.15866)
PAE_WEIGHT_PRIOR = (0.00135, 0.15731, 0.68269, 0.15731, 0.00135)
"""PAE's bins and what its first stage installs (papers.md, section 1B); late half, all, early half."""

_TERM = "a reward term is scorer:weight[:floor][:plain[=share]]"


def new_policy(
    card: PolicyCard, tokenizer: Any, stock: Sequence[str], size: Size, seed: int, reader: Reader | None = None
) -> LanguagePolicy:
    """Fresh weights: T5 for a card of kind "seq2seq", GPT-2 for "df"; heads at PAE's prior where the bins are PAE's."""
    torch.manual_seed(seed)
    policy = make_policy(build_model(_config(card.kind, tokenizer, size)), tokenizer, card, stock, reader)
    for channel, bins, prior, standard in (
        ("windows", card.windows, PAE_WINDOW_PRIOR, PAE_WINDOWS),
        ("weights", card.weights, PAE_WEIGHT_PRIOR, PAE_WEIGHTS),
    ):
        if bins == standard:
            policy.set_prior(channel, prior)
    return policy


def with_schedule(policy: LanguagePolicy, phrases: Sequence[str]) -> LanguagePolicy:
    """The same language model with heads for windows and weights, for a policy that has none; TrainingError if it has.

    For modifiers PAE's bins at PAE's prior; for negatives those of `priors`, as likely as published findings say for
    the `phrases` that it will learn to write.
    """
    card = policy.card
    if max(len(card.windows), len(card.weights)) > 1:
        raise TrainingError(f"--scheduled: {card.name} chooses windows and weights already; leave it out")
    is_negative = card.polarity == "negative"
    windows, weights = (NEGATIVE_WINDOWS, SCHEDULE_WEIGHTS) if is_negative else (PAE_WINDOWS, PAE_WEIGHTS)
    card = replace(card, windows=windows, weights=weights)
    made = LanguagePolicy(policy.model, policy.tokenizer, card, policy.grammar, policy.reader)
    if not is_negative:
        made.set_prior("windows", PAE_WINDOW_PRIOR)
        made.set_prior("weights", PAE_WEIGHT_PRIOR)
    else:
        counts = Counter(phrases or ("blurry",))
        shares = torch.tensor(list(counts.values()), dtype=torch.float32) / counts.total()
        targets = schedule_targets(list(counts), card.polarity)
        made.set_prior("windows", (shares @ targets.windows).tolist())
        made.set_prior("weights", (shares @ targets.weights).tolist())
    return made.eval()


def _config(kind: str, tokenizer: Any, size: Size) -> Any:
    ids: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    }
    if kind == "seq2seq":
        config = T5Config(
            d_model=size.width,
            d_ff=4 * size.width,
            d_kv=size.width // size.heads,
            num_layers=size.layers,
            num_heads=size.heads,
            **ids,
        )
        config.decoder_start_token_id = ids["pad_token_id"]
        return config
    if kind == "df":
        shape: dict[str, Any] = {"n_embd": size.width, "n_layer": size.layers, "n_head": size.heads}
        return GPT2Config(bos_token_id=ids["eos_token_id"], n_positions=256, **shape, **ids)
    raise TrainingError(f"a policy of kind {kind!r} cannot be trained; choose seq2seq or df")


def start_folder(named: Path) -> Path:
    """The folder of a policy to start from: its path, or the name of one that comes with negopt; TrainingError if it
    is neither, or nothing that can be trained."""
    folder = SHIPPED / named if not named.exists() and str(named) in shipped_names() else named
    if folder.is_dir() and (not (folder / CARD_NAME).exists() or read_card(folder).kind in KINDS):
        return folder
    if str(named).startswith("hf:"):
        raise TrainingError(
            f"{named} is on the hub and nothing is fetched unasked: run `policies pull {named} -o policies`, and give "
            "the folder that it names"
        )
    what = f"of kind {read_card(folder).kind}" if folder.is_dir() else "no folder and no such name"
    names = [name for name in shipped_names() if read_card(SHIPPED / name).kind in KINDS]
    raise TrainingError(
        f"cannot train on from {named}: {what}; give the folder of a policy of kind {' or '.join(KINDS)}, a "
        f"transformers folder, or one of {', '.join(names)}"
    )


def load_tokenizer(source: str) -> Any:
    """A tokenizer from a folder; "world" is the demo world's."""
    from ...world import world_dir

    folder = world_dir() / "tokenizer" if source == "world" else Path(source)
    try:
        return read_tokenizer(folder)
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read a tokenizer in {folder}: {error}") from error


def build_reward(line: str, load_scorer: Callable[[str], Scorer]) -> Reward:
    """Terms written `scorer:weight[:floor][:plain[=share]]` and separated by commas, such as
    `world-quality:1:plain,world-alignment:3`. `plain` takes the score of the plain prompt's picture off, or a share
    of it: PAE's beta."""
    return Reward(tuple(_term(part.strip(), load_scorer) for part in line.split(",")))


def _term(text: str, load_scorer: Callable[[str], Scorer]) -> RewardTerm:
    name, *fields = text.split(":")
    word, sign, share = fields[-1].partition("=") if fields else ("", "", "")
    has_baseline = word == "plain"
    try:
        numbers = [float(field) for field in (fields[:-1] if has_baseline else fields)]
        baseline = (float(share) if sign else 1.0) if has_baseline else 0.0
    except ValueError as error:
        raise TrainingError(f"{_TERM}, got {text!r}") from error
    if len(numbers) > 2:
        raise TrainingError(f"{_TERM}, got {text!r}")
    weight, floor = [*numbers, *(None, None)][:2]
    return RewardTerm(load_scorer(name), 1.0 if weight is None else weight, floor, baseline)


def read_prompts(path: Path) -> list[str]:
    """Prompts of a file: one a line, or JSON Lines with `prompt`; gzipped if it ends so.

    Of a row with `modifiers` the `subject`, as pairs are read: without them a subject is a kind of picture.
    """
    if ".jsonl" not in path.suffixes:
        return [line.strip() for _, line in read_lines(path, TrainingError)]
    rows = list(read_json_lines(path, TrainingError))
    lacking = [where for where, row in rows if row.get("prompt") is None and not _subject(row)]
    if lacking:
        raise TrainingError(f"{lacking[0]} has no 'prompt'")
    return [str(_subject(row) or row["prompt"]) for _, row in rows]


def _subject(row: Mapping[str, Any]) -> Any:
    return row.get("modifiers") and row.get("subject")
