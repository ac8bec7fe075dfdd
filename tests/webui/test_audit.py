"""STUB contract: an audit that the webui paints, from the routes to the report."""

import asyncio
import base64
import json
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from webui_page import Page
from webui_stub import StubWebui

PREFIX = "/negopt/v1/audit"
AUDIT = {
    "prompts": ["a photo of a cat", "a (red:1.2) ball AND a dog :0.5", "[cat:dog:0.5] # a note"],
    "negative": "(bad:1.2), good, [odd, ones:0.5]",
    "pictures": 96,
    "judge": "light",
    "sampler_name": "Euler",
    "steps": 4,
    "width": 64,
    "height": 64,
}


class Reply:
    """What starlette would send."""

    def __init__(self, content: Any, status_code: int = 200, headers: Any = None, media_type: str = "json") -> None:
        self.content, self.status, self.headers, self.media_type = content, status_code, headers, media_type


class Client:
    """Asks the routes of a stub webui whose data are in a folder."""

    def __init__(self, webui: StubWebui, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def run_in_threadpool(function: Any, *args: Any) -> Any:
            return function(*args)

        parts = {
            "concurrency": {"run_in_threadpool": run_in_threadpool},
            "responses": {"JSONResponse": Reply, "Response": Reply},
        }
        for name, content in parts.items():
            monkeypatch.setitem(sys.modules, f"starlette.{name}", types.SimpleNamespace(**content))
        monkeypatch.setitem(sys.modules, "starlette", types.ModuleType("starlette"))
        webui.module.paths.data_path, webui.module.paths.models_path = str(folder), str(folder / "models")
        webui.model.sd_checkpoint_info = types.SimpleNamespace(name="tiny-sd15.safetensors", shorthash="abc")
        self.webui, self.runs, self.routes, self.methods = webui, folder / "negopt" / "runs", {}, {}
        webui.callbacks["on_app_started"][0](None, self)

    def add_route(self, path: str, route: Any, methods: list[str]) -> None:
        self.routes[path], self.methods[path] = route, methods

    def ask(self, name: str, body: Any = None, headers: dict[str, str] | None = None, **query: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def stream() -> Any:
            yield raw

        path = f"{PREFIX}/{name}"
        assert self.methods[path] == ["GET" if body is None else "POST"]
        given = {"content-type": "application/json", **(headers or {})}
        return asyncio.run(self.routes[path](types.SimpleNamespace(stream=stream, headers=given, query_params=query)))

    def until(self, is_so: Callable[[dict[str, Any]], bool], **query: str) -> dict[str, Any]:
        """The state, once it is as wanted."""
        for _ in range(1500):
            state = self.ask("state", **query).content
            if is_so(state):
                return state
            time.sleep(0.02)
        raise AssertionError(state)


def light(path: Path) -> float:
    """How bright a picture is, 0..1."""
    with Image.open(path) as image:
        return image.convert("L").getpixel((5, 5)) / 255


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> StubWebui:
    """One kind of host is enough: all paint and queue alike."""
    return StubWebui("a1111", monkeypatch)


@pytest.fixture
def client(webui: StubWebui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """With a judge that likes light; `clicks` are there too."""
    from negopt_core.tune.judges import Judge
    from negopt_webui import audit

    class Light(Judge):
        def score(self, path: Path, prompt: str, is_last_check: bool = False) -> dict[str, float]:
            assert "(" not in self.words_of(prompt) and "#" not in prompt
            return {"light": light(path)}

    known = audit.find_judge

    def find_judge(name: str, *rest: Any) -> Judge:
        return Light({"light": 1.0}, {}, rest[-1]) if name == "light" else known(name, *rest)

    monkeypatch.setattr(audit, "find_judge", find_judge)
    monkeypatch.setattr(audit, "_PAUSE", 0.0)
    client = Client(webui, tmp_path, monkeypatch)
    yield client
    webui.callbacks["on_script_unloaded"][0]()


def is_done(state: dict[str, Any]) -> bool:
    assert not state["problem"], state["problem"]
    return state["status"] == "done"


def test_an_audit_paints_judges_and_ends_with_a_shorter_list(client: Client) -> None:
    begun = client.ask("start", AUDIT)
    assert begun.status == 200, begun.content
    state = client.until(lambda one: is_done(one) and one["report"] is not None)
    verdicts = {row["text"]: row["verdict"] for row in state["result"]["phrases"]}
    assert verdicts["bad"] == "hurts" and verdicts["good"] == "helps"
    assert state["result"]["drop"][0] == "bad" and "(bad:1.2)" not in state["result"]["shortened"]
    assert state["result"]["differences"]["shortened - whole"]["difference"]["low"] > 0
    assert state["cost"]["pictures"] == state["painted"] == len(client.webui.studio.jobs)
    jobs = [job.settings for job in client.webui.studio.jobs]
    assert {job["prompt"] for job in jobs} == {"a photo of a cat", AUDIT["prompts"][1], "[cat:dog:0.5]"}
    assert {part for job in jobs for part in job["negative_prompt"].split(", [")[:1]} <= {
        "", "(bad:1.2)", "good", "(bad:1.2), good", "[odd, ones:0.5]"
    }  # fmt: skip
    assert all(job["steps"] == 4 and job["do_not_save_samples"] and job["width"] == 64 for job in jobs)
    assert all(job.is_closed for job in client.webui.studio.jobs)
    page = Path(state["report"]).read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") >= 4 and client.ask("report", run=state["run"]).content == page
    pair = state["result"]["phrases"][0]["examples"][0]
    assert client.ask("picture", run=state["run"], id=pair[0]).content.startswith(b"\xff\xd8")
    listed = client.ask("runs").content
    assert listed["runs"][0] | {"run": ""} == {
        "run": "", "kind": "audit", "model": "tiny-sd15.safetensors [abc]", "judge": "light", "is_done": True
    }  # fmt: skip
    assert listed["judges"] == ["clicks"]


def test_modifiers_follow_every_part_of_a_prompt(client: Client) -> None:
    client.ask("start", {**AUDIT, "negative": "", "modifiers": "sharp, (soft:0.8)", "pictures": 32, "seed": 3})
    client.until(is_done)
    texts = {job.settings["prompt"] for job in client.webui.studio.jobs}
    assert "a (red:1.2) ball, sharp, (soft:0.8) AND a dog, sharp, (soft:0.8) :0.5" in texts
    assert {job.settings["negative_prompt"] for job in client.webui.studio.jobs} == {""}


def test_clicks_alone_decide(client: Client) -> None:
    state = client.ask("start", {**AUDIT, "judge": "clicks", "pictures": 64, "negative": "bad, good"}).content
    while state["result"] is None:
        state = client.until(lambda one: one["pairs"] or one["result"])
        for pair in state["pairs"]:
            values = [light(client.runs / state["run"] / "pictures" / f"{one}.jpg") for one in pair]
            better, worse = pair if values[0] > values[1] else pair[::-1]
            is_same = values[0] == values[1]
            said = {"run": state["run"], "better": better, "worse": worse, "same": is_same}
            answer = client.ask("click", said)
            assert answer.status == 200, answer.content
            state = answer.content
    effects = {row["text"]: row["effect"]["value"] for row in state["result"]["phrases"]}
    assert effects["bad"] < 0 < effects["good"]


def test_it_stops_between_pictures_and_goes_on_after_a_restart(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = client.ask("start", AUDIT).content["run"]
    client.until(lambda one: one["painted"] >= 5)
    assert client.ask("start", AUDIT).status == 409
    client.ask("stop", {"run": run})
    state = client.until(lambda one: one["status"] == "stopped")
    painted = state["painted"]
    assert 5 <= painted < 96 and state["cost"]["minutes_left"] >= 0 and not state["problem"]
    time.sleep(0.1)
    assert client.ask("state").content["painted"] == painted
    again = Client(StubWebui("a1111", monkeypatch), tmp_path, monkeypatch)  # the next day
    assert again.ask("state").status == 404
    assert again.ask("state", run=run).content["status"] == "stopped"
    assert again.ask("start", {"run": run}).status == 200
    state = again.until(is_done)
    assert state["painted"] == painted + len(again.webui.studio.jobs)
    again.webui.callbacks["on_script_unloaded"][0]()


def test_other_jobs_of_the_webui_get_their_turn(client: Client) -> None:
    client.ask("start", AUDIT)
    for _ in range(3):
        with client.webui.studio.lock:  # as the webui's own jobs do
            before = len(client.webui.studio.jobs)
            time.sleep(0.05)
            assert len(client.webui.studio.jobs) == before
    client.until(lambda one: one["painted"] > 3)


@pytest.mark.parametrize("what", ["interrupted", "checkpoint", "clip skip", "error"])
def test_what_would_spoil_the_pictures_pauses_the_audit(client: Client, what: str) -> None:
    webui = client.webui
    good = webui.model.sd_checkpoint_info

    def before(_: Any) -> None:
        if len(webui.studio.jobs) == 4 and what == "interrupted":
            webui.state.interrupted = True
        elif len(webui.studio.jobs) == 4 and what == "error":
            raise RuntimeError("CUDA\nout of memory")
        elif len(webui.studio.jobs) == 3 and what == "checkpoint":
            webui.model.sd_checkpoint_info = types.SimpleNamespace(name="other.safetensors", shorthash="f")
        elif len(webui.studio.jobs) == 3 and what == "clip skip":
            webui.options["CLIP_stop_at_last_layers"] = 2

    webui.studio.before = before
    run = client.ask("start", AUDIT).content["run"]
    state = client.until(lambda one: one["status"] == "stopped")
    said = {
        "interrupted": "Interrupt or Skip was pressed",
        "error": "RuntimeError: CUDA out of memory",
        "checkpoint": "is set to other.safetensors [f]",
        "clip skip": "clip skip 2",
    }
    assert said[what] in state["problem"] and "\n" not in state["problem"] and state["painted"] == 3
    webui.studio.before = lambda _: None
    webui.model.sd_checkpoint_info = good
    webui.options.pop("CLIP_stop_at_last_layers", None)
    assert client.ask("start", {"run": run}).content["problem"] == ""
    client.until(is_done)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"prompts": None}, "prompts is a list of texts"),
        ({"prompts": []}, "1 to 500 prompts"),
        ({"prompts": ["# only a comment"]}, "1 to 500 prompts"),
        ({"negative": ""}, "no phrase to audit"),
        ({"negative": ", ".join(f"word {n}" for n in range(300))}, "200 phrases"),
        ({"negative": 7}, "negative is a text"),
        ({"modifiers": "a AND b"}, "cannot hold AND"),
        ({"pictures": 8}, "32 to 20000 pictures, got 8"),
        ({"pictures": "8"}, "whole number"),
        ({"judge": "pickscore"}, "is not here"),
        ({"judge": "demo world"}, "the demo model only"),
        ({"sampler_name": "Eulr"}, "no sampler 'Eulr'; choose one of Euler"),
        ({"scheduler": "x"}, "no scheduler 'x'; choose one of Karras"),
        ({"steps": 0}, "steps is a number from 1 to 150"),
        ({"steps": 2.5}, "steps is a number from 1 to 150"),
        ({"cfg_scale": True}, "cfg_scale is a number"),
        ({"cfg_scale": 1}, "raise cfg_scale"),
        ({"width": 100}, "multiple of 8, got 100; take 96"),
        ({"seed": -1}, "whole number"),
        ({"promts": []}, "knows no promts"),
        ({"run": "../x"}, "run is the name of a run"),
    ],
)
def test_a_start_that_cannot_work_is_refused_in_one_line_and_leaves_nothing(
    client: Client, changed: dict[str, Any], said: str
) -> None:
    answer = client.ask("start", {**AUDIT, **changed})
    assert answer.status == 400 and said in answer.content["error"] and "\n" not in answer.content["error"]
    assert not client.runs.exists() and not client.webui.studio.jobs


