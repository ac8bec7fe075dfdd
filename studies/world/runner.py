"""Painting and judging the arms of a study with the engine of `eval`, on several cores, each arm once: `Runner`."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from negopt_core.lab.compare.arms import Arm, Writer
from negopt_core.lab.compare.gallery import Gallery
from negopt_core.lab.compare.prompt_sets import Item
from negopt_core.lab.compare.study import Design, order_pictures
from negopt_core.lab.jobs.progress import ProgressLog
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.paint.open import read_dtype
from negopt_core.quiet import quieten_process
from negopt_core.text.df_text import format_prompt
from negopt_core.text.prompt import PromptPair
from negopt_core.world import vocabulary as words
from negopt_core.world.judges import Judge, join_verdicts, judge_pictures, load_judge
from negopt_core.world.scenes import quality_effects
from studies.world.scores import KEPT_PICTURES, Scores, load_scores, make_scores, save_scores

_BATCH = 32
_STRIDE = 1_000
"""Seeds from one prompt to the next."""


def design_of(prompts: Sequence[str], arms: Sequence[Arm], seeds: int, first_seed: int) -> Design:
    """Every arm on every prompt, with noise that depends on nothing but the place of the prompt."""
    return Design(tuple(map(Item, prompts)), tuple(arms), seeds=seeds, first_seed=first_seed, stride=_STRIDE)


@dataclass(frozen=True, slots=True)
class Runner:
    """How and where pictures are painted; they and their scores are kept, so that a study can be stopped anywhere."""

    world: Path
    weights: str
    """Hash of the world's weights; another world's scores are never read back."""
    cache_folder: Path
    steps: int
    guidance_scale: float
    jobs: int
    dtype: str = "float32"

    def run(self, design: Design, role: str, label: str) -> dict[str, Scores]:
        """Scores of each arm by name; arms that are not kept are painted, those alike once, `jobs` at a time.

        `role` chooses the judge: "eval" for tables, "reward" for searches, so that a search is not judged by what it
        looked at.
        """
        pairs = {arm.name: Writer().write(arm, design.items) for arm in design.arms}
        paths = {name: self._path(design, role, written) for name, written in pairs.items()}
        missing = {paths[name]: written for name, written in pairs.items() if not paths[name].exists()}
        kept = len(paths) - len(missing)
        pace = ProgressLog(label, len(paths), kept)
        for done, _ in enumerate(self._paint_all(design, role, missing), kept + 1):
            pace.update(done)
        return {name: load_scores(path) for name, path in paths.items()}

    def pictures(self, design: Design, arm: str, places: Sequence[int]) -> torch.Tensor:
        """[N, 3, H, W] in 0..1: of an arm the prompts at `places`, first noise; painted where they are not kept."""
        gallery, _ = _tools(self, "eval")
        (pairs,) = (Writer().write(one, design.items) for one in design.arms if one.name == arm)
        orders = order_pictures(design, pairs, {})[:: design.seeds]
        return torch.stack([gallery.read(key) for key in gallery.paint([orders[place] for place in places], _BATCH)])

    def _paint_all(self, design: Design, role: str, missing: Mapping[Path, Sequence[PromptPair]]) -> Iterator[None]:
        """Yields after each arm. Two processes of one thread paint a third more than one process of two threads."""
        if self.jobs == 1 or not missing:
            for path, pairs in missing.items():
                self._paint_one(design, role, pairs, path)
                yield
            return
        with ProcessPoolExecutor(self.jobs, multiprocessing.get_context("spawn"), _start_worker) as pool:
            work = [pool.submit(self._paint_one, design, role, pairs, path) for path, pairs in missing.items()]
            try:
                for future in as_completed(work):
                    future.result()
                    yield
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _paint_one(self, design: Design, role: str, pairs: Sequence[PromptPair], path: Path) -> None:
        gallery, judge = _tools(self, role)
        keys = gallery.paint(order_pictures(design, pairs, {}), _BATCH)
        verdict = join_verdicts([judge_pictures(judge, images) for _, images in gallery.batches(keys, _BATCH)])
        pictures = torch.stack([gallery.read(key) for key in keys[:: design.seeds][:KEPT_PICTURES]])
        prompts = [item.prompt for item in design.items]
        save_scores(make_scores(verdict, prompts, design.seeds, pictures), path)

    def _path(self, design: Design, role: str, pairs: Sequence[PromptPair]) -> Path:
        """Named by everything that the scores depend on, as 24 hex digits."""
        parts = [
            self.weights,
            quality_effects().tolist(),
            list(words.ENHANCEMENTS.values()),
            self.steps,
            self.guidance_scale,
            role,
            design.seeds,
            design.first_seed,
            [item.prompt for item in design.items],
            [(format_prompt(pair.positive), format_prompt(pair.negative)) for pair in pairs],
        ]
        if self.dtype != "float32":
            parts.append(self.dtype)
        return self.cache_folder / f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]}.safetensors"


def _start_worker() -> None:
    quieten_process()
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot end its workers: without this they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _tools(runner: Runner, role: str) -> tuple[Gallery, Judge]:
    """A painter with its folder of pictures, and a judge, loaded once in a process."""
    settings = PaintSettings(runner.steps, runner.guidance_scale, batch_size=_BATCH)
    painter = load_painter(str(runner.world), settings, device="cpu", dtype=read_dtype(runner.dtype))
    judge = load_judge(runner.world / "judges" / f"{role}.safetensors")
    return Gallery(runner.cache_folder / "pictures", painter, str(runner.world)), judge
