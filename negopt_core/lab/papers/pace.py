"""How long a picture, its scores and a training step take on this device: a few of each, half a minute at most."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from ...devices import put_on
from ...errors import Cancelled
from ...paint.base import ModelPainter
from ...paint.pictures import to_pixels
from ...text.prompt import PromptPair
from ..data.pairs import Pair
from ..train.settings import SFTSettings
from ..train.sft import SFT
from .learn import devices_of, load_reward, open_task_painter
from .start import open_start
from .task import Task

log = logging.getLogger("negopt")
PATIENCE = 12.0
"""Seconds after which painting is not waited for any longer."""
_QUICK = 3.0
"""What took less than this many seconds the first time is done again: the first time also warms up."""
_FEW = 2
"""Pairs of the first training step, so that a slow machine does not spend minutes on the plan."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds and bytes, measured here."""

    picture: float
    """Seconds of one picture."""
    score: float
    """Seconds of all rewards of one picture."""
    sft_step: float
    """Seconds of a training step of SFT with the run's batch."""
    picture_bytes: int
    """Of the file of one picture, about."""
    weight_bytes: int
    """Of the language model in float32."""
    device: str
    """What paints."""
    gpu_bytes: int | None
    """Most memory that torch held on the GPU meanwhile; None without one."""

    @property
    def look(self) -> float:
        """Seconds of a picture with its rewards."""
        return self.picture + self.score


def measure_pace(task: Task, pairs: Sequence[Pair]) -> Pace:
    """Open everything, paint, score and learn a little, let go of it again. Nothing is written.

    Weights that are damaged or do not fit are found here, with the error of who loads them.
    """
    has_cuda = torch.cuda.is_available()
    if has_cuda:
        torch.cuda.reset_peak_memory_stats()
    log.info("measuring this device, half a minute at most")
    sft_step, weight_bytes = _sft_step(task, pairs)
    batch = min(task.run.batch, 8) if has_cuda else 1
    painter = open_task_painter(task, batch)
    reward = load_reward(task, devices_of(task).scorers)
    prompts = [pair.prompt for pair in pairs[:batch]]
    picture, images = _picture(painter, prompts, task.paint_steps)
    score = _repeated(lambda: reward(images, prompts, images)) / len(prompts)
    device = str(painter.describe().get("device", ""))
    gpu_bytes = int(torch.cuda.max_memory_allocated()) if has_cuda else None
    return Pace(picture, score, sft_step, _file_bytes(images), weight_bytes, device, gpu_bytes)


def _sft_step(task: Task, pairs: Sequence[Pair]) -> tuple[float, int]:
    """Seconds of a step, and bytes of the weights."""
    policy, batch = put_on(open_start(task), devices_of(task).policy), task.budget.sft_batch
    weight_bytes = 4 * sum(weights.numel() for weights in policy.parameters())
    sft = SFT(policy, pairs, SFTSettings(batch_size=min(_FEW, batch)))
    few = _timed(sft.step)
    if few < _QUICK:
        few = _timed(sft.step)
    if few * batch / _FEW > _QUICK:
        return few * batch / min(_FEW, batch), weight_bytes
    sft.settings = SFTSettings(batch_size=batch)
    return _timed(sft.step), weight_bytes


def _picture(painter: ModelPainter, prompts: Sequence[str], steps: int) -> tuple[float, torch.Tensor]:
    """Seconds of a picture, and pictures [B, 3, H, W]; grey ones if even one batch takes longer than `PATIENCE`."""
    pairs, seeds = [PromptPair.plain(prompt) for prompt in prompts], list(range(len(prompts)))
    ticks = [time.monotonic()]

    def is_late() -> bool:
        return time.monotonic() - ticks[0] > PATIENCE

    def note(done: int, total: int) -> None:
        ticks.append(time.monotonic())

    try:
        images = painter.paint(pairs, seeds, on_progress=note, cancel=is_late)
    except Cancelled:
        spent = [later - earlier for earlier, later in pairwise(ticks)]
        step = sorted(spent)[len(spent) // 2] if spent else PATIENCE
        return step * (steps + 1) / len(prompts), torch.full((len(prompts), 3, 512, 512), 0.5)
    seconds = time.monotonic() - ticks[0]
    if seconds < _QUICK:
        seconds = _timed(lambda: painter.paint(pairs, seeds))
    return seconds / len(prompts), images


def _repeated(work: Callable[[], object]) -> float:
    """Seconds of work, of the second time if the first was quick."""
    seconds = _timed(work)
    return _timed(work) if seconds < _QUICK else seconds


def _timed(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.monotonic() - start


def _file_bytes(images: torch.Tensor) -> int:
    """A PNG takes about two thirds of the pixels' bytes; with its record two kilobytes more."""
    return int(to_pixels(images[0]).size * 2 / 3) + 2048
