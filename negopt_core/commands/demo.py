"""`demo`: before and after on the embedded world, on one sheet, with scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..flags import flag
from ..paint.choice import WORLD, choose
from ..policy import SuggestOptions, load_policy, suggest
from ..policy.suggest import MODES
from ..text.df_text import format_prompt
from ..text.prompt import DFPrompt, PromptPair, Span, Window
from . import Command, Result, tell

if TYPE_CHECKING:
    from ..measure.draw import Row

PROMPTS = (
    "a photo of a red ball by the sea by day",
    "a painting of a blue star in the desert at sunset",
    "a cartoon of a yellow heart in the snow by day",
    "a photo of a purple ring in the desert at sunset",
    "a sketch of a green cube in the forest by day",
    "a photo of a white pyramid by the sea at night",
)
"""Fixed, so that two people see the same sheet."""
FIXED_NEGATIVE = "blurry, low quality"
LATE = Window(0.5, 1.0)
BOTH = "world-negative+world-modifiers"
TITLE = "negopt demo: the embedded demo world, not a real image model"


@dataclass(frozen=True, slots=True)
class DemoArm:
    """One row of the sheet."""

    label: str
    note: str
    propose: Callable[[str], PromptPair]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `demo` takes."""

    output: Path = flag(Path("out/demo"), "folder of the sheet", "o", "output", metavar="DIR")
    seed: int = flag(7, "seed of the noise, the same in every row")


def demo_arms() -> list[DemoArm]:
    """None, a fixed negative, the rules, NegOpt's two stages, both sides learned; one modifier all along or late."""

    def written(policy: str, *modes: str) -> Callable[[str], PromptPair]:
        loaded = load_policy(policy)
        return lambda prompt: suggest(loaded, [prompt], SuggestOptions(modes=modes))[0].pair

    def cinematic(window: Window) -> Callable[[str], PromptPair]:
        return lambda prompt: PromptPair(DFPrompt((Span(f"{prompt}, "), Span("cinematic", 1.0, window))))

    return [
        DemoArm("no negative", "the prompt as it is", PromptPair.plain),
        DemoArm("fixed negative", FIXED_NEGATIVE, lambda prompt: PromptPair.plain(prompt, FIXED_NEGATIVE)),
        DemoArm("rules", "a negative by tables, surface words from 20 % on", written("rules:world", "negative")),
        DemoArm("SFT", "what the demo world's people would write", written("world-negative-sft", "negative")),
        DemoArm("SFT + RL", "the same policy after PPO on rewarded pictures", written("world-negative", "negative")),
        DemoArm("RL, both sides", "and scheduled modifiers, learned too", written(BOTH, *MODES)),
        DemoArm("cinematic, all steps", "one modifier from the start: it shrinks the subject", cinematic(Window())),
        DemoArm("cinematic, last half", "the same word, late only", cinematic(LATE)),
    ]


def run(settings: Settings) -> Result:
    """Paint and score every arm on the same noise."""
    from ..files import check_folder, write_bytes
    from ..measure.draw import draw_sheet, to_file

    check_folder(settings.output)
    rows, summary = _paint_arms(demo_arms(), settings.seed)
    footer = (
        f"{len(PROMPTS)} prompts, one seed each: an illustration. docs/results.md has the measurements with intervals."
    )
    path = settings.output / "sheet.png"
    write_bytes(path, to_file(draw_sheet(TITLE, PROMPTS, rows, footer, scale=2)))
    lines = [
        f"{entry['arm']:22} quality {entry['quality']:.2f}  alignment {entry['alignment']:.2f}" for entry in summary
    ]
    lines += [
        "",
        "These are pictures and scores of the small demo world that comes with negopt, not of a real image model.",
    ]
    return Result({"sheet": str(path), "arms": summary, "world": "demo"}, "\n".join([*lines, f"sheet: {path}"]))


def _paint_arms(arms: Sequence[DemoArm], seed: int) -> tuple[list[Row], list[dict[str, Any]]]:
    """A row of the sheet and an entry of the result for each arm."""
    from ..measure.draw import Row
    from ..paint.base import PaintSettings
    from ..paint.diffusers_painter import load_painter
    from ..scorers.table import load_named

    choice = choose(WORLD)
    painter = load_painter(choice.path, PaintSettings(choice.steps, choice.cfg, batch_size=len(PROMPTS)), device="cpu")
    quality, alignment = (load_named(f"world-{name}", {}, "eval") for name in ("quality", "alignment"))
    seeds = [seed + column for column in range(len(PROMPTS))]
    rows, summary = [], []
    for number, arm in enumerate(arms):
        tell(f"painting {number + 1} of {len(arms)}: {arm.label}")
        pairs = [arm.propose(prompt) for prompt in PROMPTS]
        images = painter.paint(pairs, seeds)
        marks = list(zip(quality(images, PROMPTS).tolist(), alignment(images, PROMPTS).tolist(), strict=True))
        captions = tuple(f"quality {q:.1f}  alignment {a:.2f}" for q, a in marks)
        means = [sum(column) / len(marks) for column in zip(*marks, strict=True)]
        note = f"{arm.note}. Mean quality {means[0]:.2f}, alignment {means[1]:.2f}"
        rows.append(Row(arm.label, note, images, captions))
        texts = [
            {"df_positive": format_prompt(pair.positive), "df_negative": format_prompt(pair.negative)} for pair in pairs
        ]
        summary.append({"arm": arm.label, "quality": means[0], "alignment": means[1], "pairs": texts})
    return rows, summary


COMMANDS = (Command("", "", Settings, run),)
