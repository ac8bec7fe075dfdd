"""CLIP score, PickScore, the aesthetic head and fidelity, on a small random CLIP of the real architecture."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import CLIPModel

from negopt_core.cli import main
from negopt_core.errors import ModelError, PromptError
from negopt_core.scorers import features
from negopt_core.scorers import table as scorers
from negopt_core.scorers.aesthetic import AestheticScorer, convert_head, flatten_layers
from negopt_core.scorers.clip import ClipScorer, PickScorer
from negopt_core.scorers.embed import Embedder, prepare
from negopt_core.scorers.fidelity import FidelityScorer, divergence, inception_score
from negopt_core.scorers.table import NAMES
from tests.fakes.clip import published_layers, save_clip
from tests.published.hpsv3 import save_hpsv3

PROMPTS = ["a red ball", "a blue cube by the sea", "a red ball"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    return Embedder.load(str(folder))


def pictures() -> torch.Tensor:
    return torch.rand(3, 3, 48, 40, generator=torch.Generator().manual_seed(2))


def test_each_picture_meets_its_own_prompt(embedder: Embedder) -> None:
    """P16, on the real scorers: order changes the order of the scores and nothing else."""
    for scorer in (ClipScorer(embedder), PickScorer(embedder)):
        together = scorer(pictures(), PROMPTS)
        alone = torch.cat([scorer(pictures()[[i]], [PROMPTS[i]]) for i in range(3)])
        torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
        turned = scorer(pictures().flip(0), PROMPTS[::-1])
        torch.testing.assert_close(turned, together.flip(0), atol=1e-4, rtol=1e-4)


def test_scores_are_what_transformers_says(embedder: Embedder, folder: Path) -> None:
    model = CLIPModel.from_pretrained(str(folder)).eval()
    tokens = embedder.tokenizer(PROMPTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**tokens, pixel_values=prepare(pictures(), 32)).logits_per_image.diagonal()
    torch.testing.assert_close(PickScorer(embedder)(pictures(), PROMPTS), logits, atol=1e-3, rtol=1e-3)
    cosine = (logits / model.logit_scale.exp()).clamp(min=0)
    torch.testing.assert_close(ClipScorer(embedder)(pictures(), PROMPTS), cosine, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("shape", [(64, 64), (100, 40), (17, 90), (32, 32)])
def test_pictures_of_any_shape_are_cropped_in_the_middle(shape: tuple[int, int]) -> None:
    image = torch.zeros(1, 3, *shape)
    assert prepare(image, 32).shape == (1, 3, 32, 32)
    grey = prepare(torch.full((1, 3, *shape), 0.5), 32)
    assert float(grey.std(dim=(2, 3)).max()) < 1e-4


def test_the_aesthetic_head_is_its_layers_in_a_row(embedder: Embedder, tmp_path: Path) -> None:
    layers = published_layers()
    torch.save(layers, tmp_path / "head.pth")
    convert_head(tmp_path / "head.pth", tmp_path / "head.safetensors")
    hidden = embedder.pictures(pictures())
    for index in (0, 2, 4, 6, 7):
        hidden = torch.nn.functional.linear(hidden, layers[f"layers.{index}.weight"], layers[f"layers.{index}.bias"])
    scorer = AestheticScorer.load(tmp_path / "head.safetensors", embedder)
    torch.testing.assert_close(scorer(pictures(), PROMPTS), hidden[:, 0], atol=1e-3, rtol=1e-3)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("this must not run",))

    torch.save({"layers.0.weight": Evil()}, tmp_path / "evil.pth")
    (tmp_path / "page.pth").write_text("<!DOCTYPE html><html>not here</html>")
    for name in ("evil.pth", "page.pth"):
        with pytest.raises(ModelError, match=r"as plain weights: it is damaged, .* Download it again") as caught:
            convert_head(tmp_path / name, tmp_path / "out.safetensors")
        assert "weights_only" not in str(caught.value)  # torch's advice to run the code in it
    with pytest.raises(ModelError, match="No such file"):
        convert_head(tmp_path / "missing.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
    for wrong in ({}, {"layers.0.weight": torch.ones(2, 2), "layers.0.bias": torch.ones(2)}, {"a": torch.ones(1)}):
        with pytest.raises(ModelError):
            flatten_layers(wrong)


def test_a_head_for_another_clip_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    torch.save(published_layers(width=24), tmp_path / "head.pth")
    convert_head(tmp_path / "head.pth", tmp_path / "head.safetensors")
    with pytest.raises(ModelError, match="wants 24 channels"):
        AestheticScorer.load(tmp_path / "head.safetensors", embedder)
    with pytest.raises(ModelError, match="cannot read the aesthetic head"):
        AestheticScorer.load(tmp_path / "missing.safetensors", embedder)
    with pytest.raises(ModelError, match="cannot load a CLIP model"):
        Embedder.load(str(tmp_path))


def test_fidelity_of_single_pictures_adds_up_to_the_inception_score() -> None:
    """N6: against the set's own marginal, exp of the mean is the score of the set."""
    posteriors = torch.rand(64, 10, generator=torch.Generator().manual_seed(4)).softmax(-1)
    whole, spread = inception_score(posteriors)
    scorer = FidelityScorer(lambda images: posteriors, posteriors.mean(dim=0))
    assert float(scorer(torch.zeros(64, 3, 1, 1), [""] * 64).mean().exp()) == pytest.approx(whole, rel=1e-4)
    assert spread == 0.0
    certain = torch.eye(4).repeat(5, 1)
    assert inception_score(certain, 5)[0] == pytest.approx(4.0)
    assert inception_score(certain[:5] * 0 + 0.25)[0] == pytest.approx(1.0)
    assert divergence(certain[:1], torch.tensor([0.25] * 4)).tolist() == pytest.approx([torch.tensor(4.0).log().item()])
    with pytest.raises(ModelError, match="splits"):
        inception_score(certain, 21)


