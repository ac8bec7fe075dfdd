"""`explain`: what each phrase of a negative, and each modifier, does to the picture."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import check_folder, write_bytes, write_text
from ..flags import flag, word
from ..paint.choice import MODEL_HELP, WORLD, Choice, Painted, read_size
from ..policy import load_policy, suggest
from ..scorers.table import NAMES, Loader, Sources, refuse_toys
from ..text.df_text import format_prompt
from . import Command, Result, tell
from .shared import Asked, check_positive, names_in

if TYPE_CHECKING:
    from ..measure.explain import Explanation
    from ..measure.statistics import Interval
    from ..scorers.base import Scorer


@dataclass(frozen=True, kw_only=True)
class Settings(Asked, Painted, Sources):
    """What `explain` takes."""

    prompt: str = word(MISSING, "ordinary or DF-Prompt text")
    modifiers: str = flag("", "your own modifiers, to be explained too", metavar="TEXT")
    model: str = flag(WORLD, MODEL_HELP)
    steps: int = flag(8, "sampler steps; few, because k phrases cost k + 1 pictures a seed")
    seed: int = flag(0, "first seed")
    seeds: int = flag(4, "pictures of each variant; intervals need 2")
    add_one: bool = flag(False, "also each phrase alone; twice the pictures")
    scorers: str = flag("world-quality", f"the first one judges; of {', '.join(NAMES)}")
    batch: int = flag(8, "pictures painted at the same time")
    output: Path = flag(Path("out/explain"), "folder of the sheet", "o", "output", metavar="DIR")


def run(settings: Settings) -> Result:
    """Paint, judge, write explain.json and explain.png."""
    from ..measure.draw import to_file
    from ..measure.explain import HURTS, NOTHING, Texts, describe, draw_explanation, explain
    from ..paint.open import open_painter

    check_positive(seeds=settings.seeds, batch=settings.batch)
    check_folder(settings.output)
    choice = settings.choice(settings.model)
    texts = Texts.read(settings.prompt, *_texts(settings, choice))
    scorers = _judges(settings)
    width, height = read_size(settings.size)
    paint = choice.settings(height=height, width=width, batch_size=settings.batch)
    painter = open_painter(choice.path, paint, device=settings.device)
    count = (len(texts.phrases) + 1) * (1 + settings.add_one) * settings.seeds
    tell(f"{len(texts.phrases)} phrases, {count} pictures")
    seeds = [settings.seed + number for number in range(settings.seeds)]
    found = explain(
        texts,
        settings.prompt,
        lambda pairs, each: painter.paint(pairs, each, on_progress=_progress),
        scorers,
        seeds,
        settings.add_one,
    )
    sheet = settings.output / "explain.png"
    write_bytes(sheet, to_file(draw_explanation(found)))
    kept = {"without_harmful": found.without(HURTS), "useful_only": found.without(HURTS, NOTHING)}
    values = to_json(found) | {
        name: {"positive": format_prompt(pair.positive), "negative": format_prompt(pair.negative)}
        for name, pair in kept.items()
    }
    write_text(settings.output / "explain.json", json.dumps(values, indent=1) + "\n")
    useful = values["useful_only"]
    lines = [*describe(found), "", f"useful only: {useful['positive']} | {useful['negative'] or '(no negative)'}"]
    return Result({"sheet": str(sheet), **values}, "\n".join([*lines, f"sheet: {sheet}"]))


def _judges(settings: Settings) -> list[Scorer]:
    names = names_in(settings.scorers)
    refuse_toys(settings.model, names, "--scorers")
    return list(map(Loader(settings.places, "eval").scorer, names))


def _texts(settings: Settings, choice: Choice) -> tuple[str, str]:
    """Positive and negative DF text: the user's own words, and a policy's if one is named."""
    prompt = ", ".join(part for part in (settings.prompt, settings.modifiers) if part)
    if not settings.policy:
        return prompt, settings.negative
    (written,) = suggest(
        load_policy(settings.policy_to_paint(choice), settings.policies), [prompt], settings.options(settings.seed)
    )
    return written.df_positive, written.df_negative


def to_json(found: Explanation) -> dict[str, Any]:
    """Figures without pictures; an interval that is not known is None."""
    return {
        "prompt": format_prompt(found.texts.prompt),
        "judge": found.judge,
        "seeds": list(found.seeds),
        "scores": dict(found.scores),
        "phrases": [
            {
                "side": phrase.side,
                "text": phrase.text,
                "weight": phrase.weight,
                "window": [phrase.start, phrase.end],
                "verdict": found.verdict(phrase),
                "effects": {name: _effect(one) for name, one in phrase.effects.items()},
                "alone": {name: _effect(one) for name, one in phrase.alone.items()},
                "change": phrase.change,
            }
            for phrase in found.phrases
        ],
    }


def _effect(effect: Interval) -> dict[str, float | None]:
    values = effect.plain()
    return {"mean": values.pop("value"), **values}


def _progress(done: int, total: int) -> None:
    if done == total or done % max(1, total // 10) == 0:
        tell(f"{done} of {total} steps")


COMMANDS = (Command("", "", Settings, run),)
