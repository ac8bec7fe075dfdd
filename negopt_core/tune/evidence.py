"""Everything that was painted and judged in learning: one file, that adds up with others of the same model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import NegOptError, PolicyError
from ..json_text import read_json
from ..policy.loglinear.knowledge import Side
from ..policy.tuned.effects import Option, Stock
from .data import Data

VERSION = 1
EVIDENCE_FILE = "evidence.json"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a prompt is about, and what was thought of phrases for it; the prompt itself may be left out."""

    concepts: Mapping[str, float]
    before: Mapping[tuple[Side, str], float]
    """(side, words) -> gain by the shipped tables, where they have one."""
    prompt: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that was judged."""

    group: str
    """Key of its prompt and noise."""
    options: tuple[int, ...]
    """Places in the stock, ascending."""
    scores: Mapping[str, float]
    """By scorer; empty if it was only looked at."""

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """What it is: pictures with the same key are the same picture."""
        return self.group, self.options


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody preferred one of two pictures of the same prompt and noise."""

    better: tuple[str, tuple[int, ...]]
    worse: tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Source:
    """What the evidence is about; evidence of different sources is not added up."""

    family: str
    model: str
    """Hash of the weights, or the name where there is none."""
    prior: str
    """Fingerprint of the tables that `before` comes from."""
    sampling: str
    """Steps, CFG, sampler and size in words."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The stock, the topics by group, pictures and clicks."""

    source: Source
    stock: Stock
    topics: Mapping[str, Topic]
    pictures: tuple[Picture, ...] = ()
    clicks: tuple[Click, ...] = ()

    def plus(self, pictures: Iterable[Picture], clicks: Iterable[Click] = ()) -> Evidence:
        """With more pictures and clicks; a picture that is there already is not counted again."""
        known = {one.key: one for one in self.pictures}
        for one in pictures:
            known.setdefault(one.key, one)
        return replace(self, pictures=tuple(known.values()), clicks=(*self.clicks, *clicks))

    def data(self, weights: Mapping[str, float]) -> Data:
        """Arrays for the posterior, in an order that does not depend on who painted first.

        The reward is the sum of the scores times `weights`; pictures that lack one of them have none.
        """
        pictures = sorted(self.pictures, key=lambda one: one.key)
        groups = {group: number for number, group in enumerate(sorted({one.group for one in pictures}))}
        names = self.concept_names()
        column = {name: number for number, name in enumerate(names)}
        texts = self.stock.texts
        options = np.zeros((len(pictures), len(self.stock.options)))
        concepts, before = np.zeros((len(pictures), len(names))), np.zeros((len(pictures), len(texts)))
        for row, one in enumerate(pictures):
            topic = self.topics[one.group]
            options[row, list(one.options)] = 1.0
            for name, strength in topic.concepts.items():
                if name in column:
                    concepts[row, column[name]] = strength
            before[row] = [topic.before.get(text, 0.0) for text in texts]
        place = {one.key: row for row, one in enumerate(pictures)}
        clicks = sorted((place[one.better], place[one.worse]) for one in self.clicks)
        return Data(
            options,
            self.stock.text_of,
            concepts,
            before,
            np.array([groups[one.group] for one in pictures], np.int64),
            np.array([reward_of(one.scores, weights) for one in pictures]),
            np.array(clicks, np.int64).reshape(-1, 2),
        )

    def concept_names(self) -> list[str]:
        """[C] concepts of at least two prompts, in the order of the alphabet: of one alone nothing can be learned."""
        prompts: dict[str, set[tuple[tuple[str, float], ...]]] = {}
        for topic in self.topics.values():
            for name in topic.concepts:
                prompts.setdefault(name, set()).add(tuple(sorted(topic.concepts.items())))
        return sorted(name for name, seen in prompts.items() if len(seen) > 1)


