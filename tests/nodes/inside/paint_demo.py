"""Paint a demo picture in ComfyUI, starting as diffusers' Euler sampler does: `python paint_demo.py OUT.npy JSON`."""

from __future__ import annotations

import json
import sys
from typing import Any

import boot


def main(out: str, positive: str, negative: str, steps: int, cfg: float, seed: int) -> None:
    import comfy.sample
    import comfy.samplers
    import numpy
    import stage
    import torch

    torch.set_num_threads(1)
    model, clip, vae, latent = stage.node("NegOptDemoModel").execute().result
    sampling = model.model.model_sampling
    # "trailing" spacing: the last training step first, then down in equal strides
    timesteps = [1000 - round(1000 * step / steps) - 1 for step in range(steps)]
    sigmas = torch.tensor([*(float(sampling.sigmas[timestep]) for timestep in timesteps), 0.0])
    noise = comfy.sample.prepare_noise(latent["samples"], seed)
    # ComfyUI starts at noise * sqrt(1 + sigma^2), diffusers' Euler with this spacing at noise * sigma
    noise = noise * sigmas[0] / torch.sqrt(1 + sigmas[0] ** 2)

    def encode(text: str) -> Any:
        return stage.node("NegOptEncode").execute(clip=clip, df_text=text).result[0]

    with torch.no_grad():
        painted = comfy.sample.sample_custom(
            stage.hooked(model),
            noise,
            cfg,
            comfy.samplers.sampler_object("euler"),
            sigmas,
            encode(positive),
            encode(negative),
            latent["samples"],
            disable_pbar=True,
            seed=seed,
        )
        numpy.save(out, vae.decode(painted)[0].numpy())


if __name__ == "__main__":
    boot.start()
    main(sys.argv[1], **json.loads(sys.argv[2]))
