"""The nearest examples vote: the formula by hand, files, and what happens where nothing is near."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from negopt_core.errors import PolicyError, TrainingError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.index import fit_index, save_retrieval
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.neighbours import INDEX_FILE, terms_of
from negopt_core.policy.retrieval import RetrievalPolicy, RetrievalSettings
from negopt_core.text.prompt import Span

CARD = PolicyCard(kind="retrieval", name="near", polarity="negative")


def pair(prompt: str, negative: str, weight: float = 1.0) -> Pair:
    return Pair(prompt, tuple(Span(part) for part in negative.split(", ")), weight)


EXAMPLES = [
    pair("a photo of a fox", "painting, blurry"),
    pair("a photo of a castle", "painting, people"),
    pair("anime knight", "photo, bad hands"),
]
HABIT = [pair("x", "low quality"), pair("y", "low quality, watermark")]


def policy(**settings: float) -> RetrievalPolicy:
    return RetrievalPolicy(replace(CARD, settings=settings), *fit_index(EXAMPLES, HABIT))


def test_terms_are_words_and_neighbours() -> None:
    assert terms_of("A Red-fox, red!") == ["a", "red", "fox", "red", "a red", "red fox", "fox red"]


def test_votes_by_hand() -> None:
    """The prompt is the first example (cosine 1); of the others only shared terms count."""
    near = policy(power=1.0, habit=0.5, threshold=0.01)
    found = near.votes("a photo of a fox")
    other = float(near._neighbours.similarity("a photo of a fox")[1])
    assert 0.0 < other < 1.0 and float(near._neighbours.similarity("a photo of a fox")[0]) == pytest.approx(
        1.0, abs=1e-3
    )
    total = 1.0 + other + 0.5
    assert found == pytest.approx(
        {
            "painting": (1.0 + other) / total,
            "blurry": 1.0 / total,
            "low quality": 0.5 / total,
            "people": other / total,
            "watermark": 0.25 / total,
        },
        abs=1e-3,
    )
    assert next(iter(found)) == "painting"


def test_an_unknown_prompt_gets_the_habit() -> None:
    assert list(policy().votes("qqq zzz")) == ["low quality", "watermark"]
    assert not policy(habit=0.0).votes("qqq zzz")  # nothing is near and there is no habit


def test_hands_are_only_negated_where_somebody_could_have_some() -> None:
    hands = [pair("a castle", "bad hands, blurry"), pair("a knight", "bad hands, blurry")]
    near = RetrievalPolicy(CARD, *fit_index(hands, HABIT))
    assert list(near.votes("a castle")) == ["blurry"]
    assert set(near.votes("a knight")) == {"bad hands", "blurry"}


def test_a_heavier_example_outvotes() -> None:
    heavy = [pair("a photo of a dog", "cat", 9.0), pair("a photo of a dog", "text")]
    votes = RetrievalPolicy(CARD, *fit_index(heavy, HABIT)).votes("a photo of a dog")
    assert votes["cat"] > 0.8 and "text" not in votes


def test_a_saved_policy_is_loaded_by_name_and_never_contradicts(tmp_path: Path) -> None:
    save_retrieval(tmp_path / "near", CARD, *fit_index(EXAMPLES, HABIT))
    loaded = load_policy("near", [tmp_path])
    assert isinstance(loaded, RetrievalPolicy) and loaded.fingerprint == policy().fingerprint
    assert suggest(loaded, ["a photo of a castle"])[0].negative == "painting, people, blurry"
    against = suggest(loaded, ["a painting, a photo of a castle"])[0]
    assert "painting" not in against.negative and against.negative and not against.warnings


def test_modifiers_are_appended() -> None:
    card = replace(CARD, polarity="modifiers")
    found = RetrievalPolicy(card, *fit_index(EXAMPLES, HABIT)).suggest(["anime knight"], 0)[0]
    assert found.positive.text == "anime knight, bad hands, photo" and not found.negative.text


def test_other_settings_are_another_policy() -> None:
    assert policy().fingerprint != policy(threshold=0.5).fingerprint


@pytest.mark.parametrize("settings", [{"neighbours": 0}, {"power": 0.0}, {"threshold": 2.0}, {"habit": -1.0}])
def test_settings_without_meaning_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PolicyError, match="got"):
        RetrievalSettings(**settings)  # type: ignore[arg-type]


def test_damage_is_one_clear_error(tmp_path: Path) -> None:
    index, terms, stock = fit_index(EXAMPLES, HABIT)
    for number, damage in enumerate(("lost", "terms", "array", "settings", "torn")):
        folder = tmp_path / str(number)
        save_retrieval(folder, CARD, index, terms, stock)
        if damage == "lost":
            (folder / INDEX_FILE).unlink()
        elif damage == "terms":
            (folder / "terms.txt").write_text("one\n")
        elif damage == "array":
            save_file({k: v for k, v in load_file(folder / INDEX_FILE).items() if k != "idf"}, folder / INDEX_FILE)
        elif damage == "settings":
            card = json.loads((folder / "policy.json").read_text()) | {"settings": {"power": "x"}}
            (folder / "policy.json").write_text(json.dumps(card))
        else:
            (folder / INDEX_FILE).write_bytes((folder / INDEX_FILE).read_bytes()[:100])
        with pytest.raises(PolicyError):
            load_policy(str(folder))


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(TrainingError, match="at least one"):
        fit_index([], HABIT)


def test_a_scheduled_policy_says_the_same_and_lets_marks_and_faults_wait() -> None:
    examples = [pair("a photo of a fox", "painting, blurry, watermark")]
    plain, timed = (
        RetrievalPolicy(replace(CARD, settings=settings), *fit_index(examples, HABIT))
        for settings in ({}, {"scheduled": True})
    )
    one, other = (policy.suggest(["a photo of a fox"], 0)[0].negative for policy in (plain, timed))
    assert one.text == other.text and plain.fingerprint != timed.fingerprint
    starts = {span.text: span.window.start for span in other.spans if span.text.strip(", ")}
    assert starts["blurry"] == starts["watermark"] == 0.2
    assert all(start == 0.0 for text, start in starts.items() if "painting" in text)
