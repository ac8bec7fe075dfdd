"""Cut-outs of the world's things in four styles, from icon packages that are fetched by name and checked by hash."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from ...errors import TrainingError
from ...files import write_bytes
from ...needs import need
from ...torch_file import save_tensors
from . import vocabulary as words

REGISTRY = "https://registry.npmjs.org"
_RASTER = 256
_MARGIN = 1.04
_TILT = 28.0
"""Degrees that a tilted thing is turned."""

SIZES: dict[str, tuple[int, float]] = {
    "normal": (48, 0.0),
    "tiny": (24, 0.0),
    "close-up": (88, 0.0),
    "tilted": (48, _TILT),
    "tiny tilted": (24, _TILT),
    "close-up tilted": (88, _TILT),
}
"""The cut-outs of one icon: side in pixels, and degrees turned."""


@dataclass(frozen=True, slots=True)
class IconSet:
    """One npm package of icons: where it is, what it must be, whose it is."""

    package: str
    version: str
    sha256: str
    licence: str
    author: str

    @property
    def url(self) -> str:
        """Address of the package's archive."""
        return f"{REGISTRY}/{self.package}/-/{self.package.rpartition('/')[2]}-{self.version}.tgz"


SETS = (
    IconSet(
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
        "MIT",
        "Microsoft (Fluent Emoji)",
    ),
    IconSet(
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        "MIT",
        "Microsoft (Fluent Emoji)",
    ),
    IconSet(
        "@iconify-json/noto",
        "1.2.9",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
        "Apache-2.0",
        "Google (Noto Emoji)",
    ),
    IconSet(
        "@iconify-json/fluent-emoji-high-contrast",
        "1.2.6",
        "0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0",
        "MIT",
        "Microsoft (Fluent Emoji)",
    ),
)
"""One for each of STYLES, in their order."""


def load_cutouts(folder: Path) -> dict[str, Tensor]:
    """For each of SIZES the cut-outs [32, 4, 4, S, S] by thing and style, RGB times alpha and alpha, in 0..1.

    Made at the first call from packages that are fetched into `folder`. TrainingError if one is not served or is not
    the one it should be; MissingPackage without a rasteriser.
    """
    path = folder / "cutouts.safetensors"
    if not path.exists():
        need("resvg_py")
        pictures = _draw_all([_fetch(icons, folder) for icons in SETS])
        cut = {
            name: torch.stack([torch.stack([_cut(picture, *size) for picture in styles]) for styles in pictures])
            for name, size in SIZES.items()
        }
        save_tensors(path, {name: value.half() for name, value in cut.items()})
    return {name: value.float() for name, value in load_file(path).items()}


def _fetch(icons: IconSet, folder: Path) -> Path:
    """The package's archive in `folder`, from the registry if it is not there."""
    path = folder / icons.url.rpartition("/")[2]
    if not path.exists():
        try:
            with urllib.request.urlopen(icons.url, timeout=60) as answer:
                content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise TrainingError(f"cannot fetch {icons.url}: {error}; put the file into {folder} by hand") from error
        _check(content, icons, icons.url)
        write_bytes(path, content)
    else:
        _check(path.read_bytes(), icons, str(path))
    return path


def _check(content: bytes, icons: IconSet, where: str) -> None:
    if hashlib.sha256(content).hexdigest() != icons.sha256:
        raise TrainingError(
            f"{where} is not {icons.package} {icons.version}: its SHA-256 differs; delete it and try again"
        )


def _draw_all(archives: list[Path]) -> list[list[Image.Image]]:
    """For each thing its picture in each style, 256 x 256 RGBA."""
    solid, *drawn = archives
    sets = [_read_set(path) for path in drawn]
    codes = {name: code for code, name in sets[0]["characters"].items()}
    names = list(words.THINGS.values())
    bitmaps = _read_bitmaps(solid, [codes[name] for name in names])
    return [[bitmaps[codes[name]], *(_rasterise(_svg(icons, name)) for icons in sets)] for name in names]


def _read_set(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as archive:
        icons, characters = (_member(archive, f"package/{name}.json") for name in ("icons", "chars"))
    return {**json.loads(icons), "characters": json.loads(characters)}


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None, name  # the hash was right
    return file.read()


def _read_bitmaps(path: Path, codes: list[str]) -> dict[str, Image.Image]:
    """Pictures by code point; a file's name may carry the variation selector or not."""
    found = {}
    with tarfile.open(path) as archive:
        there = set(archive.getnames())
        for code in codes:
            plain = code.replace("-fe0f", "")
            names = [f"package/assets/{name}.webp" for name in (code, f"{plain}-fe0f", plain)]
            name = next((name for name in names if name in there), names[0])
            picture = Image.open(io.BytesIO(_member(archive, name))).convert("RGBA")
            found[code] = picture.resize((_RASTER, _RASTER), Image.Resampling.LANCZOS)
    return found


def _svg(icons: dict[str, Any], name: str) -> str:
    if name not in icons["icons"]:
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 32)) for side in ("width", "height"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{_RASTER}" height="{_RASTER}">'
        f"{icon['body'].replace('currentColor', '#000')}</svg>"
    )


def _rasterise(svg: str) -> Image.Image:
    import resvg_py  # needed only where the cut-outs are made

    png = resvg_py.svg_to_bytes(svg_string=svg, width=_RASTER, height=_RASTER)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def _cut(picture: Image.Image, side: int, degrees: float) -> Tensor:
    """[4, side, side] RGB times alpha, and alpha: trimmed to a square around what is drawn, turned, scaled."""
    pixels = torch.from_numpy(np.asarray(picture).astype(np.float32) / 255)
    pixels = torch.cat([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], dim=2)
    rows, columns = (pixels[..., 3] > 0.05).nonzero(as_tuple=True)
    top, bottom, left, right = int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
    half = max(bottom - top, right - left) / 2 * _MARGIN
    line = (torch.arange(side * 4) + 0.5) / (side * 4) * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    turn = torch.tensor(degrees).deg2rad()
    u = (x * turn.cos() + y * turn.sin()) * half + (left + right) / 2
    v = (y * turn.cos() - x * turn.sin()) * half + (top + bottom) / 2
    grid = torch.stack([u, v], dim=-1)[None] / (_RASTER / 2) - 1
    large = functional.grid_sample(pixels.permute(2, 0, 1)[None], grid, padding_mode="zeros", align_corners=False)
    return functional.avg_pool2d(large, 4)[0].clamp(0, 1)
