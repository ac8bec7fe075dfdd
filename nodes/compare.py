"""NegOptCompare: none, your own negative, negopt and a policy, side by side on the same noise."""

from __future__ import annotations

from typing import Any

import numpy
from comfy_api.latest import io

from ..negopt_core.measure.draw import Row, draw_intervals, draw_sheet
from ..negopt_core.measure.statistics import Comparison, compare
from ..negopt_core.policy import SuggestOptions, load_policy, suggest
from ..negopt_core.text.df_text import format_prompt, parse_prompt
from ..negopt_core.text.prompt import PromptPair
from .host import make_schema, node_id_of, show_on_node
from .policy import DEFAULT, PolicyType, name_for_model
from .studio import as_image, load_scorer, make_studio, refuse_world_judge, seeds_from, studio_inputs

NONE, OWN = "no negative", "own negative"
_SHOWN = 8
"""Seeds drawn in the grid; all of them count."""
_CLEAR = 0.05
"""An interval over a handful of seeds leans on a normal distribution: p has to agree, which takes 6 seeds."""


class NegOptCompare(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptCompare",
            display_name="negopt: compare negatives",
            description="Paints a prompt without a negative, with your own, negopt's and a policy's, on the "
            "same seeds, and says what each is worth. It samples by itself: connect the model, not a sampler.",
            search_aliases=["xy plot", "negative prompt comparison", "A/B test"],
            inputs=[
                *studio_inputs(),
                io.String.Input("prompt", multiline=True, default="", tooltip="What the picture shows."),
                io.String.Input("own_negative", multiline=True, default="", tooltip="Empty: this row is left out."),
                io.Combo.Input(
                    "mode",
                    options=["negative", "negative and modifiers"],
                    default="negative",
                    tooltip="What negopt and the policy may write.",
                ),
                PolicyType.Input("policy", optional=True, tooltip="Without one: only negopt."),
            ],
            outputs=[
                io.Image.Output(display_name="grid"),
                io.Image.Output(display_name="plot", tooltip="Difference to no negative, with its interval."),
                io.String.Output(display_name="scores"),
                io.String.Output(display_name="verdict"),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        prompt: str,
        own_negative: str,
        mode: str,
        seed: int,
        seeds: int,
        scorer: str,
        policy: Any = None,
        **studio: Any,
    ) -> io.NodeOutput:
        refuse_world_judge(scorer, studio["model"])
        judge = load_scorer(scorer)
        numbers = seeds_from(seed, seeds)
        arms = _arms(prompt, own_negative, mode, policy, seed, name_for_model(DEFAULT, studio.get("model")))
        pairs = [pair for pair in arms.values() for _ in numbers]
        images = make_studio(**studio).paint(pairs, numbers * len(arms))
        words = [parse_prompt(prompt).text] * len(images)
        values = numpy.array(judge(images, words).tolist()).reshape(len(arms), len(numbers), 1)
        scores = dict(zip(arms, values, strict=True))
        found = {name: compare(rows, scores[NONE]) for name, rows in scores.items() if name != NONE}
        told = verdict(scorer, found)
        show_on_node(node_id_of(cls), told)
        title = f"{scorer}: difference to no negative, {seeds} seeds"
        plot = draw_intervals(title, [(name, one.difference) for name, one in found.items()], with_zero=True)
        by_arm = images.reshape(len(arms), len(numbers), *images.shape[1:])
        grid = _grid(scorer, arms, scores, by_arm, numbers)
        return io.NodeOutput(grid, as_image(plot), "\n".join(_lines(scores, found)), told)


def _arms(prompt: str, own: str, mode: str, policy: Any, seed: int, default: str) -> dict[str, PromptPair]:
    plain = parse_prompt(prompt)
    arms = {NONE: PromptPair(plain)}
    if own.strip():
        arms[OWN] = PromptPair(plain, parse_prompt(own))
    modes = ("negative", "modifiers") if "modifiers" in mode else ("negative",)
    options = SuggestOptions(modes, seed=seed % 2**63)
    arms[DEFAULT] = suggest(load_policy(default), [prompt], options)[0].pair
    if policy is not None and policy.card.name not in arms:
        arms[policy.card.name] = suggest(policy, [prompt], options)[0].pair
    return arms


def verdict(scorer: str, found: dict[str, Comparison]) -> str:
    """One line: what the best arm gains over no negative, and how sure that is."""
    name = max(found, key=lambda one: _or_least(found[one].difference.value))
    best = found[name]
    gain, wins = best.difference, best.win_rate
    if not best.pairs:
        return f"{scorer} gave no finite scores; nothing can be said"
    if gain.low != gain.low:
        return f"{name} scores {gain.value:+.3f} on {scorer} on one seed; take more seeds to know more"
    interval = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] on {scorer}"
    rate = f"wins {wins.value:.0%} [{wins.low:.0%}, {wins.high:.0%}] of {best.prompts} seeds"
    if gain.low > 0 and best.p < _CLEAR:
        return f"{name} is better than no negative here: {interval}, {rate}, p {best.p:.3f}. One prompt only."
    if gain.low > 0:
        return (
            f"{name} looks better than no negative, but {best.prompts} seeds cannot show it: {interval}, p {best.p:.3f}"
        )
    return f"no clear winner over no negative: the best, {name}, has {interval}, {rate}"


def _or_least(value: float) -> float:
    return value if value == value else float("-inf")


def _lines(scores: dict[str, Any], found: dict[str, Comparison]) -> list[str]:
    lines = []
    for name, rows in scores.items():
        line = f"{name}: {float(numpy.nanmean(rows)) if numpy.isfinite(rows).any() else float('nan'):.4f}"
        if name in found:
            one = found[name]
            line += f", {one.difference.value:+.4f} to {NONE}, win rate {one.win_rate.value:.2f}, p {one.p:.3f}"
        lines.append(line)
    return lines


def _grid(scorer: str, arms: dict[str, PromptPair], scores: dict[str, Any], images: Any, numbers: list[int]) -> Any:
    rows = [
        Row(
            name,
            format_prompt(pair.negative) or "(none)",
            pictures[:_SHOWN],
            tuple(f"{value:.3f}" for value in scores[name][:_SHOWN, 0].tolist()),
        )
        for (name, pair), pictures in zip(arms.items(), images, strict=True)
    ]
    scale = max(1, round(192 / max(images.shape[-2:])))
    columns = [f"seed {seed}" for seed in numbers[:_SHOWN]]
    footer = f"numbers are {scorer}; each column has one noise"
    return as_image(draw_sheet("negopt: compare", columns, rows, footer, scale))


NODES = [NegOptCompare]
