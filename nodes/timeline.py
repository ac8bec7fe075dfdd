"""NegOptTimeline: DF text in, checked DF text out, with what it means at a given number of steps."""

from __future__ import annotations

from comfy_api.latest import io

from ..negopt_core.text.df_text import format_prompt, parse_report
from .host import make_schema, node_id_of, show_on_node
from .report import describe_faults, describe_steps


class NegOptTimeline(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptTimeline",
            display_name="negopt: timeline",
            description="Checks a scheduled prompt and says which words act in which steps.",
            search_aliases=["prompt schedule", "prompt timeline", "DF prompt"],
            inputs=[
                io.String.Input(
                    "df_text",
                    multiline=True,
                    dynamic_prompts=True,
                    default="a cat, [misty:1-0.5:1], [sharp details:0.5-0:0.8]",
                    tooltip="[words:low-high:weight]; 1 is the start of the run, 0 its end.",
                ),
                io.Int.Input(
                    "steps", default=20, min=1, max=10000, tooltip="Steps of the run the report is written for."
                ),
                io.String.Input(
                    "df_negative",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    optional=True,
                    tooltip="The negative prompt, written the same way; the second lane of the timeline.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="df_text", tooltip="The same prompt, written the standard way."),
                io.String.Output(display_name="text", tooltip="All words without windows and weights."),
                io.String.Output(
                    display_name="report", tooltip="What acts when, and brackets that were taken literally."
                ),
                io.String.Output(display_name="df_negative", tooltip="The negative prompt, written the standard way."),
                io.String.Output(display_name="negative_text", tooltip="All words of the negative, without windows."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, df_text: str, steps: int = 20, df_negative: str = "") -> io.NodeOutput:
        positive, negative = parse_report(df_text), parse_report(df_negative)
        report = describe_steps(positive, steps)
        if df_negative:
            report += "\nnegative:\n" + describe_steps(negative, steps)
        show_on_node(node_id_of(cls), describe_faults((positive, negative), steps))
        return io.NodeOutput(
            format_prompt(positive.prompt),
            positive.prompt.text,
            report,
            format_prompt(negative.prompt),
            negative.prompt.text,
        )


NODES = [NegOptTimeline]