def test_no_checkpoint_no_json_and_what_is_not_there_are_refused(client: Client) -> None:
    for body, status in ((b"{", 400), (b"[]", 400), (b"\xff", 400), (b"x" * 5_000_000, 413), ({"run": "gone"}, 404)):
        assert client.ask("start", body).status == status, body
    assert client.ask("state").status == client.ask("state", run="gone").status == 404
    run = client.ask("start", AUDIT).content["run"]
    client.ask("stop", {})
    some = "0" * 16 + "-" + "0" * 12
    wrong = {"run": run, "better": some, "worse": some}
    assert client.ask("click", wrong).status == client.ask("click", {**wrong, "better": "../x"}).status == 400
    assert client.ask("picture", run=run, id=some).status == 404
    assert client.ask("picture", run=run, id="../x").status == client.ask("picture", run="..", id=some).status == 400
    client.until(lambda one: one["status"] == "stopped")
    client.webui.model.sd_checkpoint_info = None
    answer = client.ask("start", AUDIT)
    assert answer.status == 400 and "no checkpoint is loaded" in answer.content["error"]


def test_the_routes_are_behind_the_webuis_own_api(client: Client) -> None:
    options = client.webui.cmd_opts
    assert client.ask("start", AUDIT, {"content-type": "text/plain"}).status == 415
    options.api_auth = "me:secret, you:other"
    answer = client.ask("state")
    assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Basic"
    for said, status in (("me:secret", 404), ("you:other", 404), ("me:other", 401), ("", 401)):
        given = f"Basic {base64.b64encode(said.encode()).decode()}"
        assert client.ask("state", headers={"authorization": given}).status == status
    assert client.ask("state", headers={"authorization": "Basic \u20ac"}).status == 401
    options.api = False
    answer = client.ask("start", AUDIT)
    assert answer.status == 403 and "--api" in answer.content["error"] and not client.runs.exists()


