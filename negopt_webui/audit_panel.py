"""The audit on the page of txt2img: with the page's own sampler settings, a table, and pairs of pictures to click."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from negopt_core.errors import NegOptError, PromptError

from .audit_api import PREFIX, AuditApi
from .check import in_scroller, to_html
from .panel import Maker, Wires

JUDGES = ("clicks", "pickscore", "hps", "hpsv3", "aesthetic", "clip")
"""Offered; which scorers are there is looked up when an audit starts."""
_PAGE = ("steps", "cfg", "sampler", "scheduler", "width", "height")
_AS_IN_API = {"cfg": "cfg_scale", "sampler": "sampler_name"}
_WHOLE = ("pictures", "steps", "width", "height")
_CELL = ' style="padding: 2px 8px"'


@dataclass(frozen=True, slots=True, eq=False)
class AuditControls:
    """The components."""

    prompts: Any
    pictures: Any
    judge: Any
    start: Any
    go_on: Any
    stop: Any
    refresh: Any
    left: Any
    same: Any
    right: Any
    shown: Any


def build(gr: Any) -> AuditControls:
    """Make the components. Cheap and without effect."""
    make = Maker(gr, "audit")
    with gr.Accordion("negopt: audit", open=False, elem_id=make.of("accordion")):
        prompts = make.words("prompts", "Prompts to audit the negative with, one in each line", "empty: the prompt box")
        with gr.Row():
            pictures = gr.Number(label="Pictures at most", value=128, precision=0, elem_id=make.of("pictures"))
            judge = make.choice("judge", "Who judges", JUDGES, JUDGES[0], is_free=True)
        with gr.Row():
            first = _buttons(make, start="Start", go_on="Go on", stop="Stop", refresh="Refresh")
        with gr.Row():  # above what is shown, so that they stay in their place while it grows
            clicks = _buttons(make, left="Left is better", same="No difference", right="Right is better")
        shown = gr.HTML(value="", elem_id=make.of("shown"))
    return AuditControls(prompts=prompts, pictures=pictures, judge=judge, shown=shown, **first, **clicks)


def _buttons(make: Maker, **labels: str) -> dict[str, Any]:
    return {name: make.button(name, label) for name, label in labels.items()}


def wire(controls: AuditControls, page: Mapping[str, Any], buttons: AuditButtons) -> None:
    """Connect the buttons; `page` has what was found of `panel.WATCHED`."""
    own = {"prompts": controls.prompts, "pictures": controls.pictures, "judge": controls.judge}
    wires = Wires("txt2img", {**page, **own})
    asked = " ".join(("prompts", "prompt", "negative", "pictures", "judge", *_PAGE))
    for button, action, names in (
        (controls.start, buttons.start, asked),
        (controls.go_on, buttons.go_on, ""),
        (controls.stop, buttons.stop, ""),
        (controls.refresh, buttons.refresh, ""),
        (controls.left, buttons.left, ""),
        (controls.same, buttons.same, ""),
        (controls.right, buttons.right, ""),
    ):
        wires.connect(button.click, action, names, [controls.shown])


@dataclass(frozen=True, slots=True)
class AuditButtons:
    """What they do; each gives the state as HTML, or a line that says what is wrong."""

    api: AuditApi

    def start(self, prompts: str | None, prompt: str | None, negative: str | None, *settings: Any) -> str:
        """A new audit of the negative box, with the settings of the page."""
        given = dict(zip(("pictures", "judge", *_PAGE), settings, strict=True))
        values = {
            _AS_IN_API.get(name, name): int(value) if name in _WHOLE and isinstance(value, float) else value
            for name, value in given.items()
            if value is not None
        }
        texts = {"prompts": (prompts or "").strip() or [prompt or ""], "negative": negative or ""}
        return self._shown(lambda: self.api.audits().start({**values, **texts}))

    def go_on(self) -> str:
        """The newest run, from where it was left."""
        return self._shown(lambda: self.api.audits().start({"run": self._newest()}))

    def stop(self) -> str:
        """No picture after the one at work."""
        return self._shown(lambda: self.api.audits().stop())

    def refresh(self) -> str:
        """How far it is."""
        return self._shown(lambda: self.api.audits().state())

    def left(self) -> str:
        """The left picture is better."""
        return self._click(0, False)

    def same(self) -> str:
        """Neither is better."""
        return self._click(0, True)

    def right(self) -> str:
        """The right picture is better."""
        return self._click(1, False)

    def _newest(self) -> str:
        runs = self.api.audits().listed()
        if not runs:
            raise PromptError("there is no audit to go on with; start one")
        return str(runs[0]["run"])

    def _click(self, better: int, is_same: bool) -> str:
        def click() -> dict[str, Any]:
            state = self.api.audits().state()
            pair = state["pairs"][0] if state["pairs"] else None
            if pair is None:
                return state
            said = {"run": state["run"], "better": pair[better], "worse": pair[1 - better], "same": is_same}
            return self.api.audits().click(said)

        return self._shown(click)

    def _shown(self, act: Callable[[], dict[str, Any]]) -> str:
        try:
            state = act()
            images = [self._image(state["run"], one) for one in state["pairs"][0]] if state["pairs"] else []
        except NegOptError as error:
            return to_html([" ".join(str(error).split())])
        return state_html(state, images, self.api.is_open)

    def _image(self, run: str, ask_id: str) -> str:
        content = base64.b64encode(self.api.audits().picture(run, ask_id)).decode()
        return f'<img style="max-width: 48%; display: inline-block" src="data:image/jpeg;base64,{content}">'


def state_html(state: Mapping[str, Any], images: list[str], has_routes: bool) -> str:
    """The state for the page; nothing in its texts can become markup."""
    lines = [f"{state['run']}: {state['status']}, {state['painted']} of at most {state['most']} pictures"]
    if state["result"] is None and (asked := state["start"]["pictures"]) < state["most"]:
        lines[0] += f" ({asked}, and {state['most'] - asked} for the last check and the report)"
    if state["problem"]:
        lines.append(f"▲ {state['problem']}")
    if cost := state["cost"]:
        lines.append(
            f"{cost['pictures']} pictures x {cost['seconds_a_picture']:.2f} s: {cost['minutes']} minutes at most, "
            f"{cost['minutes_left']} left"
        )
    if state["open_pairs"]:
        lines.append(f"Which picture is better? Pairs that wait for a click: {state['open_pairs']}")
    if result := state["result"]:
        lines.append(f"can be dropped: {', '.join(result['drop']) or 'nothing'}")
        lines.append(f"shortened: {result['shortened'] or '(nothing)'}")
    shown = to_html(lines) + (f"<p>{' '.join(images)}</p>" if images else "")
    if has_routes and state["painted"]:
        address = f"{PREFIX}/report?run={escape(state['run'])}"
        shown += f'<p><a href="{address}" target="_blank">report with pairs of pictures</a></p>'
    elif state["report"]:
        shown += f"<p>report: {escape(state['report'])}</p>"
    return shown + _table(state["phrases"])


def _table(phrases: list[dict[str, Any]]) -> str:
    if not phrases:
        return ""
    rows = "".join(
        "<tr>"
        + "".join(f"<td{_CELL}>{escape(cell)}</td>" for cell in (row["text"], _effect(row), row["verdict"]))
        + "</tr>"
        for row in phrases
    )
    titles = "".join(f"<th{_CELL}>{title}</th>" for title in ("phrase", "effect, 95 % interval", "verdict"))
    return in_scroller(f"<table><tr>{titles}</tr>{rows}</table>")


def _effect(row: Mapping[str, Any]) -> str:
    value, low, high = (row["effect"][name] for name in ("value", "low", "high"))
    numbers = ["–" if one is None else f"{one:.2f}" for one in (value, low, high)]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"
