"""Any request to any route is answered or refused in words, and the server lives on. NEGOPT_FUZZ_REQUESTS: how many
requests each route gets (default 60)."""

import json
import os
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from host import Host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server import CARD, Server, furnish, running
from test_policies_routes import ZIP, archive
from test_routes import PREFIX, send

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def server(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for this file alone: what it asks may take policies away."""
    base = tmp_path_factory.mktemp("comfyui")
    furnish(base)
    with running(host, base) as server:
        yield server


requests = settings(
    max_examples=int(os.environ.get("NEGOPT_FUZZ_REQUESTS", "60")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
REFUSALS = {400, 403, 404, 409, 413, 415, 422, 429}
NAMES = [
    "rules",
    "mine",
    "broken",
    "rules+mine",
    "mine+rules",
    "../secret",
    "..",
    "",
    "a/b",
    "hf:owner/name",
    "C:\\x",
    "\0",
]
TEXTS = ["a photo of a cat", "[b:0-0.5:1]", "(x:1.2), y", "[[[", "embedding:bad", "\ud800", "🦊 " * 50, "a, " * 3000]
texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=30))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.sampled_from(NAMES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
names = st.one_of(st.sampled_from(NAMES), st.text(max_size=20))
FIELDS: dict[str, dict[str, Any]] = {
    "/suggest": {
        "prompt": texts, "negative": texts, "policy": names, "seed": st.integers(-2, 2**64), "on_gpu": st.booleans(),
        "mode": st.sampled_from(["negative", "modifiers", "negative and modifiers", "x"]),
        "max_tokens": st.integers(-1, 10**5), "model_family": st.sampled_from(["sd15", "sdxl", "", "x"]),
    },
    "/inspect": {
        "positive": texts, "negative": texts, "steps": st.integers(-1, 10**5), "cfg": st.floats(),
        "negative_zeroed": st.booleans(), "model_family": texts, "policy_family": texts,
    },
    "/likes": {
        "verdict": st.sampled_from(["up", "down", "x"]), "prompt": texts, "positive": texts, "negative": texts,
        "policy": names, "seed": st.integers(-2, 2**65),
    },
    "/policies/delete": {"name": names},
    "/learn/start": {
        "kind": st.sampled_from(["audit", "tune", "x"]), "prompts": st.lists(texts, max_size=3), "negative": texts,
        "modifiers": texts, "judge": st.sampled_from(["clicks", "demo world", "clip", "x"]), "family": texts,
        "model": texts, "sampling": texts, "pictures": st.integers(30, 70), "seed": st.integers(-1, 2**32),
        "positive_notation": st.sampled_from(["df", "comfy", "x"]), "windows": st.booleans(),
    },
    "/learn/told": {
        "run": texts, "id": texts,
        "picture": st.fixed_dictionaries({"filename": texts, "subfolder": texts, "type": texts}),
    },
    "/learn/click": {"run": texts, "better": texts, "worse": texts, "same": st.booleans()},
    "/policies/pull": {"name": names.filter(lambda name: not name.startswith("hf:"))},
}  # fmt: skip


def check(server: Server, path: str, body: Any = None, **headers: str) -> None:
    """One request: an answer, or a refusal with a code and a short reason."""
    status, answer = send(server, PREFIX + path, body, **headers)
    assert isinstance(answer, dict), (status, answer)
    if status == 200:
        assert "error" not in answer
        return
    assert status in REFUSALS, (status, answer)
    assert answer["error"]["code"] != "internal" and 0 < len(answer["error"]["message"]) < 1500


@pytest.mark.parametrize("path", FIELDS)
@requests
@given(data=st.data())
def test_any_body_is_answered_or_refused(path: str, data: st.DataObject, server: Server) -> None:
    fields = {key: st.one_of(good, good, good, anything) for key, good in FIELDS[path].items()}
    check(server, path, data.draw(st.fixed_dictionaries({}, optional=fields)))


@pytest.mark.parametrize("path", FIELDS)
@requests
@given(raw=st.one_of(st.binary(max_size=60), anything.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_answered_or_refused(path: str, raw: bytes, server: Server) -> None:
    check(server, path, raw)


@requests
@given(name=names)
def test_any_name_of_a_card_is_answered_or_refused(name: str, server: Server) -> None:
    check(server, f"/policies/card?name={urllib.parse.quote(name, errors='surrogatepass')}")


@requests
@given(
    name=names, folder=st.sampled_from(["", "mine__", "..__..__", "__"]),
    file=st.sampled_from(["policy.json", "x.txt", "run.py"]), card=st.one_of(st.just(CARD), anything),
    cut=st.one_of(st.just(0), st.integers(0, 60)), junk=st.one_of(st.just(b""), st.binary(max_size=8)),
)  # fmt: skip
def test_any_archive_is_taken_or_refused(
    name: str, folder: str, file: str, card: Any, cut: int, junk: bytes, server: Server
) -> None:
    packed = archive(**{folder + file: json.dumps(card)})
    damaged = packed[: len(packed) - cut] + junk
    query = urllib.parse.quote(name, errors="surrogatepass")
    check(server, f"/policies/import?name={query}", damaged, **ZIP)


def test_the_server_answers_afterwards_and_nothing_was_written_outside(server: Server) -> None:
    status, answer = send(server, f"{PREFIX}/policies")
    assert status == 200 and {"rules", "static"} <= {one["name"] for one in answer["policies"]}
    assert (server.base / "models" / "secret" / "policy.json").is_file()
    folders = {path.name for path in (server.base / "models").iterdir() if (path / "policy.json").is_file()}
    assert folders == {"secret"}
