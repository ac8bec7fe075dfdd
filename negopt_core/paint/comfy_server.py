"""Paints on one or several ComfyUI servers: a queue for all pictures, and what a server leaves the others paint."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import torch

from ..errors import Cancelled, ModelError, OutputError
from ..text.prompt import PromptPair
from .base import Cancel, OnProgress, PaintSettings, check_seeds
from .comfy_client import Graph, Patience, Server, ServerGone, ServerRefused
from .comfy_graph import NODES, Source, build_graph, check_settings, picture_size, sampler_name
from .defaults import defaults_for
from .pictures import decode_image

Result = TypeVar("Result")

PREFIX = "comfy:"
_AHEAD = 2
"""Pictures that a server has in its queue at a time: while one is fetched, it paints the other."""


class ComfyPainter:
    """A painter over ComfyUI servers by their addresses; each needs negopt's nodes, and the checkpoint if one is named.

    Each picture is a graph of its own, so it depends on its pair and seed only. A server that cannot be reached, or
    refuses, is left alone for the rest of the call and its pictures go to the others; the next call tries it again.
    Pictures come as 8-bit PNGs.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        checkpoint: str = "",
        settings: PaintSettings | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.source = Source(checkpoint)
        self.settings = settings or defaults_for(self).settings()
        check_settings(self.settings)
        self.servers = [Server(address, patience or Patience()) for address in dict.fromkeys(addresses)]
        if not self.servers:
            raise ModelError(f"there is no ComfyUI server; write {PREFIX}http://127.0.0.1:8188")

    def paint(
        self,
        pairs: Sequence[PromptPair],
        seeds: Sequence[int],
        on_progress: OnProgress | None = None,
        cancel: Cancel | None = None,
    ) -> torch.Tensor:
        """Paint one picture for each pair; see `Painter.paint`. Progress counts the steps of finished pictures.

        Raises ModelError with each server's reason if none is left, and Cancelled if `cancel` says so.
        """
        check_seeds(pairs, seeds)
        images: dict[int, torch.Tensor] = {}
        steps = self.settings.steps
        for place, image in self.paint_each(pairs, seeds, cancel):
            images[place] = image
            if on_progress is not None:
                on_progress(len(images) * steps, len(pairs) * steps)
        return torch.stack([images[place] for place in range(len(pairs))])

    def paint_each(
        self, pairs: Sequence[PromptPair], seeds: Sequence[int], cancel: Cancel | None = None
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """(place, picture [3, H, W]) as the servers send them; what was handed out is not lost if the rest fails.

        No server waits for another: each takes the next picture when it has room. Errors as `paint`.
        """
        check_seeds(pairs, seeds)
        graphs = [build_graph(self.source, self.settings, *one) for one in zip(pairs, seeds, strict=True)]
        work = _Work(graphs, len(self.servers) * _AHEAD)
        threads = [
            threading.Thread(target=_serve, args=(server, work), daemon=True)
            for server in self.servers
            for _ in range(_AHEAD)
        ]
        for thread in threads:
            thread.start()
        size = (self.settings.height or 0, self.settings.width or 0)
        try:
            for place, image in _finished(work, cancel):
                height, width = image.shape[1:]
                size = (size[0] or height, size[1] or width)
                _check_size(image, size)
                yield place, image
        finally:
            work.stop()
            for thread in threads:
                thread.join()
        if work.count < work.total:
            reasons = "; ".join(f"{server}: {reason}" for server, reason in work.reasons.items())
            raise ModelError(f"no ComfyUI server is left, {work.count} of {work.total} pictures are done. {reasons}")

    def model_hash(self) -> str:
        """Nothing: ComfyUI does not tell what is in its files."""
        return ""

    def describe(self) -> dict[str, Any]:
        """What paints and how, in plain values; the versions are those of the first server that answers."""
        width, height = picture_size(self.source, self.settings)
        return {
            "painter": "comfy-server",
            "servers": [server.address for server in self.servers],
            "checkpoint": self.source.checkpoint,
            "sampler": sampler_name(self.source, self.settings.sampler),
            "steps": self.settings.steps,
            "guidance_scale": self.settings.guidance_scale,
            "weighting": self.settings.weighting,
            "width": width,
            "height": height,
            "clip_skip": self.settings.clip_skip,
            "strength": None,
            "device": "",
            "dtype": "",
            **self._versions(),
        }

    def _versions(self) -> dict[str, str]:
        for server in self.servers:
            try:
                return server.about()
            except ModelError:
                continue
        return {}


def _finished(work: _Work, cancel: Cancel | None) -> Iterator[tuple[int, torch.Tensor]]:
    """Pictures as they come, until all are there or nobody is left to paint."""
    is_cancelled: Any = getattr(cancel, "is_set", cancel)
    while True:
        images, is_over = work.collect(seconds=0.1)
        yield from images.items()
        if is_over:
            return
        if is_cancelled is not None and is_cancelled():
            raise Cancelled(f"painting was stopped after {work.count} of {work.total} pictures")


def parse_model(model: str) -> tuple[str, list[str]]:
    """`comfy:[CHECKPOINT@]http://host:port[,http://...]` as (checkpoint, addresses); "" is the demo world."""
    text = model.removeprefix(PREFIX)
    first = min((place for place in (text.find("http://"), text.find("https://")) if place >= 0), default=-1)
    checkpoint, rest = (text[:first], text[first:]) if first > 0 else ("", text)
    if checkpoint and (not checkpoint.endswith("@") or checkpoint == "@"):
        raise ModelError(f"{model!r}: a checkpoint is written before the servers as NAME@http://host:port")
    addresses = [part.strip().rstrip("/") for part in rest.split(",") if part.strip()]
    for address in addresses:
        _check_address(address)
    return checkpoint.removesuffix("@"), addresses


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or parts.username is not None or parts.query or parts.fragment:
        raise ModelError(f"{address!r} is no address of a ComfyUI server; write http://host:port")


@dataclass
class _Work:
    """The pictures of one call: what waits, what is done, who has given up; shared by its threads."""

    graphs: Sequence[Graph]
    workers: int
    count: int = 0
    """Pictures that are done."""
    images: dict[int, torch.Tensor] = field(default_factory=dict)
    """Those that nobody has collected yet."""
    reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.total = len(self.graphs)
        self._waiting = deque(range(self.total))
        self._changed = threading.Condition()
        self.stopped = threading.Event()

    def take(self) -> int | None:
        """The next picture's place; waits for what others may give back. None if there is nothing more to do."""
        with self._changed:
            while not self._waiting and self.count < self.total and not self.stopped.is_set():
                self._changed.wait()
            return None if self.stopped.is_set() or not self._waiting else self._waiting.popleft()

    def put(self, place: int, image: torch.Tensor) -> None:
        """A picture is done."""
        with self._changed:
            self.images[place] = image
            self.count += 1
            self._changed.notify_all()

    def leave(self, server: str, place: int | None = None, reason: str = "") -> None:
        """A worker goes; with a reason it gives its picture back."""
        with self._changed:
            self.workers -= 1
            if place is not None:
                self._waiting.appendleft(place)
            if reason:
                self.reasons.setdefault(server, reason)
            self._changed.notify_all()

    def collect(self, seconds: float) -> tuple[dict[int, torch.Tensor], bool]:
        """New pictures by place, and whether that is all there will be; waits a while if there are none."""
        with self._changed:
            if not self.images and self.count < self.total and self.workers:
                self._changed.wait(seconds)
            images, self.images = self.images, {}
            return images, self.count == self.total or not self.workers

    def stop(self) -> None:
        """Tell the workers to take no further picture."""
        with self._changed:
            self.stopped.set()
            self._changed.notify_all()


def _serve(server: Server, work: _Work) -> None:
    """One worker: paint on this server until all is done or the server is of no use."""
    place: int | None = None
    try:
        _patiently(server, work.stopped, lambda: _check_nodes(server))
        while (place := work.take()) is not None:
            paint = partial(_paint_one, server, work.graphs[place], work.stopped)
            work.put(place, _patiently(server, work.stopped, paint))
    except Cancelled:
        work.leave(server.address, place)
    except ModelError as error:
        work.leave(server.address, place, str(error))
    except Exception as error:  # a bug of ours must not leave the others waiting for this picture
        work.leave(server.address, place, f"unexpected {type(error).__name__}: {error}")
    else:
        work.leave(server.address)


def _check_nodes(server: Server) -> None:
    for kind in NODES:
        if not server.knows(kind):
            raise ServerRefused(f"it has no node {kind}; put negopt into its custom_nodes and start it again")


def _paint_one(server: Server, graph: Graph, stopped: threading.Event) -> torch.Tensor:
    run_id = server.queue(graph)
    png = server.fetch(server.wait(run_id, stopped.is_set))
    server.forget(run_id)
    try:
        return decode_image(png, "what it sent")
    except OutputError as error:
        raise ServerRefused(str(error)) from error


def _patiently(server: Server, stopped: threading.Event, do: Callable[[], Result]) -> Result:
    """Do something, again where the server was gone for a moment."""
    patience = server.patience
    for attempt in range(patience.tries - 1):
        try:
            return do()
        except ServerGone:
            if stopped.wait(patience.pause_seconds * 2**attempt):
                raise Cancelled("painting was stopped") from None
    return do()


def _check_size(image: torch.Tensor, size: tuple[int, int]) -> None:
    """ModelError unless a picture has the height and width that are asked for, or that the first one had."""
    if image.shape[1:] != size:
        raise ModelError(
            f"a picture of {size[1]}x{size[0]} was expected, a server painted {image.shape[2]}x{image.shape[1]}; the "
            "demo world has one size only, and a checkpoint must be the same on all servers"
        )
