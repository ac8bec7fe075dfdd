"""`paint`: pictures from a prompt, with everything needed to paint them again inside each file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, PromptError
from ..files import check_folder, free_path, hash_file
from ..policy import Policy, load_policy, suggest
from ..text.df_text import format_prompt, parse_report
from ..text.prompt import PromptPair
from .models import MODEL_HELP, WORLD, Choice, add_model_arguments, choose, read_size
from .output import add_json, emit, tell
from .provenance import model_place
from .suggest import add_policy_arguments, options_from, policy_for

if TYPE_CHECKING:
    import torch

    from ..paint.base import ModelPainter
    from ..provenance.record import Record

_UNLESS_TOLD = {"seed": 0, "count": 1, "batch": 1, "sampler": "model", "weighting": "pae"}
_IN_RECORD = {
    **{name: f"--{name}" for name in ("policy", "family", "negative", "steps", "cfg", "seed", "batch", "size")},
    **{name: f"--{name}" for name in ("sampler", "weighting", "strength")},
    "count": "-n",
    "max_tokens": "--max-tokens",
}
"""What a picture's record decides with --from, and the flags for it."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("paint", help="paint pictures, schedules included")
    parser.add_argument("prompt", nargs="?", help="ordinary or DF-Prompt text")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="IMAGE", help="paint this picture again, bit for bit"
    )
    add_policy_arguments(parser, default="")
    parser.add_argument("--model", help=f"{MODEL_HELP} (default world; with --from the record's own)")
    add_model_arguments(parser)
    parser.add_argument("--seed", type=int, help="seed of the first picture, default 0; the next ones count up")
    parser.add_argument("-n", type=int, dest="count", help="pictures to paint (default 1)")
    parser.add_argument("--batch", type=int, help="pictures painted at the same time (default 1)")
    parser.add_argument("--size", metavar="WxH", help="pixels (default: the model's own)")
    parser.add_argument("--sampler", help="sampler (default: the model's own)")
    parser.add_argument("--weighting", help="what a weight does: pae (default), pae-raw, comfy, compel, none")
    parser.add_argument("--img2img", type=Path, metavar="IMAGE", help="start from this picture")
    parser.add_argument("--strength", type=float, help="how much of the run it goes through (default 0.75)")
    parser.add_argument("--device", help="cpu, cuda, mps (default: the GPU if there is one)")
    parser.add_argument(
        "--offload", action="store_true", help="keep weights in main memory; slow, needs little GPU memory"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("out"), metavar="DIR", help="folder (default out)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Paint, or paint again."""
    if (args.prompt is None) == (args.source is None):
        raise PromptError("paint needs either a prompt or --from IMAGE")
    _fill(args)
    if args.count < 1:
        raise PromptError(f"-n needs a whole number from 1 up, got {args.count}")
    check_folder(args.output)
    paths, records, warnings = _repaint(args) if args.source else _paint(args)
    values = {"images": [str(path) for path in paths], "record": records[0].to_json(), "warnings": warnings}
    text = [f"painted  {path}" for path in paths] + [f"note     {warning}" for warning in warnings]
    emit(args, values, "\n".join(text))
    return 0


def _fill(args: argparse.Namespace) -> None:
    """What is not told; PromptError for a flag beside --from that the record decides."""
    given = [flag for name, flag in _IN_RECORD.items() if getattr(args, name) not in (None, "")]
    if args.source and given:
        raise PromptError(
            f"--from paints the picture that the record tells, so it does not go with {', '.join(given)}; leave them "
            "out, or give the prompt anew"
        )
    for name, value in _UNLESS_TOLD.items():
        if getattr(args, name) is None:
            setattr(args, name, value)


def _paint(args: argparse.Namespace) -> tuple[list[Path], list[Record], list[str]]:
    choice = choose(args.model or WORLD, args.steps, args.cfg)
    pair, policy, warnings = _propose(args, choice)
    painter = _open(args, choice)
    seeds = [args.seed + number for number in range(args.count)]
    paths, records = [], []
    for start in range(0, len(seeds), args.batch):
        group = seeds[start : start + args.batch]
        images = painter.paint([pair] * len(group), group, on_progress=_progress(start, len(seeds)))
        for image, seed in zip(images, group, strict=True):
            record = _record(args, choice, painter, pair, policy, seed, group, image)
            paths.append(_save(args.output / f"{seed:05d}.png", image, record))
            records.append(record)
    return paths, records, warnings


def _propose(args: argparse.Namespace, choice: Choice) -> tuple[PromptPair, Policy | None, list[str]]:
    if not args.policy:
        positive, negative = parse_report(args.prompt), parse_report(args.negative)
        problems = [str(problem) for problem in (*positive.problems, *negative.problems)]
        return PromptPair(positive.prompt, negative.prompt), None, problems
    policy = load_policy(policy_for(args, choice), args.policies)
    (suggestion,) = suggest(policy, [args.prompt], options_from(args))
    return suggestion.pair, policy, list(suggestion.warnings)


def _open(args: argparse.Namespace, choice: Choice) -> ModelPainter:
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter

    width, height = read_size(args.size)
    settings = PaintSettings(
        steps=choice.steps,
        guidance_scale=choice.cfg,
        width=width,
        height=height,
        sampler=args.sampler,
        weighting=args.weighting,
        batch_size=args.batch,
        init_image=_read_image(args.img2img) if args.img2img else None,
        strength=args.strength,
    )
    return open_painter(choice.path, settings, device=args.device, offload=args.offload)


def _read_image(path: Path) -> torch.Tensor:
    from ..paint.pictures import read_image

    return read_image(path)


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
    args: argparse.Namespace,
    choice: Choice,
    painter: ModelPainter,
    pair: PromptPair,
    policy: Policy | None,
    seed: int,
    group: list[int],
    image: torch.Tensor,
) -> Record:
    from ..provenance.record import Record, shown_place

    about = painter.describe()
    return Record(
        prompt=args.prompt,
        df_positive=format_prompt(pair.positive),
        df_negative=format_prompt(pair.negative),
        positive=pair.positive.text,
        negative=pair.negative.text,
        seed=seed,
        model=shown_place(choice.model),
        model_hash=painter.model_hash(),
        steps=choice.steps,
        cfg=choice.cfg,
        width=image.shape[2],
        height=image.shape[1],
        sampler=args.sampler,
        weighting=args.weighting,
        device=about["device"],
        dtype=about["dtype"],
        batch_seeds=tuple(group),
        policy=policy.card.name if policy else "",
        policy_hash=policy.fingerprint if policy else "",
        policy_licence=policy.card.licence if policy else "",
        modes=tuple(args.mode.split(",")) if policy else (),
        init_image_sha256=hash_file(args.img2img) if args.img2img else "",
        strength=about["strength"],
        libraries={key: about[key] for key in ("torch", "diffusers", "comfyui") if key in about},
        host="comfyui" if about.get("painter") == "comfy-server" else "diffusers",
    )


