"""The routes under `/negopt/v1`, asked over HTTP as the page asks them, and as a hostile page would."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from host import Host, find_host
from server import Server, running

from negopt_core.data.pairs import read_pairs

pytestmark = pytest.mark.host

PREFIX = "/negopt/v1"
CARD = {"format_version": 1, "kind": "static", "name": "mine", "settings": {"negative": "blurry, dark"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for this file, with one good policy, one broken one and one outside of the policy folders."""
    host = find_host()
    if not isinstance(host, Host):
        pytest.skip(host)
    base = tmp_path_factory.mktemp("comfyui")
    for folder, text in (("negopt/mine", json.dumps(CARD)), ("negopt/broken", "{"), ("secret", json.dumps(CARD))):
        (base / "models" / folder).mkdir(parents=True)
        (base / "models" / folder / "policy.json").write_text(text)
    with running(host, base) as server:
        yield server


def send(server: Server, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer; `body` is sent as JSON, or as it is if it is bytes."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(server.address + path, raw, given)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text


def test_suggest_writes_a_negative_behind_the_users_own(server: Server) -> None:
    asked = {"prompt": "a photo of a cat", "negative": "my own words", "mode": "negative", "policy": "rules"}
    status, answer = send(server, f"{PREFIX}/suggest", asked)
    assert status == 200
    assert answer["df_negative"].startswith("my own words, ")
    assert answer["df_positive"] == "a photo of a cat"
    assert answer["policy_hash"] and isinstance(answer["warnings"], list)


def test_suggest_answers_under_the_api_prefix_too(server: Server) -> None:
    assert send(server, f"/api{PREFIX}/suggest", {"prompt": "a cat"})[0] == 200


def test_a_policy_of_the_model_folder_and_a_joint_one_write(server: Server) -> None:
    answer = send(server, f"{PREFIX}/suggest", {"prompt": "a cat", "policy": "mine+rules"})[1]
    assert answer["df_negative"] == "blurry, dark"
    assert answer["df_positive"].startswith("a cat, ")


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"prompt": "a", "policy": "../secret"}, 404, "no-such-policy", "is not here"),
        ({"prompt": "a", "policy": "mine+../secret"}, 404, "no-such-policy", "is not here"),
        ({"prompt": "a", "policy": "hf:owner/name"}, 404, "no-such-policy", "is not here"),
        ({"prompt": "a", "policy": "broken"}, 422, "PolicyError", "not JSON"),
        ({"prompt": "a", "policy": "mine\0"}, 404, "no-such-policy", "is not here"),
        ({"prompt": 5}, 400, "bad-value", "prompt must be text"),
        ({"prompt": "a", "mode": "all"}, 400, "bad-value", "mode must be one of"),
        ({"prompt": "a", "seed": -1}, 400, "bad-value", "seed must be"),
        ({"prompt": "a", "seed": True}, 400, "bad-value", "seed must be"),
        ({"prompt": "a", "max_tokens": 0}, 400, "bad-value", "max_tokens must be"),
        ({"prompt": "a" * 200_001}, 413, "too-long", "200,000 characters"),
        ([1], 400, "bad-json", "must be a JSON object"),
        (b"{", 400, "bad-json", "no JSON"),
        (b'{"prompt": NaN}', 400, "bad-json", "NaN"),
        (b"[" * 100_000, 400, "bad-json", "no JSON"),
        (b"\xff\xfe", 400, "bad-json", "no JSON"),
        (b" " * 4_000_001, 413, "too-long", "4,000,000 bytes"),
    ],
)
def test_bad_requests_are_refused_in_words(body: Any, status: int, code: str, said: str, server: Server) -> None:
    got, answer = send(server, f"{PREFIX}/suggest", body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert said in answer["error"]["message"]


def test_an_absolute_path_is_no_policy(server: Server) -> None:
    path = str(server.base / "models" / "secret")
    assert send(server, f"{PREFIX}/suggest", {"prompt": "a", "policy": path})[0] == 404
    assert send(server, f"{PREFIX}/policies/card?{urllib.parse.urlencode({'name': path})}")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Type": "text/plain"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_other_sites_are_refused(headers: dict[str, str], status: int, server: Server) -> None:
    assert send(server, f"{PREFIX}/suggest", {"prompt": "a"}, **headers)[0] == status


def test_a_long_prompt_and_odd_characters_are_answered(server: Server) -> None:
    long = "a red ball, " * 8_500
    assert send(server, f"{PREFIX}/suggest", {"prompt": long})[1]["prompt"] == long
    odd = "<img src=x onerror=alert(1)> \ud800 \0 猫"
    status, answer = send(server, f"{PREFIX}/suggest", {"prompt": odd, "mode": "negative"})
    assert status == 200 and answer["positive"] == odd


def test_inspect_tells_findings_and_where_brackets_are_wrong(server: Server) -> None:
    asked = {"positive": "a cat, [x:2:1]", "negative": "dog, [late:0.01-0:1]", "steps": 20, "cfg": 1}
    status, answer = send(server, f"{PREFIX}/inspect", asked)
    assert status == 200
    assert [finding["code"] for finding in answer["findings"]] == ["cfg-one", "window-too-narrow"]
    assert answer["findings"][1]["subjects"] == ["late"]
    assert answer["problems"]["positive"][0]["position"] == 7
    assert answer["problems"]["negative"] == []


def test_nag_is_judged_by_the_family_and_the_page_gets_the_same_table(server: Server) -> None:
    asked = {"positive": "a cat", "negative": "dog", "cfg": 1, "nag": True}
    for family, codes in (("flux", []), ("z-image", ["cfg-one"]), ("chroma", ["nag-unsure"])):
        _, answer = send(server, f"{PREFIX}/inspect", {**asked, "model_family": family})
        assert [finding["code"] for finding in answer["findings"]] == codes, family
    status, table = send(server, f"{PREFIX}/guidance")
    assert status == 200 and table["families"]["z-image"]["nag_tokens"] is None


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"cfg": -1}, {"cfg": "5"}, {"negative_zeroed": 1}, {"nag": 1}, {"positive": None}]
)
def test_inspect_refuses_what_has_no_meaning(wrong: dict[str, Any], server: Server) -> None:
    assert send(server, f"{PREFIX}/inspect", wrong)[0] == 400


