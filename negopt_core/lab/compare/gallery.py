"""Pictures by what made them: painted once, kept as PNGs that say how they came about, checked when read."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...errors import OutputError
from ...files import check_folder
from ...paint.base import Cancel, ModelPainter, paint_in_turn
from ...paint.pictures import read_image, to_pixels
from ...provenance.picture_texts import hash_pixels
from ...provenance.record import Record, read_picture, shown_place, write_picture
from ...text.df_text import format_prompt
from ...text.prompt import PromptPair
from ..jobs.processes import ALONE, Processes
from ..jobs.progress import ProgressLog

log = logging.getLogger("negopt")

_LEFT_OUT = ("source", "servers", "device", "torch", "diffusers", "comfyui", "pytorch", "steps_run")
"""What a painter tells about itself that does not decide the picture, or only its last bits."""


@dataclass(frozen=True, slots=True)
class Order:
    """One picture that is wanted."""

    prompt: str
    """What the user wrote."""
    pair: PromptPair
    seed: int
    policy: Mapping[str, str] = field(default_factory=dict)
    """`policy`, `policy_hash` and `policy_licence` of who wrote the texts; they do not decide the picture."""


class Gallery:
    """Pictures of one painter in a folder, by content hash: same weights, settings, texts and seed, same picture.

    Nothing is painted twice, whoever asks and whatever was stopped in between. A file that is no picture any more, or
    whose pixels are not those that were painted, is painted again, and the log says so.
    """

    def __init__(self, folder: Path, painter: ModelPainter, model: str) -> None:
        """`model` is what the user calls the painter; it goes into the pictures' records."""
        self.folder, self.painter, self.model = folder, painter, shown_place(model)
        self.about: dict[str, Any] = painter.describe()
        self.model_hash = painter.model_hash()
        decides = {name: value for name, value in self.about.items() if name not in _LEFT_OUT}
        weights = self.model_hash or self.about.get("checkpoint", self.model)  # not on which servers it is
        self._identity = json.dumps([weights, decides], sort_keys=True, default=str)

    def key(self, order: Order) -> str:
        """32 hex digits over everything that decides the picture."""
        texts = [format_prompt(order.pair.positive), format_prompt(order.pair.negative)]
        content = json.dumps([self._identity, *texts, order.seed])
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def path(self, key: str) -> Path:
        """Where the picture of a key is kept."""
        return self.folder / key[:2] / f"{key}.png"

    def paint(
        self, orders: Sequence[Order], batch: int, cancel: Cancel | None = None, processes: Processes = ALONE
    ) -> list[str]:
        """Paint what is missing, `batch` pictures at a time; returns the key of each order, in order.

        Each of several `processes` paints its share into the same folder, and comes back when all have.
        """
        keys = [self.key(order) for order in orders]
        for _ in self.paint_each(orders, batch, cancel, processes):
            pass
        return keys

    def paint_each(
        self, orders: Sequence[Order], batch: int, cancel: Cancel | None = None, processes: Processes = ALONE
    ) -> Iterator[str]:
        """As `paint`; the key of each different picture of this process as soon as it is kept, in any order."""
        check_folder(self.folder)
        distinct = {self.key(order): order for order in orders}
        log.info("%d pictures wanted, %d different", len(orders), len(distinct))
        with processes.together():
            yield from self._paint_missing(processes.own(list(distinct.items())), batch, cancel)

    def _paint_missing(self, wanted: Sequence[tuple[str, Order]], batch: int, cancel: Cancel | None) -> Iterator[str]:
        missing = []
        for key, order in wanted:
            if self._is_kept(key):
                yield key
            else:
                missing.append((key, order))
        done = len(wanted) - len(missing)
        log.info("%d of %d already painted", done, len(wanted))
        if not missing:
            return
        pace = ProgressLog("painting", len(wanted), done)
        pairs, seeds = [order.pair for _, order in missing], [order.seed for _, order in missing]
        for count, (place, image) in enumerate(paint_in_turn(self.painter, pairs, seeds, batch, cancel), 1):
            key, order = missing[place]
            write_picture(self.path(key), to_pixels(image), self._record(order, image))
            pace.update(done + count)
            yield key

    def read(self, key: str) -> torch.Tensor:
        """[3, H, W] in 0..1."""
        return read_image(self.path(key))

    def batches(self, keys: Sequence[str], size: int = 16) -> Iterator[tuple[list[int], torch.Tensor]]:
        """Places in `keys` and their pictures [B, 3, H, W], B at most `size`; pictures of one batch are of one size."""
        return in_batches([self.path(key) for key in keys], size)

    def _is_kept(self, key: str) -> bool:
        path = self.path(key)
        if not path.exists():
            return False
        try:
            is_whole = read_picture(path).pixels_sha256 == hash_pixels(to_pixels(read_image(path)))
        except OutputError as error:
            log.warning("painting again: %s", error)
            return False
        if not is_whole:
            log.warning("painting again: %s does not hold the pixels that were painted", path)
        return is_whole

    def _record(self, order: Order, image: torch.Tensor) -> Record:
        about = self.about
        return Record(
            prompt=order.prompt,
            df_positive=format_prompt(order.pair.positive),
            df_negative=format_prompt(order.pair.negative),
            positive=order.pair.positive.text,
            negative=order.pair.negative.text,
            seed=order.seed,
            model=self.model,
            model_hash=self.model_hash,
            steps=self.painter.settings.steps,
            cfg=self.painter.settings.guidance_scale,
            width=image.shape[2],
            height=image.shape[1],
            sampler=self.painter.settings.sampler,
            weighting=self.painter.settings.weighting,
            device=about["device"],
            dtype=about["dtype"],
            batch_seeds=(order.seed,),
            strength=about["strength"],
            libraries={name: str(about[name]) for name in ("torch", "diffusers", "comfyui") if name in about},
            host="comfyui" if about.get("painter") == "comfy-server" else "diffusers",
            policy=order.policy.get("policy", ""),
            policy_hash=order.policy.get("policy_hash", ""),
            policy_licence=order.policy.get("policy_licence", ""),
        )


def in_batches(paths: Sequence[Path], size: int = 16) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Places in `paths` and the pictures there, a few at a time, so that any number of files fits into memory.

    Each file becomes RGB whatever its mode; neighbours of different sizes come in different batches.
    """
    places: list[int] = []
    images: list[torch.Tensor] = []
    for place, path in enumerate(paths):
        image = read_image(path)
        if images and (len(images) == size or image.shape != images[0].shape):
            yield places, torch.stack(images)
            places, images = [], []
        places.append(place)
        images.append(image)
    if images:
        yield places, torch.stack(images)
