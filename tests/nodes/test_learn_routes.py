"""Audits and tunes of the page, over HTTP on a real server; pictures are made here, as if a graph had painted them."""

import json
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from graphs import node, painting
from host import Host
from PIL import Image
from server import Server, running
from test_routes import PREFIX, send

from negopt_core.world.render import render
from negopt_core.world.scenes import sample_clean_scenes

pytestmark = pytest.mark.host

PROMPTS = ["a photo of a red ball in the snow by day", "a painting of a blue cube at night"]
AUDIT = {
    "kind": "audit", "prompts": PROMPTS, "negative": "blurry, (noisy:1.2), embedding:bad", "judge": "demo world",
    "family": "world", "model": "demo", "sampling": "4 steps", "pictures": 32, "seed": 3,
}  # fmt: skip
CLEAN = (render(sample_clean_scenes(1, seed=1))[0].movedim(0, -1).numpy() * 255).astype("uint8")


def put(server: Server, name: str, good: bool) -> dict[str, str]:
    """A picture in the output folder, and how the page names it."""
    pixels = CLEAN if good else numpy.random.default_rng(len(name)).integers(0, 255, (64, 64, 3)).astype("uint8")
    (server.base / "output" / "runs").mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(server.base / "output" / "runs" / f"{name}.png")
    return {"filename": f"{name}.png", "subfolder": "runs", "type": "output"}


def begin(server: Server, **changed: Any) -> dict[str, Any]:
    status, state = send(server, f"{PREFIX}/learn/start", {**AUDIT, **changed})
    assert status == 200, state
    return dict(state)


