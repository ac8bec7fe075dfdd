"""What is timed, each with the bar it is held to."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial

from .beside import beside
from .comfyui import in_comfyui
from .footprint import footprint
from .gpu import on_gpu
from .language import language
from .peers import peers
from .result import ROOT, Result
from .servers import on_two_servers
from .timing import measure, measure_pair
from .training import training

LONG_PROMPT = (
    "a castle on a hill, [mist:0.5-1:0.75], [river:0-0.9:1.1], old stone bridge, [highly detailed:0-0.5:0.75], "
    "[golden light:0.2-1:1.25], birds, [sharp focus:0-0.4:1], [oil painting:0.3-0.8:0.5], [wind:0-0.6:1], "
    "[8k:0-0.25:0.5], wide dusk"
)


Case = Callable[[], Iterator[Result]]


def text_engine() -> Iterator[Result]:
    """Reading and compiling a long prompt."""
    from negopt_core import compile_schedule, parse_prompt

    timing = measure(lambda: compile_schedule(parse_prompt(LONG_PROMPT), 30), repeats=200, warm_up=20)
    windows = sum(not span.window.is_full for span in parse_prompt(LONG_PROMPT).spans)
    yield Result(
        f"parse + compile, {len(LONG_PROMPT)} characters, {windows} windows", str(timing), "1 ms", timing.median <= 1e-3
    )


def imports() -> Iterator[Result]:
    """`import negopt_core` in a fresh interpreter, less the interpreter's own start."""

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

    loaded, bare, _ = measure_pair(run("import negopt_core"), run("pass"), repeats=9)
    extra = loaded.median - bare.median
    yield Result("import negopt_core, over starting Python", f"{extra * 1e3:.3g} ms", "100 ms", extra <= 0.1)
    code = "import sys, negopt_core; sys.exit('torch' in sys.modules)"
    clean = subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
    yield Result("import negopt_core loads torch", "no" if clean else "yes", "no", clean)


def suggesting() -> Iterator[Result]:
    """The default policy and the rules, alone and streamed through the command line."""
    from negopt_core.policy import load_policy, suggest

    negopt = load_policy("negopt")
    warm = measure(lambda: suggest(negopt, ["a photo of a cat in a forest at night"]), repeats=100, warm_up=5)
    yield Result("suggest with negopt, one prompt, warm", str(warm), "20 ms", warm.median <= 0.02)
    code = "from negopt_core.policy import load_policy, suggest; suggest(load_policy('negopt'), ['a gundam'])"
    cold, bare, _ = measure_pair(
        lambda: subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True, cwd=ROOT),
        repeats=5,
    )
    extra = cold.median - bare.median
    yield Result(
        "suggest with negopt, first prompt, over starting Python", f"{extra * 1e3:.3g} ms", "500 ms", extra <= 0.5
    )
    policy = load_policy("rules")
    timing = measure(lambda: suggest(policy, ["a photo of a cat in a forest at night"]), repeats=100, warm_up=5)
    yield Result("suggest with rules, one prompt", str(timing), "10 ms", timing.median <= 0.01)
    prompts = "".join(f"a photo of cat number {number} in the rain\n" for number in range(1000))

    for name, bar in (("rules", 5), ("negopt", 20)):
        command = [sys.executable, "-m", "negopt_core", "suggest", "-", "--policy", name, "--json"]
        streamed = measure(partial(_fed, command, prompts), repeats=3, warm_up=0)
        yield Result(
            f"suggest with {name}, 1,000 prompts streamed, Python's start included",
            str(streamed),
            f"{bar} s",
            streamed.median <= bar,
        )


def _fed(command: list[str], text: str) -> object:
    return subprocess.run(command, input=text, text=True, check=True, capture_output=True, cwd=ROOT)


def painting() -> Iterator[Result]:
    """The demo world: time of a picture, and what a schedule with three segments on each side costs."""
    import torch

    from negopt_core import PromptPair, compile_schedule, parse_prompt
    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.diffusers_painter import load_painter
    from negopt_core.world import world_dir

    steps = 20
    painter = load_painter(str(world_dir()), PaintSettings(steps, 4.0, batch_size=1), device="cpu")
    plain = PromptPair.plain("a photo of a red ball by the sea by day, vivid, glossy", "blurry, noisy, low quality")
    scheduled = PromptPair(
        parse_prompt("a photo of a red ball by the sea by day, [vivid:0-0.7:1], [glossy:0-0.3:1]"),
        parse_prompt("low quality, [blurry:0-0.7:1], [noisy:0-0.3:1]"),
    )
    segments = [len(compile_schedule(side, steps)) for side in (scheduled.positive, scheduled.negative)]
    alone = measure(lambda: painter.paint([plain], [1]), repeats=10)
    yield Result("demo world, one picture, 20 steps", str(alone), "2 s", alone.median <= 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with_it, without, _ = measure_pair(
        lambda: painter.paint([scheduled], [1]), lambda: painter.paint([plain], [1]), 40, time.process_time
    )
    torch.set_num_threads(threads)
    ratio = with_it.fast / without.fast
    name = f"{segments[0]} + {segments[1]} segments against no schedule, processor time on one thread, in turn"
    figure = f"{with_it} against {without}; ratio {ratio:.3f} of the fastest quarters"
    yield Result(name, figure, "1.02 x", ratio <= 1.02)
    calls = _count_encoder_calls(painter, scheduled)
    yield Result("text-encoder calls for that schedule", str(calls), "1", calls == 1)


def _count_encoder_calls(painter: object, pair: object) -> int:
    calls: list[int] = []
    encoder = painter._pipeline.text_encoder  # type: ignore[attr-defined]
    handle = encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        painter.paint([pair], [1])  # type: ignore[attr-defined]
    finally:
        handle.remove()
    return len(calls)


def demo() -> Iterator[Result]:
    """The whole demo after set-up."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "negopt_core", "demo", "-o", folder]
        timing = measure(
            lambda: subprocess.run(command, check=True, capture_output=True, cwd=ROOT), repeats=1, warm_up=0
        )
    yield Result("make demo after set-up", str(timing), "90 s", timing.median <= 90)


CASES: tuple[Case, ...] = (
    text_engine,
    peers,
    imports,
    footprint,
    suggesting,
    language,
    painting,
    training,
    demo,
    in_comfyui,
    beside,
    on_two_servers,
    on_gpu,
)
