"""The accordion on the page. Gradio is handed in: its version is the webui's business (3.41 and 4.40 are known)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from negopt_core.errors import NegOptError
from negopt_core.policy.menu import PolicyGroups
from negopt_core.provenance.plan import PASSES, PLAN_KEY, Plan, read_plan
from negopt_core.text.df_text import format_prompt

from .buttons import TITLE, Buttons
from .model_family import AUTOMATIC
from .request import NOTHING, WRITES

log = logging.getLogger("negopt")

WATCHED = {
    "prompt": "{tab}_prompt",
    "negative": "{tab}_neg_prompt",
    "steps": "{tab}_steps",
    "sampler": "{tab}_sampling",
    "cfg": "{tab}_cfg_scale",
    "hires": "{tab}_hr-checkbox",
    "hires_steps": "{tab}_hires_steps",
    "scheduler": "{tab}_scheduler",
    "width": "{tab}_width",
    "height": "{tab}_height",
}
"""Parts of the page that the buttons read: our names, and the host's ids of them. Not every host and tab has all."""

_EXAMPLE = "[sharp focus:0-0.5:0.8] acts in the second half of the steps at weight 0.8 (1 = first step, 0 = last)"


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """Our components; the first eight are the script's arguments, in order.

    `line` says what a button has done, `times` what the schedule in the boxes will do. They are two, because a button
    that fills the boxes also sets off the check of what is in them.
    """

    enabled: Any
    policy: Any
    writes: Any
    positive: Any
    negative: Any
    passes: Any
    seed: Any
    family: Any
    write_negative: Any
    add_modifiers: Any
    fill_schedule: Any
    to_native: Any
    others: Any
    line: Any
    times: Any
    accordion: Any

    @property
    def arguments(self) -> list[Any]:
        """What the host passes to the script's methods."""
        first = [self.enabled, self.policy, self.writes, self.positive, self.negative, self.passes]
        return [*first, self.seed, self.family]


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """Makes the components of one tab, each with our id."""

    gr: Any
    tab: str

    def of(self, name: str) -> str:
        """The id in the page."""
        return f"negopt_{self.tab}_{name}"

    def choice(self, name: str, label: str, choices: Sequence[str], value: str | None, is_free: bool = False) -> Any:
        """A list to choose from; with `is_free` other values can be typed."""
        how = {"allow_custom_value": True} if is_free else {}
        return self.gr.Dropdown(label=label, choices=list(choices), value=value, elem_id=self.of(name), **how)

    def button(self, name: str, label: str) -> Any:
        """A button narrow enough for four of them side by side."""
        return self.gr.Button(label, elem_id=self.of(name), min_width=100)

    def words(self, name: str, label: str, example: str) -> Any:
        """A box that grows to four lines."""
        how = {"placeholder": example, "elem_id": self.of(name)}
        return self.gr.Textbox(label=label, value="", lines=2, max_lines=4, **how)