def test_policies_are_listed_with_the_broken_one(server: Server) -> None:
    listed = {one["name"]: one for one in send(server, f"{PREFIX}/policies")[1]["policies"]}
    assert listed["rules:sdxl"]["families"] == ["sdxl"]
    assert listed["mine"]["kind"] == "static"
    assert "not JSON" in listed["broken"]["fault"]
    assert "secret" not in listed


def test_a_card_is_shown(server: Server) -> None:
    status, answer = send(server, f"{PREFIX}/policies/card?name=mine")
    assert status == 200 and answer["card"]["settings"]["negative"] == "blurry, dark"
    assert send(server, f"{PREFIX}/policies/card")[0] == 400


def test_likes_become_lines_that_training_reads(server: Server) -> None:
    liked = {
        "prompt": "a cat",
        "positive": "a cat, [vivid:1-0.5:1]",
        "negative": "blurry",
        "policy": "rules",
        "seed": 3,
    }
    assert send(server, f"{PREFIX}/likes", {**liked, "verdict": "up"}) == (200, {"kept": "up"})
    assert send(server, f"{PREFIX}/likes", {**liked, "verdict": "down", "negative": "bad"})[0] == 200
    assert send(server, f"{PREFIX}/likes", {**liked, "verdict": "meh"})[0] == 400
    path = server.base / "user" / "negopt" / "likes.jsonl"
    assert [span.text for pair in read_pairs(path, "negative") for span in pair.spans] == ["blurry"]
    (pair,) = read_pairs(path, "modifiers")
    assert [(span.text, span.window.end) for span in pair.spans] == [("vivid", 0.5)]


def test_many_requests_at_once_are_answered_or_refused_never_lost(server: Server) -> None:
    seen: list[int] = []
    body = {"prompt": "a red ball, " * 8_000}
    threads = [
        threading.Thread(target=lambda: seen.append(send(server, f"{PREFIX}/suggest", body)[0])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    server.ask("/system_stats")  # the loop is free meanwhile
    for thread in threads:
        thread.join()
    assert len(seen) == 20 and set(seen) <= {200, 429} and 200 in seen
    assert "Traceback" not in (server.base / "log.txt").read_text()
