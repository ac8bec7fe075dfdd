"""NegOptScore: what a scorer thinks of pictures."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..negopt_core.errors import ModelError
from ..negopt_core.measure.draw import draw_intervals
from ..negopt_core.measure.statistics import Interval
from ..negopt_core.scorers.table import NAMES
from ..negopt_core.text.df_text import parse_prompt
from .host import make_schema, node_id_of, show_on_node
from .studio import as_image, load_scorer, scorer_places


class NegOptScore(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptScore",
            display_name="negopt: score pictures",
            description="Scores each picture of a batch against a prompt and picks the best one.",
            search_aliases=["aesthetic score", "pickscore", "clip score", "best of batch"],
            inputs=[
                io.Image.Input("images"),
                io.String.Input("prompt", multiline=True, default="", tooltip="What the pictures should show."),
                io.Combo.Input("scorer", options=list(NAMES), tooltip="Who judges. " + scorer_places()),
            ],
            outputs=[
                io.Image.Output(display_name="best", tooltip="The picture with the highest score."),
                io.Float.Output(display_name="mean"),
                io.String.Output(display_name="scores", tooltip="A line for each picture."),
                io.Image.Output(display_name="plot"),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, images: Any, prompt: str, scorer: str) -> io.NodeOutput:
        judge = load_scorer(scorer)
        words = [parse_prompt(prompt).text] * len(images)
        values = judge(images[..., :3].movedim(-1, 1).float().cpu(), words).tolist()
        finite = [value for value in values if value == value and abs(value) != float("inf")]
        if not finite:
            raise ModelError(f"{scorer} gave no picture a finite number; look at the pictures")
        best = values.index(max(finite))
        lines = [f"picture {number}: {value:.4f}" for number, value in enumerate(values, 1)]
        show_on_node(node_id_of(cls), f"best: {lines[best]}")
        rows = [(f"picture {number}", Interval(value, value, value)) for number, value in enumerate(values, 1)]
        plot = as_image(draw_intervals(scorer, rows))
        return io.NodeOutput(images[best : best + 1], sum(finite) / len(finite), "\n".join(lines), plot)


NODES = [NegOptScore]
