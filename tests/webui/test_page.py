"""STUB contract: the accordion, its buttons, infotext and paste, grid axes, settings, and the routes."""

import asyncio
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from webui_page import Page
from webui_stub import StubWebui

from negopt_core.policy.static import static_card


def test_the_arguments_are_public_and_only_ever_grow(page: Page) -> None:
    """API clients send them by position."""
    assert [(argument.label, argument.value) for argument in page.arguments] == [
        ("Enable negopt", False),
        ("Policy", "negopt"),
        ("Policy writes while generating", "nothing"),
        ("Scheduled words, prompt", ""),
        ("Scheduled words, negative prompt", ""),
        ("Passes", "both"),
        ("Policy seed (-1: the picture's)", 0),
        ("Model family", "automatic"),
    ]


def test_the_title_says_that_it_is_on_also_where_it_is_folded(page: Page) -> None:
    assert page.ours.accordion.label == "negopt"
    for is_on, title in ((True, "negopt (enabled)"), (False, "negopt")):
        page.ours.enabled.value = is_on
        page.ours.enabled.fire("change")
        assert page.ours.accordion.label == title


def test_it_is_off_unless_someone_ticks_it(webui: StubWebui, page: Page) -> None:
    for button in (page.ours.write_negative, page.ours.add_modifiers, page.ours.fill_schedule, page.ours.to_native):
        button.fire("click")
    assert page.ours.enabled.value is False


@pytest.mark.parametrize("values", [(), (None,), ({"a": 1},), ("on", "x"), (1, "rules"), (False, "rules", "negative")])
def test_lists_that_were_not_meant_for_us_do_nothing(webui: StubWebui, values: tuple[Any, ...]) -> None:
    p = webui.job(*values)
    webui.run(p)
    assert not p.extra_generation_params and not p.comments


def test_a_client_may_send_fewer_arguments_and_more(webui: StubWebui) -> None:
    p = webui.job(True, "rules", "nothing", "art", "", "both", 0, "from the future", 7)
    assert "NegOpt plan" in webui.run(p).infotexts[0]
    p = webui.job(True, "rules", "negative")
    assert "low quality" in webui.run(p).passes[0][0].negative[0]


def test_one_click_writes_plain_words_into_the_negative_box(page: Page) -> None:
    page.ours.write_negative.fire("click")
    assert page.negative.value.startswith("blurry, illustration, low quality")
    assert "[" not in page.negative.value and "cat" not in page.negative.value
    assert page.ours.line.value == f"written by negopt into the negative prompt: {page.negative.value}"
    assert page.ours.negative.value == ""
    before = page.negative.value
    page.ours.write_negative.fire("click")
    assert page.negative.value == before and "nothing to add" in page.ours.line.value  # nothing is said twice


def test_modifiers_go_into_every_part_of_the_prompt(webui: StubWebui) -> None:
    page = Page(webui, "a photo of a cat <lora:x:1> AND a (dog:1.2) :0.5")
    page.ours.add_modifiers.fire("click")
    assert re.fullmatch(
        r"a photo of a cat <lora:x:1>, .*detailed fur.* AND a \(dog:1.2\), .*detailed fur.* :0.5",
        page.prompt.value,
    )


def test_the_schedule_keeps_the_windows(page: Page) -> None:
    page.ours.fill_schedule.fire("click")
    assert "[realistic texture:0-0.5:0.75]" in page.ours.positive.value
    assert "[blurry:0-0.8:1]" in page.ours.negative.value
    assert page.prompt.value == "a photo of a cat" and page.negative.value == ""


def test_a_schedule_that_has_all_words_stays_as_it_is(page: Page) -> None:
    for _ in range(2):  # to the modifiers that the first click wrote the second one may add negatives
        page.ours.fill_schedule.fire("click")
    filled = page.ours.positive.value, page.ours.negative.value
    page.ours.fill_schedule.fire("click")
    assert (page.ours.positive.value, page.ours.negative.value) == filled
    assert "has nothing to add" in page.ours.line.value


def test_the_same_policy_can_be_chosen_twice_from_the_longer_list(page: Page) -> None:
    for _ in range(2):
        page.ours.policy.value, page.ours.others.value = "negopt", "rules"
        page.ours.others.fire("change")
        assert page.ours.policy.value == "rules" and page.ours.others.value is None


def test_the_schedule_becomes_prompt_editing(page: Page) -> None:
    page.ours.positive.value, page.ours.negative.value = "[art:0-0.5:1]", "[mud:0-0.8:1.2], dust"
    page.ours.to_native.fire("click")
    assert (page.prompt.value, page.negative.value) == ("a photo of a cat[, art:4]", "[(mud:1.2), :1]dust")
    assert page.ours.positive.value == page.ours.negative.value == ""
    assert page.ours.line.value.startswith("moved into the prompt boxes for 10 steps;")


def test_what_prompt_editing_cannot_say_changes_nothing(page: Page) -> None:
    page.ours.positive.value = "[art:0-0.9:1]"
    page.ours.to_native.fire("click")
    assert page.prompt.value == "a photo of a cat" and page.ours.positive.value == "[art:0-0.9:1]"
    assert "cannot switch between its first and second step" in page.ours.line.value


def test_a_missing_policy_is_named_on_the_page(page: Page) -> None:
    page.ours.policy.value = "../../etc"
    page.ours.write_negative.fire("click")
    assert "is not here" in page.ours.line.value and page.negative.value == ""
    assert "choose one of negopt, negopt-scheduled, static" in page.ours.line.value
    assert "…" not in page.ours.line.value
    page.ours.policy.value = "negopt:sdx"
    page.ours.write_negative.fire("click")
    assert "choose one of negopt:sdxl, " in page.ours.line.value


