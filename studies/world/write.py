"""`world report`: measure a world on fresh seeds, write the tables and the picture into docs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from negopt_core import __version__
from negopt_core.files import write_bytes, write_text
from negopt_core.lab.make_world.card import weights_hash
from negopt_core.lab.make_world.measure import ATTRIBUTES, measure_judge
from negopt_core.measure.draw import to_file
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import Judge, judge_pictures, load_judge
from negopt_core.world.render import render
from negopt_core.world.scenes import sample_scenes_of
from studies.document import replace_between
from studies.world import arms, tables
from studies.world.experiments import (
    SEARCHED,
    WorldResults,
    report_prompts,
    run_experiments,
    search_prompts,
    window_prompts,
)
from studies.world.figures import checks
from studies.world.runner import Runner
from studies.world.scores import Scores, gain, make_scores
from studies.world.settings import ReportSettings

BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"
_COLUMNS = 10


def write_report(
    world: Path, document: Path, picture: Path, cache_folder: Path, settings: ReportSettings, jobs: int
) -> dict[str, object]:
    """Measure; replace what stands between the marks of `document`, write the picture and the figures beside it.

    Returns the figures. Pictures stay in `cache_folder`, so the work can be stopped and goes on where it was.
    """
    weights = weights_hash(world)
    runner = Runner(world, weights, cache_folder, settings.steps, settings.guidance_scale, jobs)
    judges = {role: load_judge(world / "judges" / f"{role}.safetensors") for role in ("eval", "reward")}
    judged = {role: measure_judge(judge, settings.scenes, settings.seed) for role, judge in judges.items()}
    results = run_experiments(runner, settings)
    rendered = _rendered(results, settings, judges["eval"])
    text = _sections(results, rendered, judged, _manifest(weights, settings))
    replace_between(document, BEGIN, END, text)
    write_bytes(picture, _grid(results))
    figures = _figures(results, judged, weights, settings)
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


def _sections(results: WorldResults, rendered: Scores, judged: dict[str, dict[str, float]], manifest: str) -> str:
    plain = results.arms[arms.NONE]
    spread = f"Single pictures vary by {float(plain.quality.std()):.1f} (standard deviation of quality)."
    parts = [
        manifest,
        tables.check_table(checks(results, judged["eval"])),
        "### Whole negatives",
        tables.negative_table(results),
        spread,
        "### Which negative for which prompt",
        tables.example_table(results),
        f"The model behind the search explains {results.gains.explained:.0%} of the variance of held-out gains of "
        "single pictures.",
        "### Word by word",
        tables.word_table(results),
        "### When a negative acts",
        tables.delay_tables(results),
        "### When a modifier acts",
        tables.timing_table(results),
        "### How strongly a modifier acts",
        tables.weight_table(results),
        "### How far the model is from its own data",
        tables.distance_table(plain, rendered),
        "### Judges on rendered scenes they have not seen",
        tables.judge_table(judged),
    ]
    return "\n\n".join(parts)


def _rendered(results: WorldResults, settings: ReportSettings, judge: Judge) -> Scores:
    """The world's own pictures of the same content, as the eval judge sees them."""
    requests = [read_prompt(prompt) for prompt in results.prompts for _ in range(settings.seeds)]
    content = {head: torch.tensor([getattr(request, head) for request in requests]) for head in ATTRIBUTES}
    images = render(sample_scenes_of(content, settings.seed))
    return make_scores(judge_pictures(judge, images), results.prompts, settings.seeds, images[:: settings.seeds])


def _figures(
    results: WorldResults, judged: dict[str, dict[str, float]], weights: str, settings: ReportSettings
) -> dict[str, object]:
    """Everything in numbers, with what is needed to paint it again."""
    plain = results.arms[arms.NONE]
    return {
        "weights": weights,
        "torch": torch.__version__,
        "settings": asdict(settings),
        "checks": [asdict(check) for check in checks(results, judged["eval"])],
        "best_fixed": results.best_fixed,
        "windows": results.windows,
        "judges": judged,
        "arms": {
            name: {**scores.means, "R to none": gain(scores, plain).plain()} for name, scores in results.arms.items()
        },
    }


def _grid(results: WorldResults, scale: int = 2) -> bytes:
    """Rows: no negative, the best fixed one, the searched one, `cinematic` at all steps and in the last half."""
    words = [arms.timed("cinematic", window) for window in ("all steps", "last half")]
    names = [arms.NONE, results.best_fixed, SEARCHED, *words]
    image = Image.fromarray(tile([results.arms[name].pictures[:_COLUMNS] for name in names]).permute(1, 2, 0).numpy())
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return to_file(image, "JPEG", quality=92)


def tile(rows: list[Tensor]) -> Tensor:
    """Rows of pictures [N, 3, H, W] as one picture."""
    return torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