def _repaint(args: argparse.Namespace) -> tuple[list[Path], list[Record], list[str]]:
    """Paint a picture again from its own record, in the batch that it was painted in."""
    from ..provenance.record import read_picture

    record = read_picture(args.source)
    _check_start(args, record)
    args.sampler, args.weighting, args.size = record.sampler, record.weighting, f"{record.width}x{record.height}"
    args.batch, args.strength, args.device = len(record.batch_seeds), record.strength, args.device or record.device
    choice = choose(model_place(args.model, record.model, "diffusers"), record.steps, record.cfg)
    painter = _open(args, choice)
    if painter.model_hash() != record.model_hash:
        raise ModelError(
            f"{args.source} was painted with weights {record.model_hash}, {record.model} here has "
            f"{painter.model_hash()}; put the same weights there"
        )
    pair = PromptPair(parse_report(record.df_positive).prompt, parse_report(record.df_negative).prompt)
    images = painter.paint([pair] * len(record.batch_seeds), list(record.batch_seeds))
    image = images[record.batch_seeds.index(record.seed)]
    return [_save(args.output / args.source.name, image, record)], [record], []


def _check_start(args: argparse.Namespace, record: Record) -> None:
    if record.seed not in record.batch_seeds:
        raise PromptError(f"{args.source} has a record that contradicts itself: seed {record.seed} is not in its batch")
    if bool(record.init_image_sha256) != bool(args.img2img):
        need = "started from a picture: name it with --img2img" if record.init_image_sha256 else "started from noise"
        raise PromptError(f"{args.source} {need}")
    if args.img2img and hash_file(args.img2img) != record.init_image_sha256:
        raise PromptError(f"{args.img2img} is not the picture that {args.source} started from")
