"""NegOptSuggest and NegOptOneClick: prompt in, optimised prompts out."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..negopt_core.policy import load_policy
from .conditioning import encode_text
from .encode import COMFY, RULES, EncodeSettings
from .host import advanced, make_schema, node_id_of
from .policy import DEFAULT, PolicyType, find_policy, name_for_model, policy_choices, policy_menu
from .run_state import HookSettings
from .sampler_hook import add_hook
from .writing import NodeSettings, shown, write_prompts, writing_inputs

_HIDDEN = [io.Hidden.unique_id, io.Hidden.extra_pnginfo]


def _text_outputs() -> list[Any]:
    return [
        io.String.Output(display_name="positive_text", tooltip="The whole positive prompt, scheduled text and all."),
        io.String.Output(display_name="negative_text", tooltip="The whole negative prompt."),
        io.String.Output(display_name="warnings", tooltip="What was left out, and what will have no effect."),
        io.String.Output(display_name="record", tooltip="Where the texts come from; for the provenance node."),
    ]


class NegOptSuggest(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptSuggest",
            display_name="negopt: write prompts",
            description="Writes a negative prompt and modifiers for a prompt. Nothing it writes contradicts the "
            "prompt, and your own words stay first and unchanged.",
            search_aliases=["negative prompt generator", "prompt optimizer", "prompt enhancer", "auto negative"],
            inputs=[
                *writing_inputs(),
                PolicyType.Input("policy", optional=True, lazy=True, tooltip="Without one: negopt, for any model."),
            ],
            outputs=_text_outputs(),
            hidden=_HIDDEN,
        )

    @classmethod
    def check_lazy_status(cls, locked: bool = False, **inputs: Any) -> list[str]:
        is_waiting = "policy" in inputs and inputs["policy"] is None  # connected, not yet computed
        return ["policy"] if is_waiting and not locked else []

    @classmethod
    def execute(
        cls,
        prompt: str,
        negative: str,
        mode: str,
        seed: int,
        locked: bool = False,
        locked_positive: str = "",
        locked_negative: str = "",
        policy: Any = None,
    ) -> io.NodeOutput:
        request = NodeSettings(prompt, negative, mode, seed, locked, locked_positive, locked_negative)
        written = write_prompts(request, lambda: policy or load_policy(DEFAULT), cls)
        texts = (written.positive, written.negative, written.warnings, written.record)
        return io.NodeOutput(*texts, ui=shown(written))


class NegOptOneClick(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptOneClick",
            display_name="negopt: one click",
            description="The whole job: writes the negative and the modifiers, encodes both prompts and hooks the "
            "model. Connect model, positive and negative to a sampler.",
            search_aliases=["negative prompt generator", "prompt optimizer", "auto negative", "all in one"],
            inputs=[
                io.Model.Input("model"),
                io.Clip.Input("clip"),
                io.Combo.Input(
                    "policy", options=policy_choices(True), default=DEFAULT, tooltip="What writes the prompts."
                ),
                advanced(
                    io.Combo.Input("weighting", options=list(RULES), default=COMFY, tooltip="What a weight does.")
                ),
                *writing_inputs(),
            ],
            outputs=[
                io.Model.Output(tooltip="The model with the sampler hook."),
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
                *_text_outputs(),
            ],
            hidden=_HIDDEN,
        )

    @classmethod
    def validate_inputs(cls, policy: str) -> bool:
        return True  # a missing policy is named at run time, and only if it is needed

    @classmethod
    def fingerprint_inputs(cls, policy: str = DEFAULT, **_: Any) -> str:
        return policy_menu().state(policy)

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        policy: str,
        weighting: str,
        prompt: str,
        negative: str,
        mode: str,
        seed: int,
        locked: bool = False,
        locked_positive: str = "",
        locked_negative: str = "",
    ) -> io.NodeOutput:
        request = NodeSettings(prompt, negative, mode, seed, locked, locked_positive, locked_negative)
        written = write_prompts(request, lambda: find_policy(name_for_model(policy, model)), cls)
        settings = EncodeSettings(weighting)
        return io.NodeOutput(
            add_hook(model, HookSettings(node_id=node_id_of(cls))),
            encode_text(clip, written.positive, settings),
            encode_text(clip, written.negative, settings),
            written.positive,
            written.negative,
            written.warnings,
            written.record,
            ui=shown(written),
        )


NODES = [NegOptSuggest, NegOptOneClick]
