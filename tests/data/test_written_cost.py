"""A picture may carry a megabyte of brackets: reading them costs no more than their number."""

import pytest

from negopt_core.lab.data.written import pair_of_sides, whole_phrases
from negopt_core.provenance.host_text import read_written
from tests.fakes.calls import is_linear


@pytest.mark.parametrize("piece", ["(a:1.1)(b:1.2)", "[a:b:0.5]", "(a:1.1), ", "a\n", "[a::3][b:4]", "[a|b]", "[a|"])
def test_phrases_of_many_parts_are_split_in_linear_work(piece: str) -> None:
    def read(times: int) -> None:
        prompt = read_written(piece * times, "a1111")
        whole_phrases(prompt.spans)
        pair_of_sides(prompt, prompt, "modifiers")

    assert is_linear(read, 40)
