"""Small policies for real prompts, from a recipe and a corpus: words first, then answers, then windows and weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data.corpus import Modified, Row, Weights, fill_templates, read_modified, read_rows
from ..data.examples import (
    Example,
    artist_names,
    fit_stock,
    for_families,
    modifier_answers,
    modifier_examples,
    negative_examples,
    table_phrases,
)
from ..data.pairs import Pair
from ..policy.card import PolicyCard
from ..policy.language import LanguagePolicy
from ..policy.language.reader import ALL_MARKS, Read, Reader, reader_of
from ..policy.neighbours import Neighbours
from ..prompt import Span
from .denoise import Denoise, DenoiseSettings
from .index import fit_index
from .phrases import PhraseSettings, PhraseTraining, Task, tasks_of
from .recipe import Recipe
from .run import Loop, Run, run_steps
from .setup import Size, new_policy
from .tokenizer import GAP, fit_tokenizer

PAIRS, MODIFIED = "pairs/pairs_{}.jsonl.gz", "modifiers/modifier_prompts_{}.jsonl.gz"
_LEAST_TERMS = 3
"""Prompts that a term of the index stands in at least."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is read from the data folder."""

    rows: list[Row]
    held_rows: list[Row]
    modified: list[Modified]
    held_modified: list[Modified]

    @classmethod
    def read(cls, folder: Path) -> Corpus:
        """Read the four files; TrainingError names the one that is missing or wrong."""
        rows, held = (read_rows(folder / PAIRS.format(part)) for part in ("train", "val"))
        modified, held_modified = (read_modified(folder / MODIFIED.format(part)) for part in ("train", "val"))
        return cls(rows, held, modified, held_modified)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A fresh policy and what it learns from."""

    policy: LanguagePolicy
    texts: list[str]
    """Prompts to learn words from."""
    tasks: list[Task]
    held: list[Task]


def prepare(recipe: Recipe, corpus: Corpus) -> Prepared:
    """Stock, tokenizer, index, fresh network and examples of a recipe."""
    is_negative = recipe.polarity == "negative"
    stock = negative_stock(recipe, corpus) if is_negative else modifier_stock(recipe, corpus)
    subjects = [row.subject for row in corpus.modified if row.subject]
    if is_negative:
        filled = fill_templates(corpus.rows, subjects, recipe.copies, recipe.seed)
        examples = negative_examples([*corpus.rows, *filled], stock, Weights())
        held = negative_examples(corpus.held_rows, stock, Weights())
    else:
        examples, held = modifier_examples(corpus.modified, stock), modifier_examples(corpus.held_modified, stock)
    texts = list(dict.fromkeys([row.prompt for row in corpus.modified] + [example.prompt for example in examples]))
    tokenizer = fit_tokenizer(texts, stock, recipe.vocabulary, [GAP, *ALL_MARKS])
    found = Neighbours(*fit_index(*_shown(corpus.rows, stock), _LEAST_TERMS, stock)[:2]) if recipe.hints else None
    card = _card(recipe)
    reader = reader_of(card.settings, found, stock)
    policy = new_policy(card, tokenizer, stock, Size(recipe.width, recipe.layers, recipe.heads), recipe.seed, reader)
    if is_negative:
        examples = [*examples, *for_families(examples, stock, recipe.family_share, recipe.seed)]
    groups = [row.group for row in corpus.rows]
    tasks = tasks_of(examples, read_all(reader, examples, groups))
    return Prepared(policy, texts, tasks, tasks_of(held, read_all(reader, held, [])))


def negative_stock(recipe: Recipe, corpus: Corpus) -> list[str]:
    """The heaviest phrases of the negatives, and those that the families' tables need."""
    weights = Weights()
    answers = [([span.text for span in row.spans], weights.of(row)) for row in corpus.rows]
    tables = table_phrases()
    found = fit_stock(answers, recipe.stock - len(tables), recipe.least)
    return list(dict.fromkeys([*found, *tables]))


def modifier_stock(recipe: Recipe, corpus: Corpus) -> list[str]:
    """The commonest modifiers without names of artists."""
    artists = artist_names([row.prompt for row in corpus.modified])
    return fit_stock(modifier_answers(corpus.modified, artists), recipe.stock, recipe.least)


def _shown(rows: Sequence[Row], stock: Sequence[str]) -> tuple[list[Pair], list[Pair]]:
    """Pairs for the index (every row has a place), and those that tell the habit."""
    known, weights = set(stock), Weights()
    pairs = [
        Pair(row.prompt, tuple(Span(span.text) for span in row.spans if span.text in known), weights.of(row))
        for row in rows
    ]
    return pairs, [pair for pair, row in zip(pairs, rows, strict=True) if row.family == "user"] or pairs


def read_all(reader: Reader, examples: Sequence[Example], groups: Sequence[str]) -> list[Read]:
    """What the network reads of each example; an example's own group of the index is no neighbour of it."""
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return [
        reader.read_with(example.prompt, _votes(reader, example, places.get(example.group, [])), example.family)
        for example in examples
    ]


def _votes(reader: Reader, example: Example, own: Sequence[int]) -> Tensor | None:
    if reader.neighbours is None:
        return None
    similar = reader.neighbours.similarity(example.prompt)
    similar[list(own)] = 0.0
    return reader.neighbours.scores(similar, reader.count)


def _card(recipe: Recipe) -> PolicyCard:
    return PolicyCard(
        kind=recipe.kind,
        name=recipe.name,
        polarity=recipe.polarity,
        settings={
            "marks": True,
            "max_words": recipe.max_words,
            "max_phrases": recipe.max_phrases,
            **({"spares_bodies": True} if recipe.polarity == "negative" else {}),
        },
        licence="Apache-2.0",
    )


def train(recipe: Recipe, prepared: Prepared, folder: Path, save_every: int) -> dict[str, float]:
    """Learn words, then answers, each in a run folder of its own; the same call goes on where it stopped."""
    policy = prepared.policy
    if recipe.word_steps:
        words = Denoise(
            policy.model,
            policy.tokenizer,
            prepared.texts,
            DenoiseSettings(recipe.word_steps, recipe.batch_size, recipe.learning_rate, seed=recipe.seed),
        )
        settings = {"stage": "words", **_lasting(recipe, ("phrase_steps", "head_steps", "smoothing"))}
        run_steps(Run.open(folder / "words", settings), words, words.step, Loop(recipe.word_steps, save_every), "words")
    answers = PhraseTraining(
        policy,
        prepared.tasks,
        PhraseSettings(
            recipe.phrase_steps,
            recipe.batch_size,
            recipe.learning_rate,
            smoothing=recipe.smoothing,
            seed=recipe.seed + 1,
        ),
    )
    run = Run.open(folder / "answers", {"stage": "answers", **_lasting(recipe, ("head_steps",))})
    run_steps(run, answers, answers.step, Loop(recipe.phrase_steps, save_every), "answers")
    return answers.evaluate(prepared.held)


def _lasting(recipe: Recipe, left_out: Sequence[str]) -> dict[str, Any]:
    """What decides a stage: the recipe without what only later stages read."""
    return {key: value for key, value in asdict(recipe).items() if key not in (*left_out, "name")}