def plan_of(infotext: str) -> str:
    found = re.search(r'NegOpt plan: ("(?:\\.|[^\\"])+")', infotext)  # how hosts find a quoted value
    assert found is not None
    return str(json.loads(found.group(1)))


def test_a_pasted_picture_brings_its_plan_back_without_its_policy(webui: StubWebui, page: Page) -> None:
    p = webui.job(True, "rules", "negative and modifiers", "[art:0-0.5:1]", "", "both", 3)
    made = webui.run(p)
    for component, read in webui.script.infotext_fields:
        value = read({"NegOpt plan": plan_of(made.infotexts[0])})
        component.value = component.value if value is None else value
    assert page.ours.enabled.value is True and page.ours.writes.value == "nothing"
    assert "[art:0-0.5:1]" in page.ours.positive.value and "[blurry:0-0.8:1]" in page.ours.negative.value
    webui.module.MENU.policy = None  # nobody is asked
    again = webui.run(webui.job(*(argument.value for argument in page.arguments)))
    assert [[vars(call) for call in calls] for calls in again.passes] == [
        [vars(call) for call in calls] for calls in made.passes
    ]


@pytest.mark.parametrize("record", [None, "not json", '{"v":2,"prompt":"x"}', '{"v":1,"prompt":3}', "[1]"])
def test_a_picture_without_a_plan_that_we_can_read_switches_off(
    webui: StubWebui, page: Page, record: str | None
) -> None:
    params = {} if record is None else {"NegOpt plan": record}
    values = {component: read(params) for component, read in webui.script.infotext_fields}
    assert values.pop(page.ours.enabled) is False
    assert set(values.values()) == {None}


def test_pictures_of_a_job_can_have_plans_of_their_own(webui: StubWebui) -> None:
    prompts = ["a photo of a cat", "an oil painting of a dog", "a photo of a hand", "a photo of text"]
    p = webui.job(True, "rules", "negative", batch_size=2, n_iter=2, prompts_by_picture=prompts)
    made = webui.run(p)
    plans = [json.loads(plan_of(infotext))["negative"] for infotext in made.infotexts]
    assert len(set(plans)) == 4
    assert [row for calls in made.passes for row in calls[-1].negative] != [""] * 4
    assert "painting" in plans[0] and "painting" not in plans[1]


def test_the_settings_have_our_section_and_a_folder_of_policies(webui: StubWebui, tmp_path: Path) -> None:
    webui.callbacks["on_ui_settings"][0]()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "policy.json").write_text(json.dumps(static_card("mud").to_json()))
    webui.options.update(negopt_policy_folder=str(tmp_path), negopt_policy="mine")
    page = Page(webui)
    assert page.ours.policy.value == "mine"
    assert page.ours.policy.settings["choices"] == ["negopt", "negopt-scheduled", "mine"]
    assert "pony" in page.ours.family.settings["choices"]
    assert {"rules", "rules:world", "world-negative"} <= set(page.ours.others.settings["choices"])
    assert not {"mine", "rules:sdxl", "negopt-mini"} & set(page.ours.others.settings["choices"])
    page.ours.write_negative.fire("click")
    assert page.negative.value == "mud"


class App:
    """As much of an ASGI application as our routes use."""

    def __init__(self) -> None:
        self.routes: dict[str, Any] = {}

    def add_route(self, path: str, route: Any, methods: list[str]) -> None:
        self.routes[path] = route


class Response:
    def __init__(self, values: Any, status_code: int) -> None:
        self.values, self.status = values, status_code


@pytest.fixture
def app(webui: StubWebui, monkeypatch: pytest.MonkeyPatch) -> App:
    async def run_in_threadpool(function: Any, *args: Any) -> Any:
        return function(*args)

    parts = {
        "concurrency": {"run_in_threadpool": run_in_threadpool},
        "responses": {"JSONResponse": Response, "Response": Response},
    }
    for name, content in parts.items():
        monkeypatch.setitem(sys.modules, f"starlette.{name}", types.SimpleNamespace(**content))
    monkeypatch.setitem(sys.modules, "starlette", types.ModuleType("starlette"))
    app = App()
    webui.callbacks["on_app_started"][0](None, app)
    return app


def post(app: App, body: bytes) -> Response:
    async def stream() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    return asyncio.run(app.routes["/negopt/v1/suggest"](types.SimpleNamespace(stream=stream)))


def test_a_program_can_ask_for_what_the_buttons_write(app: App) -> None:
    answer = post(app, json.dumps({"prompt": "a photo of a (cat:1.2)", "mode": "negative"}).encode())
    assert answer.status == 200 and answer.values["prompt"] == "a photo of a (cat:1.2)"
    assert "low quality" in answer.values["negative"] and answer.values["policy"] == "negopt"
    assert asyncio.run(app.routes["/negopt/v1/policies"](None)).values["default"] == "negopt"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b"[]", 400, "JSON object"),
        (b"{}", 400, "prompt is a text"),
        (b'{"prompt": "x", "policy": "/etc"}', 400, "is not here"),
        (b'{"prompt": "x", "policy": "hf:owner/name"}', 400, "is not here"),
        (b'{"prompt": "x", "mode": "nothing"}', 400, "mode is one of"),
        (b'{"prompt": "x", "seed": "1"}', 400, "whole number"),
        (b'{"prompt": "x", "seed": -5}', 400, "a seed is"),
        (b'{"prompt": "%s"}' % (b"x" * 9000), 400, "may have 8,000 characters"),
        (b'{"prompt": "%s"}' % (b"x" * 90000), 413, "65,536 bytes"),
        (b"[" * 5000, 400, ""),
    ],
)
def test_bad_requests_get_one_line(app: App, body: bytes, status: int, said: str) -> None:
    answer = post(app, body)
    assert answer.status == status and said in answer.values["error"]
