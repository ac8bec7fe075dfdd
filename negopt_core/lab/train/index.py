"""Training of a retrieval policy: examples become TF-IDF vectors and lists of phrases."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import TrainingError
from ...files import write_bytes, write_text
from ...policy.card import PolicyCard
from ...policy.folder_check import STOCK_FILE, write_sums
from ...policy.neighbours import Array, Index, save_index, terms_of, unit_vector
from ...policy.store import CARD_NAME
from ..data.corpus import pairs_of, read_rows
from ..data.pairs import Pair
from .card import retrieval_card
from .settings import RetrievalRun

NOTICE = "NOTICE.md"


def train_retrieval(run: RetrievalRun) -> dict[str, int]:
    """Index a file of pairs and write the policy folder; returns how many examples, terms and phrases are in it."""
    rows = read_rows(run.pairs)
    pairs = common_phrases(pairs_of(rows), run.least_phrases)
    habit = [pair for pair, row in zip(pairs, rows, strict=True) if row.family == "user"] or pairs
    index, terms, stock = fit_index([pair for pair in pairs if pair.spans], habit, run.least_examples)
    notice = run.notice.read_bytes() if run.notice else b""
    save_retrieval(run.output, retrieval_card(run, rows), index, terms, stock)
    if notice:
        write_bytes(run.output / NOTICE, notice)
    return {"examples": len(index.weights), "terms": len(terms), "phrases": len(stock)}


def fit_index(
    pairs: Sequence[Pair], habit: Sequence[Pair], least_examples: int = 1, stock: Sequence[str] = ()
) -> tuple[Index, list[str], list[str]]:
    """The index over `pairs`, its terms and its phrases.

    `habit` are the pairs that tell what people write anyway; terms in fewer than `least_examples` prompts are left out.
    `stock` fixes the phrases and their places; without it they are all that occur.
    """
    if not pairs or not habit:
        raise TrainingError("a retrieval policy needs at least one example, and one to tell the habit")
    counts = [Counter(terms_of(pair.prompt)) for pair in pairs]
    frequency = Counter(term for row in counts for term in row)
    kept = sorted(term for term, count in frequency.items() if count >= least_examples)
    terms = {term: place for place, term in enumerate(kept)}
    idf = np.array([math.log(len(pairs) / frequency[term]) + 1.0 for term in terms], np.float32)
    stock = list(stock) or sorted({span.text for pair in [*pairs, *habit] for span in pair.spans})
    place = {phrase: number for number, phrase in enumerate(stock)}
    vectors = [unit_vector(row, terms, idf) for row in counts]
    answers = [sorted({place[span.text] for span in pair.spans}) for pair in pairs]
    shares = Counter(place[phrase] for pair in habit for phrase in {span.text for span in pair.spans})
    index = Index(
        idf=idf,
        example_terms=np.array([term for row in vectors for term, _ in row], np.int32),
        example_values=np.array([value for row in vectors for _, value in row], np.float16),
        example_starts=_starts(map(len, vectors)),
        answer_phrases=np.array([phrase for row in answers for phrase in row], np.int32),
        answer_starts=_starts(map(len, answers)),
        weights=np.array([pair.weight for pair in pairs], np.float32),
        habit=np.array([shares[number] / len(habit) for number in range(len(stock))], np.float32),
    )
    return index, list(terms), stock


def common_phrases(pairs: Sequence[Pair], least: int) -> list[Pair]:
    """The pairs with only those phrases that stand in at least `least` of them; some may have none left."""
    counts = Counter(phrase for pair in pairs for phrase in {span.text for span in pair.spans})
    return [replace(pair, spans=tuple(span for span in pair.spans if counts[span.text] >= least)) for pair in pairs]


def _starts(lengths: Iterable[int]) -> Array:
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    return np.array(starts, np.int32)


def save_retrieval(folder: Path, card: PolicyCard, index: Index, terms: Sequence[str], stock: Sequence[str]) -> None:
    """Write the folder; the card last, so that a half-written folder is no policy."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_NAME).unlink(missing_ok=True)
    save_index(index, terms, folder)
    write_text(folder / STOCK_FILE, "".join(f"{phrase}\n" for phrase in stock))
    write_sums(folder)
    write_text(folder / CARD_NAME, json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n")
