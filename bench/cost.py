"""What large runs cost, by arithmetic: `python -m bench.cost --tflops 100`.

Operations are counted on models of the real sizes without weights (torch's meta device); a multiply-add is two. Seconds
are operations over what the GPU really does a second (`--tflops`), which `docs/dev/benchmarks.md` says how to measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

SCALES = (1_000, 10_000, 100_000, 1_000_000)
PICTURE_BYTES = {"SD 1.5": 3 * 512**2, "SDXL": 3 * 1024**2}
"""At most: a PNG is smaller than its pixels."""


@dataclass(frozen=True)
class Costs:
    """10^12 operations."""

    step: float
    """One guided sampler step of one picture: two evaluations of the UNet."""
    decode: float
    score: float
    """CLIP ViT-L/14 and ViT-H/14 once each: aesthetics and CLIP score share the first, PickScore is the second."""
    write: float
    """75 tokens of the policy."""

    def picture(self, steps: int) -> float:
        """Paint and score one picture."""
        return steps * self.step + self.decode + self.score


def count(make: Callable[[], Any], call: Callable[[Any], object]) -> float:
    """10^12 operations of one call."""
    with torch.device("meta"), torch.no_grad():
        model = make().eval()
        with FlopCounterMode(display=False) as counter:
            call(model)
    return counter.get_total_flops() / 1e12


def sd15() -> Costs:
    """Stable Diffusion 1.5 at 512 x 512, T5-base as the policy."""
    from diffusers import UNet2DConditionModel

    unet = count(
        lambda: UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
        lambda model: model(torch.randn(1, 4, 64, 64), torch.tensor(1), torch.randn(1, 77, 768)),
    )
    return Costs(2 * unet, _decode(64), _scores(), _t5_base())


def sdxl() -> Costs:
    """SDXL base at 1024 x 1024, GPT-2 medium as the policy."""
    from diffusers import UNet2DConditionModel

    unet = count(
        lambda: UNet2DConditionModel(
            sample_size=128,
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=[1, 2, 10],
            attention_head_dim=[5, 10, 20],
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ),
        lambda model: model(
            torch.randn(1, 4, 128, 128),
            torch.tensor(1),
            torch.randn(1, 77, 2048),
            added_cond_kwargs={"text_embeds": torch.randn(1, 1280), "time_ids": torch.randn(1, 6)},
        ),
    )
    return Costs(2 * unet, _decode(128), _scores(), _gpt2_medium())


def _decode(size: int) -> float:
    from diffusers import AutoencoderKL

    return count(
        lambda: AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        ),
        lambda model: model.decode(torch.randn(1, 4, size, size)),
    )


def _scores() -> float:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    large = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
    huge = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 16}
    return sum(
        count(
            lambda size=size: CLIPVisionModel(CLIPVisionConfig(patch_size=14, image_size=224, **size)),  # type: ignore[misc]
            lambda model: model(torch.randn(1, 3, 224, 224)),
        )
        for size in (large, huge)
    )


def _t5_base() -> float:
    from transformers import T5Config, T5ForConditionalGeneration

    tokens = torch.zeros(1, 75, dtype=torch.long, device="meta")
    return count(
        lambda: T5ForConditionalGeneration(T5Config(d_model=768, d_ff=3072, num_layers=12, num_heads=12)),
        lambda model: model(input_ids=tokens[:, :32], decoder_input_ids=tokens),
    )


def _gpt2_medium() -> float:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokens = torch.zeros(1, 32 + 75, dtype=torch.long, device="meta")
    return count(lambda: GPT2LMHeadModel(GPT2Config(n_embd=1024, n_layer=24, n_head=16)), lambda model: model(tokens))


def report(tflops: float, steps: int, pictures: int) -> list[str]:
    """Two Markdown tables."""
    lines = [
        "| 10^12 operations | one guided step | decode | both scorers | 75 tokens | one picture, painted and scored |"
    ]
    lines.append("|---|---|---|---|---|---|")
    found = {"SD 1.5": sd15(), "SDXL": sdxl()}
    for name, one in found.items():
        cells = (one.step, one.decode, one.score, one.write, one.picture(steps))
        lines.append(f"| {name}, {steps} steps | " + " | ".join(f"{value:.3g}" for value in cells) + " |")
    lines += [
        "",
        f"| prompts, {pictures} pictures each | pictures | SD 1.5 | on disk, at most | SDXL | on disk, at most |",
    ]
    lines.append("|---|---|---|---|---|---|")
    for prompts in SCALES:
        cells = []
        for name, one in found.items():
            hours = prompts * (one.write + pictures * one.picture(steps)) / tflops / 3600
            shown = f"{hours:.3g}" if hours < 1000 else f"{hours:,.0f}"
            cells += [f"{shown} GPU-hours", _size(prompts * pictures * PICTURE_BYTES[name])]
        lines.append(f"| {prompts:,} | {prompts * pictures:,} | " + " | ".join(cells) + " |")
    return lines


def _size(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count < 1e12 else f"{count / 1e12:.3g} TB"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="bench.cost", description=__doc__)
    parser.add_argument(
        "--tflops", type=float, default=100.0, help="10^12 operations a second that the GPU really does"
    )
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--pictures", type=int, default=4, help="pictures of each prompt: arms x seeds, or a PPO group")
    args = parser.parse_args()
    print("\n".join(report(args.tflops, args.steps, args.pictures)))


if __name__ == "__main__":
    main()
