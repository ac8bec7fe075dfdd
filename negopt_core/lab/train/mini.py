"""Small policies for real prompts, from a recipe and a corpus: words, then answers; windows and weights by prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...files import hash_file, write_bytes
from ...policy.card import PolicyCard
from ...policy.language import LanguagePolicy
from ...policy.language.folder import make_policy, open_policy, save_policy
from ...policy.language.reader import MODEL_FAMILIES, Read, Reader, all_marks, reader_of
from ...policy.neighbours import Array, Neighbours
from ...policy.phrase_kinds import PRIOR_CAVEAT
from ...policy.store import SHIPPED, read_card, shipped_names
from ...text.prompt import Span
from ..data.corpus import Modified, Row, Weights, fill_templates, read_modified, read_rows
from ..data.examples import (
    Example,
    artist_names,
    fit_stock,
    modifier_answers,
    modifier_examples,
    negative_examples,
    table_phrases,
)
from ..data.pairs import Pair
from ..jobs.run import Loop, RunFolder, run_steps
from .card import mini_provenance
from .denoise import Denoise, DenoiseSettings
from .index import NOTICE, fit_index
from .phrases import PhraseSettings, PhraseTraining, Task, tasks_of
from .priors import SCHEDULE_WEIGHTS, schedule_targets, windows_of
from .recipe import Recipe, read_recipe
from .settings import MiniRun, Size
from .setup import new_policy
from .tokenizer import GAP, fit_tokenizer

PAIRS, MODIFIED = "pairs/pairs_{}.jsonl.gz", "modifiers/modifier_prompts_{}.jsonl.gz"
_LEAST_TERMS = 3
"""Prompts that a term of the index stands in at least."""


_LATER = ("phrase_steps", "phrase_batch_size", "smoothing")
"""What the first stage does not depend on."""


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
    """Policy (fresh, or the one that the recipe starts from) and examples."""
    started = _open_start(recipe) if recipe.start else None
    if started is not None:
        stock: list[str] = list(started.grammar.phrases)  # type: ignore[attr-defined]
    else:
        stock = (negative_stock if recipe.polarity == "negative" else modifier_stock)(recipe, corpus)
    examples, held = _examples(recipe, corpus, stock)
    prompts = [row.prompt for row in corpus.modified] + [example.prompt for example in examples]
    texts = list(dict.fromkeys(prompts))
    policy = started or _fresh(recipe, corpus, stock, texts)
    tasks = tasks_of(examples, read_all(policy.reader, examples, [row.group for row in corpus.rows]))
    return Prepared(policy, texts, tasks, tasks_of(held, read_all(policy.reader, held, [])))


def _examples(recipe: Recipe, corpus: Corpus, stock: Sequence[str]) -> tuple[list[Example], list[Example]]:
    """For training and held out."""
    if recipe.polarity == "modifiers":
        return modifier_examples(corpus.modified, stock), modifier_examples(corpus.held_modified, stock)
    subjects = [row.subject for row in corpus.modified if row.subject]
    filled = fill_templates(corpus.rows, subjects, recipe.copies, recipe.seed)
    rows = [*corpus.rows, *filled]
    return negative_examples(rows, stock, Weights()), negative_examples(corpus.held_rows, stock, Weights())


def _fresh(recipe: Recipe, corpus: Corpus, stock: Sequence[str], texts: Sequence[str]) -> LanguagePolicy:
    tokenizer = fit_tokenizer(texts, stock, recipe.vocabulary, [GAP, *all_marks()])
    found = Neighbours(*fit_index(*_shown(corpus.rows, stock), _LEAST_TERMS, stock)[:2]) if recipe.hints else None
    card = _card(recipe)
    size = Size(recipe.width, recipe.layers, recipe.heads)
    return new_policy(card, tokenizer, stock, size, recipe.seed, reader_of(card.settings, found, stock))


def _open_start(recipe: Recipe) -> LanguagePolicy:
    folder = SHIPPED / recipe.start if recipe.start in shipped_names() else Path(recipe.start)
    return open_policy(folder, replace(read_card(folder), name=recipe.name))


def negative_stock(recipe: Recipe, corpus: Corpus) -> list[str]:
    """The heaviest phrases of the negatives, and those that the families' tables need."""
    weights = Weights()
    answers = [([span.text for span in row.spans], weights.of(row)) for row in corpus.rows]
    tables = table_phrases()
    found = fit_stock(answers, max(0, recipe.stock - len(tables)), recipe.least)
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
        reader.read_with(example.prompt, _votes(reader, example, places.get(example.group, []))) for example in examples
    ]