@pytest.mark.slow
def test_scorers_are_found_by_name(folder: Path, tmp_path: Path) -> None:
    image = torch.rand(2, 3, 64, 64)
    torch.save(published_layers(), tmp_path / "head.pth")
    assert main(["convert", "aesthetic", str(tmp_path / "head.pth"), "-o", str(tmp_path / "h.safetensors")]) == 0
    sources = [f"{name}={folder}" for name in ("clip", "pickscore", "hps")]
    sources += [f"aesthetic={tmp_path / 'h.safetensors'}", f"hpsv3={save_hpsv3(tmp_path / 'hpsv3')}"]
    places = scorers.Sources(source=tuple(sources)).places
    for name in [name for name in NAMES if name != scorers.FIDELITY]:  # Inception's has a test of its own below
        scorer = scorers.load_named(name, places, "reward")
        assert scorers.load_named(name, places, "reward", "cpu").name == scorer.name
        if scorers.SCORERS[name].needs:
            with pytest.raises(ModelError, match="nothing can be put on 'cuda:77'"):
                scorers.load_named(name, places, "reward", "cuda:77")
        assert scorer.name == name and torch.isfinite(scorer(image, ["a red ball", "a cube"])).all()
    with pytest.raises(PromptError, match="--source clip=PLACE"):
        scorers.load_named("clip", {}, "eval")
    with pytest.raises(PromptError, match="no scorer is called"):
        scorers.load_named("beauty", {}, "eval")


def test_fidelity_of_real_pictures_compares_with_a_folder_or_with_all_classes_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inception is stood in for by three classes: how red, green and blue a picture is."""

    def extract(images: torch.Tensor) -> torch.Tensor:
        posteriors = (8.0 * images.mean(dim=(2, 3))).softmax(dim=1)
        return torch.cat([torch.zeros(len(images), features.WIDTH), posteriors], dim=1).double()

    monkeypatch.setattr(features, "load_inception", lambda path, device: extract)
    (tmp_path / "inception.safetensors").write_bytes(b"weights")
    places = {"inception": str(tmp_path / "inception.safetensors")}
    red, grey = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    red[:, 0] = 1.0
    plain = scorers.load_named("fidelity", places, "reward")
    sure, unsure = float(plain(red, ["a"])), float(plain(grey, ["a"]))
    assert sure == pytest.approx(math.log(3), abs=0.02) and unsure == pytest.approx(0.0, abs=1e-6)
    folder = tmp_path / "plain"
    folder.mkdir()
    with pytest.raises(PromptError, match="at least 2"):
        scorers.load_named("fidelity", places | {"fidelity": str(folder)}, "reward")
    for number in range(2):  # a model that paints nothing but red: red is no surprise
        Image.new("RGB", (9, 8), (255, 0, 0)).save(folder / f"{number}.png")
    against = scorers.load_named("fidelity", places | {"fidelity": str(folder)}, "reward")
    assert float(against(red, ["a"])) == pytest.approx(0.0, abs=1e-3) and float(against(grey, ["a"])) > 1.0
    before = scorers.identify("fidelity", places | {"fidelity": str(folder)}, "reward")
    Image.new("RGB", (9, 8), (0, 255, 0)).save(folder / "2.png")
    assert before != scorers.identify("fidelity", places | {"fidelity": str(folder)}, "reward")
    assert scorers.identify("fidelity", places, "reward").startswith("fidelity ")