def to_the_end(server: Server, state: dict[str, Any], is_good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Paint what is asked for and click, always on the good one, until there is a result."""
    goods: dict[str, bool] = {}
    while state["result"] is None:
        told = {"run": state["run"]}
        assert state["asks"] or state["pairs"], state
        for one in state["asks"]:
            goods[one["id"]] = is_good(one)
            sent = {**told, "id": one["id"], "picture": put(server, one["id"][:40], goods[one["id"]])}
            status, state = send(server, f"{PREFIX}/learn/told", sent)
            assert status == 200, state
        for first, second in state["pairs"]:
            better, worse = (first, second) if goods[first] else (second, first)
            same = goods[first] == goods[second]
            status, state = send(
                server, f"{PREFIX}/learn/click", {**told, "better": better, "worse": worse, "same": same}
            )
            assert status == 200, state
    return state


def test_an_audit_asks_judges_and_ends_with_a_shorter_list(server: Server) -> None:
    state = begin(server, pictures=96)
    assert state["run"].startswith("audit-") and len(state["asks"]) == 8 and state["most"] == 96 + 2 * 3
    texts = {one["negative"] for one in state["asks"]}
    assert any("(noisy:1.2)" in text for text in texts) and any("embedding:bad" in text for text in texts)
    assert {one["positive"] for one in state["asks"]} <= set(PROMPTS)
    state = to_the_end(server, state, lambda one: "noisy" in one["negative"])
    verdicts = {row["text"]: row["verdict"] for row in state["result"]["phrases"]}
    assert verdicts["noisy"] == "helps"
    assert "(noisy:1.2)" in state["result"]["shortened"]
    pair = next(row for row in state["result"]["phrases"] if row["text"] == "noisy")["examples"][0]
    query = urllib.parse.urlencode({"run": state["run"], "id": pair[0]})
    assert server.read(f"{PREFIX}/learn/picture?{query}").startswith(b"\xff\xd8")
    listed = server.ask(f"{PREFIX}/learn/runs")["runs"]
    assert [one["is_done"] for one in listed if one["run"] == state["run"]] == [True]


def test_clicks_alone_decide_an_audit(server: Server) -> None:
    state = to_the_end(server, begin(server, judge="clicks", pictures=64), lambda one: "blurry" not in one["negative"])
    effects = {row["text"]: row["effect"]["value"] for row in state["result"]["phrases"]}
    assert effects["blurry"] < 0 and min(effects, key=effects.__getitem__) == "blurry"
    assert all(one["pairs"] for one in state["result"]["clicked"].values()) and state["result"]["clicked"]


def test_a_tune_that_wins_becomes_a_policy(server: Server) -> None:
    state = begin(server, kind="tune", negative="odd word", mode="negative", pictures=64)
    assert state["most"] == 64 + 16 * 4
    state = to_the_end(server, state, lambda one: "odd word" in one["negative"] and one["negative"].count(",") > 0)
    assert {row["side"] for row in state["result"]["phrases"]} == {"negative"}
    assert state["result"]["phrases"][0]["text"] == "odd word"
    assert state["result"]["kept"], state["result"]["differences"]
    card = send(server, f"{PREFIX}/policies/card?name={state['result']['policy']}")[1]["card"]
    assert card["kind"] == "tuned" and card["base_model"] == "demo"
    asked = {"prompt": PROMPTS[0], "mode": "negative", "policy": state["result"]["policy"]}
    assert "odd word" in send(server, f"{PREFIX}/suggest", asked)[1]["negative"]


def test_windows_and_weights_of_our_own_notation_stay(server: Server) -> None:
    notations = {"positive_notation": "df", "negative_notation": "df", "windows": True}
    state = begin(server, negative="blurry, [noisy:0.4-0:1.2]", prompts=["a [red:1-0.5:1] ball \\[x\\]"], **notations)
    texts = {one["negative"] for one in state["asks"]}
    assert "[noisy:0-0.4:1.2]" in {text.removeprefix("blurry, ") for text in texts}, texts
    assert {one["positive"] for one in state["asks"]} == {"a [red:0.5-1:1] ball \\[x\\]"}


def test_a_long_list_is_audited_too(server: Server) -> None:
    state = begin(server, negative=", ".join(f"word {number}" for number in range(150)))
    sent = {"run": state["run"], "id": state["asks"][0]["id"], "picture": put(server, "long", True)}
    status, state = send(server, f"{PREFIX}/learn/told", sent)
    assert status == 200 and state["painted"] == 1 and len(state["phrases"]) == 150


def test_a_picture_that_is_told_twice_is_judged_once(server: Server) -> None:
    state = begin(server)
    told = {"run": state["run"], "id": state["asks"][0]["id"], "picture": put(server, "twice", True)}
    assert [send(server, f"{PREFIX}/learn/told", told)[1]["painted"] for _ in range(2)] == [1, 1]


def test_a_run_goes_on_in_another_comfyui(host: Host, tmp_path: Path) -> None:
    with running(host, tmp_path) as first:
        state = begin(first)
        run = state["run"]
        told = {"run": run, "id": state["asks"][0]["id"], "picture": put(first, "one", True)}
        assert send(first, f"{PREFIX}/learn/told", told)[0] == 200
    (tmp_path / "custom_nodes" / "negopt").unlink()  # `running` makes it
    with running(host, tmp_path) as second:
        status, state = send(second, f"{PREFIX}/learn/state?run={run}")
        assert status == 200 and state["painted"] == 1
        assert send(second, f"{PREFIX}/learn/told", {**told, "id": state["asks"][0]["id"]})[1]["painted"] == 2


def test_prompts_come_from_the_users_own_pictures(server: Server) -> None:
    texts = {
        name: node("CLIPTextEncode", clip=("1", 1), text=text) for name, text in (("2", "a (red:1.2) ball"), ("3", ""))
    }
    server.run({**painting(("1", 0), ("2", 0), ("3", 0)), **texts})
    assert "a red ball" in " | ".join(server.ask(f"{PREFIX}/learn/prompts", notation="comfy")["prompts"]).replace(
        "(", ""
    ).replace(":1.2)", "")


def test_judges_are_those_that_are_here(server: Server) -> None:
    assert server.ask(f"{PREFIX}/learn/judges", family="world")["judges"] == ["demo world", "clicks"]
    assert server.ask(f"{PREFIX}/learn/judges", family="sdxl")["judges"] == ["clicks"]


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"kind": "x"}, 400, "kind must be one of"),
        ({"pictures": 8}, 400, "32 to"),
        ({"pictures": "8"}, 400, "whole number"),
        ({"kind": "tune", "pictures": 32}, 400, "64 to"),
        ({"prompts": []}, 400, "1 to 500 prompts"),
        ({"prompts": "a"}, 400, "list of texts"),
        ({"negative": ""}, 422, "no phrase to audit"),
        ({"negative": ", ".join(f"word {n}" for n in range(300))}, 413, "200 phrases"),
        ({"judge": "pickscore"}, 404, "is not here"),
        ({"judge": "../x"}, 404, "is not here"),
        ({"family": "sdxl"}, 400, "the demo model only"),
        ({"windows": 1}, 400, "true or false"),
        ({"seed": -1}, 400, "whole number"),
        ({"kind": "tune", "pictures": 64, "prompts": PROMPTS[:1]}, 422, "at least 2 prompts"),
    ],
)
def test_a_start_that_cannot_work_is_refused_and_leaves_nothing(
    changed: dict[str, Any], status: int, said: str, server: Server
) -> None:
    folder = server.base / "user" / "default" / "negopt" / "runs"
    before = set(folder.iterdir()) if folder.is_dir() else set()
    got, answer = send(server, f"{PREFIX}/learn/start", {**AUDIT, **changed})
    assert got == status and said in answer["error"]["message"], answer
    assert (set(folder.iterdir()) if folder.is_dir() else set()) == before


def test_pictures_and_runs_that_are_not_there_are_refused(server: Server) -> None:
    state = begin(server)
    run, first = state["run"], state["asks"][0]["id"]
    good = {"run": run, "id": first, "picture": put(server, "good", True)}
    wrong = [
        ({"run": "../x"}, 400), ({"run": "gone"}, 404), ({"id": "../../x"}, 400),
        ({"id": "0" * 16 + "-" + "0" * 12}, 404),
        ({"picture": {"filename": "../../log.txt", "type": "output"}}, 404),
        ({"picture": {"filename": "a", "type": "input"}}, 400),
        ({"picture": {"filename": "/etc/passwd", "type": "output"}}, 404), ({"picture": "x"}, 400),
    ]  # fmt: skip
    for changed, status in wrong:
        got, answer = send(server, f"{PREFIX}/learn/told", {**good, **changed})
        assert got == status, (changed, answer)
    (server.base / "output" / "none.png").write_text("no picture")
    assert (
        send(server, f"{PREFIX}/learn/told", {**good, "picture": {"filename": "none.png", "type": "output"}})[0] == 422
    )
    pair = {"run": run, "better": state["asks"][0]["id"], "worse": state["asks"][2]["id"]}
    assert send(server, f"{PREFIX}/learn/click", pair)[0] == 422
    assert send(server, f"{PREFIX}/learn/click", {**pair, "same": 1})[0] == 400
    assert send(server, f"{PREFIX}/learn/picture?run=../x&id={first}")[0] == 400
    assert send(server, f"{PREFIX}/learn/state?run=gone")[0] == 404
    assert json.loads((server.base / "user/default/negopt/runs" / run / "settings.json").read_text())["seed"] == 3
