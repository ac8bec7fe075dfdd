"""NegOptScore: what a scorer thinks of pictures."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..negopt_core.errors import ModelError
from ..negopt_core.measure.draw import draw_intervals
from ..negopt_core.measure.statistics import Interval
from ..negopt_core.paint.choice import WORLD
from ..negopt_core.text.df_text import parse_prompt
from .host import make_schema, node_id_of, show_on_node
from .studio import as_image, load_scorer, refuse_judge, scorer_input
from .workflow import painted_by

_WORLD_SIDE = 64
"""Pixels of a side of the demo world's pictures."""


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
                scorer_input(),
            ],
            outputs=[
                io.Image.Output(display_name="best", tooltip="The picture with the highest score."),
                io.Float.Output(display_name="mean"),
                io.String.Output(display_name="scores", tooltip="A line for each picture."),
                io.Image.Output(display_name="plot"),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt],
        )

    @classmethod
    def execute(cls, images: Any, prompt: str, scorer: str) -> io.NodeOutput:
        graph = cls.hidden.prompt if cls.hidden is not None else None
        refuse_judge(scorer, painted_by(graph, node_id_of(cls)) or _guess(images))
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


def _guess(images: Any) -> str:
    """What painted pictures whose graph does not say so: the demo world's have one size."""
    return WORLD if tuple(images.shape[1:3]) == (_WORLD_SIDE, _WORLD_SIDE) else "another model"


NODES = [NegOptScore]
