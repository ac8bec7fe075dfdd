"""One module, its optimiser and random state: what supervised trainings share, in the form a run folder keeps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from ...errors import TrainingError


class TrainerSettings(Protocol):
    """What every training by gradient needs to know; `steps` are updates."""

    @property
    def steps(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def warmup_steps(self) -> int: ...
    @property
    def seed(self) -> int: ...


class BaseTrainer:
    """AdamW over one module, a random state of its own, and the number of steps that are done."""

    def __init__(
        self,
        name: str,
        module: nn.Module,
        settings: TrainerSettings,
        betas: tuple[float, float],
        weight_decay: float = 0.01,
        max_grad_norm: float = 1.0,
    ) -> None:
        """`name` is the module's in a checkpoint."""
        self._name, self._module, self._settings, self._max_grad_norm = name, module, settings, max_grad_norm
        self.rng = torch.Generator().manual_seed(settings.seed)
        self.optimizer = torch.optim.AdamW(
            [one for one in module.parameters() if one.requires_grad],
            settings.learning_rate,
            betas=betas,
            weight_decay=weight_decay,
        )
        self.done = 0

    @contextmanager
    def dropping_out(self) -> Iterator[None]:
        """Training mode, with dropout drawn from `rng`: no checkpoint holds the global random state."""
        self._module.train()
        device = next(self._module.parameters()).device
        with torch.random.fork_rng([device.index or 0] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=self.rng)))
            yield

    def optimize(self, losses: Iterable[Tensor]) -> None:
        """One update against the gradient of the sum of `losses`, each drawn, gone back through and forgotten in turn.

        TrainingError, and no update, if the gradient is not finite.
        """
        settings = self._settings
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate(self.done, settings.steps, settings.warmup_steps)
        self.optimizer.zero_grad(set_to_none=True)
        for loss in losses:
            loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._module.parameters(), self._max_grad_norm)
        if not bool(torch.isfinite(norm)):
            raise TrainingError("the gradient is not a finite number; the last checkpoint is intact. Lower the rate")
        self.optimizer.step()
        self.done += 1

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint holds."""
        return {self._name: self._module}

    def numbers(self) -> dict[str, float]:
        """Updates done, for a checkpoint."""
        return {"done": self.done}

    def restore(self, numbers: Mapping[str, float]) -> None:
        """Take `numbers()` of a checkpoint back."""
        self.done = int(numbers["done"])


def rate(done: int, steps: int, warmup_steps: int) -> float:
    """Share of the learning rate: linear warm-up, then a cosine down to a twentieth."""
    warm = min(1.0, (done + 1) / max(1, warmup_steps))
    return warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done / steps))))
