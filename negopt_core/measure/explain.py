"""What each phrase does: the picture without it (drop one), or with it alone (add one), on the same noise.

`explain` measures, `describe` says it in lines of text, `draw_explanation` shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..errors import ModelError, PromptError
from ..policy.phrases import append_phrases, phrase_spans
from ..scorers.base import Scorer
from ..text.df_text import format_prompt, parse_prompt
from ..text.prompt import DFPrompt, PromptPair, Span
from .draw import INK, PAPER, SIDE, SOFT, fitted, font
from .statistics import Interval, mean_interval

Paint = Callable[[Sequence[PromptPair], Sequence[int]], Tensor]
"""Pairs and a seed for each -> [B, 3, H, W] in 0..1."""

NEGATIVE, MODIFIER = "negative", "modifier"
HELPS, HURTS, NOTHING, UNKNOWN = "helps", "hurts", "no effect seen", "one seed only"
COLOURS = {HELPS: (22, 120, 66), HURTS: (184, 48, 28)}
"""Ink of a phrase by verdict; others are grey."""
_MARGIN, _WIDTH = 14, 820


@dataclass(frozen=True, slots=True)
class Texts:
    """A prompt and what was added to it on both sides, phrase by phrase."""

    prompt: DFPrompt
    modifiers: tuple[Span, ...]
    negatives: tuple[Span, ...]

    @classmethod
    def read(cls, prompt: str, positive: str, negative: str) -> Texts:
        """From DF-Prompt texts; modifiers are what follows the prompt in the positive, if it begins with it.

        Raises PromptError if there is no phrase to explain.
        """
        base, whole = parse_prompt(prompt), format_prompt(parse_prompt(positive))
        before = format_prompt(base)
        if whole.startswith(before):
            modifiers = phrase_spans(parse_prompt(whole[len(before) :]).spans)
        else:
            base, modifiers = parse_prompt(positive), []
        texts = cls(base, tuple(modifiers), tuple(phrase_spans(parse_prompt(negative).spans)))
        if not texts.phrases:
            raise PromptError("there is no phrase to explain: give a negative, or a policy that writes one")
        return texts

    @property
    def phrases(self) -> list[tuple[str, int]]:
        """(side, place) of every phrase: negatives first."""
        return [(NEGATIVE, at) for at in range(len(self.negatives))] + [
            (MODIFIER, at) for at in range(len(self.modifiers))
        ]

    def span(self, phrase: tuple[str, int]) -> Span:
        """The phrase itself."""
        side, at = phrase
        return (self.negatives if side == NEGATIVE else self.modifiers)[at]

    def keeping(self, kept: Sequence[tuple[str, int]]) -> PromptPair:
        """The pair with these phrases only, in their order."""
        modifiers = [span for at, span in enumerate(self.modifiers) if (MODIFIER, at) in kept]
        negatives = [span for at, span in enumerate(self.negatives) if (NEGATIVE, at) in kept]
        return PromptPair(append_phrases(self.prompt, modifiers), append_phrases(DFPrompt(), negatives))


def verdict_of(effect: Interval) -> str:
    """What may be said about a phrase from the interval of its effect over seeds."""
    if math.isnan(effect.low):
        return UNKNOWN
    return HELPS if effect.low > 0 else HURTS if effect.high < 0 else NOTHING


@dataclass(frozen=True, slots=True)
class Attribution:
    """One phrase and what it does."""

    side: str
    text: str
    weight: float
    start: float
    end: float
    effects: Mapping[str, Interval]
    """By scorer: score of the full text minus score without the phrase, over seeds; NaN ends with one seed."""
    alone: Mapping[str, Interval]
    """By scorer: the phrase alone minus no phrase at all; empty unless asked for."""
    change: float
    """Mean absolute difference of pixels, 0..1, between with and without."""
    picture: Tensor
    """[3, H, W] without the phrase, first seed."""
    difference: Tensor
    """[H, W] absolute difference, averaged over channels and seeds."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every phrase of a pair, judged by the first scorer."""

    texts: Texts
    judge: str
    picture: Tensor
    """[3, H, W] with all phrases, first seed."""
    scores: Mapping[str, float]
    """Mean over seeds with all phrases."""
    phrases: tuple[Attribution, ...]
    seeds: tuple[int, ...]

    def verdict(self, phrase: Attribution) -> str:
        """By the judge."""
        return verdict_of(phrase.effects[self.judge])

    @property
    def headline(self) -> str:
        """The judge and the mean score with all phrases."""
        return f"{self.judge} {self.scores[self.judge]:.3f} with every phrase"

    @property
    def ranked(self) -> list[Attribution]:
        """The phrases from the most helpful to the most harmful."""
        return sorted(self.phrases, key=lambda phrase: -phrase.effects[self.judge].value)

    def without(self, *verdicts: str) -> PromptPair:
        """The pair without the phrases that got one of these verdicts."""
        kept = [
            place
            for place, phrase in zip(self.texts.phrases, self.phrases, strict=True)
            if self.verdict(phrase) not in verdicts
        ]
        return self.texts.keeping(kept)


