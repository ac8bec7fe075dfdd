"""The routes under `/negopt/v1`, asked over HTTP as the page asks them, and as a hostile page would."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from server import Server

from negopt_core.lab.data.pairs import read_pairs

pytestmark = pytest.mark.host

PREFIX = "/negopt/v1"


@pytest.fixture(scope="module", autouse=True)
def log_before(server: Server) -> int:
    """How many characters the server had logged when this file began."""
    return len((server.base / "log.txt").read_text())


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


def test_why_gives_a_reason_for_each_phrase_and_none_where_the_policy_cannot_say(server: Server) -> None:
    asked = {"prompt": "a portrait of a man", "policy": "negopt:sdxl"}
    status, answer = send(server, f"{PREFIX}/why", asked)
    negative = send(server, f"{PREFIX}/suggest", asked)[1]["negative"]
    assert status == 200 and all(phrase in answer["negative"] for phrase in negative.split(", "))
    told = [reason for reasons in answer["negative"].values() for reason in reasons]
    assert {"code": "model", "values": {"because": "sdxl"}} in told
    assert send(server, f"{PREFIX}/why", {**asked, "policy": "static"})[1] == {"negative": {}, "modifiers": {}}
    assert send(server, f"{PREFIX}/why", {**asked, "policy": "gone"})[0] == 404


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


LONG = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留"
)


def test_a_long_negative_is_full_for_clip_and_not_for_an_encoder_that_takes_more(server: Server) -> None:
    asked = {"prompt": "a cat", "negative": LONG, "mode": "negative", "policy": "rules"}
    assert send(server, f"{PREFIX}/suggest", asked)[1]["negative"] == LONG
    roomy = send(server, f"{PREFIX}/suggest", {**asked, "model_family": "wan"})[1]["negative"]
    assert roomy.startswith(LONG) and len(roomy) > len(LONG)
    for family, codes in (("sdxl", ["over-chunk"]), ("wan", [])):
        body = {"positive": "a cat", "negative": LONG, "model_family": family}
        answer = send(server, f"{PREFIX}/inspect", body)[1]
        assert [finding["code"] for finding in answer["findings"]] == codes


def test_inspect_tells_findings_and_where_brackets_are_wrong(server: Server) -> None:
    asked = {"positive": "a cat, [x:2:1]", "negative": "dog, [late:0.01-0:1]", "steps": 20, "cfg": 1}
    status, answer = send(server, f"{PREFIX}/inspect", asked)
    assert status == 200
    assert [finding["code"] for finding in answer["findings"]] == ["cfg-one", "window-too-narrow"]
    assert answer["findings"][1]["subjects"] == ["late"]
    assert answer["problems"]["positive"][0]["position"] == 7
    assert answer["problems"]["negative"] == []


PARTS = [{"start": 0, "end": 0.5, "cfg": 3.5}, {"start": 0.5, "end": 1, "cfg": 1}]
WRONG_PARTS = [
    5,
    [1],
    [{"start": 0}],
    [{"start": 0.5, "end": 0.2, "cfg": 1}],
    [{"start": 0, "end": 2, "cfg": 1}],
    [{}] * 101,
]


def test_inspect_is_told_the_parts_of_a_run(server: Server) -> None:
    asked = {"positive": "a cat", "negative": "[ugly:0.5-0:1]", "steps": 20, "parts": PARTS}
    _, answer = send(server, f"{PREFIX}/inspect", asked)
    assert [finding["code"] for finding in answer["findings"]] == ["window-at-cfg-one"]


def test_nag_is_judged_by_the_family_and_the_page_gets_the_same_table(server: Server) -> None:
    asked = {"positive": "a cat", "negative": "dog", "cfg": 1, "nag": True}
    for family, codes in (("flux", []), ("z-image", ["cfg-one"]), ("chroma", ["nag-unsure"])):
        _, answer = send(server, f"{PREFIX}/inspect", {**asked, "model_family": family})
        assert [finding["code"] for finding in answer["findings"]] == codes, family
    status, table = send(server, f"{PREFIX}/guidance")
    assert status == 200 and table["families"]["z-image"]["nag_tokens"] is None


WRONG = [{"steps": 0}, {"cfg": -1}, {"cfg": "5"}, {"negative_zeroed": 1}, {"nag": 1}, {"positive": None}]


@pytest.mark.parametrize("wrong", [*WRONG, *({"parts": parts} for parts in WRONG_PARTS)])
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


def test_many_requests_at_once_are_answered_or_refused_never_lost(server: Server, log_before: int) -> None:
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
    assert "Traceback" not in (server.base / "log.txt").read_text()[log_before:]
