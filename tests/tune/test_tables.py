"""Evidence that adds up, and the policies that are made of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from negopt_core.errors import PolicyError
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.folder_check import SUMS
from negopt_core.policy.tuned.policy import TUNED_FILE, TunedPolicy
from negopt_core.tune.evidence import EVIDENCE_FILE, Click, Evidence, from_json, merge, to_json, without_prompts
from negopt_core.tune.rounds import Limits
from negopt_core.tune.table import merge_tuned, save_tuned
from tests.fakes.simulated_pictures import EFFECTS, SOURCE, WEIGHTS, journal_in, run, tune_plan


def evidence_of(folder: Path, seed: int = 0, pictures: int = 96) -> Evidence:
    plan, journal = tune_plan(pictures, seed=seed), journal_in(folder)
    run(plan, journal)
    return plan.evidence(journal)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence_of(tmp_path_factory.mktemp("first"), seed=1)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence_of(tmp_path_factory.mktemp("second"), seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, first: Evidence) -> Path:
    return save_tuned(
        tmp_path_factory.mktemp("policies") / "mine", first, WEIGHTS, Limits(), {"model": "sd.safetensors"}, {}
    )


def test_a_file_gives_back_what_was_written(first: Evidence) -> None:
    one, two = first.pictures[:2]
    clicked = first.plus((), [Click(one.key, two.key)]) if one.group == two.group else first
    assert from_json(to_json(clicked), "a file") == clicked and clicked.clicks


def test_what_is_shared_holds_no_prompt(first: Evidence) -> None:
    text = to_json(without_prompts(first))
    assert '"prompt"' not in text and "a photo of" not in text and '"seed"' not in text
    assert len(text) < 200_000


def test_merged_evidence_is_that_of_one_run_on_all_pictures(first: Evidence, second: Evidence) -> None:
    one, two = merge(first, second), merge(second, first)
    assert len(one.pictures) == len({p.key for p in first.pictures} | {p.key for p in second.pictures})
    stock = one.stock
    whole = Evidence(SOURCE, stock, {**first.topics, **second.topics}).plus([*one.pictures])
    for name in ("options", "concepts", "before", "groups", "rewards"):
        assert np.array_equal(getattr(one.data(WEIGHTS), name), getattr(whole.data(WEIGHTS), name))
    place = [one.stock.options.index(option) for option in two.stock.options]
    assert np.array_equal(two.data(WEIGHTS).options, one.data(WEIGHTS).options[:, place])


def test_nothing_is_counted_twice(first: Evidence) -> None:
    assert merge(first, first).pictures == first.pictures


@pytest.mark.parametrize("name", ["family", "model", "prior", "sampling"])
def test_other_models_and_tables_are_not_added_up(first: Evidence, name: str) -> None:
    other = replace(first, source=replace(first.source, **{name: "another"}))
    with pytest.raises(PolicyError, match=f"evidence of different {name}s"):
        merge(first, other)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 9},
        {"pictures": [["nowhere", [0], {}]]},
        {"stock": [["sideways", "x", 1, 0, 1]]},
        {"clicks": [[["a", [0]], ["b", [1]]]]},
        {"topics": {"x": {}}},
        {"pictures": [["x", [99], {}]]},
    ],
)
def test_broken_evidence_is_one_error(first: Evidence, change: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match="some file"):
        from_json(json.dumps(json.loads(to_json(first)) | change), "some file")


def test_a_tuned_policy_loads_by_name_and_writes_what_helps(folder: Path) -> None:
    policy = load_policy("mine", [folder.parent])
    assert isinstance(policy, TunedPolicy) and policy.card.kind == "tuned"
    (answer,) = suggest(policy, ["a photo of a house"])
    assert "blurry" in answer.negative and "grainy" not in answer.negative
    assert "blurry +" in policy.summary("a photo of a house")
    assert policy.card.provenance["pictures"] >= 90 and policy.card.base_model == "sd.safetensors"


def test_a_tuned_policy_contradicts_nobody(folder: Path) -> None:
    policy = load_policy(str(folder))
    (answer,) = suggest(policy, ["a blurry photo of a house, hdr"], SuggestOptions(negative="my own words"))
    assert answer.negative.startswith("my own words")
    assert "blurry" not in answer.negative and "hdr" not in answer.negative


def test_weights_and_windows_that_were_learned_are_written(tmp_path: Path) -> None:
    plan, journal = tune_plan(160, refined=0.5), journal_in(tmp_path / "run")
    run(plan, journal, {**EFFECTS, "blurry": 2.0})
    folder = save_tuned(tmp_path / "windows", plan.evidence(journal), WEIGHTS, Limits(), {}, {})
    policy = load_policy(str(folder))
    assert len(policy.card.windows) == 3 and policy.card.weights == (0.7, 1.0, 1.3)
    (answer,) = suggest(policy, ["a photo of a dog"])
    assert len({span.text for span in answer.added_negative}) == len(answer.added_negative) > 0


@pytest.mark.parametrize("name", [TUNED_FILE, EVIDENCE_FILE])
def test_a_changed_file_is_seen(folder: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / name).write_bytes((copy / name).read_bytes().replace(b"blurry", b"watery"))
    with pytest.raises(PolicyError, match=SUMS):
        load_policy(str(copy))


@pytest.mark.parametrize(
    "change",
    [{"version": 7}, {"phrase": [1.0]}, {"counts": []}, {"pairs": "none"}, {"stock": [["negative", "x", 9e9, 0, 1]]}],
)
def test_a_broken_table_is_one_error(folder: Path, tmp_path: Path, change: dict[str, object]) -> None:
    values = json.loads((folder / TUNED_FILE).read_text()) | change
    (tmp_path / TUNED_FILE).write_text(json.dumps(values))
    (tmp_path / "policy.json").write_text((folder / "policy.json").read_text())
    with pytest.raises(PolicyError, match=TUNED_FILE):
        load_policy(str(tmp_path))


def test_two_tuned_folders_become_one(folder: Path, tmp_path: Path, first: Evidence, second: Evidence) -> None:
    other = save_tuned(tmp_path / "theirs", second, WEIGHTS, Limits(), {"model": "sd.safetensors"}, {})
    joined = merge_tuned(folder, other, tmp_path / "both")
    together = save_tuned(tmp_path / "direct", merge(first, second), WEIGHTS, Limits(), {}, {})
    assert (joined / TUNED_FILE).read_text() == (together / TUNED_FILE).read_text()
    assert load_policy(str(joined)).card.provenance["merged"] == ["mine", "theirs"]


def test_another_policy_is_not_written_over(folder: Path, tmp_path: Path, first: Evidence) -> None:
    (tmp_path / "policy.json").write_text((folder / "policy.json").read_text())
    with pytest.raises(PolicyError, match="holds another policy"):
        save_tuned(tmp_path, first, WEIGHTS, Limits(), {}, {})
    again = save_tuned(folder, first, WEIGHTS, Limits(), {"model": "sd.safetensors"}, {})  # of the same model
    assert again == folder


def test_other_rewards_are_not_merged(folder: Path, tmp_path: Path, first: Evidence) -> None:
    renamed = replace(first, pictures=tuple(replace(p, scores={"other": p.scores["score"]}) for p in first.pictures))
    other = save_tuned(tmp_path / "other", renamed, {"other": 1.0}, Limits(), {}, {})
    with pytest.raises(PolicyError, match="another reward is another aim"):
        merge_tuned(folder, other, tmp_path / "both")


def test_a_folder_that_nobody_tuned_cannot_be_merged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="only folders that `tune` made"):
        merge_tuned(folder, tmp_path, tmp_path / "both")