def explain(
    texts: Texts, prompt: str, paint: Paint, scorers: Sequence[Scorer], seeds: Sequence[int], add_one: bool = False
) -> Explanation:
    """Paint with all phrases, without each, and if asked with each alone and with none; score; compare.

    Scorers read the prompt's words. `paint` gets everything in one call, so that it can batch: k phrases cost k + 1
    pictures a seed (2k + 2 with `add_one`). Raises ModelError for scores that are not finite.
    """
    if not scorers or not seeds or len(set(seeds)) != len(seeds):
        raise PromptError(f"an explanation needs a scorer and seeds, each once, got {len(scorers)} and {list(seeds)}")
    places = texts.phrases
    variants = [texts.keeping(places)] + [texts.keeping([one for one in places if one != place]) for place in places]
    if add_one:
        variants += [texts.keeping([])] + [texts.keeping([place]) for place in places]
    images = paint([pair for pair in variants for _ in seeds], [seed for _ in variants for seed in seeds])
    images = images.reshape(len(variants), len(seeds), *images.shape[1:])
    words = parse_prompt(prompt).text
    scores = {scorer.name: _score(scorer, images, words) for scorer in scorers}
    return Explanation(
        texts,
        scorers[0].name,
        images[0, 0],
        {name: float(values[0].mean()) for name, values in scores.items()},
        tuple(_attribute(texts, number, images, scores, add_one) for number in range(len(places))),
        tuple(seeds),
    )


def _score(scorer: Scorer, images: Tensor, prompt: str) -> Tensor:
    flat = images.flatten(0, 1)
    scores = scorer(flat, [prompt] * len(flat)).double()
    if scores.shape != (len(flat),) or not bool(torch.isfinite(scores).all()):
        raise ModelError(f"{scorer.name} did not give every picture a finite number; use another scorer")
    return scores.view(images.shape[:2])


def _attribute(texts: Texts, number: int, images: Tensor, scores: Mapping[str, Tensor], add_one: bool) -> Attribution:
    count = len(texts.phrases)
    span, side = texts.span(texts.phrases[number]), texts.phrases[number][0]
    difference = (images[0] - images[1 + number]).abs().mean(dim=(0, 1))
    only, none = count + 2 + number, count + 1
    return Attribution(
        side,
        span.text,
        span.weight,
        span.window.start,
        span.window.end,
        {name: mean_interval(values[0] - values[1 + number]) for name, values in scores.items()},
        {name: mean_interval(values[only] - values[none]) for name, values in scores.items()} if add_one else {},
        float(difference.mean()),
        images[1 + number, 0],
        difference,
    )


def describe(explanation: Explanation) -> list[str]:
    """An explanation as lines of text, most helpful phrase first."""
    ranked = explanation.ranked
    width = max(len(phrase.text) for phrase in ranked)
    lines = [f"{explanation.headline}, {len(explanation.seeds)} seeds"]
    for phrase in ranked:
        effect = _shown(phrase.effects[explanation.judge])
        lines.append(f"  {phrase.text:{width}}  {phrase.side:8}  {effect}  {explanation.verdict(phrase)}")
    return lines


