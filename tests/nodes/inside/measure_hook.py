"""Time the hook: milliseconds a step that 12 pieces of the negative add, in paired runs; prints one JSON object.

COMFYUI_PATH=... python measure_hook.py
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import boot

STEPS, PAIRS = 24, 31


def timed(model: Any, positive: Any, negative: Any) -> float:
    from stage import run

    begun = time.perf_counter()
    run(model, positive, negative, steps=STEPS)
    return (time.perf_counter() - begun) * 1000 / STEPS


def main() -> None:
    import torch
    from checks_samplers import Codes
    from stage import checkpoint, hooked

    torch.set_num_threads(1)
    codes = Codes()
    pieces = "".join(f"[w{n}:{1 - n / 12:.9f}-{max(0, 1 - (n + 1) / 12):.9f}:1]" for n in range(12))
    many, one = codes.conditioning(pieces), codes.conditioning("w")

    def without_network(apply_model: Any, asked: dict[str, Any]) -> Any:
        return asked["input"] * 0.5

    models = []
    for model in (hooked(), checkpoint()[0].clone()):
        model.set_model_unet_function_wrapper(without_network)
        models.append(model)
    timed(models[0], one, many)
    added = [timed(models[0], one, many) - timed(models[1], one, one) for _ in range(PAIRS)]
    told = {"median_ms_a_step": statistics.median(added), "pairs": PAIRS, "steps": STEPS, "pieces_of_the_negative": 12}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    boot.start()
    main()
