"""The model card that lies beside a world's weights: what made them, and a hash that ties the two together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import ModelError
from ...files import hash_files, write_text

CARD = "README.md"
_HASH = re.compile(r"^weights: ([0-9a-f]{16})$", re.MULTILINE)

_TEXT = """---
license: apache-2.0
library_name: diffusers
pipeline_tag: text-to-image
weights: {weights}
---

# The demo world of negopt

A text-to-image model of 64 x 64 pictures, trained from nothing on scenes that a program draws. It is a laboratory for
negative prompts and scheduled modifiers, not an image model for artists, and says nothing about any other model.

- **Data**: {mixed} scenes with faults and enhancements and {clean} without, drawn by `negopt_core/world/render.py`,
  with {captions} captions each. No picture and no text from anywhere else.
- **Parts**: UNet (16 x 16 x 6 latents), CLIP-style text encoder, AutoencoderTiny, and two judges, `judges/reward` for
  training and `judges/eval` for reports, trained apart.
- **Recipe**: autoencoder {vae_steps} steps; diffusion {images} pictures (velocity, classifier-free guidance by empty
  captions, averaged weights); each judge {judge_steps} steps. Every number is below.
- **Command**: `python -m negopt_core train world` (negopt {version}), one seed ({seed}), resumable.
- **Measurements and limits**: `docs/world.md`, made by `python -m negopt_core world report` for these weights.
- **Licence**: Apache-2.0, weights included.

## Settings

```json
{settings}
```
"""


def weights_hash(folder: Path) -> str:
    """SHA-256 over every weight file of a world in the order of their names, as 16 hex digits."""
    paths = sorted(folder.rglob("*.safetensors"), key=lambda path: path.relative_to(folder).as_posix())
    return hash_files(paths)[:16]


def write_card(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the card for the weights in `folder` as they are now; `settings` is what `train world` ran with."""
    text = _TEXT.format(
        weights=weights_hash(folder),
        mixed=f"{settings['dataset']['mixed']:,}",
        clean=f"{settings['dataset']['clean']:,}",
        captions=settings["dataset"]["captions"],
        vae_steps=f"{settings['vae']['steps']:,}",
        images=f"{settings['diffusion']['images']:,}",
        judge_steps=f"{settings['judges'][0][1]['steps']:,}",
        version=__version__,
        seed=settings["seed"],
        settings=json.dumps(settings, indent=2),
    )
    write_text(folder / CARD, text)


def carded_hash(folder: Path) -> str:
    """The hash on the card; ModelError if there is no card or no hash on it."""
    try:
        match = _HASH.search((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read the model card {folder / CARD}: {error}; `train world` writes one") from error
    if match is None:
        raise ModelError(f"the model card {folder / CARD} names no weights; `train world` writes one that does")
    return match.group(1)
