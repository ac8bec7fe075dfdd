"""A language policy as a folder: `policy.json`, the transformers files, `heads.safetensors`, `stock.txt`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, PreTrainedModel

from ...errors import PolicyError
from ...files import write_text
from ...quiet import quiet
from ..card import PolicyCard, parse_card
from ..folder_check import STOCK_FILE, CheckedFolder, as_policy_error, check_policy_folder, in_one_line, write_sums
from ..neighbours import INDEX_FILE, Neighbours, save_index
from .backbone import build_model, make_backbone
from .grammar import FreeGrammar, Grammar, StockGrammar
from .model import LanguagePolicy
from .reader import SHORT, SHORT_FAMILIES, Reader, reader_of
from .tokenizer import check_tokenizer, read_tokenizer, rewrite_for_older_versions
from .weights import check_fit, check_numbers, headers_of, load_weights

KINDS = ("seq2seq", "df")
CARD_FILE, HEADS_FILE = "policy.json", "heads.safetensors"


def make_policy(
    model: PreTrainedModel, tokenizer: Any, card: PolicyCard, stock: Sequence[str] = (), reader: Reader | None = None
) -> LanguagePolicy:
    """A policy over a model; with a stock it writes only those phrases."""
    grammar: Grammar
    budget = min(card.max_tokens, make_backbone(model, tokenizer).room - 1)
    if stock:
        limit = int(card.settings.get("max_phrases", 64))
        if reader is not None and reader.family in SHORT_FAMILIES:
            limit = min(limit, SHORT)
        grammar = StockGrammar(stock, tokenizer, budget, limit)
    else:
        grammar = FreeGrammar(tokenizer, int(model.config.vocab_size), budget)
    return LanguagePolicy(model, tokenizer, card, grammar, reader)


@quiet()
def save_policy(policy: LanguagePolicy, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write the folder; the card last, so that a half-written folder is no policy."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_FILE).unlink(missing_ok=True)
    before = next(policy.model.parameters()).dtype
    policy.model.to(dtype=dtype)  # type: ignore[call-arg]
    policy.model.save_pretrained(str(folder), safe_serialization=True)
    policy.model.to(dtype=before)  # type: ignore[call-arg]
    policy.tokenizer.save_pretrained(str(folder))
    rewrite_for_older_versions(folder)
    save_file(
        {name: value.to(dtype).contiguous() for name, value in policy.heads.state_dict().items()}, folder / HEADS_FILE
    )
    if isinstance(policy.grammar, StockGrammar):
        write_text(folder / STOCK_FILE, "\n".join(policy.grammar.phrases) + "\n")
    if policy.reader.neighbours is not None:
        save_index(policy.reader.neighbours.index, list(policy.reader.neighbours.terms), folder)
    write_sums(folder)
    write_card(policy.card, folder)


def write_card(card: PolicyCard, folder: Path) -> None:
    """Write the card of a folder, in place of the one that is there."""
    write_text(folder / CARD_FILE, json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n")


@as_policy_error
@quiet()
def open_policy(
    folder: Path, card: PolicyCard | None = None, family: str = "", checked: CheckedFolder | None = None
) -> LanguagePolicy:
    """Read a folder, in float32 on the CPU; a plain transformers T5 or GPT-2 folder works too, without provenance.

    `family` is the family of models to write for, if the policy knows families; PolicyError if not. `checked` is what
    `check_policy_folder` found, where the caller has asked it already.
    """
    checked = checked or check_policy_folder(folder)
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
        check_tokenizer(folder)
        tokenizer = read_tokenizer(folder)
        check_fit(config, len(tokenizer), headers_of(checked))
        model = build_model(config)
        load_weights(model, folder)
        stock_path = folder / STOCK_FILE
        stock = stock_path.read_text(encoding="utf-8").split("\n") if stock_path.exists() else []
    except (OSError, ValueError, SafetensorError) as error:
        raise PolicyError(
            f"cannot read the language model in {folder}: {in_one_line(error)}; pull or export it again"
        ) from error
    card, phrases = card or _card_in(folder, config), [line for line in stock if line]
    neighbours = Neighbours.open(folder) if (folder / INDEX_FILE).exists() else None
    if neighbours is not None and len(neighbours.index.habit) != len(phrases):
        raise PolicyError(f"the examples in {folder} do not fit its {STOCK_FILE}; pull or export it again")
    policy = make_policy(model, tokenizer, card, phrases, reader_of(card.settings, neighbours, phrases, family))
    if (folder / HEADS_FILE).exists():
        heads = {name: value.float() for name, value in load_file(folder / HEADS_FILE).items()}
        try:
            policy.heads.load_state_dict(heads, strict=True)
        except RuntimeError as error:
            raise PolicyError(f"{folder / HEADS_FILE} does not fit the windows and weights of its card") from error
    elif max(len(policy.card.windows), len(policy.card.weights)) > 1:
        raise PolicyError(f"{folder / HEADS_FILE} is missing, and the card has windows or weights to choose from")
    check_numbers(policy, folder)
    return policy.eval()


def _card_in(folder: Path, config: Any) -> PolicyCard:
    path = folder / CARD_FILE
    if path.exists():
        return parse_card(path.read_text(encoding="utf-8-sig"))
    kind = "seq2seq" if config.is_encoder_decoder else "df"
    return PolicyCard(
        kind=kind,
        name=folder.name,
        polarity="negative" if kind == "seq2seq" else "modifiers",
        provenance={"made_by": "unknown: the folder has no policy.json"},
    )
