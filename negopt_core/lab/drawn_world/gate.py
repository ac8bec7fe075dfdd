"""The final gate: is a trained drawn world good enough to take the place of the world that ships?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from ...files import write_bytes, write_text
from ...measure.draw import Row, draw_sheet, to_file
from ...measure.statistics import mean_interval
from ...paint.base import PaintSettings
from ...paint.diffusers_painter import DiffusersPainter, load_painter
from ...quiet import quiet
from ...text.prompt import DFPrompt, PromptPair, Span, Window
from ...world import world_dir
from ...world.judges import Verdict
from ..make_world.measure import is_held_out
from ..make_world.train_vae import psnr
from . import vocabulary as words
from .captions import content_caption, scene_facts
from .dataset import fit_code
from .judge import DrawnJudge, alignment, judged, measure_judge
from .meter import Meter
from .render import Renderer
from .scenes import Scenes, fault_rates, quality_effects, sample_clean_scenes, sample_scenes

log = logging.getLogger("negopt")

WINDOWS = {
    "all": Window(),
    "early": Window(0.0, 0.5),
    "earliest": Window(0.0, 0.3),
    "late": Window(0.5, 1.0),
    "latest": Window(0.7, 1.0),
}
ALIGNED = 3.0
"""R = quality + 3 x alignment, as in the world that ships."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How much is painted for the table."""

    prompts: int = 128
    """On which words are chosen, and as many others on which they are measured."""
    rendered: int = 1000
    """Rendered scenes for the judge and the autoencoder."""
    paint: PaintSettings = field(default_factory=lambda: PaintSettings(steps=10, guidance_scale=3.0, batch_size=16))
    """How, here and for the meter on the way."""
    repeats: int = 7
    """Of each timing."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    what: str
    asked: str
    found: str
    passes: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A judge's view of B pictures."""

    verdict: Verdict
    reward: Tensor
    """[B] R."""


class Bench:
    """Paints prompts [B] with one seed for each, the same under all words, and judges the pictures."""

    def __init__(self, painter: DiffusersPainter, judge: DrawnJudge, scenes: Scenes, first_seed: int) -> None:
        self.painter, self.judge, self.scenes = painter, judge, scenes
        self.prompts = [content_caption(facts) for facts in scene_facts(scenes)]
        self.seeds = [first_seed + row for row in range(len(scenes))]
        self.plain_pictures = self.pictures()
        self.plain = self.judged(self.plain_pictures)

    def pictures(
        self, negatives: Sequence[str] | str = "", modifier: str = "", window: Window = WINDOWS["all"]
    ) -> Tensor:
        """[B, 3, 64, 64] in 0..1."""
        given = [negatives] * len(self.prompts) if isinstance(negatives, str) else negatives
        added = (Span(f", {modifier}", window=window),) if modifier else ()
        pairs = [
            PromptPair(DFPrompt((Span(prompt), *added)), DFPrompt.plain(negative))
            for prompt, negative in zip(self.prompts, given, strict=True)
        ]
        return self.painter.paint(pairs, self.seeds)

    def see(self, negatives: Sequence[str] | str = "", modifier: str = "", window: Window = WINDOWS["all"]) -> Seen:
        """What the judge finds."""
        return self.judged(self.pictures(negatives, modifier, window))

    def judged(self, pictures: Tensor) -> Seen:
        """What the judge finds in pictures of the prompts."""
        verdict = judged(self.judge, pictures)
        return Seen(verdict, verdict.quality + ALIGNED * alignment(verdict, self.scenes))


def draw_bench_scenes(count: int, *, held_out: bool, seed: int) -> Scenes:
    """Clean scenes whose prompts are held out, or those whose are not."""
    drawn = sample_clean_scenes(12 * count, seed)
    kept = [i for i, facts in enumerate(scene_facts(drawn)) if is_held_out(content_caption(facts)) == held_out]
    return drawn[torch.tensor(kept[:count])]


