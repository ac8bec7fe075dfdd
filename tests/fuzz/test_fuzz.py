"""The short form of `make fuzz`: what was ever found, pieces of it put together anew, and JSON of the right keys and
any values."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
CORPUS = {name: sorted((HERE / "corpus" / name).iterdir()) for name in TARGETS}
TOKENS = [
    ast.literal_eval(f"b{line}")
    for line in (HERE / "tokens.dict").read_text(encoding="ascii").splitlines()
    if line.startswith('"')
]
few = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize(
    "path", [path for paths in CORPUS.values() for path in paths], ids=lambda p: f"{p.parent.name}-{p.name}"
)
def test_what_was_found_stays_fixed(path: Path, tmp_path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes(), tmp_path)


@st.composite
def pieces(draw: Callable[[Any], Any], name: str) -> bytes:
    """Slices of the corpus of a target, tokens and a few bytes, put together."""
    slices = st.sampled_from(CORPUS[name]).flatmap(
        lambda path: st.tuples(st.integers(0, 400), st.integers(1, 400)).map(
            lambda cut: path.read_bytes()[cut[0] : cut[0] + cut[1]]
        )
    )
    part = st.one_of(slices, st.sampled_from(TOKENS), st.binary(max_size=4))
    return b"".join(draw(st.lists(part, max_size=10)))


@pytest.mark.parametrize("name", TARGETS)
@few
@given(data=st.data())
def test_any_bytes_read_or_are_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    TARGETS[name](data.draw(pieces(name)), tmp_path)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 70), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["negative", "static", "rules", "sd15", "a cat", "[b:0-0.5:1]", "(x:1.2), y", "pae"]),
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
names = st.sampled_from(["1", "2", "3", "4", "5"])
links = st.tuples(names, st.one_of(st.integers(-3, 5), st.just(0))).map(list)
inputs = st.dictionaries(
    st.sampled_from(["positive", "negative", "conditioning", "cond1", "text", "text_a", "text_b", "df_text", "samples",
                     "delimiter", "separator", "locked", "locked_positive", "locked_negative", "x"]),
    st.one_of(links, links, anything), max_size=5,
)  # fmt: skip
kinds = st.sampled_from(
    ["KSampler", "CLIPTextEncode", "NegOptSuggest", "NegOptOneClick", "NegOptEncode", "ZeroOut", "x"]
)
nodes = st.one_of(
    st.fixed_dictionaries({"class_type": kinds, "inputs": st.one_of(inputs, inputs, inputs, anything)}), anything
)


def objects(name: str) -> Any:
    """Objects with the keys of the target's example, some of its values replaced, some left out."""
    example = json.loads(next(path for path in CORPUS[name] if path.name in ("static", "record")).read_bytes())
    fields = {
        key: st.one_of(st.just(value), st.just(value), st.just(value), anything) for key, value in example.items()
    }
    return st.fixed_dictionaries({}, optional=fields).map(lambda some: {**example, **some})


@few
@given(graph=st.dictionaries(names, nodes, max_size=5), page=anything)
def test_any_graph_reads_or_is_refused(graph: dict[str, Any], page: object, tmp_path: Path) -> None:
    workflow = {"nodes": [{"id": 2, "type": "NegOptSuggest", "widgets_values": page}, page]}
    TARGETS["workflows"](f"{json.dumps(graph)}\0{json.dumps(workflow)}".encode(), tmp_path)


@pytest.mark.parametrize("name", ["cards", "records"])
@few
@given(data=st.data())
def test_any_values_read_or_are_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    TARGETS[name](json.dumps(data.draw(objects(name))).encode(), tmp_path)


@few
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(["prompt", "negative", "modifiers", "subject", "weight", "picture", "like"]), anything
        ),
        max_size=3,
    )
)
def test_any_rows_read_or_are_refused(rows: list[dict[str, Any]], tmp_path: Path) -> None:  # fmt: skip
    TARGETS["lines"]("".join(json.dumps(row) + "\n" for row in rows).encode(), tmp_path)
