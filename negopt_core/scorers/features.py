"""Where the features of set metrics come from, and the metrics of `table.SET_METRICS` themselves."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..devices import AUTO, find_device, put_on
from ..errors import ModelError, PromptError
from ..measure.set_metrics import Extract, Features, cmmd, frechet_distance, split_inception_score
from ..needs import naming_what_is_missing
from ..quiet import quiet
from ..torch_file import read_torch_file, save_tensors
from .recent import Recent
from .table import CLIP, INCEPTION, SET_METRICS, Loader, hash_place, place_of

INCEPTION_SCORES = ("is", "world-is")
FIRST_LAYER = "Conv2d_1a_3x3.conv.weight"
WIDTH, CLASSES = 2048, 1008
"""Channels of Inception's pooled features; its class posteriors follow."""


@dataclass(frozen=True, slots=True)
class SetMetric:
    """A number for a whole set of pictures; lower is better except for Inception Scores."""

    name: str
    extract: Extract
    identity: str
    """Which network the features come from; metrics with the same identity share their features."""
    measure: Callable[[Features, Features | None], tuple[float, float | None]]
    """Features of an arm and of the reference -> the value, and its spread where there is one."""
    needs_reference: bool

    @property
    def higher_is_better(self) -> bool:
        """True for Inception Scores."""
        return not self.needs_reference


def load_set_metric(name: str, places: Mapping[str, str], splits: int, loader: Loader | None = None) -> SetMetric:
    """A set metric by name; PromptError, ModelError or MissingPackage, with the remedy, where it cannot be had.

    With a `loader`, whose places count then, its network is shared with scorers that name the same weights.
    """
    if name not in SET_METRICS:
        raise PromptError(f"no metric is called {name!r}; there are {', '.join(SET_METRICS)}")
    extract, identity, width = _extractor(name, loader or Loader(places, "eval"))

    def inception(features: Features, _: Features | None) -> tuple[float, float | None]:
        spread = split_inception_score(torch.from_numpy(features[:, width:]), splits)
        return spread.mean, spread.deviation

    def frechet(features: Features, reference: Features | None) -> tuple[float, float | None]:
        assert reference is not None
        return frechet_distance(features[:, :width], reference[:, :width]), None

    def discrepancy(features: Features, reference: Features | None) -> tuple[float, float | None]:
        assert reference is not None
        return cmmd(features, reference), None

    is_inception = name in INCEPTION_SCORES
    measure = inception if is_inception else frechet if name.endswith("fid") else discrepancy
    return SetMetric(name, extract, identity, measure, needs_reference=not is_inception)


def _extractor(name: str, loader: Loader) -> tuple[Extract, str, int]:
    """What gives features, which network that is, and where posteriors begin in its rows."""
    if name.startswith("world-"):
        return _world_extract()
    if name == "cmmd":
        embedder = loader.embedder(CLIP)
        return embedder.pictures, f"clip {hash_place(loader.places[CLIP])}", 0
    return loader.inception(), f"inception {hash_place(place_of(INCEPTION, loader.places))}", WIDTH


def _world_extract() -> tuple[Extract, str, int]:
    """The eval judge's answers to all its questions as features, then its posteriors over shape and colour."""
    from ..world import world_dir
    from ..world.judges import class_posteriors, judge_pictures, shipped_judge

    judge = shipped_judge("eval")

    def extract(images: Tensor) -> Tensor:
        verdict = judge_pictures(judge, images)
        answers = torch.cat([verdict.quality[:, None], *verdict.logits.values()], dim=1)
        return torch.cat([answers, class_posteriors(verdict)], dim=1)

    probe = judge_pictures(judge, torch.zeros(1, 3, 64, 64))
    width = 1 + sum(values.shape[1] for values in probe.logits.values())
    return extract, f"world {hash_place(str(world_dir() / 'judges' / 'eval.safetensors'))}", width


def load_inception(path: Path, device: str = AUTO) -> Extract:
    """torch-fidelity's Inception (the one of the FID and Inception Score papers): pooled features, then posteriors.

    For the same tensor computed once. Raises MissingPackage without torch-fidelity, ModelError without the weights.
    """
    where = find_device(device)
    network = put_on(_network(_read_weights(path)), where)
    recent = Recent()

    @torch.no_grad()
    def compute(images: Tensor) -> Tensor:
        features, logits = network((images.to(where).clamp(0, 1) * 255).round().to(torch.uint8))
        found = [features.cpu().double(), logits.cpu().double().softmax(dim=1)]
        return torch.cat(found, dim=1)

    return lambda images: recent.of(images, compute)


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot read the Inception weights {path}: {error}; make them with `convert inception`"
        ) from error


def _network(weights: dict[str, Tensor]) -> Any:
    with naming_what_is_missing(), quiet(), _parts_of("torch_fidelity"):
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    # its constructor reads weights with torch's unpickler: hand it our own bytes instead of a stranger's file
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    buffer.seek(0)
    try:
        return FeatureExtractorInceptionV3(
            INCEPTION, [str(WIDTH), "logits_unbiased"], feature_extractor_weights_path=buffer
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"these are not torch-fidelity's Inception weights: {reason}") from error


@contextmanager
def _parts_of(package: str) -> Iterator[None]:
    """Modules of the package can be imported without the package itself, which needs more than they do: torchvision.

    Afterwards the interpreter knows neither, so that whoever imports the package gets all of it.
    """
    if package in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]


def convert_inception(source: Path, target: Path) -> None:
    """torch-fidelity's `weights-inception-2015-12-05-6726825d.pth` to safetensors, read without running any code.

    pytorch-fid's `pt_inception-2015-12-05-6726825d.pth` is the same file.
    """
    weights = read_torch_file(source)
    if not isinstance(weights, dict) or FIRST_LAYER not in weights:
        raise ModelError(f"{source} is not torch-fidelity's Inception; its first layer is missing")
    if not all(isinstance(value, Tensor) for value in weights.values()):
        raise ModelError(f"{source} is not torch-fidelity's Inception; it holds more than tensors")
    last = weights.get("fc.weight")
    if last is None or tuple(last.shape) != (CLASSES, WIDTH):
        shape = "missing" if last is None else list(last.shape)
        raise ModelError(
            f"{source} is not torch-fidelity's Inception: its last layer is {shape}, not {[CLASSES, WIDTH]}; FID and "
            "the Inception Score are defined by TensorFlow's network of 2015, not by torchvision's"
        )
    save_tensors(target, weights, {"source": source.name})
