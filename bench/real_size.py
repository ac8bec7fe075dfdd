"""A step of PPO at the sizes that people use, with random weights: `python -m bench.real_size --device cuda`.

Stable Diffusion 1.5 at 512 x 512 paints, CLIP ViT-L/14 and ViT-H/14 score, T5-base and GPT-2 medium learn. Says where a
step goes, what it holds in memory, how the painter compares with diffusers' bare pipeline, and how far it is from what
the device can do in matrix products. `--tiny` tries the code on any machine; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import torch

from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.rollout import Actors
from negopt_core.lab.train.settings import PPOSettings
from negopt_core.text.prompt import PromptPair

from .cost import sd15
from .real_models import TINY, Sizes, make_painter, make_pipeline, make_policy, make_reward

PROMPTS = ["a castle on a hill at sunset", "portrait of an old fisherman", "a red car in the rain", "a bowl of fruit"]
_PRODUCT = 4096


class Watch:
    """Adds up the seconds of named parts of the work; waits for the device before and after each."""

    def __init__(self, device: str) -> None:
        self.device, self.seconds = device, dict[str, float]()

    def wait(self) -> None:
        """Until the device has done what it was told."""
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)

    def time(self, work: Callable[[], object]) -> float:
        """Seconds of one call."""
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def around(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time added to `part`."""

        def timed(*args: Any, **more: Any) -> Any:
            found = []
            spent = self.time(lambda: found.append(work(*args, **more)))
            self.seconds[part] = self.seconds.get(part, 0.0) + spent
            return found[0]

        return timed


def measure(args: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown, as they become known."""
    sizes, dtype, watch = TINY if args.tiny else Sizes(), getattr(torch, args.dtype), Watch(args.device)
    yield f"{_name(args.device)}, torch {torch.__version__}, {args.dtype}, {args.batch} pictures of {args.steps} steps"
    peak = ceiling(watch, dtype, args.tiny)
    yield f"- matrix product of {args.dtype}: {peak:.3g} x 10^12 operations a second"
    pipeline = make_pipeline(sizes, args.device, dtype)
    yield from _painting(args, watch, pipeline, peak)
    painter = make_painter(pipeline, args.steps, args.cfg, args.batch)
    reward = make_reward(sizes, args.device, dtype)
    for kind, name in (("seq2seq", "T5-base"), ("df", "GPT-2 medium")):
        yield _step(args, watch, name, make_policy(sizes, kind, args.device), painter, reward)


def _painting(args: argparse.Namespace, watch: Watch, pipeline: Any, peak: float) -> Iterator[str]:
    """The painter beside the bare pipeline, and what each way of running the UNet brings."""
    pairs = [PromptPair.plain(PROMPTS[row % len(PROMPTS)], "blurry, low quality") for row in range(args.batch)]
    seeds = list(range(args.batch))
    operations = args.batch * args.steps * (0.0 if args.tiny else sd15().step)

    def bare() -> object:
        return pipeline(
            [pair.positive.text for pair in pairs],
            negative_prompt=[pair.negative.text for pair in pairs],
            num_inference_steps=args.steps,
            guidance_scale=args.cfg,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="pt",
        )

    painter = make_painter(pipeline, args.steps, args.cfg, args.batch)
    for name, change in variants(pipeline, args.compile):
        change()
        bare()  # the first call compiles and plans
        theirs = statistics.median(watch.time(bare) for _ in range(args.repeats))
        ours = statistics.median(watch.time(lambda: painter.paint(pairs, seeds)) for _ in range(args.repeats))
        share = operations / ours / peak
        yield (
            f"- painting, {name}: {args.batch / ours:.3g} pictures a second, {theirs / ours:.3f} x the bare pipeline, "
            f"{share:.1%} of the matrix products' rate"
        )


def variants(pipeline: Any, has_compile: bool) -> Iterator[tuple[str, Callable[[], object]]]:
    """Ways to run the UNet; each is kept when the next comes."""
    yield "as loaded", lambda: None
    yield "channels last", lambda: pipeline.unet.to(memory_format=torch.channels_last)
    if has_compile:
        yield "channels last, compiled", lambda: pipeline.unet.compile()


def _step(args: argparse.Namespace, watch: Watch, name: str, policy: Any, painter: Any, reward: Any) -> str:
    scored: Any = watch.around("scoring", reward)
    scored.needs_plain = reward.needs_plain
    watched = Actors(policy, deepcopy(policy), painter, scored)
    painter.paint = watch.around("painting", type(painter).paint.__get__(painter))
    policy.respond = watch.around("writing", type(policy).respond.__get__(policy))
    settings = PPOSettings(prompts=args.batch // 2, group=2, minibatch=args.batch)
    ppo = PPO(watched, PROMPTS, settings)
    ppo.update = watch.around("learning", ppo.update)  # type: ignore[method-assign]
    ppo.step()
    watch.seconds.clear()
    if args.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(args.device)
    whole = sum(watch.time(ppo.step) for _ in range(args.repeats)) / args.repeats
    parts = {part: seconds / args.repeats for part, seconds in watch.seconds.items()}
    parts["the rest"] = whole - sum(parts.values())
    told = ", ".join(f"{part} {seconds / whole:.1%}" for part, seconds in parts.items())
    return f"- PPO step of {name}: {whole:.3g} s ({told}){_memory(args.device)}"


def ceiling(watch: Watch, dtype: torch.dtype, is_tiny: bool) -> float:
    """10^12 operations a second in a square matrix product; a multiply-add is two."""
    size = 256 if is_tiny else _PRODUCT
    one, other = (torch.randn(size, size, device=watch.device, dtype=dtype) for _ in range(2))
    times = [watch.time(lambda: one @ other) for _ in range(12)][2:]
    return 2 * size**3 / statistics.median(times) / 1e12


def _memory(device: str) -> str:
    if not device.startswith("cuda"):
        return ""
    return f", at most {torch.cuda.max_memory_allocated(device) / 1e9:.3g} GB"


def _name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.real_size", description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float16", "float32"))
    parser.add_argument("--batch", type=int, default=16, help="pictures at a time, an even number")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--cfg", type=float, default=7.5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="also with the UNet compiled (minutes)")
    parser.add_argument("--tiny", action="store_true", help="networks of a few thousand weights, to try the code")
    args = parser.parse_args(words)
    if args.batch < 2 or args.batch % 2:
        parser.error(f"--batch needs an even number of pictures, as two answers are compared; got {args.batch}")
    for line in measure(args):
        print(line, flush=True)


if __name__ == "__main__":
    main()
