"""A judge of the drawn world's pictures: what is in them, what is wrong, and their quality by the world's formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn
from torch.nn import functional

from ...world.judges import JUDGE_WIDTH, Verdict, join_verdicts, judge_body, pooled
from ..make_world.measure import auc
from ..make_world.train_judges import JudgeSettings, fit_judge, through_vae
from . import vocabulary as words
from .render import Renderer
from .scenes import Scenes, joined, quality_effects, sample_clean_scenes, sample_scenes, true_quality

CONTENT_HEADS: dict[str, int] = {
    "thing": len(words.THINGS),
    "style": len(words.STYLES),
    "place": len(words.PLACES),
    "time": len(words.TIMES),
}
_HEADS = {
    "severity": len(words.FAULTS),
    **CONTENT_HEADS,
    "faults": len(words.FAULTS),
    "modifiers": len(words.MODIFIERS),
}


class DrawnJudge(nn.Module):
    """The network of the other world's judge with this world's questions; quality is the formula on what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.body = judge_body()
        self.heads = nn.Linear(2 * JUDGE_WIDTH, sum(_HEADS.values()))
        self.register_buffer("effects", quality_effects(), persistent=False)
        self.register_buffer("bonuses", torch.tensor(list(words.MODIFIERS.values())), persistent=False)

    def forward(self, images: Tensor) -> Verdict:
        """Judge pictures [B, 3, 64, 64] in 0..1."""
        found = self.heads(pooled(self.body(images * 2 - 1)))
        outputs = dict(zip(_HEADS, found.split(list(_HEADS.values()), dim=1), strict=True))
        severity = outputs.pop("severity").sigmoid()
        style, time = outputs["style"].softmax(1), outputs["time"].softmax(1)
        effects = torch.einsum("bs,bt,stf->bf", style, time, self.effects)
        quality = words.BASE_QUALITY + (severity * effects).sum(1) + outputs["modifiers"].sigmoid() @ self.bonuses
        return Verdict(quality.clamp(1.0, 10.0), outputs, severity)


def train_judge(path: Path, renderer: Renderer, vae: AutoencoderTiny, settings: JudgeSettings) -> DrawnJudge:
    """Train (or resume) one on rendered scenes, some of them seen through the autoencoder as painted ones are."""

    def draw(seed: int, rng: torch.Generator) -> tuple[Tensor, Scenes]:
        scenes = draw_scenes(settings.batch_size, seed)
        return through_vae(renderer(scenes), vae, rng), scenes

    return fit_judge(path, DrawnJudge, draw, judge_loss, settings)


def draw_scenes(count: int, seed: int) -> Scenes:
    """A quarter clean scenes, the rest from the world's own distribution."""
    return joined(sample_clean_scenes(count // 4, seed), sample_scenes(count - count // 4, seed))


def judge_loss(verdict: Verdict, scenes: Scenes) -> Tensor:
    """Squared error on quality and severities, cross-entropy on content, flags as bits."""
    loss = 0.5 * functional.mse_loss(verdict.quality, true_quality(scenes))
    loss = loss + 20 * functional.mse_loss(verdict.severity, scenes.severity)
    for head in CONTENT_HEADS:
        loss = loss + functional.cross_entropy(verdict.logits[head], getattr(scenes, head))
    for head, flags in (("faults", scenes.severity > 0), ("modifiers", scenes.modified)):
        loss = loss + 4 * functional.binary_cross_entropy_with_logits(verdict.logits[head], flags.float())
    return loss


@torch.inference_mode()
def judged(judge: Callable[[Tensor], Verdict], pictures: Tensor) -> Verdict:
    """What a judge sees in pictures [B, 3, 64, 64] in 0..1."""
    return join_verdicts([judge(part) for part in torch.split(pictures, 64)])


def alignment(verdict: Verdict, asked: Scenes) -> Tensor:
    """[B] share of thing, style, place and time that is as asked."""
    right = [verdict.logits[head].argmax(dim=1) == getattr(asked, head) for head in CONTENT_HEADS]
    return torch.stack(right).float().mean(dim=0)


def measure_judge(judge: DrawnJudge, renderer: Renderer, count: int, seed: int) -> dict[str, float]:
    """A judge on rendered scenes: R2 of quality, accuracy for each kind of content, AUC for each fault and modifier."""
    scenes = draw_scenes(count, seed)
    verdict, truth = judged(judge, renderer(scenes)), true_quality(scenes)
    figures = {"quality R2": float(1 - (verdict.quality - truth).square().mean() / truth.var(unbiased=False))}
    for head in CONTENT_HEADS:
        figures[f"{head} accuracy"] = float((verdict.logits[head].argmax(1) == getattr(scenes, head)).float().mean())
    for head, names, flags in (
        ("faults", words.FAULTS, scenes.severity > 0),
        ("modifiers", words.MODIFIERS, scenes.modified > 0),
    ):
        figures |= {f"{name} AUC": auc(verdict.logits[head][:, i], flags[:, i]) for i, name in enumerate(names)}
    return figures
