"""NegOptEncode: a scheduled prompt to CONDITIONING."""

from __future__ import annotations

from typing import Any

from comfy.model_management import throw_exception_if_processing_interrupted
from comfy.utils import ProgressBar
from comfy_api.latest import io

from ..negopt_core.errors import PromptError
from ..negopt_core.text.df_text import parse_report
from .encode import COMFY, RULES, Conditioning, EncodeSettings, encode_prompt
from .host import advanced, make_schema, node_id_of, show_on_node
from .report import describe


class NegOptEncode(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptEncode",
            display_name="negopt: encode scheduled prompt",
            description="Encodes a prompt whose phrases carry windows and weights, such as "
            "'a cat, [misty:0-0.5:0.75]'. Ordinary text is encoded exactly as by CLIP Text Encode. Use it with the "
            "negopt sampler hook on the model; without the hook the windows are kept approximately.",
            search_aliases=["DF prompt", "prompt scheduling", "CLIP text encode scheduled", "prompt editing"],
            inputs=_inputs(),
            outputs=[
                io.Conditioning.Output(),
                io.String.Output(
                    display_name="report", tooltip="What acts when, and brackets that were taken literally."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls, clip: Any, df_text: str, weighting: str = COMFY, same_length: bool = True, sigmas: Any = None
    ) -> io.NodeOutput:
        parsed = parse_report(df_text)
        conditioning = encode_text(clip, df_text, EncodeSettings(weighting, same_length), sigmas)
        if parsed.problems:
            show_on_node(node_id_of(cls), "\n".join(str(problem) for problem in parsed.problems))
        return io.NodeOutput(conditioning, describe(parsed))


def _inputs() -> list[io.Input]:
    """Order and names are part of saved workflows."""
    return [
        io.Clip.Input("clip"),
        io.String.Input(
            "df_text",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="[words:low-high:weight]: the words act while the noise is between high and low; 1 is the "
            "start of the run, 0 its end. So 1-0.5 is the first half of the steps and 0.5-0 the second.",
        ),
        *map(advanced, _settings()),
        io.Sigmas.Input(
            "sigmas",
            optional=True,
            tooltip="The sampler's sigmas. With them a sampler without the hook also switches at exactly the "
            "chosen steps (samplers with one model call a step). The hook does not need them.",
        ),
    ]


def _settings() -> list[io.Input]:
    return [
        io.Combo.Input(
            "weighting",
            options=list(RULES),
            default=COMFY,
            tooltip="What a weight does. comfy: ComfyUI's own rule, for every model. pae: scales the words and "
            "restores the mean, as PAE and A1111 do; for CLIP text encoders.",
        ),
        io.Boolean.Input(
            "same_length",
            default=True,
            tooltip="Pad shorter pieces with an empty chunk where a schedule crosses the encoder's chunk "
            "length (77 tokens for CLIP), so that the model sees one shape in the whole run.",
        ),
    ]


def encode_text(clip: Any, df_text: str, settings: EncodeSettings, sigmas: Any = None) -> Conditioning:
    """DF text to conditioning, with ComfyUI's progress bar and its stop button working."""
    if clip is None:
        raise PromptError("there is no CLIP: the checkpoint holds no text encoder; load one with a CLIP loader")
    bar: list[ProgressBar] = []

    def on_text(done: int, total: int) -> None:
        throw_exception_if_processing_interrupted()
        if total > 1:
            bar[:] = bar or [ProgressBar(total)]
            bar[0].update_absolute(done, total)

    levels = None if sigmas is None else [float(sigma) for sigma in sigmas]
    return encode_prompt(clip, parse_report(df_text).prompt, settings, levels, on_text)


NODES = [NegOptEncode]
