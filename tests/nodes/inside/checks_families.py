"""The hook on SDXL's, SD3's and Flux's layouts: the same exactness as on SD1.5, the pooled vector included."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from stage import Watched, hooked, run, same
from tiny_families import FAMILIES, Encoder, Family

GOOD, BAD, OTHER = "a red fox in the snow", "blurry", "low quality, watermark"
SWAP = f"[{BAD}:1-0.5:1][{OTHER}:0.5-0:1]"
ALL_OTHER = f"[{OTHER}:1-0.0001:1][{BAD}:0.0001-0:1]"  # two pieces, of which the second has no step
STEPS = 6


@cache
def built(family: Family) -> Any:
    return family.build()


def paint(family: Family, model: Any, positive: str, negative: str, **settings: Any) -> Watched:
    encoder = Encoder()
    latent = torch.zeros([1, family.channels, 8, 8])
    dressed = [encoder.conditioning(text) for text in (positive, negative)]
    return run(model, *dressed, steps=STEPS, latent=latent, scheduler="simple", **settings)


def on_every_family(check: Callable[[Family, Any], None]) -> None:
    for family in FAMILIES:
        try:
            check(family, built(family))
        except Exception as error:
            raise AssertionError(f"on {family.name}: {error!r}") from error


def check_without_a_schedule_nothing_changes() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        assert same(plain.latent, paint(family, hooked(model), GOOD, BAD).latent)
        assert not same(plain.latent, paint(family, model, GOOD, OTHER).latent)
        assert not same(plain.latent, paint(family, model, OTHER, BAD).latent)

    on_every_family(compare)


def check_a_swap_before_the_first_step_is_the_other_prompt() -> None:
    def compare(family: Family, model: Any) -> None:
        wanted = paint(family, model, GOOD, OTHER)
        ours = paint(family, hooked(model), GOOD, ALL_OTHER)
        assert same(ours.latent, wanted.latent) and ours.batches == wanted.batches
        wanted = paint(family, model, OTHER, BAD)
        assert same(paint(family, hooked(model), ALL_OTHER, BAD).latent, wanted.latent)

    on_every_family(compare)


def check_a_window_changes_nothing_before_its_step() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        for positive, negative in ((GOOD, SWAP), (f"{GOOD}[, misty:0.5-0:1]", BAD)):
            ours = paint(family, hooked(model), positive, negative)
            alike = [torch.equal(one, other) for one, other in zip(ours.steps, plain.steps, strict=True)]
            assert alike == [True] * 3 + [False] * 3, alike

    on_every_family(compare)


def check_the_pooled_vector_follows_the_text() -> None:
    """With the sequence of every text the same, only the vector can tell them apart."""

    def vector_only(self: Encoder, tokens: dict[str, Any]) -> Any:
        entry = Encoder.encode_from_tokens_scheduled(self, tokens)[0]
        return [[torch.ones_like(entry[0]), entry[1]]]

    encoder = type("VectorOnly", (Encoder,), {"encode_from_tokens_scheduled": vector_only})()

    def compare(family: Family, model: Any) -> None:
        latent = torch.zeros([1, family.channels, 8, 8])

        def painted(painter: Any, negative: str) -> torch.Tensor:
            texts = [encoder.conditioning(text) for text in (GOOD, negative)]
            return run(painter, *texts, steps=STEPS, latent=latent, scheduler="simple").latent

        assert same(painted(hooked(model), ALL_OTHER), painted(model, OTHER))
        assert not same(painted(model, OTHER), painted(model, BAD))

    on_every_family(compare)


def check_samplers_with_several_calls_a_step() -> None:
    def compare(family: Family, model: Any) -> None:
        for sampler in ("heun", "dpmpp_2m", "dpmpp_sde"):
            wanted = paint(family, model, GOOD, OTHER, sampler=sampler)
            assert same(paint(family, hooked(model), GOOD, ALL_OTHER, sampler=sampler).latent, wanted.latent)

    on_every_family(compare)


def check_normalized_attention_guidance_on_transformers() -> None:
    """NAGuidance gives a negative to models that run at CFG 1; its negative is the active piece."""
    try:
        from comfy_extras.nodes_nag import NAGuidance
    except ImportError:  # ComfyUI before February 2026
        return

    def compare(family: Family, model: Any) -> None:
        guided = NAGuidance.execute(model, 5.0, 0.5, 1.5).result[0]
        wanted = paint(family, guided, GOOD, OTHER, cfg=1.0)
        assert same(paint(family, hooked(guided), GOOD, ALL_OTHER, cfg=1.0).latent, wanted.latent)
        assert not same(wanted.latent, paint(family, guided, GOOD, BAD, cfg=1.0).latent)

    on_every_family(compare)
