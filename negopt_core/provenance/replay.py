"""A picture painted again: bit for bit from negopt's own record, or as close as another program's provenance allows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, PromptError
from ..files import check_folder, free_path, write_bytes
from ..paint.choice import choose, recorded_place
from ..text.df_text import parse_prompt, parse_report
from ..text.prompt import PromptPair
from .picture_texts import encode_picture

if TYPE_CHECKING:
    import torch

    from .origin import Origin
    from .record import Record

_A1111_SAMPLERS = {"dpm++ 2m": "dpm++2m", "euler a": "euler-a"}
"""A1111's names of samplers that are not ours, in ours."""


def replay(path: Path, origin: Origin, output: Path, model: str | None = None, device: str | None = None) -> Any:
    """Paint again what the provenance of a picture says, save it under `output`, compare it with the picture.

    Returns `image`, `identical`, `mean_difference` and `max_difference` (of pixels in 0..1), `model_hash`,
    `same_weights` (None if one hash is not known or of another kind). PromptError for provenance that is too little.
    """
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter
    from ..paint.pictures import read_image

    check_folder(output)
    known = origin.sampling
    missing = [name for name in ("seed", "steps", "cfg") if name not in known]
    if missing or known.get("strength") is not None:
        why = f"does not tell its {', '.join(missing)}" if missing else "started from another picture"
        remedy = "" if missing else " (use paint --from)"
        raise PromptError(f"{path} cannot be painted again from its provenance alone: it {why}{remedy}")
    place = recorded_place(model, str(known.get("model", "")), origin.host)
    choice = choose(place, int(known["steps"]), float(known["cfg"]))
    original = read_image(path)
    settings = PaintSettings(
        choice.steps,
        choice.cfg,
        height=original.shape[1],
        width=original.shape[2],
        sampler=_sampler(str(known.get("sampler", "model"))),
        weighting=known.get("weighting") or ("comfy" if origin.host == "comfyui" else "pae"),
        batch_size=1,
    )
    painter = open_painter(choice.path, settings, device=device)
    pair = PromptPair(parse_prompt(origin.df_positive), parse_prompt(origin.df_negative))
    (image,) = painter.paint([pair], [int(known["seed"])])
    found, recorded = painter.model_hash(), str(known.get("model_hash", ""))
    is_comparable = found and recorded and origin.host == "diffusers"
    return {
        **_compared(free_path(output / f"{path.stem}.png"), original, image),
        "model_hash": found,
        "same_weights": found == recorded if is_comparable else None,
    }


def _sampler(name: str) -> Any:
    from ..paint.base import SAMPLERS
    from ..paint.comfy_graph import COMFY_SAMPLERS

    known = {one: one for one in SAMPLERS} | {comfy: ours for ours, comfy in COMFY_SAMPLERS.items()} | _A1111_SAMPLERS
    if name.lower() not in known:
        raise PromptError(f"negopt's painter has no sampler {name!r}; paint this picture again in its own host")
    return known[name.lower()]


def _compared(path: Path, original: torch.Tensor, image: torch.Tensor) -> dict[str, Any]:
    """Save [3, H, W] `image` and say how far from `original` its pixels are."""
    from ..paint.pictures import to_pixels

    write_bytes(path, encode_picture(to_pixels(image), {}))
    rounded = (image.clamp(0, 1) * 255).round() / 255
    difference = (rounded - original).abs()
    return {
        "image": str(path),
        "identical": bool((difference < 1e-6).all()),
        "mean_difference": float(difference.mean()),
        "max_difference": float(difference.max()),
    }


def repaint(
    source: Path,
    record: Record,
    model: str | None = None,
    start: Path | None = None,
    device: str | None = None,
    offload: bool = False,
) -> torch.Tensor:
    """[3, H, W]: a picture painted again from its own record, in the batch that it was painted in.

    `start` is the picture that it started from. PromptError or ModelError if the record needs something else.
    """
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter
    from ..paint.pictures import read_image

    _check_start(source, record, start)
    choice = choose(recorded_place(model, record.model, "diffusers"), record.steps, record.cfg)
    wanted: dict[str, Any] = {"sampler": record.sampler, "weighting": record.weighting}
    settings = PaintSettings(
        choice.steps,
        choice.cfg,
        record.height,
        record.width,
        init_image=read_image(start) if start else None,
        strength=record.strength,
        batch_size=len(record.batch_seeds),
        **wanted,
    )
    painter = open_painter(choice.path, settings, device=device or record.device, offload=offload)
    if painter.model_hash() != record.model_hash:
        raise ModelError(
            f"{source} was painted with weights {record.model_hash}, {record.model} here has "
            f"{painter.model_hash()}; put the same weights there"
        )
    pair = PromptPair(parse_report(record.df_positive).prompt, parse_report(record.df_negative).prompt)
    images = painter.paint([pair] * len(record.batch_seeds), list(record.batch_seeds))
    return images[record.batch_seeds.index(record.seed)]


def _check_start(source: Path, record: Record, start: Path | None) -> None:
    if record.seed not in record.batch_seeds:
        raise PromptError(f"{source} has a record that contradicts itself: seed {record.seed} is not in its batch")
    if bool(record.init_image_sha256) != bool(start):
        need = "started from a picture: name it with --img2img" if record.init_image_sha256 else "started from noise"
        raise PromptError(f"{source} {need}")
    if start and hashlib.sha256(start.read_bytes()).hexdigest() != record.init_image_sha256:
        raise PromptError(f"{start} is not the picture that {source} started from")