def _votes(reader: Reader, example: Example, own: Sequence[int]) -> Array | None:
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
            "strict": True,
            **({"families": list(MODEL_FAMILIES)} if recipe.polarity == "negative" else {}),
        },
        licence="Apache-2.0",
    )


def train(
    recipe: Recipe, prepared: Prepared, folder: Path, save_every: int, inputs: Mapping[str, str] | None = None
) -> tuple[LanguagePolicy, dict[str, float]]:
    """Words, then answers, each in a run folder of its own; goes on where it stopped. Then windows and weights.

    `inputs` are hashes of the data, so that a run does not go on with other data. Returns the policy and its losses
    on held-out examples.
    """
    policy, measured = prepared.policy, {}
    if recipe.word_steps:
        words = Denoise(
            policy.model,
            policy.tokenizer,
            prepared.texts,
            DenoiseSettings(recipe.word_steps, recipe.batch_size, recipe.learning_rate, seed=recipe.seed),
        )
        settings = {"stage": "words", **_lasting(recipe, _LATER)}
        run = RunFolder.open(folder / "words", settings, inputs)
        run_steps(run, words, words.step, Loop(recipe.word_steps, save_every), "words")
    if recipe.phrase_steps:
        answers = PhraseTraining(policy, prepared.tasks, _settings(recipe, recipe.phrase_steps, recipe.seed + 1))
        run = RunFolder.open(folder / "answers", {"stage": "answers", **_lasting(recipe, ())}, inputs)
        run_steps(run, answers, answers.step, Loop(recipe.phrase_steps, save_every), "answers")
        measured = answers.evaluate(prepared.held)
    return (_with_times(recipe, policy) if recipe.scheduled else policy).eval(), measured


def run_mini(run: MiniRun) -> tuple[Path, dict[str, float]]:
    """`train mini` as one function: read, train, write; returns the policy folder and its losses."""
    recipe, corpus = read_recipe(run.recipe), Corpus.read(run.data)
    hashes = {file.name: hash_file(file) for file in (run.data / name.format("train") for name in (PAIRS, MODIFIED))}
    policy, measured = train(recipe, prepare(recipe, corpus), run.folder, run.save_every, hashes)
    rows: list[Row | Modified] = [*corpus.rows, *corpus.modified]
    provenance = mini_provenance(recipe, rows, hashes, policy.card.provenance)
    policy.card = replace(policy.card, name=recipe.name, provenance=provenance, metrics=measured)
    save_policy(policy, run.export, torch.float16)
    notice = run.data / NOTICE
    if notice.exists():
        write_bytes(run.export / NOTICE, notice.read_bytes())
    return run.export, measured


def _with_times(recipe: Recipe, old: LanguagePolicy) -> LanguagePolicy:
    """The policy with windows and weights: priors for each phrase of its stock, over words that stay as they are."""
    stock: tuple[str, ...] = old.grammar.phrases  # type: ignore[attr-defined]
    card = replace(
        old.card,
        windows=windows_of(recipe.polarity),
        weights=SCHEDULE_WEIGHTS,
        settings={**old.card.settings, "times_by_phrase": True},
        caveats=(*old.card.caveats, PRIOR_CAVEAT),
    )
    policy = make_policy(old.model, old.tokenizer, card, stock, old.reader)
    targets = schedule_targets(stock, recipe.polarity)
    policy.set_times("windows", targets.windows)
    policy.set_times("weights", targets.weights)
    return policy


def _settings(recipe: Recipe, steps: int, seed: int) -> PhraseSettings:
    size = recipe.phrase_batch_size or recipe.batch_size
    return PhraseSettings(steps, size, recipe.learning_rate, smoothing=recipe.smoothing, seed=seed)


def _lasting(recipe: Recipe, left_out: Sequence[str]) -> dict[str, Any]:
    """What decides a stage: the recipe without what only later stages read."""
    return {key: value for key, value in asdict(recipe).items() if key not in (*left_out, "name", "scheduled")}
