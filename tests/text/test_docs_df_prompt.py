"""The examples in the DF-Prompt reference give the outputs that it shows."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "df-prompt.md"


def test_every_example_of_the_reference_gives_what_it_shows() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 15
    assert result.failed == 0
