"""Time the hook: milliseconds a step that 12 pieces of the negative add, in paired runs; prints one JSON object.

COMFYUI_PATH=... python measure_hook.py [--full-size]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import boot

STEPS, PAIRS, PIECES = 24, 31, 12


def timed(model: Any, positive: Any, negative: Any) -> float:
    """Processor milliseconds a step: other work on the machine hardly moves them."""
    from stage import run

    begun = time.process_time()
    run(model, positive, negative, steps=STEPS)
    return (time.process_time() - begun) * 1000 / STEPS


def hook_ms() -> dict[str, float]:
    """What the hook adds to a step, with a network that costs nothing."""
    from checks_samplers import Codes
    from stage import checkpoint, hooked

    codes = Codes()
    pieces = "".join(f"[w{n}:{1 - n / PIECES:.9f}-{max(0, 1 - (n + 1) / PIECES):.9f}:1]" for n in range(PIECES))
    many, one = codes.conditioning(pieces), codes.conditioning("w")

    def without_network(apply_model: Any, asked: dict[str, Any]) -> Any:
        return asked["input"] * 0.5

    models = []
    for model in (hooked(), checkpoint()[0].clone()):
        model.set_model_unet_function_wrapper(without_network)
        models.append(model)
    timed(models[0], one, many)
    added = [timed(models[0], one, many) - timed(models[1], one, one) for _ in range(PAIRS)]
    return {"median": statistics.median(added), "least": min(added), "most": max(added)}


def full_size_ms() -> float:
    """One guided evaluation of a UNet of SD1.5's size at 512 x 512, random weights, in ComfyUI's own class."""
    import comfy.ops
    import torch
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    network = UNetModel(
        operations=comfy.ops.disable_weight_init,
        image_size=32,
        in_channels=4,
        out_channels=4,
        model_channels=320,
        num_res_blocks=[2, 2, 2, 2],
        channel_mult=(1, 2, 4, 4),
        num_heads=8,
        use_spatial_transformer=True,
        transformer_depth=[1, 1, 1, 1, 1, 1, 0, 0],
        transformer_depth_middle=1,
        transformer_depth_output=[1] * 9 + [0] * 3,
        context_dim=768,
        legacy=False,
    )
    for value in network.parameters():  # the host leaves them unset, and unset memory may hold very slow numbers
        torch.nn.init.normal_(value, std=0.02)
    latents, text = torch.randn(2, 4, 64, 64), torch.randn(2, 77, 768)
    begun = time.process_time()
    with torch.inference_mode():
        network(latents, torch.tensor([500.0, 500.0]), text)
    return (time.process_time() - begun) * 1000


def main(full_size: bool) -> None:
    import torch

    torch.set_num_threads(1)
    told: dict[str, Any] = {"hook_ms_a_step": hook_ms(), "pairs": PAIRS, "steps": STEPS, "pieces": PIECES}
    if full_size:
        told["full_size_ms_a_step"] = full_size_ms()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    boot.start()
    main("--full-size" in sys.argv)
