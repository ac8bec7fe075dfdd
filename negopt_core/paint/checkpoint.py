"""What a single `.safetensors` file is, by the names and shapes of its tensors; refuses what no painter can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..errors import ModelError
from .key_names import UNET, VAE

Architecture = str
"""`sd15`, `sd2` or `sdxl`: a file of `assets/models`."""

FIRST = f"{UNET}input_blocks.0.0.weight"
_CHANNELS = 4
_OTHER_CHANNELS = {9: "for inpainting", 5: "for depth maps", 8: "for editing", 7: "for upscaling"}
_TEXT: Mapping[str, Architecture] = {
    "conditioner.embedders.1.model.": "sdxl",
    "cond_stage_model.model.": "sd2",
    "cond_stage_model.transformer.": "sd15",
}
_REFINER = "conditioner.embedders.0.model."
_LORA = (".lora_A.", ".lora_B.", ".lora_up.", ".lora_down.", ".hada_w1", ".lokr_w1", "lora_unet_", "lora_te")
_PARTS = (
    (("control_model.", "controlnet_"), "is a ControlNet, which steers a model but is none; give the model"),
    (("emb_params", "clip_g", "clip_l"), "is a textual inversion, words for a model; give the model"),
    (
        ("encoder.down.", "decoder.up.", VAE, "encoder.down_blocks.", "decoder.up_blocks."),
        "is a VAE alone; give the checkpoint",
    ),
    (
        ("down_blocks.", "input_blocks.", UNET),
        "is a UNet alone, without text encoder and VAE; give a whole checkpoint or its diffusers folder",
    ),
)
_BEGINNINGS = {
    b"PK\x03\x04": "is a pickle by another name, which can run code when it is opened; convert it to .safetensors",
    b"\x80\x02": "is a pickle by another name, which can run code when it is opened; convert it to .safetensors",
    b"version ": "is a Git LFS pointer and not the weights; fetch them with `git lfs pull`",
    b"<": "is a web page saved by mistake; fetch the weights again",
}
_SHOWN = 3
_V_NORM = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias"
_V_SPREAD = 0.09
"""Standard deviation of that bias above which Stable Diffusion 2 predicts v; ComfyUI tells the two apart by it too."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file's tensors without their numbers."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    def shape(self, name: str) -> tuple[int, ...]:
        """Sizes of a tensor that must be there, else ModelError."""
        shape = self.shapes.get(name, ())
        if not shape:
            raise ModelError(f"{self.path} lacks {name}; it is not complete: fetch it again")
        return shape

    def some(self) -> str:
        """How many tensors there are, and the names of a few, for a message."""
        names = ", ".join(name[:80] for name in list(self.shapes)[:_SHOWN])
        return f"{len(self.shapes)} tensors such as {names}" if self.shapes else "no tensors"

    def has(self, prefix: str) -> bool:
        """Is there a tensor whose name begins so?"""
        return any(name.startswith(prefix) for name in self.shapes)


def read_checkpoint(path: Path) -> Checkpoint:
    """Names, shapes and metadata; ModelError for what is no whole safetensors file."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
        for beginning, said in _BEGINNINGS.items():
            if start.startswith(beginning):
                raise ModelError(f"{path} {said}")
        with safe_open(path, framework="pt") as stored:
            shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
            return Checkpoint(path, shapes, stored.metadata() or {})
    except (OSError, SafetensorError) as error:
        said = str(error).strip().partition("\n")[0][:200]
        raise ModelError(f"{path} cannot be loaded: {said}; it was cut short or damaged: fetch it again") from error


def identify(checkpoint: Checkpoint) -> Architecture:
    """The architecture of a whole checkpoint; ModelError, in one line that says what else it is, for anything else."""
    if FIRST not in checkpoint.shapes:
        raise _not_whole(checkpoint)
    channels = checkpoint.shapes[FIRST][1] if len(checkpoint.shapes[FIRST]) > 1 else 0
    if channels != _CHANNELS:
        raise _refused(
            checkpoint,
            f"is a model {_OTHER_CHANNELS.get(channels, 'of another kind')}: its UNet takes {channels} channels",
            f"negopt paints with those that take {_CHANNELS}, so give the base model",
        )
    if any(name.startswith("edm_") for name in checkpoint.shapes):
        raise _refused(checkpoint, "samples by EDM's noise levels", "negopt does not; give another model")
    architecture = next((kind for prefix, kind in _TEXT.items() if checkpoint.has(prefix)), None)
    if architecture is None and checkpoint.has(_REFINER):
        raise _refused(checkpoint, "is the refiner of Stable Diffusion XL, which finishes pictures", "give the base")
    if architecture is None or not checkpoint.has(VAE):
        lacking = "text encoder" if architecture is None else f"VAE ({VAE}*)"
        remedy = f"it has {checkpoint.some()}; give a whole checkpoint or its diffusers folder"
        raise _refused(checkpoint, f"holds a UNet, but no {lacking} that negopt knows", remedy)
    return architecture


def predicts_v(architecture: Architecture, checkpoint: Checkpoint) -> bool:
    """Does the UNet predict v? The file's metadata or a marker says so; 2.x is told by the numbers of one norm."""
    told = checkpoint.metadata.get("modelspec.prediction_type", "")
    if told:
        return told.startswith("v")
    if "v_pred" in checkpoint.shapes:
        return True
    if architecture != "sd2" or _V_NORM not in checkpoint.shapes:
        return False
    with safe_open(checkpoint.path, framework="pt") as stored:
        return float(stored.get_tensor(_V_NORM).float().std(unbiased=False)) > _V_SPREAD


def _not_whole(checkpoint: Checkpoint) -> ModelError:
    names = list(checkpoint.shapes)
    if any(mark in name for mark in _LORA for name in names):
        said = "is a LoRA, which changes a model but is none; merge it into its checkpoint and give that"
        return _refused(checkpoint, said, f"it has {checkpoint.some()}")
    for prefixes, said in _PARTS:
        if any(name.startswith(prefixes) for name in names) and not _is_foreign(names):
            return _refused(checkpoint, said, f"it has {checkpoint.some()}")
    return _refused(
        checkpoint,
        "holds no model that negopt knows (Stable Diffusion 1.x, 2.x, XL and what is built on them)",
        f"it has {checkpoint.some()}",
    )


def _is_foreign(names: list[str]) -> bool:
    """A denoiser of another kind under the usual prefix: SD3, Flux and later ones."""
    inner = [name.removeprefix(UNET) for name in names if name.startswith(UNET)]
    return bool(inner) and not any(name.startswith(("input_blocks.", "down_blocks.")) for name in inner)


def _refused(checkpoint: Checkpoint, what: str, remedy: str) -> ModelError:
    return ModelError(f"{checkpoint.path} {what}; {remedy}")
