"""Painting and judging the arms of a report, on several cores, each arm once: `Studio`."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from negopt_core.lab.jobs.progress import ProgressLog
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import DiffusersPainter, load_painter
from negopt_core.paint.open import read_dtype
from negopt_core.quiet import quieten_process
from negopt_core.text.df_text import format_prompt
from negopt_core.text.prompt import PromptPair
from negopt_core.world import vocabulary as words
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import Judge, judge_pictures, load_judge
from negopt_core.world.scenes import quality_effects
from studies.world.outcome import Outcome, load_outcome, make_outcome, save_outcome


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to paint every prompt."""

    name: str
    pairs: tuple[PromptPair, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """The prompts of an experiment and the noise they are painted with."""

    prompts: tuple[str, ...]
    seeds: int
    first_seed: int
    role: str
    """The judge: "eval" for tables, "reward" for searches, so that a search is not judged by what it looked at."""

    @property
    def numbers(self) -> list[int]:
        """One seed for each picture; those of a prompt stand together."""
        return [self.first_seed + 1_000 * index + k for index in range(len(self.prompts)) for k in range(self.seeds)]


@dataclass(frozen=True, slots=True)
class Studio:
    """Where pictures come from. Finished arms are kept in `cache_folder` and read back, so a report can be stopped."""

    world: Path
    weights: str
    """Hash of the world's weights; another world's arms are never read back."""
    cache_folder: Path
    steps: int
    guidance_scale: float
    jobs: int
    dtype: str = "float32"

    def paint(self, batch: Batch, arms: Sequence[Arm], label: str) -> dict[str, Outcome]:
        """Outcome of each arm by name; arms not in the cache are painted, those alike once, `jobs` at a time."""
        paths = {arm.name: self.cache_folder / f"{self._key(batch, arm)}.safetensors" for arm in arms}
        missing = list({paths[arm.name]: arm for arm in arms if not paths[arm.name].exists()}.values())
        pace = ProgressLog(label, len(arms), len(arms) - len(missing))
        if missing and self.jobs == 1:
            for done, arm in enumerate(missing, 1):
                self._paint_one(batch, arm, paths[arm.name])
                pace.update(len(arms) - len(missing) + done)
        elif missing:
            self._paint_apart(batch, missing, paths, pace)
        return {name: load_outcome(path) for name, path in paths.items()}

    def _paint_apart(self, batch: Batch, missing: Sequence[Arm], paths: dict[str, Path], pace: ProgressLog) -> None:
        """Two processes of one thread paint a third more pictures a second than one process of two threads."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.jobs, context, _start_worker) as pool:
            work = [pool.submit(self._paint_one, batch, arm, paths[arm.name]) for arm in missing]
            try:
                for done, future in enumerate(as_completed(work), pace.first_done + 1):
                    future.result()
                    pace.update(done)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _paint_one(self, batch: Batch, arm: Arm, path: Path) -> None:
        painter, judge = _tools(self.world, self.steps, self.guidance_scale, self.dtype, batch.role)
        pairs = [pair for pair in arm.pairs for _ in range(batch.seeds)]
        images = painter.paint(pairs, batch.numbers)
        requests = [read_prompt(prompt) for prompt in batch.prompts for _ in range(batch.seeds)]
        save_outcome(make_outcome(judge_pictures(judge, images), requests, batch.seeds, images), path)

    def _key(self, batch: Batch, arm: Arm) -> str:
        """Everything that the outcome depends on, as 24 hex digits."""
        parts = [
            self.weights,
            quality_effects().tolist(),
            list(words.ENHANCEMENTS.values()),
            self.steps,
            self.guidance_scale,
            batch.role,
            batch.seeds,
            batch.first_seed,
            batch.prompts,
            [(format_prompt(pair.positive), format_prompt(pair.negative)) for pair in arm.pairs],
        ]
        if self.dtype != "float32":
            parts.append(self.dtype)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _start_worker() -> None:
    quieten_process()
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Killed parents do not say goodbye: without this their workers would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _tools(world: Path, steps: int, guidance_scale: float, dtype: str, role: str) -> tuple[DiffusersPainter, Judge]:
    """A painter and a judge, loaded once in a process."""
    settings = PaintSettings(steps, guidance_scale, batch_size=32)
    painter = load_painter(str(world), settings, device="cpu", dtype=read_dtype(dtype))
    return painter, load_judge(world / "judges" / f"{role}.safetensors")
