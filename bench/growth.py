"""How time and memory grow with what is asked for: nothing may grow faster than the size itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .commands import eval_megabytes, rows_megabytes, step_seconds
from .timing import measure

WORST_EXPONENT = 1.15
"""Of time over size between the last two sizes; above 1 by what measuring scatters."""
MOST_MEGABYTES = 1024
ROWS = 100_000
"""Most rows; `make bench BENCHARGS="--rows 1000000"` takes the million, in ten minutes."""

_SIGNS = (
    "no ", "without people and ", "(a:-1) ", '"', "--no ", "не ", "negative: ", "([{", "(", "{", '{"a":', "a: b\n",
    "<a", "--x ", "[" * 50, "\n", "a\n\n", "<<SYS>>",
)  # fmt: skip
"""What expressions that go back over a text would do most work with."""


@dataclass(frozen=True)
class Series:
    """One thing at several sizes."""

    name: str
    unit: str
    """"s" of processor time, or "MB"."""
    points: tuple[tuple[int, float], ...]

    @property
    def exponent(self) -> float:
        """d log(value) / d log(size) between the last two sizes; nan if noise ate a value."""
        (size, value), (more, most) = self.points[-2:]
        return math.log(most / value) / math.log(more / size) if min(value, most) > 0 else math.nan

    @property
    def met(self) -> bool:
        """Whether it grows no faster than its size; memory has a limit of its own."""
        is_small = self.unit != "MB" or self.points[-1][1] <= MOST_MEGABYTES
        return self.exponent <= WORST_EXPONENT and is_small


def _series(name: str, sizes: Sequence[int], work: Callable[[int], Callable[[], object]], repeats: int = 5) -> Series:
    """Processor time at each size."""
    found = []
    for size in sizes:
        run = work(size)
        found.append((size, measure(run, repeats, clock=time.process_time).fast))
    return Series(name, "s", tuple(found))


def windows() -> Series:
    """A prompt of n scheduled phrases, read and compiled for 50 steps."""
    from negopt_core import compile_schedule, parse_prompt

    def work(count: int) -> Callable[[], object]:
        text = ", ".join(f"[thing {n}:{n / (2 * count):.4f}-{0.5 + n / (2 * count):.4f}:1.1]" for n in range(count))
        return lambda: compile_schedule(parse_prompt(text), 50)

    return _series("windows in a prompt, read and compiled for 50 steps", (1, 3, 10, 30, 100), work)


def steps() -> Series:
    """A prompt of 20 windows, compiled for n steps."""
    from negopt_core import compile_schedule, parse_prompt

    prompt = parse_prompt(", ".join(f"[thing {n}:{n / 40:.3f}-{0.5 + n / 40:.3f}:1.1]" for n in range(20)))
    return _series(
        "steps of a run, 20 windows compiled", (5, 20, 50, 200, 1000), lambda n: lambda: compile_schedule(prompt, n)
    )


def prompts() -> Series:
    """`suggest` of the rules for n different prompts."""
    from negopt_core.policy import load_policy, suggest

    policy = load_policy("rules")

    def work(count: int) -> Callable[[], object]:
        asked = [f"a photo of cat number {number} in the rain" for number in range(count)]
        return lambda: suggest(policy, asked)

    return _series("prompts, rules", (1, 10, 100, 1000, 10_000), work, repeats=3)


def signs() -> Series:
    """Prompts of n characters made of signs that negations, tags and structured prompts are known by, all read."""
    from negopt_core.policy.structure import why_closed, without_names
    from negopt_core.text.unwanted import read_wishes

    def work(size: int) -> Callable[[], object]:
        texts = [f"a{piece * (size // len(piece))}b" for piece in _SIGNS]
        return lambda: [read(text) for text in texts for read in (read_wishes, why_closed, without_names)]

    return _series("characters of prompts made of signs, read", (4_000, 15_000, 60_000), work, repeats=3)


def batches() -> Series:
    """The demo world, n pictures in one batch of 5 steps."""
    from negopt_core import PromptPair
    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.diffusers_painter import load_painter
    from negopt_core.world import world_dir

    pair = PromptPair.plain("a photo of a red ball by the sea by day", "blurry, noisy")

    def work(count: int) -> Callable[[], object]:
        painter = load_painter(str(world_dir()), PaintSettings(5, 2.5, batch_size=count), device="cpu")
        return lambda: painter.paint([pair] * count, list(range(count)))

    return _series("pictures in a batch, demo world, 5 steps", (1, 4, 16, 64), work, repeats=3)


def rows(most: int) -> Series:
    """Peak memory of `data pairs` over n rows."""
    found = tuple((count, rows_megabytes(count)) for count in (most // 100, most // 10, most))
    return Series("rows through `data pairs`, peak memory", "MB", found)


def evaluated() -> Series:
    """Peak memory of `eval` over n prompts."""
    found = tuple((count, eval_megabytes(count)) for count in (30, 120, 480))
    return Series("prompts painted and judged by `eval`, peak memory", "MB", found)


def processes() -> Series:
    """Processor time of the same PPO step, shared by n processes."""
    found = tuple((count, step_seconds(count)) for count in (1, 2, 4))
    return Series("processes of `train ppo`, processor time of one step of 32 pictures in all of them", "s", found)


def every_series(most_rows: int = ROWS) -> Iterator[Series]:
    """All of them, the quick ones first."""
    for make in (windows, steps, prompts, signs, batches, processes, evaluated):
        yield make()
    yield rows(most_rows)


def table(found: Sequence[Series], picture: str) -> list[str]:
    """A section of the report; `picture` is the place of its plots."""
    lines = [
        "## Growth",
        "",
        f"![Time and memory by size]({picture})",
        "",
        f"Exponent: how time or memory grows between the last two sizes, 1 is in proportion (bar {WORST_EXPONENT}). "
        f"However many rows or prompts, memory stays below {MOST_MEGABYTES} MB; "
        f'the last row is of `make bench BENCHARGS="--rows {found[-1].points[-1][0]}"`.',
        "",
        "| what | size: value | exponent | met |",
        "|---|---|---|---|",
    ]
    for one in found:
        cells = ", ".join(f"{size:,}: {shown(value, one.unit)}" for size, value in one.points)
        lines.append(f"| {one.name} | {cells} | {one.exponent:.2f} | {'yes' if one.met else '**no**'} |")
    return lines


def shown(value: float, unit: str) -> str:
    """A value with its unit."""
    if unit == "MB":
        return f"{value:.0f} MB"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"
