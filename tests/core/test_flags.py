"""Settings as flags: declared, read back, recorded; defaults in the dataclass alone, old spellings understood."""

import argparse
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from pathlib import Path

import pytest

from negopt_core.cli import build_parser
from negopt_core.flags import declare, flag, given_in, nested, read, recorded, word
from negopt_core.lab.train.settings import PPORun, PPOSettings, SFTSettings


# argparse reads annotations as text, as every module of negopt_core has them
@dataclass(frozen=True)
class Inner:
    rate: "float" = flag(0.5, "how fast: 50 % a step", "learning-rate", old=("lr",), key="rate")
    silent: "int" = 3


@dataclass(frozen=True, kw_only=True)
class Outer:
    place: "Path" = word(MISSING, "where")
    count: "int | None" = flag(None, "how many", "n", shown="all")
    tags: "tuple[str, ...]" = flag((), "a tag", "tag")
    is_loud: "bool" = flag(False, "speak", "loud", is_recorded=False)
    inner: "Inner" = nested(Inner)


def parse(*words: str) -> Outer:
    parser = argparse.ArgumentParser()
    declare(parser, Outer)
    found: Outer = read(Outer, vars(parser.parse_args(words)))
    return found


def test_what_is_not_given_is_the_dataclasses_default() -> None:
    assert parse("here") == Outer(place=Path("here"))


@pytest.mark.parametrize("spelling", ["--learning-rate", "--lr"])
def test_flags_are_read_into_nested_settings_by_any_spelling(spelling: str) -> None:
    found = parse("here", spelling, "2", "-n", "4", "--tag", "a", "--tag", "b", "--loud")
    assert found == Outer(place=Path("here"), count=4, tags=("a", "b"), is_loud=True, inner=Inner(2.0))


def test_the_help_tells_defaults_and_no_old_spellings() -> None:
    parser = argparse.ArgumentParser()
    declare(parser, Outer)
    text = " ".join(parser.format_help().split())
    assert "50 % a step (default 0.5)" in text and "how many (default all)" in text and "(default off)" in text
    assert "--lr" not in text and "silent" not in text


def test_records_have_what_decides_a_result_under_the_old_names() -> None:
    assert recorded(parse("here", "--tag", "a")) == {"place": Path("here"), "count": None, "tags": ["a"], "rate": 0.5}
    assert given_in(Outer, ["--lr", "1", "-n", "2"]) == {"count": 2, "rate": 1.0}


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for part in action.choices.values():
            yield from leaves(part)
    if not below:
        yield parser


def test_every_optional_flag_of_every_command_tells_its_default() -> None:
    shown = [
        (command.prog, action.option_strings, action.help or "")
        for command in leaves(build_parser())
        for action in command._actions
        if action.option_strings and not action.required and action.help != argparse.SUPPRESS
    ]
    plain = {"--help", "--debug", "--json"}
    assert len(shown) > 200
    assert not [one for one in shown if plain.isdisjoint(one[1]) and "(default " not in one[2]]


def test_a_training_has_one_set_of_defaults() -> None:
    for settings in (PPOSettings, SFTSettings):
        parser = argparse.ArgumentParser()
        declare(parser, settings)
        assert read(settings, vars(parser.parse_args([]))) == settings()
    assert read(PPORun, {"folder": "r", "policy": "p", "prompts": "world"}).ppo == PPOSettings()


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [
        ("train sft --pairs p --run r", "--steps 3 --batch 2", "--train-steps 3 --pairs-per-step 2"),
        ("train ppo --policy p --prompts f --run r", "--steps 3 --batch 2", "--train-steps 3 --prompts-per-step 2"),
        ("data filter f -o o --run r", "--batch 2", "--pairs-per-save 2"),
        ("schedule cat --steps 5", "--from a1111", "--from-dialect a1111"),
        ("policies panel write f -o o", "--mode modifiers", "--polarity modifiers"),
        ("reproduce", "--prompts 8 --seeds 2", "--prompt-count 8 --training-seeds 2"),
        ("world report", "--prompts 8 --guidance 3", "--prompt-count 8 --cfg 3"),
    ],
)
def test_old_command_lines_mean_what_they_meant(command: str, old: str, new: str) -> None:
    parser = build_parser(words=command.split())

    def settings(flags: str) -> dict[str, object]:
        found = vars(parser.parse_args([*command.split(), *flags.split()]))
        return {name: value for name, value in found.items() if name not in ("run", "parser")}

    assert settings(old) == settings(new)
