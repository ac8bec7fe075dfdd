"""What a trained policy writes makes better pictures in a real ComfyUI: 64 held-out prompts, the evaluation judge."""

from collections.abc import Callable
from typing import Any

import pytest
from graphs import Graph, node, painting
from server import Server

POLICY = "world-negative+world-modifiers"
PROMPTS, SEED = 64, 91_001
SAMPLER = {"steps": 10, "cfg": 2.5, "sampler_name": "dpmpp_2m", "scheduler": "sgm_uniform"}
WRITER = {"mode": "negative and modifiers", "locked": False, "locked_positive": "", "locked_negative": ""}


def text(df_text: Any) -> Graph:
    return node("NegOptEncode", clip=("1", 1), df_text=df_text, weighting="comfy", same_length=True)


def both_arms(prompt: str, seed: int) -> Graph:
    """The prompt as it is (92 saves it), and with the negative and modifiers of the policy (82), from one noise."""
    graph = painting(("1", 0), ("2", 0), ("3", 0), seed=seed, **SAMPLER)
    graph |= {
        "2": text(prompt),
        "3": text(""),
        "4": node("NegOptLoadPolicy", policy=POLICY),
        "5": node("NegOptSuggest", policy=("4", 0), prompt=prompt, negative="", seed=0, **WRITER),
        "6": text(("5", 0)),
        "7": text(("5", 1)),
        "8": node("NegOptSamplerHook", model=("1", 0), unit="sampler steps", step_offset=0, total_steps=0),
        "81": node("VAEDecode", samples=("80", 0), vae=("1", 2)),
        "82": node("SaveImage", images=("81", 0), filename_prefix="written"),
    }
    links = {"model": ["8", 0], "positive": ["6", 0], "negative": ["7", 0]}
    graph["80"] = {"class_type": "KSampler", "inputs": {**graph["90"]["inputs"], **links}}
    return graph


def pictures(server: Server, prompts: list[str]) -> dict[str, list[bytes]]:
    """The PNG files of each arm, in the order of the prompts."""
    found: dict[str, list[bytes]] = {"82": [], "92": []}
    queued = [server.queue(both_arms(prompt, 500 + number)) for number, prompt in enumerate(prompts)]
    for run_id in queued:
        outputs = server.wait(run_id)
        for arm, files in found.items():
            files += server.pictures({arm: outputs[arm]})
    return found


@pytest.mark.host
def test_a_trained_policy_raises_quality_over_none(
    server: Server, record_property: Callable[[str, float], None]
) -> None:
    import torch

    from negopt_core.lab.make_world.measure import draw_prompts
    from negopt_core.measure.statistics import compare
    from negopt_core.paint.pictures import decode_image
    from negopt_core.scorers.table import load_named

    prompts = list(dict.fromkeys(draw_prompts(20 * PROMPTS, SEED, part="held-out")))[:PROMPTS]
    assert len(prompts) == PROMPTS
    files = pictures(server, prompts)
    images = {arm: torch.stack([decode_image(png, arm) for png in found]) for arm, found in files.items()}
    judge = load_named("world-quality", {}, "eval")
    written, none = (judge(images[arm], prompts)[:, None].numpy() for arm in ("82", "92"))
    gain = compare(written, none)
    record_property("quality_none", float(none.mean()))
    record_property("quality_written", float(written.mean()))
    assert gain.difference.low > 0, gain
