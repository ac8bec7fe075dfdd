"""From weighted text to the rows of token ids that a CLIP-style text encoder reads; knows which part owns each token.

Needs no torch: the tokenizer is any transformers tokenizer, fast or slow, that wraps a text in one BOS and one EOS.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any

from ..errors import ModelError
from ..text.df_text import plain_rounds

Parts = tuple[tuple[str, float], ...]
"""What one segment encodes: (text, weight) in order, as in `Segment.parts`."""

NOBODY = -1
"""Owner of the tokens that belong to no part: BOS, EOS and padding."""

COMMA_BACKTRACK = 20
"""How far a full chunk looks back for a comma to break at, in tokens; the default of A1111."""

_END_OF_WORD = "</w>"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One row for the encoder: BOS, words, EOS, padding; all fields have the encoder's length."""

    ids: tuple[int, ...]
    used: int
    """Tokens before the padding."""
    owners: tuple[int, ...]
    """Index of the part that a token belongs to, or NOBODY."""
    weights: tuple[float, ...]
    """Weight of each token; 1 for BOS, EOS and padding."""

    @property
    def is_plain(self) -> bool:
        """True if no token is weighted."""
        return all(weight == 1.0 for weight in self.weights)


class ClipTokens:
    """Reads texts with one tokenizer into chunks of `limit` tokens each; nothing is ever cut off.

    A text too long for one row continues in the next, as in the hosts: each row has its own BOS and EOS, and a full row
    breaks after its last comma if that lies within `comma_backtrack` tokens of its end (0 breaks anywhere). `\\(` and
    `\\)` are read as round brackets, as in the hosts.
    `expand` rewrites a part before it is read, for textual inversions that stand for several tokens.
    """

    def __init__(
        self,
        tokenizer: Any,
        limit: int,
        comma_backtrack: int = COMMA_BACKTRACK,
        expand: Callable[[str], str] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._backtrack = comma_backtrack
        self._expand = expand
        self.limit = limit
        blank = tokenizer("", padding="max_length", max_length=limit, truncation=True)["input_ids"]
        if limit < 3 or len(blank) != limit or list(tokenizer("")["input_ids"]) != list(blank[:2]):
            raise ModelError(
                f"{type(tokenizer).__name__} does not wrap a text in one BOS and one EOS and pad it to {limit} tokens; "
                "only CLIP-style text encoders are supported"
            )
        self._bos, self._eos, self._pad = blank[:3]
        self._commas = frozenset(self._content(","))
        self.empty = self._chunk((), ())

    def count(self, text: str) -> int:
        """Number of tokens of a text, without BOS and EOS."""
        text = plain_rounds(text)
        return len(self._content(self._expand(text) if self._expand else text))

    def chunks(self, parts: Parts) -> tuple[Chunk, ...]:
        """The rows of one segment: at least one, each `limit` long."""
        parts = tuple((plain_rounds(text), weight) for text, weight in parts)
        if self._expand:
            parts = tuple((self._expand(text), weight) for text, weight in parts)
        text = "".join(text for text, _ in parts)
        ids, owners = self._read(text, [len(text) for text, _ in parts])
        weights = [parts[owner][1] for owner in owners]
        rows: list[Chunk] = []
        start = 0
        while start < len(ids) or not rows:
            stop = self._break(ids, start)
            rows.append(self._chunk(ids[start:stop], owners[start:stop], weights[start:stop]))
            start = stop
        return tuple(rows)

    def _content(self, text: str) -> list[int]:
        # verbose=False: a long text is chunked, so the tokenizer's warning about its length would be wrong
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _read(self, text: str, lengths: list[int]) -> tuple[list[int], list[int]]:
        """Token ids and the part each belongs to; a token that straddles two parts belongs to where it starts."""
        if len(lengths) < 2:
            ids = self._content(text)
            return ids, [0] * len(ids)
        ends = list(accumulate(lengths))
        if getattr(self._tokenizer, "is_fast", False):
            read = self._tokenizer(text, add_special_tokens=False, verbose=False, return_offsets_mapping=True)
            owners = [min(bisect_right(ends, first), len(ends) - 1) for first, _ in read["offset_mapping"]]
            return list(read["input_ids"]), owners
        ids = self._content(text)
        borders = [self._tokens_before(text[:end], ids) for end in ends[:-1]]
        return ids, [bisect_right(borders, place) for place in range(len(ids))]

    def _tokens_before(self, prefix: str, ids: list[int]) -> int:
        """How many of a text's tokens start inside `prefix`, found without offsets.

        Read the prefix by itself: it agrees with the whole text up to the word that the border cuts, if any. In that
        word, both spell the same letters, so count the whole text's tokens that start within the prefix's letters.
        """
        own = self._content(prefix)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(own, ids, strict=False)))
        left = sum(map(self._letters, own[same:]))
        while left > 0 and same < len(ids):
            left -= self._letters(ids[same])
            same += 1
        return same

    def _letters(self, token: int) -> int:
        return len(str(self._tokenizer.convert_ids_to_tokens(token)).removesuffix(_END_OF_WORD))

    def _break(self, ids: list[int], start: int) -> int:
        """Where the row that begins at token `start` ends."""
        stop = start + self.limit - 2
        if stop >= len(ids):
            return len(ids)
        for place in range(stop - 1, max(start, stop - 2 - self._backtrack), -1):
            if ids[place] in self._commas:
                return place + 1
        return stop

    def _chunk(self, ids: Sequence[int], owners: Sequence[int], weights: Sequence[float] = ()) -> Chunk:
        padding = self.limit - 2 - len(ids)
        return Chunk(
            ids=(self._bos, *ids, self._eos, *[self._pad] * padding),
            used=len(ids) + 2,
            owners=(NOBODY, *owners, NOBODY, *[NOBODY] * padding),
            weights=(1.0, *weights, 1.0, *[1.0] * padding),
        )