def negative_lines(tune: Bench, test: Bench) -> list[Line]:
    """Every fault word by itself; the best fixed list; lists for each prompt; words that mean nothing here."""
    lines, plain, before = [], test.plain, tune.plain
    alone = {}
    for place, (fault, said) in enumerate(words.FAULTS.items()):
        seen = test.see(", ".join(said))
        less = mean_interval(seen.verdict.severity[:, place] - plain.verdict.severity[:, place])
        lines.append(Line(f"{fault} as a negative: its own severity", "< 0", str(less), less.high < 0))
        alone[fault] = float((tune.see(", ".join(said)).verdict.quality - before.verdict.quality).mean())
    best = sorted(alone, key=lambda name: -alone[name])
    fixed = _best(tune, {", ".join(best[:count]): ", ".join(best[:count]) for count in (1, 2, 3, 4, 6, 8)})
    own_count = int(_best(tune, {str(count): _own(tune.scenes, count) for count in (1, 2, 3, 4)}))
    by_fixed, by_own = test.see(fixed), test.see(_own(test.scenes, own_count))
    gain = mean_interval(by_fixed.verdict.quality - plain.verdict.quality)
    lines.append(Line(f"best fixed negative ({fixed}): quality", ">= 1.0", str(gain), gain.value >= 1.0))
    gain = mean_interval(by_own.verdict.quality - by_fixed.verdict.quality)
    lines.append(Line(f"{own_count} words for each prompt over it: quality", ">= 0.4", str(gain), gain.value >= 0.4))
    nothing = mean_interval(test.see(", ".join(words.HABIT_WORDS)).reward - plain.reward)
    is_nothing = nothing.low <= 0 <= nothing.high
    lines.append(Line("words that mean nothing, as a negative: R", "0 within it", str(nothing), is_nothing))
    return lines


def _best(bench: Bench, choices: dict[str, Sequence[str] | str]) -> str:
    """The name of the negatives that give the best mean quality."""
    means = {name: float(bench.see(negatives).verdict.quality.mean()) for name, negatives in choices.items()}
    return max(means, key=lambda name: means[name])


def _own(scenes: Scenes, count: int) -> list[str]:
    """For each prompt the words of the faults that cost it most by the world's own rates."""
    rates = fault_rates()[scenes.style, scenes.place, scenes.time, scenes.thing]
    costs = rates * -quality_effects()[scenes.style, scenes.time]
    names = list(words.FAULTS)
    return [
        ", ".join(words.FAULTS[names[index]][0] for index in row.topk(count).indices.tolist() if row[index] > 0)
        for row in costs
    ]


def window_lines(tune: Bench, test: Bench) -> list[Line]:
    """When each modifier acts best, chosen on some prompts and measured on others."""
    lines, gains, clear = [], [], {"early": 0, "late": 0}
    before, plain = tune.plain, test.plain
    for modifier in words.MODIFIERS:
        on_tune = {
            name: float((tune.see("", modifier, window).reward - before.reward).mean())
            for name, window in WINDOWS.items()
        }
        chosen = max(on_tune, key=lambda name: on_tune[name])
        seen = {name: test.see("", modifier, window).reward - plain.reward for name, window in WINDOWS.items()}
        over = seen[chosen] - seen["all"]
        gains.append(over)
        half = "late" if WINDOWS[chosen].start > 0 else "early" if WINDOWS[chosen].end < 1 else ""
        others = [seen["all"], seen["late" if half == "early" else "early"]] if half else []
        if half and all(mean_interval(seen[chosen] - other).low > 0 for other in others):
            clear[half] += 1
        table = ", ".join(f"{name} {mean_interval(value)}" for name, value in seen.items())
        lines.append(Line(f"{modifier}: R", "", f"{table}; chosen {chosen}: {mean_interval(over)} over all", True))
    for half, count in clear.items():
        lines.append(Line(f"modifiers clearly best {half}", ">= 2", str(count), count >= 2))
    gain = mean_interval(torch.stack(gains).mean(dim=0))
    lines.append(
        Line("chosen windows over all steps, mean of the modifiers: R", ">= 0.4", str(gain), gain.value >= 0.4)
    )
    return lines


def plain_lines(bench: Bench, meter: Meter) -> list[Line]:
    """Plain pictures: what the meter and the judge find in them."""
    reading, verdict = meter.read(bench.plain_pictures, bench.scenes), bench.plain.verdict
    style, thing = (
        mean_interval((verdict.logits[head].argmax(1) == getattr(bench.scenes, head)).double(), is_share=True)
        for head in ("style", "thing")
    )
    shares = (verdict.logits["faults"] > 0).float().mean(dim=0).tolist()
    faults = ", ".join(f"{name} {share:.2f}" for name, share in zip(words.FAULTS, shares, strict=True))
    by_meter = f"{reading.thing:.2f} ({reading.thing_in_three:.2f} among three)"
    return [
        Line("thing, by the meter", ">= 0.70", by_meter, reading.thing >= 0.7),
        Line("style, by the judge", ">= 0.90", str(style), style.value >= 0.9),
        Line("thing, by the judge", "", str(thing), True),
        Line("plain pictures with each fault, by the judge", "", faults, True),
        Line("quality of plain pictures", "", str(mean_interval(verdict.quality)), True),
    ]  # fmt: skip


