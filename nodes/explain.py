"""NegOptExplain: what each phrase does, by leaving it out."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..negopt_core.measure.explain import HURTS, NOTHING, Texts, describe, draw_explanation, explain
from ..negopt_core.text.df_text import format_prompt
from .host import make_schema, node_id_of, show_on_node
from .studio import as_image, load_scorer, make_studio, refuse_world_judge, seeds_from, studio_inputs


class NegOptExplain(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptExplain",
            display_name="negopt: explain prompts",
            description="Paints without each phrase in turn, on the same seeds, and says what each phrase adds. It "
            "samples by itself, k + 1 pictures a seed for k phrases: connect the model, not a sampler.",
            search_aliases=["ablation", "attribution", "which words matter", "prompt analysis"],
            inputs=[
                *studio_inputs(),
                io.String.Input("prompt", multiline=True, default="", tooltip="What you wrote yourself."),
                io.String.Input(
                    "positive_text",
                    multiline=True,
                    default="",
                    tooltip="The whole positive, such as from 'write prompts'. Empty: the prompt.",
                ),
                io.String.Input("negative_text", multiline=True, default="", tooltip="The negative to explain."),
                io.Boolean.Input("add_one", default=False, tooltip="Also each phrase alone; twice the pictures."),
            ],
            outputs=[
                io.Image.Output(display_name="sheet"),
                io.String.Output(display_name="report"),
                io.String.Output(display_name="useful_positive", tooltip="Without phrases that do nothing or harm."),
                io.String.Output(display_name="useful_negative", tooltip="Without phrases that do nothing or harm."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        prompt: str,
        positive_text: str,
        negative_text: str,
        seed: int,
        seeds: int,
        scorer: str,
        add_one: bool = False,
        **studio: Any,
    ) -> io.NodeOutput:
        refuse_world_judge(scorer, studio["model"])
        texts = Texts.read(prompt, positive_text or prompt, negative_text)
        judge = load_scorer(scorer)
        found = explain(texts, prompt, make_studio(**studio).paint, [judge], seeds_from(seed, seeds), add_one)
        useful = found.without(HURTS, NOTHING)
        report = "\n".join(describe(found))
        show_on_node(node_id_of(cls), report)
        sheet = as_image(draw_explanation(found))
        return io.NodeOutput(sheet, report, format_prompt(useful.positive), format_prompt(useful.negative))


NODES = [NegOptExplain]
