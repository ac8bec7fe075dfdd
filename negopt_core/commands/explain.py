"""`explain`: what each phrase of a negative, and each modifier, does to the picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError
from ..files import check_folder, write_bytes, write_text
from ..policy import load_policy, suggest
from ..text.df_text import format_prompt
from .models import MODEL_HELP, Choice, add_model_arguments, choose, read_size
from .output import add_json, emit, tell
from .scorers import NAMES, add_sources, load_named, refuse_toys
from .suggest import add_policy_arguments, options_from, policy_for

if TYPE_CHECKING:
    from ..measure.explain import Explanation
    from ..measure.statistics import Interval
    from ..scorers.base import Scorer

STEPS = 8
"""Few, because k phrases cost k + 1 pictures a seed."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("explain", help="what each phrase does: the picture without it, and the score it adds")
    parser.add_argument("prompt", help="ordinary or DF-Prompt text")
    parser.add_argument("--modifiers", default="", metavar="TEXT", help="your own modifiers, to be explained too")
    add_policy_arguments(parser, default="")
    parser.add_argument("--model", default="world", help=MODEL_HELP)
    add_model_arguments(parser)
    parser.set_defaults(steps=STEPS)
    parser.add_argument("--seed", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--seeds", type=int, default=4, help="pictures of each variant; intervals need 2 (default 4)")
    parser.add_argument("--add-one", action="store_true", help="also each phrase alone; twice the pictures")
    parser.add_argument("--scorers", default="world-quality", help=f"the first one judges; of {', '.join(NAMES)}")
    parser.add_argument("--size", metavar="WxH", help="pixels (default: the model's own)")
    parser.add_argument("--batch", type=int, default=8, help="pictures painted at the same time (default 8)")
    parser.add_argument("--device", help="cpu, cuda, mps (default: the GPU if there is one)")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/explain"), metavar="DIR")
    add_sources(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Paint, judge, write explain.json and explain.png."""
    from ..measure.draw import to_file
    from ..measure.explain import HURTS, NOTHING, Texts, describe, draw_explanation, explain
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter

    if args.seeds < 1 or args.batch < 1:
        raise PromptError(f"--seeds and --batch are at least 1, got {args.seeds} and {args.batch}")
    check_folder(args.output)
    choice = choose(args.model, args.steps, args.cfg)
    texts = Texts.read(args.prompt, *_texts(args, choice))
    scorers = _judges(args)
    width, height = read_size(args.size)
    settings = PaintSettings(choice.steps, choice.cfg, height, width, batch_size=args.batch)
    painter = open_painter(choice.path, settings, device=args.device)
    count = (len(texts.phrases) + 1) * (1 + args.add_one) * args.seeds
    tell(f"{len(texts.phrases)} phrases, {count} pictures")
    seeds = [args.seed + number for number in range(args.seeds)]
    found = explain(
        texts,
        args.prompt,
        lambda pairs, each: painter.paint(pairs, each, on_progress=_progress),
        scorers,
        seeds,
        args.add_one,
    )
    sheet = args.output / "explain.png"
    write_bytes(sheet, to_file(draw_explanation(found)))
    kept = {"without_harmful": found.without(HURTS), "useful_only": found.without(HURTS, NOTHING)}
    values = to_json(found) | {
        name: {"positive": format_prompt(pair.positive), "negative": format_prompt(pair.negative)}
        for name, pair in kept.items()
    }
    write_text(args.output / "explain.json", _dump(values))
    useful = values["useful_only"]
    lines = [*describe(found), "", f"useful only: {useful['positive']} | {useful['negative'] or '(no negative)'}"]
    emit(args, {"sheet": str(sheet), **values}, "\n".join([*lines, f"sheet: {sheet}"]))
    return 0


def _judges(args: argparse.Namespace) -> list[Scorer]:
    names = [name.strip() for name in args.scorers.split(",") if name.strip()]
    refuse_toys(args.model, names, "--scorers")
    return [load_named(name, args.source, "eval") for name in names]


def _texts(args: argparse.Namespace, choice: Choice) -> tuple[str, str]:
    """Positive and negative DF text: the user's own words, and a policy's if one is named."""
    prompt = ", ".join(part for part in (args.prompt, args.modifiers) if part)
    if not args.policy:
        return prompt, args.negative
    (written,) = suggest(load_policy(policy_for(args, choice), args.policies), [prompt], options_from(args))
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


def _dump(values: dict[str, Any]) -> str:
    import json

    return json.dumps(values, indent=1) + "\n"
