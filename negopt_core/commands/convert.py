"""`convert aesthetic|inception|clip|hpsv3|pae`: published weights to safetensors, once."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path

from ..flags import flag, word
from . import Command, Result


@dataclass(frozen=True, kw_only=True)
class _Weights:
    file: Path = word(MISSING, "the published file", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Aesthetic(_Weights):
    """What `convert aesthetic` takes."""

    output: Path = flag(Path("aesthetic.safetensors"), "file to write", "o", "output", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Inception(_Weights):
    """What `convert inception` takes."""

    output: Path = flag(Path("inception.safetensors"), "file to write", "o", "output", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class HPSv3(_Weights):
    """What `convert hpsv3` takes."""

    output: Path = flag(Path("HPSv3.safetensors"), "file to write", "o", "output", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class CLIP:
    """What `convert clip` takes."""

    source: Path = word(MISSING, "a file of open_clip's, such as HPS_v2_compressed.pt, or a folder", metavar="FILE|DIR")
    tokenizer: Path | None = flag(
        None, "folder with a CLIP's tokenizer files", metavar="DIR", shown="the folder itself"
    )
    output: Path = flag(MISSING, "folder of transformers to write", "o", "output", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class PAE(_Weights):
    """What `convert pae` takes."""

    tokenizer: Path = flag(MISSING, "folder with GPT-2's tokenizer files", metavar="DIR")
    output: Path = flag(MISSING, "policy folder", "o", "output", metavar="DIR")


def run_aesthetic(settings: Aesthetic) -> Result:
    """Convert and say where."""
    from ..scorers.aesthetic import convert_head

    convert_head(settings.file, settings.output)
    return Result({"file": str(settings.output)}, f"wrote {settings.output}")


def run_inception(settings: Inception) -> Result:
    """Convert and say where."""
    from ..scorers.features import convert_inception

    convert_inception(settings.file, settings.output)
    return Result({"file": str(settings.output)}, f"wrote {settings.output}")


def run_hpsv3(settings: HPSv3) -> Result:
    """Convert and say where."""
    from ..scorers.hpsv3_folder import convert_hpsv3

    convert_hpsv3(settings.file, settings.output)
    return Result({"file": str(settings.output)}, f"wrote {settings.output}")


def run_clip(settings: CLIP) -> Result:
    """Convert and say where."""
    from ..scorers.clip_folder import convert_clip

    convert_clip(settings.source, settings.output, settings.tokenizer)
    return Result({"folder": str(settings.output)}, f"wrote {settings.output}")


def run_pae(settings: PAE) -> Result:
    """Convert and say where."""
    from ..lab.train.card import add_source
    from ..lab.train.setup import load_tokenizer
    from ..policy.language.folder import save_policy
    from ..policy.language.pae_weights import actor_policy, read_actor

    policy = actor_policy(read_actor(settings.file), load_tokenizer(str(settings.tokenizer)), settings.output.name)
    policy.card = add_source(policy.card, settings.file)
    save_policy(policy, settings.output)
    return Result({"folder": str(settings.output)}, f"wrote {settings.output}")


COMMANDS = (
    Command("aesthetic", "LAION's sac+logos+ava1-l14-linearMSE.pth to an affine head", Aesthetic, run_aesthetic),
    Command(
        "inception", "torch-fidelity's weights-inception-2015-12-05 .pth, for FID and IS", Inception, run_inception
    ),
    Command("clip", "a pickled CLIP, or open_clip's and HPS's files, to a folder of transformers", CLIP, run_clip),
    Command(
        "hpsv3", "a pickled checkpoint of HPSv3's training (the published one needs no conversion)", HPSv3, run_hpsv3
    ),
    Command("pae", "PAE's released actor (actor_step3000.pt) to a policy folder", PAE, run_pae),
)