def draw_explanation(explanation: Explanation) -> Image.Image:
    """Rows: the whole text, then each phrase from the most helpful to the most harmful."""
    ranked = explanation.ranked
    top = SIDE + 3 * _MARGIN + 66
    sheet = Image.new("RGB", (_WIDTH, top + (SIDE + _MARGIN) * len(ranked) + _MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    sheet.paste(fitted(explanation.picture), (_MARGIN, _MARGIN))
    x = 2 * _MARGIN + SIDE
    draw.text((x, _MARGIN), explanation.headline, INK, font(18))
    draw.text((x, _MARGIN + 26), f"mean of {len(explanation.seeds)} seeds; 95 % intervals over seeds", SOFT, font(13))
    _words(draw, explanation, (x, _MARGIN + 56), _WIDTH - x - _MARGIN)
    columns = (
        (_MARGIN, "without the phrase"),
        (x, "what changed"),
        (x + SIDE + _MARGIN, "the phrase, and the score it adds"),
    )
    for left, title in columns:
        draw.text((left, top - 24), title, SOFT, font(13))
    brightest = max(max(float(phrase.difference.max()) for phrase in ranked), 1e-6)
    for row, phrase in enumerate(ranked):
        y = top + row * (SIDE + _MARGIN)
        sheet.paste(fitted(phrase.picture), (_MARGIN, y))
        sheet.paste(fitted(heat(phrase.difference / brightest)), (x, y))
        _row(draw, explanation, phrase, (x + SIDE + _MARGIN, y))
    return sheet


def heat(values: Tensor) -> Tensor:
    """[H, W] in 0..1 -> [3, H, W]: black through orange to white, square root so that small changes show."""
    level = values.clamp(0, 1).sqrt()
    return torch.stack([(level * 2).clamp(0, 1), (level * 2 - 0.6).clamp(0, 1), (level * 3 - 2).clamp(0, 1)])


def _colour(explanation: Explanation, phrase: Attribution) -> tuple[int, int, int]:
    """The ink of a phrase."""
    return COLOURS.get(explanation.verdict(phrase), SOFT)


def _shown(effect: Interval) -> str:
    """An effect in one line."""
    return f"{effect.value:+.3f}" + ("" if effect.low != effect.low else f" [{effect.low:+.3f}, {effect.high:+.3f}]")


def _row(draw: Any, explanation: Explanation, phrase: Attribution, place: tuple[int, int]) -> None:
    x, y = place
    ink = _colour(explanation, phrase)
    draw.text((x, y), phrase.text[:60], ink, font(18))
    effect = _shown(phrase.effects[explanation.judge])
    draw.text((x, y + 26), f"{explanation.verdict(phrase)}   {effect}", ink, font(15))
    when = f"{phrase.side}, weight {phrase.weight:g}, from {phrase.start:.0%} to {phrase.end:.0%} of the steps"
    lines = [when, f"pixels change by {phrase.change:.3f} on average"]
    lines += [f"{name} {_shown(effect)}" for name, effect in phrase.effects.items() if name != explanation.judge]
    lines += [f"alone: {name} {_shown(effect)}" for name, effect in phrase.alone.items()]
    draw.multiline_text((x, y + 52), "\n".join(lines[:6]), SOFT, font(13))


def _words(draw: Any, explanation: Explanation, place: tuple[int, int], width: int) -> None:
    """The phrases in the order they were written, each in its colour, broken into at most four lines."""
    (left, y), letters = place, font(15)
    x, lines = left, 1
    for phrase in explanation.phrases:
        text = f"{phrase.text[:60]},  "
        length = int(draw.textlength(text, letters))
        if x + length > left + width and x > left:
            x, y, lines = left, y + 22, lines + 1
        if lines > 4:
            draw.text((x, y - 22 + 18), "…", SOFT, letters)
            return
        draw.text((x, y), text, _colour(explanation, phrase), letters)
        x += length