def judge_lines(judge: DrawnJudge, renderer: Renderer, count: int) -> list[Line]:
    """The judge on rendered scenes."""
    figures = measure_judge(judge, renderer, count, seed=9)
    weakest = min(figures[f"{name} AUC"] for name in words.FAULTS)
    quality = figures["quality R2"]
    return [
        Line("judge: R2 of quality", ">= 0.90", f"{quality:.3f}", quality >= 0.9),
        Line("judge: AUC of the fault it sees least", ">= 0.97", f"{weakest:.3f}", weakest >= 0.97),
    ]


@quiet()
@torch.inference_mode()
def decoder_line(folder: Path, renderer: Renderer, count: int) -> Line:
    """Rendered pictures from the latents that the diffusion model learns, and through the autoencoder's own encoder."""
    vae = AutoencoderTiny.from_pretrained(str(folder / "export" / "vae"), torch_dtype=torch.float32)
    code, scale = fit_code(folder, renderer, 0), vae.config["scaling_factor"]
    found = []
    for sample in (sample_clean_scenes, sample_scenes):
        pictures = renderer(sample(count, 71)) * 2 - 1
        for latents in (code.encode(pictures) / scale, vae.encoder(pictures)):
            found.append(psnr(float((vae.decoder(latents).clamp(-1, 1) - pictures).square().mean())))
    told = "{:.1f} dB clean ({:.1f} through the encoder), {:.1f} ({:.1f}) with faults".format(*found)
    return Line("decoder", ">= 27 dB", told, found[0] >= 27)


def cost_lines(drawn: DiffusersPainter, shipped: DiffusersPainter, repeats: int) -> list[Line]:
    """Seconds of a picture beside the shipped world's, in turn in one run."""
    lines = []
    for count in (1, drawn.settings.batch_size):
        turns = [_seconds(drawn, count) / _seconds(shipped, count) for _ in range(repeats + 1)]
        ratio = mean_interval(turns[1:])  # the first warms up
        what = f"a picture of {drawn.settings.steps} steps over today's, {count} at once"
        lines.append(Line(what, "<= 0.33", str(ratio), ratio.value <= 1 / 3))
    return lines


def _seconds(painter: DiffusersPainter, count: int) -> float:
    begun = time.perf_counter()
    painter.paint([PromptPair.plain("a cartoon of an owl", "blurry")] * count, list(range(count)))
    return time.perf_counter() - begun


def size_line(export: Path) -> Line:
    """Weights that would ship, with two judges in half precision."""
    judge = sum(value.numel() * 2 for value in DrawnJudge().state_dict().values())
    total = (sum(path.stat().st_size for path in export.rglob("*.safetensors")) + 2 * judge) / 1e6
    return Line("weights with two judges", "<= 25 MB", f"{total:.1f} MB", total <= 25)


def read_gate(folder: Path, judge: DrawnJudge, renderer: Renderer, meter: Meter, settings: GateSettings) -> list[Line]:
    """Measure the run in `folder`; the table is written beside it as `gate.md`, with a sheet of plain pictures."""
    painter, shipped = (load_painter(str(place), settings.paint, "cpu") for place in (folder / "export", world_dir()))
    log.info("gate: some 120 times %d pictures (25 minutes on two cores)", settings.prompts)
    tune, test = (
        Bench(painter, judge, draw_bench_scenes(settings.prompts, held_out=held_out, seed=seed), seed)
        for held_out, seed in ((False, 5000), (True, 7000))
    )
    lines: list[Line] = []
    parts: tuple[Callable[[], list[Line]], ...] = (
        lambda: plain_lines(test, meter),
        lambda: negative_lines(tune, test),
        lambda: window_lines(tune, test),
        lambda: cost_lines(painter, shipped, settings.repeats),
        lambda: [decoder_line(folder, renderer, settings.rendered), size_line(folder / "export")],
        lambda: judge_lines(judge, renderer, settings.rendered),
    )
    for part in parts:
        found = part()
        lines += found
        for line in found:
            log.info("%s: %s%s", line.what, line.found, f" (asked: {line.asked})" if line.asked else "")
    write_text(folder / "gate.md", "".join(_table(lines)))
    write_sheet(folder / "plain.png", test.plain_pictures[:100])
    return lines


def write_sheet(path: Path, pictures: Tensor) -> None:
    """Pictures [B, 3, 64, 64], ten in a row, with their numbers only."""
    rows = [
        Row(f"{start} to {start + 9}", "", part, tuple(str(start + place) for place in range(len(part))))
        for start, part in zip(range(0, len(pictures), 10), torch.split(pictures, 10), strict=True)
    ]
    write_bytes(path, to_file(draw_sheet("Plain pictures", [""] * 10, rows, "", scale=2)))


def _table(lines: Sequence[Line]) -> Iterator[str]:
    yield "| what | asked | found | passes |\n|---|---|---|---|\n"
    for one in lines:
        yield f"| {one.what} | {one.asked} | {one.found} | {('yes' if one.passes else 'no') if one.asked else ''} |\n"
