"""`provenance`: where a picture comes from, whether it still is that picture, and the picture painted again."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PromptError
from ..files import check_folder, free_path
from ..text.df_text import parse_prompt
from ..text.prompt import PromptPair
from .models import MODEL_HELP, choose
from .output import add_json, emit

if TYPE_CHECKING:
    from ..provenance.origin import Origin

_SAMPLERS = {
    "uni_pc": "unipc", "unipc": "unipc", "dpmpp_2m": "dpm++2m", "dpm++ 2m": "dpm++2m", "dpm++2m": "dpm++2m",
    "euler": "euler", "euler_ancestral": "euler-a", "euler a": "euler-a", "euler-a": "euler-a", "ddim": "ddim",
    "heun": "heun", "model": "model",
}  # fmt: skip
"""Hosts' names of samplers, in ours."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("provenance", help="where a picture comes from; check its hashes; paint it again")
    parser.add_argument(
        "image", type=Path, metavar="IMAGE", help="PNG, WebP or JPEG from negopt, ComfyUI, A1111, Forge"
    )
    parser.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    parser.add_argument("--replay", action="store_true", help="paint it again and compare")
    parser.add_argument("--model", help=f"for --replay, where the record's own is not found: {MODEL_HELP}")
    parser.add_argument("--device", help="for --replay: cpu, cuda, mps (default: the GPU if there is one)")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/replay"), metavar="DIR", help="for --replay")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the provenance; exit code 1 if something does not match."""
    from ..provenance.origin import read_origin
    from ..provenance.verify import DIFFERS, verify

    origin = read_origin(args.image)
    checks = verify(args.image, origin, args.policies)
    values: dict[str, Any] = {"provenance": origin.to_json(), "checks": [asdict(check) for check in checks]}
    lines = [*_shown(origin), *(f"{c.what:10} {c.outcome}{f': {c.why}' if c.why else ''}" for c in checks)]
    has_other_weights = False
    if args.replay:
        told = values["replay"] = replay(args, origin)
        lines += _replayed(told, origin)
        has_other_weights = told["same_weights"] is False
    emit(args, values, "\n".join(lines))
    return int(has_other_weights or any(check.outcome == DIFFERS for check in checks))


def _replayed(told: dict[str, Any], origin: Origin) -> list[str]:
    same = "bit for bit the same" if told["identical"] else f"pixels differ by {told['mean_difference']:.4f} (0 to 1)"
    lines = [f"{'replay':10} {told['image']}: {same}"]
    if told["same_weights"] is False:
        found, recorded = told["model_hash"], origin.sampling["model_hash"]
        lines.append(f"{'weights':10} differ: painted again with {found}, the picture was made with {recorded}")
    return lines


def _shown(origin: Origin) -> list[str]:
    wrote = (
        f"{origin.policy} ({origin.policy_licence or 'licence not told'})" if origin.policy else "nobody but the user"
    )
    settings = ", ".join(f"{name} {value}" for name, value in origin.sampling.items())
    lines = {
        "host": f"{origin.host} {', '.join(f'{name} {value}' for name, value in origin.versions.items())}",
        "prompt": origin.prompt,
        "positive": origin.df_positive,
        "negative": origin.df_negative or "(none)",
        "written by": wrote,
        "sampling": settings,
        "scores": ", ".join(f"{name} {value:.3f}" for name, value in origin.scores.items()) or "(none)",
    }
    return [f"{name:10} {value}" for name, value in lines.items()]


def replay(args: argparse.Namespace, origin: Origin) -> dict[str, Any]:
    """Paint again what the provenance says, save it, compare it with the picture."""
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter
    from ..paint.pictures import read_image

    check_folder(args.output)
    told = origin.sampling
    missing = [name for name in ("seed", "steps", "cfg") if name not in told]
    if missing or told.get("strength") is not None:
        why = (
            f"does not tell its {', '.join(missing)}" if missing else "started from another picture (use paint --from)"
        )
        raise PromptError(f"{args.image} cannot be painted again from its provenance alone: it {why}")
    choice = choose(
        model_place(args.model, str(told.get("model", "")), origin.host), int(told["steps"]), float(told["cfg"])
    )
    original = read_image(args.image)
    settings = PaintSettings(
        choice.steps,
        choice.cfg,
        height=original.shape[1],
        width=original.shape[2],
        sampler=_sampler(str(told.get("sampler", "model"))),
        weighting=told.get("weighting") or ("comfy" if origin.host == "comfyui" else "pae"),
        batch_size=1,
    )
    painter = open_painter(choice.path, settings, device=args.device)
    pair = PromptPair(parse_prompt(origin.df_positive), parse_prompt(origin.df_negative))
    (image,) = painter.paint([pair], [int(told["seed"])])
    path = free_path(args.output / f"{args.image.stem}.png")
    return _compared(path, original, image) | {
        "model_hash": painter.model_hash(),
        "same_weights": _same(painter.model_hash(), str(told.get("model_hash", "")), origin.host),
    }


def model_place(named: str | None, recorded: str, host: str) -> str:
    """The model to paint with: the named one, else the record's if this machine can find it; PromptError if not."""
    if named:
        return named
    is_ours = host == "diffusers" or recorded.startswith("comfy:")
    is_here = recorded == "world" or recorded.startswith(("hf:", "comfy:")) or Path(recorded).exists()
    if not recorded or not is_ours or not is_here:
        raise PromptError(
            f"the picture was made with {recorded or 'a model it does not name'}; say where that is with --model"
        )
    return recorded


def _sampler(name: str) -> Any:
    if name.lower() not in _SAMPLERS:
        raise PromptError(f"negopt's painter has no sampler {name!r}; paint this picture again in its own host")
    return _SAMPLERS[name.lower()]


def _same(found: str, recorded: str, host: str) -> bool | None:
    """None where one is not known, or is a host's hash of another kind."""
    return None if not found or not recorded or host != "diffusers" else found == recorded


def _compared(path: Path, original: Any, image: Any) -> dict[str, Any]:
    import io

    from PIL import Image

    from ..files import write_bytes
    from ..paint.pictures import to_pixels

    stream = io.BytesIO()
    Image.fromarray(to_pixels(image)).save(stream, "PNG")
    write_bytes(path, stream.getvalue())
    rounded = (image.clamp(0, 1) * 255).round() / 255
    difference = (rounded - original).abs()
    return {
        "image": str(path),
        "identical": bool((difference < 1e-6).all()),
        "mean_difference": float(difference.mean()),
        "max_difference": float(difference.max()),
    }
