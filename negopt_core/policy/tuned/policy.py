"""A policy that writes what pictures of one model taught: the set with the highest expected reward for the prompt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import NegOptError, PolicyError
from ...json_text import read_json
from ...text.prompt import DFPrompt, PromptPair
from ..card import PolicyCard
from ..loglinear.policy import prior_of
from ..phrases import append_phrases
from .effects import SIDES, Array, Effects, Option, Room, Stock, best_set

TUNED_FILE = "tuned.json"
KIND = "tuned"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Table:
    """What a tuned folder holds besides its card."""

    stock: Stock
    concepts: tuple[str, ...]
    """[C] names."""
    effects: Effects
    deviations: Array
    """[V] standard deviation of each option's mean effect."""
    counts: tuple[int, ...]
    """[V] pictures with the option."""
    most: tuple[int, int]
    """The most phrases of each side."""

    def to_json(self) -> dict[str, Any]:
        """Plain values that `read` understands; numbers to six places."""

        def rounded(values: Array) -> Any:
            return np.round(values, 6).tolist()

        return {
            "version": VERSION,
            "stock": [one.to_row() for one in self.stock.options],
            "concepts": list(self.concepts),
            "phrase": rounded(self.effects.phrase),
            "concept": rounded(self.effects.concept),
            "option": rounded(self.effects.option),
            "belief": round(self.effects.belief, 6),
            "size": round(self.effects.size, 6),
            "pairs": rounded(self.effects.pairs),
            "deviations": rounded(self.deviations),
            "counts": list(self.counts),
            "most": list(self.most),
        }

    @classmethod
    def read(cls, path: Path) -> Table:
        """PolicyError names the file and what is wrong in it."""
        try:
            values = read_json(path.read_bytes(), is_finite=True)
            if values["version"] != VERSION:
                raise ValueError(f"version {values['version']!r}; {VERSION} is read here: update negopt")
            stock = Stock(tuple(Option.from_row(row) for row in values["stock"]))
            arrays = {name: np.array(values[name], float) for name in ("phrase", "concept", "option", "pairs")}
            table = cls(
                stock,
                tuple(map(str, values["concepts"])),
                Effects(belief=float(values["belief"]), size=float(values["size"]), **arrays),
                np.array(values["deviations"], float),
                tuple(map(int, values["counts"])),
                (int(values["most"][0]), int(values["most"][1])),
            )
            table._check()
            return table
        except (OSError, ValueError, KeyError, TypeError, IndexError, NegOptError) as error:
            raise PolicyError(
                f"{path} is no table of a tuned policy ({error}); take it from where it came again"
            ) from error

    def _check(self) -> None:
        texts, options, width = len(self.stock.texts), len(self.stock.options), len(self.concepts)
        shapes = {
            "phrase": (self.effects.phrase, (texts,)),
            "concept": (self.effects.concept, (texts, width)),
            "option": (self.effects.option, (options,)),
            "pairs": (self.effects.pairs, (texts, texts)),
            "deviations": (self.deviations, (options,)),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape and array.size + sum(shape[:1]):
                raise ValueError(f"{name} is of shape {list(array.shape)}, not {list(shape)}")
        if len(self.counts) != options:
            raise ValueError(f"counts are {len(self.counts)}, not {options}")


@dataclass(frozen=True)
class TunedPolicy:
    """Writes from a table of effects; nothing in it contradicts the prompt. The seed changes nothing."""

    card: PolicyCard
    table: Table

    @classmethod
    def open(cls, folder: Path, card: PolicyCard) -> TunedPolicy:
        """A folder with a card and `tuned.json`."""
        return cls(card, Table.read(folder / TUNED_FILE))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the table."""
        return hashlib.sha256(json.dumps(self.table.to_json(), sort_keys=True).encode()).hexdigest()

    def suggest(self, prompts: Sequence[str], seed: int) -> list[PromptPair]:
        """A pair for each prompt."""
        return [self._pair(prompt) for prompt in prompts]

    def summary(self, prompt: str) -> str:
        """In one line where the phrases come from, and what each is expected to add."""
        gains, chosen = self._chosen(prompt)
        told = ", ".join(f"{self.table.stock.options[one].span.text} {gains[one]:+.2f}" for one in chosen[:6])
        return f"why: learned from pictures of {self.card.base_model or 'a model'}: {told or 'nothing helps here'}"

    def why(self, prompt: str) -> list[dict[str, Any]]:
        """What is written for a prompt, the best first: gain there, mean effect's deviation, pictures behind it."""
        gains, chosen = self._chosen(prompt)
        return [
            {
                "side": self.table.stock.options[one].side,
                "phrase": self.table.stock.options[one].span.text,
                "gain": float(gains[one]),
                "sd": float(self.table.deviations[one]),
                "pictures": self.table.counts[one],
            }
            for one in chosen
        ]

    def _pair(self, prompt: str) -> PromptPair:
        chosen = [self.table.stock.options[one] for one in self._chosen(prompt)[1]]
        sides = {side: [one.span for one in chosen if one.side == side] for side in SIDES}
        return PromptPair(
            append_phrases(DFPrompt.plain(prompt), sides["modifiers"]), append_phrases(DFPrompt(), sides["negative"])
        )

    def _chosen(self, prompt: str) -> tuple[Array, list[int]]:
        """Gain of every option, and the best set, the best first."""
        table, stock = self.table, self.table.stock
        family = self.card.families[0] if self.card.families else ""
        prior = prior_of(prompt, family)
        concepts = np.array([prior.concepts.get(name, 0.0) for name in table.concepts])
        before = np.array([prior.gains[side].get(words, 0.0) for side, words in stock.texts])
        gains = table.effects.gains(stock.text_of, concepts, before)
        allowed = np.array([not prior.is_blocked(*one.text) for one in stock.options], bool)
        room = Room.of(stock, (self.card.max_tokens, self.card.max_tokens), table.most)
        chosen = best_set(gains, table.effects.pairs, stock.text_of, room, allowed)
        return gains, chosen