def reward_of(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum of the scores; NaN where one is missing."""
    if not weights or any(name not in scores for name in weights):
        return float("nan")
    return sum(weight * scores[name] for name, weight in weights.items())


def group_key(prompt: str, seed: int) -> str:
    """The same for the same prompt and noise, and nobody can read the prompt from it."""
    return hashlib.sha256(f"{seed}\n{prompt}".encode()).hexdigest()[:16]


def without_prompts(evidence: Evidence) -> Evidence:
    """What can be shared: concepts stay, the words of the prompts go."""
    return replace(evidence, topics={key: replace(one, prompt="", seed=0) for key, one in evidence.topics.items()})


def merge(first: Evidence, second: Evidence) -> Evidence:
    """The same as one run on the pictures of both. PolicyError where the two cannot be added up."""
    for name in ("family", "model", "prior", "sampling"):
        one, two = getattr(first.source, name), getattr(second.source, name)
        if one != two:
            raise PolicyError(
                f"evidence of different {name}s is not added up ({one or 'none'} and {two or 'none'}): effects of one "
                "are not those of the other; merge tables of the same checkpoint, settings and version of negopt"
            )
    stock = Stock(tuple(dict.fromkeys((*first.stock.options, *second.stock.options))))
    place = {option: number for number, option in enumerate(stock.options)}

    def moved(key: tuple[str, tuple[int, ...]], old: Stock) -> tuple[str, tuple[int, ...]]:
        return key[0], tuple(sorted(place[old.options[one]] for one in key[1]))

    joined = Evidence(first.source, stock, {**first.topics, **second.topics})
    for one in (first, second):
        pictures = [Picture(*moved(picture.key, one.stock), picture.scores) for picture in one.pictures]
        clicks = [Click(moved(click.better, one.stock), moved(click.worse, one.stock)) for click in one.clicks]
        joined = joined.plus(pictures, [click for click in clicks if click not in joined.clicks])
    return joined


def to_json(evidence: Evidence) -> str:
    """The text of an evidence file."""
    values: dict[str, Any] = {
        "version": VERSION,
        "source": {name: getattr(evidence.source, name) for name in Source.__dataclass_fields__},
        "stock": [one.to_row() for one in evidence.stock.options],
        "topics": {
            key: {
                "concepts": dict(one.concepts),
                "before": [[*text, gain] for text, gain in one.before.items()],
                **({"prompt": one.prompt, "seed": one.seed} if one.prompt else {}),
            }
            for key, one in sorted(evidence.topics.items())
        },
        "pictures": [[one.group, list(one.options), dict(one.scores)] for one in evidence.pictures],
        "clicks": [[list_of(one.better), list_of(one.worse)] for one in evidence.clicks],
    }
    return json.dumps(values) + "\n"


def list_of(key: tuple[str, tuple[int, ...]]) -> list[Any]:
    """A picture's key as JSON has it."""
    return [key[0], list(key[1])]


def from_json(text: str | bytes, where: str) -> Evidence:
    """The evidence of a file; PolicyError, which names `where`, for anything else."""
    try:
        values = read_json(text, is_finite=True)
        if values["version"] != VERSION:
            raise PolicyError(f"{where} is of version {values['version']!r}, and {VERSION} is read here; update negopt")
        stock = Stock(tuple(Option.from_row(row) for row in values["stock"]))
        topics = {
            key: Topic(
                {name: float(strength) for name, strength in one["concepts"].items()},
                {(side, words): float(gain) for side, words, gain in one["before"]},
                str(one.get("prompt", "")),
                int(one.get("seed", 0)),
            )
            for key, one in values["topics"].items()
        }
        pictures = tuple(
            Picture(group, tuple(map(int, options)), {name: float(score) for name, score in scores.items()})
            for group, options, scores in values["pictures"]
        )
        clicks = tuple(
            Click((a, tuple(map(int, one))), (b, tuple(map(int, two)))) for (a, one), (b, two) in values["clicks"]
        )
        found = Evidence(Source(**values["source"]), stock, topics, pictures, clicks)
        _check(found)
        return found
    except (ValueError, KeyError, TypeError, AttributeError, NegOptError) as error:
        if isinstance(error, PolicyError) and str(error).startswith(where):
            raise
        raise PolicyError(f"{where} is no evidence of pictures ({error}); take an intact copy") from error


def _check(evidence: Evidence) -> None:
    """ValueError for pictures of topics, options or clicks that are not there."""
    count, keys = len(evidence.stock.options), {one.key for one in evidence.pictures}
    for one in evidence.pictures:
        if one.group not in evidence.topics or any(not 0 <= place < count for place in one.options):
            raise ValueError(f"a picture is of group {one.group[:20]!r} and options {one.options}, which are not there")
    for click in evidence.clicks:
        if click.better not in keys or click.worse not in keys or click.better[0] != click.worse[0]:
            raise ValueError("a click is about pictures that are not there")
