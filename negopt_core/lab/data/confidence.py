"""Which pairs are worth learning from: PAE's confidence score (arXiv 2404.04095, equation 1).

    S(s', s) = E[ u(aes(I') - aes(I)) * u(clip(s, I') - clip(s, I) + gamma) ]

I' is painted from the full prompt s', I from the short prompt s, both from the same noise; u is the unit step, 1 above
0 and 0 at 0 and below; CLIP compares both with the short prompt. A pair is kept if S >= sigma. PAE: sigma 0.5, gamma
0.01. For negatives, which PAE does not have, I' is painted from the prompt with its negative.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ...files import append_journal, read_journal
from ...paint.base import Painter
from ...policy.language.render import pair_of
from ...policy.phrases import append_phrases
from ...scorers.base import Scorer
from ...text.df_text import format_prompt
from ...text.prompt import DFPrompt, PromptPair
from .pairs import Pair
from .settings import ConfidenceSettings

log = logging.getLogger("negopt")

_REMEDY = "scores in it are kept: make room, and the same command goes on from there"


def confidence(aes_full: Tensor, aes_short: Tensor, clip_full: Tensor, clip_short: Tensor, gamma: float) -> Tensor:
    """[P] score of each pair from [P, n] scores of its n pictures; full and short share their noise place by place."""
    nicer, as_close = aes_full > aes_short, clip_full - clip_short + gamma > 0
    return (nicer & as_close).double().mean(dim=1)


def score_pairs(
    pairs: Sequence[Pair],
    painter: Painter,
    aesthetic: Scorer,
    clip: Scorer,
    settings: ConfidenceSettings,
    cache: Path,
) -> list[float]:
    """The score of each pair. Every finished batch is appended to `cache` (JSON Lines), and read from there again:
    a stopped job goes on, a changed setting starts afresh."""
    known = dict(_read(cache))
    keys = [_key(pair, settings) for pair in pairs]
    missing = [index for index, key in enumerate(keys) if key not in known]
    for start in range(0, len(missing), settings.batch):
        rows = missing[start : start + settings.batch]
        scores = _score(rows, pairs, painter, aesthetic, clip, settings)
        known |= {keys[row]: score for row, score in zip(rows, scores, strict=True)}
        append_journal(cache, ({"key": keys[row], "score": known[keys[row]]} for row in rows), _REMEDY)
        log.info("confidence: %d of %d pairs", start + len(rows), len(missing))
    return [known[key] for key in keys]


def keep_confident(pairs: Sequence[Pair], scores: Sequence[float], sigma: float) -> list[Pair]:
    """The pairs whose score reaches sigma."""
    return [pair for pair, score in zip(pairs, scores, strict=True) if score >= sigma]


def _score(
    rows: Sequence[int],
    pairs: Sequence[Pair],
    painter: Painter,
    aesthetic: Scorer,
    clip: Scorer,
    settings: ConfidenceSettings,
) -> list[float]:
    count = settings.pictures
    # noise goes by what the pair is, not by where it stands: a longer list changes no score
    seeds = [seed for row in rows for seed in _seeds(_key(pairs[row], settings), count)]
    shorts = [pairs[row].prompt for row in rows for _ in range(count)]
    scores = []
    for full in (True, False):
        sides = [_side(pairs[row], full, settings.polarity) for row in rows for _ in range(count)]
        images = painter.paint(sides, seeds)
        scores += [scorer(images, shorts).view(-1, count) for scorer in (aesthetic, clip)]
    return [float(score) for score in confidence(scores[0], scores[2], scores[1], scores[3], settings.gamma)]


def _side(pair: Pair, full: bool, polarity: str) -> PromptPair:
    return pair_of(pair.prompt, pair.spans if full else (), polarity)


def _key(pair: Pair, settings: ConfidenceSettings) -> str:
    decides = {name: value for name, value in asdict(settings).items() if name not in ("sigma", "batch", "polarity")}
    if settings.polarity != "modifiers":
        decides["polarity"] = settings.polarity
    text = format_prompt(append_phrases(DFPrompt.plain(pair.prompt), pair.spans))
    return hashlib.sha256(f"{pair.prompt}\0{text}\0{json.dumps(decides)}".encode("utf-8", "surrogatepass")).hexdigest()


def _seeds(key: str, count: int) -> list[int]:
    draw = torch.Generator().manual_seed(int(key[:15], 16))
    return [int(seed) for seed in torch.randint(2**31, (count,), generator=draw)]


def _read(cache: Path) -> Iterator[tuple[str, float]]:
    for row in read_journal(cache):  # without lines of a job that was killed: those pairs are scored again
        score = row.get("score") if isinstance(row, dict) else None
        if isinstance(score, int | float) and math.isfinite(score) and "key" in row:
            yield str(row["key"]), float(score)
