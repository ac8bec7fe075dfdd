"""`paint`: pictures from a prompt, with everything needed to paint them again inside each file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError
from ..files import check_folder, free_path
from ..flags import flag, read, word
from ..paint.choice import MODEL_HELP, WORLD, Choice, Painted, read_size
from ..policy import Policy, load_policy, suggest
from ..text.df_text import format_prompt, parse_report
from ..text.prompt import PromptPair
from . import Command, Result, tell
from .shared import Asked

if TYPE_CHECKING:
    import torch

    from ..paint.base import ModelPainter
    from ..provenance.record import Record

_IN_RECORD = {
    **{name: f"--{name}" for name in ("policy", "family", "negative", "steps", "cfg", "seed", "batch", "size")},
    **{name: f"--{name}" for name in ("sampler", "weighting", "strength")},
    "count": "-n",
    "max_tokens": "--max-tokens",
}
"""What a picture's record decides with --from, and the flags for it."""


@dataclass(frozen=True, kw_only=True)
class Settings(Asked, Painted):
    """What `paint` takes."""

    prompt: str | None = word(None, "ordinary or DF-Prompt text")
    source: Path | None = flag(None, "paint this picture again, bit for bit", "from", metavar="IMAGE")
    model: str | None = flag(None, MODEL_HELP, shown="world; with --from the record's own")
    seed: int = flag(0, "seed of the first picture; the next ones count up")
    count: int = flag(1, "pictures to paint", "n")
    batch: int = flag(1, "pictures painted at the same time")
    sampler: str = flag("model", "sampler; model: the model's own")
    weighting: str = flag("pae", "what a weight does: pae, pae-raw, comfy, compel, none")
    img2img: Path | None = flag(None, "start from this picture", metavar="IMAGE")
    strength: float | None = flag(None, "how much of the run it goes through", shown="0.75")
    offload: bool = flag(False, "keep weights in main memory; slow, needs little GPU memory")
    output: Path = flag(Path("out"), "folder of the pictures", "o", "output", metavar="DIR")


def make(given: Mapping[str, Any]) -> Settings:
    """The settings; PromptError for a flag beside --from that the record decides."""
    settings: Settings = read(Settings, given)
    beside = [text for name, text in _IN_RECORD.items() if given.get(name) not in (None, "")]
    if settings.source and beside:
        raise PromptError(
            f"--from paints the picture that the record tells, so it does not go with {', '.join(beside)}; leave them "
            "out, or give the prompt anew"
        )
    return settings


def run(settings: Settings) -> Result:
    """Paint, or paint again."""
    if (settings.prompt is None) == (settings.source is None):
        raise PromptError("paint needs either a prompt or --from IMAGE")
    if settings.count < 1:
        raise PromptError(f"-n needs a whole number from 1 up, got {settings.count}")
    check_folder(settings.output)
    if settings.source:
        paths, records, warnings = _repaint(settings, settings.source)
    else:
        paths, records, warnings = _paint(settings, settings.prompt or "")
    values = {"images": [str(path) for path in paths], "record": records[0].to_json(), "warnings": warnings}
    text = [f"painted  {path}" for path in paths] + [f"note     {warning}" for warning in warnings]
    return Result(values, "\n".join(text))


def _repaint(settings: Settings, source: Path) -> tuple[list[Path], list[Record], list[str]]:
    from ..provenance.record import read_picture
    from ..provenance.replay import repaint

    record = read_picture(source)
    image = repaint(source, record, settings.model, settings.img2img, settings.device, settings.offload)
    return [_save(settings.output / source.name, image, record)], [record], []


def _paint(settings: Settings, prompt: str) -> tuple[list[Path], list[Record], list[str]]:
    choice = settings.choice(settings.model or WORLD)
    pair, policy, warnings = _propose(settings, prompt, choice)
    painter = _open(settings, choice)
    seeds = [settings.seed + number for number in range(settings.count)]
    same = _record(settings, prompt, choice, painter, pair, policy)
    paths, records = [], []
    for start in range(0, len(seeds), settings.batch):
        group = seeds[start : start + settings.batch]
        images = painter.paint([pair] * len(group), group, on_progress=_progress(start, len(seeds)))
        for image, seed in zip(images, group, strict=True):
            height, width = image.shape[1:]
            record = replace(same, seed=seed, batch_seeds=tuple(group), width=width, height=height)
            paths.append(_save(settings.output / f"{seed:05d}.png", image, record))
            records.append(record)
    return paths, records, warnings


def _propose(settings: Settings, prompt: str, choice: Choice) -> tuple[PromptPair, Policy | None, list[str]]:
    if not settings.policy:
        positive, negative = parse_report(prompt), parse_report(settings.negative)
        problems = [str(problem) for problem in (*positive.problems, *negative.problems)]
        return PromptPair(positive.prompt, negative.prompt), None, problems
    policy = load_policy(settings.policy_to_paint(choice), settings.policies)
    (suggestion,) = suggest(policy, [prompt], settings.options(settings.seed))
    return suggestion.pair, policy, list(suggestion.warnings)


def _open(settings: Settings, choice: Choice) -> ModelPainter:
    from ..paint.open import open_painter
    from ..paint.pictures import read_image

    width, height = read_size(settings.size)
    paint = choice.settings(
        width=width,
        height=height,
        batch_size=settings.batch,
        sampler=settings.sampler,
        weighting=settings.weighting,
        init_image=read_image(settings.img2img) if settings.img2img else None,
        strength=settings.strength,
    )
    return open_painter(choice.path, paint, device=settings.device, offload=settings.offload)


def _save(path: Path, image: torch.Tensor, record: Record) -> Path:
    from ..paint.pictures import to_pixels
    from ..provenance.record import write_picture

    path = free_path(path)
    write_picture(path, to_pixels(image), record)
    return path


def _progress(first: int, total: int) -> Any:
    def show(done: int, steps: int) -> None:
        if done == steps:
            tell(f"picture {first + 1} of {total}: {steps} steps")

    return show


def _record(
    settings: Settings,
    prompt: str,
    choice: Choice,
    painter: ModelPainter,
    pair: PromptPair,
    policy: Policy | None,
) -> Record:
    """What every picture of a command has in its record; seed, batch and size are those of each."""
    from ..provenance.record import Record, shown_place

    about = painter.describe()
    return Record(
        prompt=prompt,
        df_positive=format_prompt(pair.positive),
        df_negative=format_prompt(pair.negative),
        positive=pair.positive.text,
        negative=pair.negative.text,
        seed=settings.seed,
        model=shown_place(choice.model),
        model_hash=painter.model_hash(),
        steps=choice.steps,
        cfg=choice.cfg,
        width=0,
        height=0,
        sampler=painter.settings.sampler,
        weighting=settings.weighting,
        device=about["device"],
        dtype=about["dtype"],
        batch_seeds=(),
        policy=policy.card.name if policy else "",
        policy_hash=policy.fingerprint if policy else "",
        policy_licence=policy.card.licence if policy else "",
        modes=settings.modes if policy else (),
        init_image_sha256=hashlib.sha256(settings.img2img.read_bytes()).hexdigest() if settings.img2img else "",
        strength=about["strength"],
        libraries={key: about[key] for key in ("torch", "diffusers", "comfyui") if key in about},
        host="comfyui" if about.get("painter") == "comfy-server" else "diffusers",
    )


COMMANDS = (Command("", "", Settings, run, make),)
