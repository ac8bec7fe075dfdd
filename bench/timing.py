"""Timing that can be trusted on a noisy machine: repeated, paired, reported as medians with their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def fast(self) -> float:
        """Mean of the fastest quarter: what disturbs a run only adds to it, so these are the least disturbed."""
        kept = sorted(self.seconds)[: max(1, len(self.seconds) // 4)]
        return sum(kept) / len(kept)

    def __str__(self) -> str:
        unit, scale = ("s", 1.0) if self.median >= 1 else ("ms", 1e3)
        low, high = min(self.seconds) * scale, max(self.seconds) * scale
        return f"{self.median * scale:.3g} {unit} ({low:.3g} to {high:.3g}, n={len(self.seconds)})"


def measure(
    work: Callable[[], object], repeats: int, warm_up: int = 1, clock: Callable[[], float] = time.perf_counter
) -> Timing:
    """Time `work` on its own."""
    for _ in range(warm_up):
        work()
    return Timing(tuple(_once(work, clock) for _ in range(repeats)))


def measure_pair(
    first: Callable[[], object],
    second: Callable[[], object],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Timing, Timing, float]:
    """Time two things in turn; also the median of the ratios first / second, pair by pair.

    `clock` may be `time.process_time`: processor time, which other work on the machine hardly moves.
    """
    first()
    second()
    pairs = []
    for turn in range(repeats):
        if turn % 2:  # alternate which goes first, so that a drifting machine favours neither
            b, a = _once(second, clock), _once(first, clock)
        else:
            a, b = _once(first, clock), _once(second, clock)
        pairs.append((a, b))
    ratio = statistics.median(a / b for a, b in pairs)
    return Timing(tuple(a for a, _ in pairs)), Timing(tuple(b for _, b in pairs)), ratio


def _once(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start
