"""Two policies as one (J4): each side from its own policy, each can be off."""

import json
from pathlib import Path

import pytest

from negopt_core.errors import PolicyError
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.suggest import SuggestOptions

PROMPT = "a photo of a cat"


def test_each_side_comes_from_its_own_policy() -> None:
    joint, (first, second) = load_policy("static+rules"), (load_policy("static"), load_policy("rules"))
    (both,) = suggest(joint, [PROMPT])
    assert both.df_negative == suggest(first, [PROMPT])[0].df_negative
    assert both.df_positive == suggest(second, [PROMPT])[0].df_positive != PROMPT
    assert both.policy == "static+rules" and joint.fingerprint not in (first.fingerprint, second.fingerprint)
    assert joint.fingerprint != load_policy("rules+rules").fingerprint


def test_rules_for_a_family_can_be_either_half() -> None:
    joint = load_policy("rules:sdxl+rules:anime")
    assert joint.fingerprint != load_policy("rules:anime+rules:sdxl").fingerprint
    assert "masterpiece" in suggest(joint, [PROMPT])[0].positive


@pytest.mark.parametrize("mode", ["negative", "modifiers"])
def test_each_side_can_be_off(mode: str) -> None:
    (one,) = suggest(load_policy("static+rules"), [PROMPT], SuggestOptions(modes=(mode,)))
    assert (one.positive == PROMPT) == (mode == "negative")
    assert (one.negative == "") == (mode == "modifiers")


def test_a_policy_on_the_wrong_side_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="static writes negative"):
        load_policy("rules+static")
    with pytest.raises(PolicyError, match="no policy is called 'nowhere'"):
        load_policy("rules+nowhere")
    folder = tmp_path / "a+b"
    folder.mkdir()
    (folder / "policy.json").write_text(json.dumps({"kind": "rules", "name": "a+b", "families": ["sd15"]}))
    assert load_policy("a+b", [tmp_path]).card.kind == "rules"  # a folder of that name comes first
