"""Measures of whole sets, against their definitions and against torch-fidelity on the same pictures."""

import sys
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from negopt_core.errors import ModelError, PromptError
from negopt_core.lab.compare.gallery import in_batches
from negopt_core.measure.set_metrics import cmmd, extract_all, frechet_distance, split_inception_score
from negopt_core.scorers.features import convert_inception, load_inception, load_set_metric
from negopt_core.world import world_dir
from negopt_core.world.render import render
from negopt_core.world.scenes import sample_clean_scenes, sample_scenes

NOT_COMPARED = "NOT COMPARED WITH TORCH-FIDELITY: it (or a torchvision that fits torch) is not installed"


def drawn(count: int, width: int, seed: int, shift: float = 0.0) -> numpy.ndarray:
    return numpy.random.default_rng(seed).normal(shift, 1.0, (count, width))


def test_frechet_distance_of_gaussians_is_what_the_formula_says() -> None:
    one, other = drawn(5000, 3, 1), 2.0 * drawn(5000, 3, 2) + 1.0
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-8)
    # |shift|^2 + sum (s1 - s2)^2 = 3 + 3
    assert frechet_distance(one, other) == pytest.approx(6.0, rel=0.06)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-9)


def test_more_channels_than_pictures_is_allowed_and_odd_features_are_refused() -> None:
    assert frechet_distance(drawn(8, 40, 1), drawn(8, 40, 2)) > 0
    with pytest.raises(ModelError, match="at least 2"):
        frechet_distance(drawn(1, 4, 1), drawn(5, 4, 2))
    broken = drawn(5, 4, 1)
    broken[2, 2] = numpy.nan
    with pytest.raises(ModelError, match="finite"):
        frechet_distance(broken, drawn(5, 4, 2))


def test_cmmd_is_the_mean_over_all_pairs_whatever_the_blocks() -> None:
    one, other = drawn(1500, 5, 3), drawn(40, 5, 4, shift=4.0)

    def kernel(x: numpy.ndarray, y: numpy.ndarray) -> float:
        distance = ((x[:, None] - y[None]) ** 2).sum(-1)
        return float(numpy.exp(-distance / (2 * 10.0**2)).mean())

    expected = 1000 * (kernel(one, one) + kernel(other, other) - 2 * kernel(one, other))
    assert cmmd(one, other) == pytest.approx(expected, rel=1e-9)
    assert cmmd(one, one) == pytest.approx(0.0, abs=1e-9)


def test_inception_score_runs_from_one_to_the_number_of_classes() -> None:
    sure = torch.eye(4).repeat(25, 1)
    assert split_inception_score(sure, 1).mean == pytest.approx(4.0)
    assert split_inception_score(torch.full((100, 4), 0.25), 5).mean == pytest.approx(1.0)
    with pytest.raises(ModelError, match="splits"):
        split_inception_score(sure, 101)


