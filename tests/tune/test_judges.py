"""Who may judge in a host: one scorer, several with the weights of a paper, or clicks."""

from pathlib import Path

import pytest

from negopt_core.tune.judges import TOGETHER, NoSuchJudge, find_judge, judges_for

PLACES = {"clip": "CLIP", "aesthetic": "aesthetic.safetensors", "pickscore": "PICK"}


def test_several_scorers_are_one_choice_and_each_has_its_weight() -> None:
    names = judges_for("sdxl", PLACES)
    assert names[-1] == "clicks" and names[-2] == "aesthetic + clip + pickscore"
    judge = find_judge(names[-2], "sdxl", PLACES, Path(), str)
    assert judge.weights == TOGETHER
    assert find_judge("pickscore", "sdxl", PLACES, Path(), str).weights == {"pickscore": 1.0}


def test_one_scorer_is_no_sum() -> None:
    assert judges_for("sdxl", {"clip": "CLIP"}) == ["clip", "clicks"]


@pytest.mark.parametrize("name", ["aesthetic + nobody", "pickscore + hps", "clip + ", ""])
def test_a_sum_with_somebody_who_is_not_here_is_refused(name: str) -> None:
    with pytest.raises(NoSuchJudge, match="is not here"):
        find_judge(name, "sdxl", {**PLACES, "hps": "HPS"}, Path(), str)
