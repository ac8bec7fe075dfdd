"""`world report`: measure the shipped weights on fresh seeds and write the tables and the picture into docs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..files import write_bytes, write_text
from ..paint.base import PaintSettings
from ..paint.diffusers_painter import load_painter
from ..policy import SuggestOptions, load_policy, suggest
from ..prompt import DFPrompt, PromptPair, Span, Window
from . import world_dir
from .judges import load_judge
from .measure import ATTRIBUTES, Arm, draw_prompts, estimate, measure_judge, paint_arm
from .vocabulary import DEGRADATIONS

log = logging.getLogger("negopt")

FIXED_NEGATIVES = {
    "none": "",
    "blurry, low quality": "blurry, low quality",
    "low quality, worst quality, ugly": "low quality, worst quality, ugly",
    "all nine degradation words": ", ".join(DEGRADATIONS),
    "irrelevant: concept art, hdr": "concept art, hdr",
    "harmful: detailed, vivid, glossy": "detailed, vivid, glossy",
}
BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """How much is painted and measured."""

    prompts: int = 96
    seeds: int = 2
    steps: int = 20
    guidance_scale: float = 4.0
    scenes: int = 2000
    """Rendered scenes for the judges."""
    seed: int = 90_001


def write_report(document: Path, picture: Path, settings: ReportSettings) -> dict[str, object]:
    """Measure, replace what stands between the markers of `document`, write the picture. Returns the figures."""
    painter = load_painter(
        str(world_dir()), PaintSettings(settings.steps, settings.guidance_scale, batch_size=16), device="cpu"
    )
    judges = {role: load_judge(world_dir() / "judges" / f"{role}.safetensors") for role in ("eval", "reward")}
    of_judges = {role: measure_judge(judge, settings.scenes, settings.seed) for role, judge in judges.items()}
    prompts = draw_prompts(settings.prompts, settings.seed)
    arms: list[Arm] = []
    rows: list[Tensor] = []
    for name, propose in _arms().items():
        log.info("report: painting %r", name)
        pairs = [propose(prompt) for prompt in prompts]
        arm, images = paint_arm(name, pairs, prompts, settings.seeds, painter, judges["eval"])
        arms.append(arm)
        rows.append(images[:: settings.seeds][:10])
    text = "\n\n".join([_manifest(settings), _judge_table(of_judges), _attribute_table(arms[0]), _arm_table(arms)])
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(document, f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    write_bytes(picture, _grid(rows[:4]))
    return {"judges": of_judges, "attributes": _attributes(arms[0]), "arms": [_summary(arm, arms[0]) for arm in arms]}


def _arms() -> dict[str, Callable[[str], PromptPair]]:
    """Every way of painting in the report, by name."""
    rules = load_policy("rules:world")

    def fixed(negative: str) -> Callable[[str], PromptPair]:
        return lambda prompt: PromptPair.plain(prompt, negative)

    def by_rules(prompt: str) -> PromptPair:
        return suggest(rules, [prompt], SuggestOptions(modes=("negative",)))[0].pair

    def unscheduled(prompt: str) -> PromptPair:
        return PromptPair.plain(prompt, by_rules(prompt).negative.text)

    def modified(window: Window) -> Callable[[str], PromptPair]:
        return lambda prompt: PromptPair(DFPrompt((Span(f"{prompt}, "), Span("cinematic", 1.0, window))))

    return {name: fixed(negative) for name, negative in FIXED_NEGATIVES.items()} | {
        "`rules`, scheduled": by_rules,
        "`rules`, the same words at all steps": unscheduled,
        "no negative; positive + cinematic, all steps": modified(Window()),
        "no negative; positive + cinematic, first half": modified(Window(0.0, 0.5)),
        "no negative; positive + cinematic, last half": modified(Window(0.5, 1.0)),
    }


def weights_hash(folder: Path | None = None) -> str:
    """SHA-256 over every weight file of the world, as 16 hex digits."""
    digest = hashlib.sha256()
    for path in sorted((folder or world_dir()).rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _manifest(settings: ReportSettings) -> str:
    return (
        f"Command: `python -m negopt_core world report`. Weights {weights_hash()}; {settings.prompts} prompts x "
        f"{settings.seeds} seeds, seed {settings.seed}, {settings.steps} steps, guidance {settings.guidance_scale:g}, "
        f"torch {torch.__version__}. ± is half of a 95 % interval over prompts; differences are paired (same prompt, "
        "same noise). Everything below is judged by the `eval` judge."
    )


def _judge_table(found: dict[str, dict[str, float]]) -> str:
    lines = [
        "### Judges on rendered scenes they have not seen",
        "",
        "| measure | eval judge | reward judge |",
        "|---|---|---|",
    ]
    lines += [f"| {key} | {found['eval'][key]:.3f} | {found['reward'][key]:.3f} |" for key in found["eval"]]
    return "\n".join(lines)


def _attributes(arm: Arm) -> dict[str, str]:
    return {head: str(estimate(arm.found[head])) for head in ATTRIBUTES}


def _attribute_table(arm: Arm) -> str:
    lines = [
        "### Named in the prompt and found in the picture (no negative)",
        "",
        "| attribute | share found |",
        "|---|---|",
    ]
    return "\n".join(lines + [f"| {head} | {share} |" for head, share in _attributes(arm).items()])


def _summary(arm: Arm, plain: Arm) -> dict[str, str]:
    return {
        "arm": arm.name,
        "quality": str(estimate(arm.quality)),
        "quality difference": str(estimate(arm.quality - plain.quality)),
        "alignment": str(estimate(arm.alignment)),
        "alignment difference": str(estimate(arm.alignment - plain.alignment)),
    }


def _arm_table(arms: list[Arm]) -> str:
    lines = [
        "### What negatives and one modifier do",
        "",
        "| arm | quality (1-10) | to none | alignment (0-1) | to none |",
        "|---|---|---|---|---|",
    ]
    for arm in arms:
        cells = list(_summary(arm, arms[0]).values())
        lines.append("| " + " | ".join(cells if arm is not arms[0] else [*cells[:2], "", cells[3], ""]) + " |")
    return "\n".join(lines)


def _grid(rows: list[Tensor], scale: int = 2) -> bytes:
    import io

    from PIL import Image

    strips = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    pixels = (strips.permute(1, 2, 0) * 255).round().byte().numpy()
    image = Image.fromarray(pixels)
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def report_json(figures: dict[str, object]) -> str:
    """The figures as one JSON object."""
    return json.dumps(figures, ensure_ascii=False)
