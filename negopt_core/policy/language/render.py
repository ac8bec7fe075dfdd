"""From actions to prompt pairs, and from phrases back to actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import PolicyError
from ...text.prompt import DFPrompt, PromptPair, Span
from ..card import PolicyCard
from ..phrases import append_phrases
from .actions import Responses
from .grammar import Allowed, Walk
from .spelling import Spelling, read_phrase, spell_phrase


def read_spans(responses: Responses, tokenizer: Any, card: PolicyCard) -> list[list[Span]]:
    """The phrases of each row, as the tokenizer reads them back, with the window and weight chosen for them."""
    rows = []
    for row in range(len(responses)):
        spans: list[Span] = []
        ids: list[int] = []
        for place in range(responses.words.shape[1]):
            if not responses.is_action[row, place]:
                break
            if responses.is_phrase_end[row, place]:
                window = card.windows[int(responses.windows[row, place])]
                weight = card.weights[int(responses.weights[row, place])]
                text = read_phrase(tokenizer, ids)
                spans += [Span(text, weight, window)] if text else []
                ids = []
            else:
                ids.append(int(responses.words[row, place]))
        rows.append(spans)
    return rows


def pair_of(prompt: str, spans: Sequence[Span], polarity: str) -> PromptPair:
    """The prompt with its phrases on the side that the policy writes."""
    plain = DFPrompt.plain(prompt)
    if polarity == "negative":
        return PromptPair(plain, append_phrases(DFPrompt(()), spans))
    return PromptPair(append_phrases(plain, spans), DFPrompt(()))


def encode_spans(
    rows: Sequence[Sequence[Span]],
    walks: Sequence[Walk],
    tokenizer: Any,
    card: PolicyCard,
    vocabulary: int,
) -> tuple[Responses, list[int]]:
    """Given phrases as the actions that would have written them, and how many phrases of each row were left out.

    Left out are phrases that the grammar does not allow there: not in the stock, said twice, banned by the prompt,
    beyond the budget. Windows and weights go to the nearest of the card's choices.
    """
    spelling = Spelling.of(tokenizer)
    lines = [_Line(walk, spelling) for walk in walks]
    skipped = [line.write(spans, tokenizer, card) for line, spans in zip(lines, rows, strict=True)]
    longest = max(len(line.words) for line in lines)
    columns = (torch.stack(parts) for parts in zip(*(line.padded(longest) for line in lines), strict=True))
    words, windows, weights, is_action, is_phrase_end = columns
    allowed = _rows_of([line.choices(longest) for line in lines], vocabulary)
    return Responses(words, windows, weights, is_action, is_phrase_end, allowed), skipped


def _rows_of(choices: Sequence[Sequence[Allowed]], vocabulary: int) -> Tensor:
    """[B, T, V] bool. Few choices differ from each other (five, where words are free), and each is marked once."""
    distinct: dict[tuple[tuple[int, ...], int], Allowed] = {}
    for line in choices:
        for one in line:
            distinct.setdefault(_key(one), one)
    table = torch.zeros(len(distinct), vocabulary, dtype=torch.bool)
    for row, one in zip(table, distinct.values(), strict=True):
        one.mark(row)
    numbers = {key: number for number, key in enumerate(distinct)}
    return table[torch.tensor([[numbers[_key(one)] for one in line] for line in choices])]


def _key(one: Allowed) -> tuple[tuple[int, ...], int]:
    return one.ids, id(one.words)


class _Line:
    """One row being written."""

    def __init__(self, walk: Walk, spelling: Spelling) -> None:
        self.walk, self.spelling = walk, spelling
        self.words: list[int] = []
        self.windows: list[int] = []
        self.weights: list[int] = []
        self.ends: list[bool] = []
        self.allowed: list[Allowed] = []

    def write(self, spans: Sequence[Span], tokenizer: Any, card: PolicyCard) -> int:
        """Write what the grammar allows; returns how many phrases it did not."""
        waiting: tuple[int, int] | None = None  # choices of a phrase whose comma or end is still to come
        skipped = 0
        for span in spans:
            ids = spell_phrase(tokenizer, span.text)
            tokens = ([self.spelling.separator] if waiting is not None else []) + list(ids)
            if not ids or not self._take(tokens, waiting or (0, 0)):
                skipped += 1
                continue
            waiting = _nearest(span, card)
        allowed = self.walk.allowed()
        if self.spelling.end not in allowed:
            raise PolicyError("the phrases end where the grammar allows no end; tell the author of the stock")
        self._append(self.spelling.end, allowed, self.walk.advance(self.spelling.end), waiting or (0, 0))
        return skipped

    def _take(self, tokens: Sequence[int], choice: tuple[int, int]) -> bool:
        """Take tokens if all of them may come next, with an end after them that makes a phrase; False if not.

        `choice` goes to the comma among them, which ends the phrase before.
        """
        trial, taken = self.walk.copy(), []
        for token in tokens:
            allowed = trial.allowed()
            if token not in allowed:
                return False
            taken.append((token, allowed, trial.advance(token)))
        end = trial.copy()
        if self.spelling.end not in end.allowed() or not end.advance(self.spelling.end):
            return False
        self.walk = trial
        for token, allowed, ended in taken:
            self._append(token, allowed, ended, choice)
        return True

    def _append(self, token: int, allowed: Allowed, ended: bool, choice: tuple[int, int]) -> None:
        self.words.append(token)
        self.allowed.append(allowed)
        self.ends.append(ended)
        self.windows.append(choice[0] if ended else 0)
        self.weights.append(choice[1] if ended else 0)

    def padded(self, length: int) -> tuple[Tensor, ...]:
        """words, windows, weights, is_action, is_phrase_end, each padded to `length`."""
        rest = length - len(self.words)
        return (
            torch.tensor(self.words + [self.spelling.pad] * rest),
            torch.tensor(self.windows + [0] * rest),
            torch.tensor(self.weights + [0] * rest),
            torch.tensor([True] * len(self.words) + [False] * rest),
            torch.tensor(self.ends + [False] * rest),
        )

    def choices(self, length: int) -> list[Allowed]:
        """What could have been chosen at each of `length` places; behind the end only padding."""
        return self.allowed + [Allowed((self.spelling.pad,))] * (length - len(self.words))


def _nearest(span: Span, card: PolicyCard) -> tuple[int, int]:
    window = min(
        range(len(card.windows)),
        key=lambda i: abs(card.windows[i].start - span.window.start) + abs(card.windows[i].end - span.window.end),
    )
    weight = min(range(len(card.weights)), key=lambda i: abs(card.weights[i] - span.weight))
    return window, weight