@pytest.mark.skipif(not (world_dir() / "judges").is_dir(), reason="the demo world's judges are not in the assets")
def test_the_worlds_measures_tell_clean_pictures_from_faulty_ones() -> None:
    clean, more, faulty = (
        render(sample(48, seed))
        for sample, seed in ((sample_clean_scenes, 1), (sample_clean_scenes, 2), (sample_scenes, 3))
    )
    metric = load_set_metric("world-fid", {}, splits=2)
    reference, same, other = (extract_all(iter([([], pictures)]), metric.extract) for pictures in (clean, more, faulty))
    assert metric.measure(same, reference)[0] < metric.measure(other, reference)[0]
    score, spread = load_set_metric("world-is", {}, splits=2).measure(reference, None)
    assert 1.0 < score < 36.0 and spread is not None


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="there are is, world-is, fid, cmmd, world-fid"):
        load_set_metric("kid", {}, 1)
    with pytest.raises(PromptError, match="--source inception=PLACE"):
        load_set_metric("fid", {}, 1)
    (tmp_path / "x.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"x\.safetensors"):
        load_set_metric("is", {"inception": str(tmp_path / "x.safetensors")}, 1)
    for content in ({"other": torch.zeros(1)}, [1]):
        torch.save(content, tmp_path / "x.pth")
        with pytest.raises(ModelError, match="not torch-fidelity's"):
            convert_inception(tmp_path / "x.pth", tmp_path / "y.safetensors")
    assert not (tmp_path / "y.safetensors").exists()


def test_torch_fidelitys_network_is_found_without_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package imports torchvision for data sets; with a torchvision of another torch it cannot be imported."""
    package = tmp_path / "torch_fidelity"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    (package / "helpers.py").write_text("WIDTH = 2048\n")
    (package / "feature_extractor_inceptionv3.py").write_text(
        "import torch\n"
        "from torch_fidelity.helpers import WIDTH\n\n\n"
        "class FeatureExtractorInceptionV3(torch.nn.Module):\n"
        "    def __init__(self, name, features, feature_extractor_weights_path):\n"
        "        super().__init__()\n\n"
        "    def forward(self, images):\n"
        "        return torch.zeros(len(images), WIDTH), torch.zeros(len(images), 1008)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch_fidelity", raising=False)
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert load_inception(tmp_path / "x.safetensors", "cpu")(torch.rand(2, 3, 8, 8)).shape == (2, 3056)
    assert not [name for name in sys.modules if name.startswith("torch_fidelity")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_is_and_fid_agree_with_torch_fidelity_on_200_pictures(tmp_path: Path) -> None:
    """Their network with weights drawn at random: the numbers mean nothing, but must be the same on both sides."""
    fidelity = pytest.importorskip("torch_fidelity", reason=NOT_COMPARED, exc_type=(ImportError, RuntimeError))
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    weights = tmp_path / "inception.pth"
    torch.save(_random_inception(FeatureExtractorInceptionV3), weights)
    folders = [tmp_path / name for name in ("found", "reference")]
    for folder, pictures in zip(
        folders, (render(sample_scenes(100, 4)), render(sample_clean_scenes(100, 5))), strict=True
    ):
        folder.mkdir()
        for number, picture in enumerate(pictures):
            pixels = (picture * 255).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(folder / f"{number:03}.png")
    theirs = fidelity.calculate_metrics(
        input1=str(folders[0]), input2=str(folders[1]), isc=True, fid=True, cuda=False, verbose=False, cache=False,
        feature_extractor_weights_path=str(weights), isc_splits=5, save_cpu_ram=True,
    )  # fmt: skip
    convert_inception(weights, tmp_path / "inception.safetensors")
    extract = load_inception(tmp_path / "inception.safetensors")
    found, reference = (extract_all(in_batches(sorted(folder.iterdir())), extract) for folder in folders)
    distance = frechet_distance(found[:, :2048], reference[:, :2048])
    assert distance == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    score = split_inception_score(torch.from_numpy(found[:, 2048:]), 5)
    assert score.mean == pytest.approx(theirs["inception_score_mean"], rel=1e-3)
    assert score.deviation == pytest.approx(theirs["inception_score_std"], rel=1e-3)


def _random_inception(network: type) -> dict[str, torch.Tensor]:
    """Weights at random, and running moments that keep signals at a usable size."""
    from unittest.mock import patch

    torch.manual_seed(0)
    kept: dict[str, torch.Tensor] = {}

    def catch(self: torch.nn.Module, _: object) -> None:
        kept.update({name: value.clone() for name, value in self.state_dict().items()})

    with patch.object(torch, "load", lambda *args, **kw: {}), patch.object(torch.nn.Module, "load_state_dict", catch):
        network("inception", ["2048"], feature_extractor_weights_path="none")
    for name, value in kept.items():
        if name.endswith("conv.weight"):
            value.normal_(0.0, (2.0 / value[0].numel()) ** 0.5)
    kept["fc.weight"].normal_(0.0, 0.3)
    return kept