def build(gr: Any, tab: str, groups: PolicyGroups, default: str) -> Controls:
    """Make the components. Cheap and without effect: the host does it six times at every start."""
    make = Maker(gr, tab)
    of = make.of
    with gr.Accordion(TITLE, open=False, elem_id=of("accordion")) as accordion:
        enabled = gr.Checkbox(label="Enable negopt", value=False, elem_id=of("enabled"))
        with gr.Row():
            usual = groups.usual if default in groups.usual else (*groups.usual, default)
            policy = make.choice("policy", "Policy", usual, default, is_free=True)
            family = make.choice("family", "Model family", (AUTOMATIC, *groups.families), AUTOMATIC)
        with gr.Row():
            write_negative = make.button("write_negative", "Write the negative")
            add_modifiers = make.button("add_modifiers", "Add modifiers")
            fill_schedule = make.button("fill_schedule", "Fill the schedule")
        positive = make.words("positive", "Scheduled words, prompt", _EXAMPLE)
        negative = make.words("negative", "Scheduled words, negative prompt", "")
        line, times = (gr.HTML(value="", elem_id=of(name)) for name in ("line", "times"))
        with gr.Accordion("More", open=False, elem_id=of("more")):
            with gr.Row():
                passes = make.choice("passes", "Passes", PASSES, "both")
                writes = make.choice("writes", "Policy writes while generating", tuple(WRITES), NOTHING)
            with gr.Row():
                others = make.choice("others", "More policies", groups.more, None)
                seed = gr.Number(label="Policy seed (-1: the picture's)", value=0, precision=0, elem_id=of("seed"))
            to_native = make.button("to_native", "Turn the schedule into prompt editing")
    return Controls(
        enabled, policy, writes, positive, negative, passes, seed, family,
        write_negative, add_modifiers, fill_schedule, to_native, others, line, times,
        accordion,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Connects actions to the parts of one tab's page."""

    tab: str
    parts: Mapping[str, Any]

    def connect(
        self, listen: Callable[..., Any], action: Callable[..., Any], names: str, outputs: list[Any], **how: Any
    ) -> Any:
        """`action` gets the parts called `names`; None for each that this page has not."""
        wanted = names.split()
        present = [name for name in wanted if name in self.parts]

        def call(*values: Any) -> Any:
            given = dict(zip(present, values, strict=True))
            return action(*(given.get(name) for name in wanted))

        inputs = [self.parts[name] for name in present]
        return listen(fn=call, inputs=inputs, outputs=outputs, show_progress="hidden", **how)

    def connect_box(self, button: Any, action: Callable[..., Any], names: str, outputs: list[Any]) -> None:
        """As `connect`, for a button that fills the host's own boxes."""
        done = self.connect(button.click, action, names, outputs)
        # the host counts tokens while a person types; it takes this name for gradio's argument in all its versions
        done.then(fn=None, _js=f"function(){{update_{self.tab}_tokens();}}", show_progress="hidden")


def wire(controls: Controls, tab: str, page: Mapping[str, Any], buttons: Buttons) -> None:
    """Connect the buttons and the live check; `page` has what was found of `WATCHED`."""
    parts = {
        **page,
        "enabled": controls.enabled,
        "positive_words": controls.positive,
        "negative_words": controls.negative,
        "policy": controls.policy,
        "seed": controls.seed,
        "passes": controls.passes,
        "family": controls.family,
        "others": controls.others,
    }
    wires, line = Wires(tab, parts), controls.line
    checked = "positive_words negative_words prompt negative steps cfg enabled policy family passes hires"
    ours = (controls.positive, controls.negative, controls.enabled, controls.policy, controls.family, controls.passes)
    for part in (*ours, *(page.get(name) for name in ("steps", "cfg", "hires"))):
        if part is not None:  # not through the queue, which gives up on a busy machine
            wires.connect(part.change, buttons.check, checked, [controls.times], queue=False)
    wires.connect(controls.enabled.change, buttons.title, "enabled", [controls.accordion], queue=False)
    wires.connect(controls.others.change, buttons.choose, "others", [controls.policy, controls.others], queue=False)
    asked = "prompt negative positive_words negative_words policy seed family"
    filled = [controls.positive, controls.negative, line]
    wires.connect(controls.fill_schedule.click, buttons.fill_schedule, asked, filled)
    if "prompt" not in page or "negative" not in page:
        return
    wires.connect_box(controls.write_negative, buttons.write_negative, asked, [page["negative"], line])
    wires.connect_box(controls.add_modifiers, buttons.add_modifiers, asked, [page["prompt"], line])
    wires.connect_box(
        controls.to_native,
        buttons.to_native,
        "prompt negative positive_words negative_words passes steps sampler hires hires_steps",
        [page["prompt"], page["negative"], *filled],
    )


def paste_fields(controls: Controls) -> list[tuple[Any, Callable[[Mapping[str, Any]], Any]]]:
    """How each component gets its value from a pasted infotext; None leaves it as it is.

    A picture without a plan switches us off. What the policy wrote is in the plan, so it must not write again.
    """
    return [
        (controls.enabled, lambda params: _pasted(params, lambda _: True) is not None),
        (controls.positive, lambda params: _pasted(params, lambda plan: format_prompt(plan.positive))),
        (controls.negative, lambda params: _pasted(params, lambda plan: format_prompt(plan.negative))),
        (controls.passes, lambda params: _pasted(params, lambda plan: plan.passes)),
        (controls.writes, lambda params: _pasted(params, lambda _: NOTHING)),
    ]


def _pasted(params: Mapping[str, Any], pick: Callable[[Plan], Any]) -> Any:
    record = params.get(PLAN_KEY)
    if record is None:
        return None
    try:
        return pick(read_plan(str(record)))
    except NegOptError as error:
        log.warning("negopt: %s", error)
        return None