def test_the_page_starts_an_audit_with_its_own_settings_and_takes_clicks(client: Client) -> None:
    page = Page(client.webui, "a <b>cat</b>", "bad, good, <i>odd</i>")
    ours = page.audit
    ours.refresh.fire("click")
    assert "no audit was opened" in ours.shown.value
    ours.go_on.fire("click")
    assert "no audit to go on with" in ours.shown.value
    ours.pictures.value = 8.0
    ours.start.fire("click")
    assert "32 to 20000 pictures, got 8" in ours.shown.value
    ours.pictures.value = 32.0
    ours.start.fire("click")
    assert "of at most 52 pictures (32, and 20 for the last check and the report)" in ours.shown.value
    first = client.until(lambda one: one["pairs"])
    assert first["start"]["prompts"] == ["a <b>cat</b>"] and first["start"]["judge"] == "clicks"
    job = client.webui.studio.jobs[0].settings
    assert (job["steps"], job["cfg_scale"], job["sampler_name"], job["width"]) == (10, 7.0, "Euler", 64)
    ours.refresh.fire("click")
    assert ours.shown.value.count("data:image/jpeg") == 2 and "wait for a click" in ours.shown.value
    for button in (ours.left, ours.same, ours.right):
        button.fire("click")
    assert client.ask("state").content["clicks"] == 2
    state = client.until(lambda one: one["status"] != "painting")
    while state["result"] is None:
        ours.left.fire("click")
        state = client.until(lambda one: one["status"] != "painting")
    ours.refresh.fire("click")
    html = ours.shown.value
    assert (
        "done" in html
        and "for the last check" not in html
        and ">&lt;i&gt;odd&lt;/i&gt;</td>" in html
        and "<i>" not in html
        and "report?run=" in html
    )
    ours.stop.fire("click")
    assert "done" in ours.shown.value


def test_the_page_offers_scorers_that_there_are(webui: StubWebui) -> None:
    from negopt_core.scorers.table import REAL, SCORERS

    known = ["clicks", *(name for name in REAL if SCORERS[name].needs)]
    assert set(webui.module.audit_panel.JUDGES) <= set(known)
