"""What cannot be measured is refused before anything is painted, by one function that every command calls."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from negopt_core import PromptPair
from negopt_core.errors import NegOptError, PromptError
from negopt_core.lab.compare import metrics
from negopt_core.lab.compare.arms import Arm
from negopt_core.lab.compare.metrics import Wanted, load_metrics
from negopt_core.lab.compare.prompt_sets import Item
from negopt_core.lab.compare.report import _groups, _set_notes
from negopt_core.lab.compare.study import Design, Findings
from negopt_core.scorers import features
from negopt_core.scorers.aesthetic import convert_head
from negopt_core.world import world_dir
from tests.published import scorers as published

WEIGHTS = pytest.mark.skipif(not (world_dir() / "judges").is_dir(), reason="the world's judges are not in the assets")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("metrics")
    published.clip_l14(place / "clip")
    convert_head(published.aesthetic_head(place / "head.pth"), place / "head.safetensors")
    (place / "real").mkdir()
    for number in range(3):
        Image.new("RGB", (16, 16), (80 * number, 0, 0)).save(place / "real" / f"{number}.png")
    (place / "one").mkdir()
    Image.new("RGB", (16, 16)).save(place / "one" / "0.png")
    return place


def wanted(home: Path, *names: str, **changes: Any) -> Wanted:
    places = {"clip": str(home / "clip"), "aesthetic": str(home / "head.safetensors")}
    return replace(Wanted(names, places, model="sd15", pictures=4, splits=2, device="cpu"), **changes)


def test_what_can_be_measured_is_loaded_with_one_clip(home: Path) -> None:
    found = load_metrics(wanted(home, "clip", "aesthetic", "clip", "cmmd", reference=home / "real"))
    assert [scorer.name for scorer, _ in found.scorers] == ["clip", "aesthetic"] and not found.absent
    (clip, _), (aesthetic, _) = found.scorers
    assert clip.embedder is aesthetic.embedder  # type: ignore[attr-defined]
    assert found.sets[0].extract.__self__ is clip.embedder  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("names", "changes", "told"),
    [
        (("beauty",), {}, "no metric is called 'beauty'"),
        ((), {}, "at least one metric"),
        (("clip", "pickscore"), {}, "pickscore cannot be measured: .*--source pickscore=PLACE"),
        (("clip",), {"places": {"clip": "/nowhere"}}, "there is no /nowhere"),
        (("hps",), {"places": {"hps": "pictures.txt"}}, "hps cannot be measured"),
        (("cmmd",), {}, "--reference FOLDER"),
        (("cmmd",), {"reference": Path("/nowhere")}, "no picture in /nowhere"),
        (("is",), {"splits": 5}, "over 4 pictures an arm cannot have 5 splits; use --splits 4 or less"),
        (("clip", "world-quality"), {}, "world-quality judge pictures of negopt's small demo world"),
        (("world-quality",), {"is_recipes": True}, "demo world"),
        (("pickscore", "hps"), {"is_recipes": True}, "nothing can be measured"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    home: Path, names: tuple[str, ...], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(NegOptError, match=told) as caught:
        load_metrics(wanted(home, *names, **changes))
    assert len(str(caught.value).splitlines()) == 1


def test_fid_of_too_few_pictures_or_without_its_package_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features.convert_inception(published.inception(tmp_path / "i.pth"), tmp_path / "i.safetensors")
    places = {"inception": str(tmp_path / "i.safetensors")}
    monkeypatch.setattr(metrics.importlib.util, "find_spec", lambda name: object())
    for changes in ({"pictures": 1, "splits": 1}, {"reference": home / "one"}):
        with pytest.raises(PromptError, match="fid cannot be measured: it needs at least 2 pictures on each side"):
            load_metrics(wanted(home, "fid", **{"places": places, "reference": home / "real", **changes}))
    monkeypatch.setattr(metrics.importlib.util, "find_spec", lambda name: None)
    for name in ("fid", "is", "fidelity"):
        with pytest.raises(PromptError, match="pip install --no-deps torch-fidelity"):
            load_metrics(wanted(home, name, places=places, reference=home / "real"))


def test_a_recipe_for_any_model_leaves_out_what_is_not_here_and_never_names_demo_judges(home: Path) -> None:
    found = load_metrics(
        wanted(home, "aesthetic", "pickscore", "is", "cmmd", "world-quality", "world-fid", is_recipes=True)
    )
    assert [scorer.name for scorer, _ in found.scorers] == ["aesthetic"] and not found.sets
    assert set(found.absent) == {"pickscore", "is", "cmmd"} and "--reference" in found.absent["cmmd"]


def test_broken_weights_are_refused_where_the_user_named_them_and_told_in_a_recipe(home: Path, tmp_path: Path) -> None:
    places = {"clip": str(home / "clip"), "aesthetic": str(tmp_path / "cut.safetensors")}
    whole = (home / "head.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NegOptError, match=r"cut\.safetensors"):
        load_metrics(wanted(home, "clip", "aesthetic", places=places))
    found = load_metrics(wanted(home, "clip", "aesthetic", places=places, is_recipes=True))
    assert "cut.safetensors" in found.absent["aesthetic"]


@WEIGHTS
def test_the_demo_world_has_its_judges(home: Path) -> None:
    found = load_metrics(wanted(home, "world-quality", "world-is", model="world"))
    assert [scorer.name for scorer, _ in found.scorers] == ["world-quality"] and found.sets[0].name == "world-is"


def findings(groups: list[str]) -> Findings:
    items = tuple(Item(f"p{place}", group=group) for place, group in enumerate(groups))
    none = Arm("none", "none")
    other = Arm.written("other", [PromptPair.plain(item.prompt) for item in items])
    base = numpy.arange(len(items), dtype=float)[:, None]
    change = numpy.array([1.0, 2.0, 3.0, numpy.nan])[: len(items), None]
    scores = {"clip": {"none": base, "other": base + change}}
    return Findings(Design(items, (none, other)), {}, {}, {}, scores, {"fid": {"none": (1.0, None)}}, {})


def test_a_report_has_means_by_the_sets_own_groups() -> None:
    rows = _groups(findings(["counting", "colour", "counting", "colour"]))
    of = {(row["arm"], row["group"]): row for row in rows}
    assert of["none", "counting"]["mean"]["value"] == 1.0 and "difference" not in of["none", "counting"]
    assert of["other", "counting"]["difference"]["value"] == 2.0 and of["other", "counting"]["prompts"] == 2
    assert of["other", "colour"]["difference"]["value"] == 2.0  # the pair without a score is left out
    assert _groups(findings(["", "", ""])) == []


def test_a_report_says_that_fid_of_few_pictures_is_too_high() -> None:
    (note,) = _set_notes(findings(["", ""]))
    assert note.startswith("fid over 2 pictures an arm is too high")
