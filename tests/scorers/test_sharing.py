"""Scorers that name the same weights share one network, and a picture is embedded once for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from negopt_core.devices import find_device
from negopt_core.lab.compare.scorebook import Scorebook, score_all
from negopt_core.scorers import features
from negopt_core.scorers.aesthetic import convert_head
from negopt_core.scorers.base import Reward, RewardTerm
from negopt_core.scorers.embed import Embedder
from negopt_core.scorers.features import load_set_metric
from negopt_core.scorers.recent import Recent
from negopt_core.scorers.table import Loader, load_named
from tests.published import scorers as published

PROMPTS = ["a red ball", "a blue cube", "a red ball"]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("shared")
    published.clip_l14(home / "clip")
    published.pickscore(home / "pickscore")
    convert_head(published.aesthetic_head(home / "head.pth"), home / "head.safetensors")
    names = {"clip": "clip", "pickscore": "pickscore", "aesthetic": "head.safetensors"}
    return {name: str(home / place) for name, place in names.items()}


@contextmanager
def counted(*embedders: Embedder) -> Iterator[list[int]]:
    """How many pictures went through each picture tower."""
    counts = [0] * len(embedders)
    hooks = []
    for place, embedder in enumerate(embedders):

        def count(module: Any, given: Any, kwargs: dict[str, Tensor], place: int = place) -> None:
            counts[place] += len(kwargs["pixel_values"])

        hooks.append(embedder.model.vision_model.register_forward_pre_hook(count, with_kwargs=True))
    yield counts
    for hook in hooks:
        hook.remove()


def pictures(seed: int = 2) -> Tensor:
    return torch.rand(3, 3, 48, 40, generator=torch.Generator().manual_seed(seed))


def test_terms_of_one_place_share_a_clip_and_a_picture_is_embedded_once(places: dict[str, str]) -> None:
    loader = Loader(places, "reward")
    names = ("aesthetic", "clip", "pickscore")
    scorers: list[Any] = [loader.scorer(name) for name in names]
    assert scorers[0].embedder is scorers[1].embedder is not scorers[2].embedder
    reward = Reward(tuple(RewardTerm(scorer, baseline=1.0) for scorer in scorers))
    with counted(scorers[0].embedder, scorers[2].embedder) as counts:
        shared = reward(pictures(), PROMPTS, pictures(3))
    assert counts == [6, 6]  # three pictures and three plain ones, once in each network
    apart = Reward(tuple(RewardTerm(load_named(name, places, "reward"), baseline=1.0) for name in names))
    alone = apart(pictures(), PROMPTS, pictures(3))
    assert torch.equal(shared.total, alone.total)  # to the bit
    assert all(torch.equal(shared.terms[name], alone.terms[name]) for name in names)


def test_places_written_differently_are_the_same_place(places: dict[str, str]) -> None:
    folder = Path(places["clip"])
    loader = Loader({"clip": str(folder), "hps": f"{folder.parent}/../{folder.parent.name}/clip/"}, "eval")
    assert loader.embedder("clip") is loader.embedder("hps")
    metric = load_set_metric("cmmd", {}, 1, loader)
    with counted(loader.embedder("clip")) as counts:
        assert metric.extract(pictures()).shape == (3, published.DIM)
    assert counts == [3]


def test_inception_is_loaded_once_for_fidelity_and_the_set_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads, seen = [], []

    def network(weights: dict[str, Tensor]) -> torch.nn.Module:
        loads.append(1)
        torch.manual_seed(0)
        body = torch.nn.Linear(3, features.WIDTH + features.CLASSES)

        class Network(torch.nn.Module):
            def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
                seen.append(len(images))
                return tuple(body(images.float().mean(dim=(2, 3))).split([features.WIDTH, features.CLASSES], dim=1))

        return Network()

    monkeypatch.setattr(features, "_network", network)
    features.convert_inception(published.inception(tmp_path / "i.pth"), tmp_path / "i.safetensors")
    loader = Loader({"inception": str(tmp_path / "i.safetensors")}, "eval")
    fidelity = loader.scorer("fidelity")
    metrics = [load_set_metric(name, {}, 1, loader) for name in ("is", "fid")]
    assert loads == [1] and metrics[0].extract is metrics[1].extract
    seen.clear()
    images = pictures()
    fidelity(images, PROMPTS)
    metrics[0].extract(images)
    assert seen == [3]


def test_what_was_computed_is_not_used_for_other_pictures() -> None:
    recent, calls = Recent(), []

    def double(images: Tensor) -> Tensor:
        calls.append(1)
        return images * 2

    one, other = torch.ones(2), torch.ones(2)
    assert recent.of(one, double) is recent.of(one, double) and len(calls) == 1
    assert recent.of(other, double) is not recent.of(one, double) and len(calls) == 2
    one += 1
    assert recent.of(one, double).tolist() == [4.0, 4.0] and len(calls) == 3
    for _ in range(3):  # tensors at the same address, one after another
        assert float(recent.of(torch.full((1,), float(len(calls))), double)) == 2.0 * (len(calls) - 1)
    with torch.inference_mode():
        free = torch.ones(2)
        recent.of(free, double)
        free += 1
        assert recent.of(free, double).tolist() == [4.0, 4.0]


def test_an_evaluation_embeds_each_picture_once(places: dict[str, str], tmp_path: Path) -> None:
    class Gallery:
        """Three pictures of one size."""

        reads = 0

        def batches(self, keys: list[str], size: int = 16) -> Iterator[tuple[list[int], Tensor]]:
            for start in range(0, len(keys), size):
                rows = list(range(start, min(start + size, len(keys))))
                self.reads += len(rows)
                yield rows, pictures()[[int(keys[row]) for row in rows]]

    def books(folder: str, loader: Loader) -> list[Scorebook]:
        return [Scorebook(tmp_path / folder, loader.scorer(name), name) for name in ("aesthetic", "clip")]

    gallery, loader = Gallery(), Loader(places, "eval")
    keys: Any = ["0", "1", "2"]
    together = books("a", loader)
    with counted(loader.embedder("clip")) as counts:
        found = score_all(together, gallery, keys, PROMPTS, batch=2)  # type: ignore[arg-type]
    assert counts == [3] and gallery.reads == 3
    apart = [book.score(gallery, keys, PROMPTS, batch=2) for book in books("b", loader)]  # type: ignore[arg-type]
    assert found == apart
    (tmp_path / "a" / together[1].path.name).unlink()  # one scorer is new: only it scores
    with counted(loader.embedder("clip")) as counts:
        assert score_all(books("a", loader), gallery, keys, PROMPTS, batch=2) == found  # type: ignore[arg-type]
    assert counts == [3]


def test_scorers_are_on_the_gpu_where_there_is_one(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_device("cuda:1") == "cuda:1"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert find_device("auto") == "cuda"
    asked = []
    monkeypatch.setattr(Embedder, "load", lambda place, device: asked.append(find_device(device)) or 1)
    Loader(places, "reward").embedder("clip")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Loader(places, "reward").embedder("clip")
    assert asked == ["cuda", "cpu"]
