"""`world report`: measure a world on fresh seeds, write the tables and the picture into docs."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from negopt_core import __version__
from negopt_core.files import write_bytes, write_text
from negopt_core.lab.make_world.card import weights_hash
from negopt_core.lab.make_world.measure import ATTRIBUTES, measure_judge
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import judge_pictures, load_judge
from negopt_core.world.render import render
from negopt_core.world.scenes import sample_scenes_of
from studies.world import arms, tables
from studies.world.experiments import (
    SEARCHED,
    Findings,
    report_prompts,
    run_experiments,
    search_prompts,
    window_prompts,
)
from studies.world.figures import checks, reward_gain, sample_quality_spread
from studies.world.outcome import Outcome, make_outcome
from studies.world.settings import ReportSettings
from studies.world.studio import Studio

BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"
_COLUMNS = 10


def write_report(
    world: Path, document: Path, picture: Path, cache_folder: Path, settings: ReportSettings, jobs: int
) -> dict[str, object]:
    """Measure; replace what stands between the markers of `document`, write the picture and the figures beside it.

    Returns the figures. Finished arms stay in `cache_folder`, so the work can be stopped and goes on where it was.
    """
    weights = weights_hash(world)
    studio = Studio(world, weights, cache_folder, settings.steps, settings.guidance_scale, jobs)
    roles = ("eval", "reward")
    judges = {role: load_judge(world / "judges" / f"{role}.safetensors") for role in roles}
    judged = {role: measure_judge(judge, settings.scenes, settings.seed) for role, judge in judges.items()}
    findings = run_experiments(studio, settings)
    rendered = _rendered(findings, settings, world)
    text = _sections(findings, rendered, judged, _manifest(weights, settings))
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(document, f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    write_bytes(picture, _grid(findings))
    figures = _figures(findings, judged, weights, settings)
    write_text(document.with_name("world-report.json"), json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    return figures


def _manifest(weights: str, settings: ReportSettings) -> str:
    prompts = set(report_prompts(settings))
    for_words, for_windows = set(search_prompts(settings)), set(window_prompts(settings))
    return (
        f"Command: `python -m negopt_core world report`, negopt {__version__}, torch {torch.__version__}, weights "
        f"{weights}. {settings.prompts} prompts x {settings.seeds} seeds an arm, seed {settings.seed}, "
        f"{settings.steps} steps, guidance {settings.guidance_scale:g}. R = quality + 3 alignment. ± is half of a 95 % "
        "interval over prompts; differences are paired (same prompt, same noise). Tables are judged by the `eval` "
        f"judge; the searches saw other noise and the `reward` judge. {len(prompts)} of the prompts are different; the "
        f"search for negatives saw {len(prompts & for_words)} of them too, the search for windows "
        f"{len(prompts & for_windows)}."
    )


def _sections(findings: Findings, rendered: Outcome, judged: dict[str, dict[str, float]], manifest: str) -> str:
    plain = findings.outcomes[arms.NONE]
    spread = f"Single pictures vary by {sample_quality_spread(plain):.1f} (standard deviation of quality)."
    parts = [
        manifest,
        tables.check_table(checks(findings, judged["eval"])),
        "### Whole negatives",
        tables.negative_table(findings),
        spread,
        "### Which negative for which prompt",
        tables.example_table(findings),
        f"The model behind the search explains {findings.gains.explained:.0%} of the variance of held-out gains of "
        "single pictures.",
        "### Word by word",
        tables.word_table(findings),
        "### When a negative acts",
        tables.delay_tables(findings),
        "### When a modifier acts",
        tables.timing_table(findings),
        "### How strongly a modifier acts",
        tables.weight_table(findings),
        "### How far the model is from its own data",
        tables.distance_table(plain, rendered),
        "### Judges on rendered scenes they have not seen",
        tables.judge_table(judged),
    ]
    return "\n\n".join(parts)


def _rendered(findings: Findings, settings: ReportSettings, world: Path) -> Outcome:
    """The world's own pictures of the same content, as the eval judge sees them."""
    requests = [read_prompt(prompt) for prompt in findings.prompts for _ in range(settings.seeds)]
    content = {head: torch.tensor([getattr(request, head) for request in requests]) for head in ATTRIBUTES}
    images = render(sample_scenes_of(content, settings.seed))
    judge = load_judge(world / "judges" / "eval.safetensors")
    return make_outcome(judge_pictures(judge, images), requests, settings.seeds, images)


def _figures(
    findings: Findings, judged: dict[str, dict[str, float]], weights: str, settings: ReportSettings
) -> dict[str, object]:
    """Everything in numbers, with what is needed to paint it again."""
    plain = findings.outcomes[arms.NONE]
    return {
        "weights": weights,
        "torch": torch.__version__,
        "settings": asdict(settings),
        "checks": [asdict(check) for check in checks(findings, judged["eval"])],
        "best_fixed": findings.best_fixed,
        "windows": findings.windows,
        "judges": judged,
        "arms": {
            name: {
                "quality": round(float(outcome.quality.mean()), 4),
                "alignment": round(float(outcome.hits.mean()), 4),
                "R to none": asdict(reward_gain(outcome, plain)),
            }
            for name, outcome in findings.outcomes.items()
        },
    }


def _grid(findings: Findings, scale: int = 2) -> bytes:
    """Rows: no negative, the best fixed one, the searched one, `cinematic` at all steps and in the last half."""
    from PIL import Image

    names = (
        arms.NONE,
        findings.best_fixed,
        SEARCHED,
        *(arms.timed("cinematic", w) for w in ("all steps", "last half")),
    )
    rows = [findings.outcomes[name].pictures[:_COLUMNS] for name in names]
    image = Image.fromarray(tile(rows).permute(1, 2, 0).numpy())
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def tile(rows: list[Tensor]) -> Tensor:
    """Rows of pictures [N, 3, H, W] as one picture."""
    return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
