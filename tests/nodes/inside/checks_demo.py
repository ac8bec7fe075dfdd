"""The demo world in ComfyUI's classes."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from stage import node, run, same


@cache
def world() -> tuple[Any, Any, Any, Any]:
    return node("NegOptDemoModel").execute(batch_size=2).result


def conditioning(df_text: str) -> Any:
    return node("NegOptEncode").execute(clip=world()[1], df_text=df_text).result[0]


def check_it_paints_pictures_that_answer_to_words() -> None:
    model, _, vae, latent = world()
    assert latent["samples"].shape[0] == 2
    with torch.no_grad():
        red = run(
            model,
            conditioning("a photo of a red ball in the snow by day"),
            conditioning(""),
            steps=8,
            latent=latent["samples"],
        )
        blue = run(
            model,
            conditioning("a photo of a blue ball in the snow by day"),
            conditioning(""),
            steps=8,
            latent=latent["samples"],
        )
    pictures = [vae.decode(one.latent) for one in (red, blue)]
    assert all(picture.shape == (2, 64, 64, 3) and 0 <= picture.min() <= picture.max() <= 1 for picture in pictures)
    redness = [float((picture[..., 0] - picture[..., 2])[:, 16:48, 16:48].mean()) for picture in pictures]
    assert redness[0] > redness[1] + 0.05, redness


def check_its_latents_are_its_pictures() -> None:
    vae = world()[2]
    ramp = torch.linspace(0.1, 0.9, 64).expand(1, 64, 64)[..., None].repeat(1, 1, 1, 3)
    again = vae.decode(vae.encode(ramp))
    assert again.shape == ramp.shape and float((again - ramp).abs().mean()) < 0.05


def check_a_schedule_works_on_it() -> None:
    model = node("NegOptSamplerHook").execute(model=world()[0], unit="sampler steps").result[0]
    prompt, start = conditioning("a photo of a red ball"), world()[3]["samples"]
    plain = run(world()[0], prompt, conditioning("blurry"), latent=start)
    later = run(model, prompt, conditioning("blurry[, dark:0.5-0:1]"), latent=start)
    assert [same(a, b) for a, b in zip(plain.steps, later.steps, strict=True)] == [True] * 3 + [False] * 3
