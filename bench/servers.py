"""Audit and tune on two ComfyUI servers, over what the two servers paint by themselves at the same time."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from .result import ROOT, Result

sys.path.insert(0, str(ROOT / "tests" / "nodes"))

from host import Host, find_host
from server import running

_STEPS, _PICTURES, _ROUNDS = 20, 128, 2
_CFG = 2.5
_WORDS = "blurry, noisy, striped, watermark, text, faded"


def on_two_servers() -> Iterator[Result]:
    """Pictures a second, the servers' own before each run; all on this machine."""
    host = find_host()
    if not isinstance(host, Host):
        yield Result("two ComfyUI servers", host, "0.95", None)
        return
    with ExitStack() as open_:
        folders = [Path(open_.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        addresses = [open_.enter_context(running(host, folder)).address for folder in folders[:2]]
        _own(addresses, 4, 0)  # warms up
        for name, job in (("audit", _audit), ("tune", _tune)):
            shares = []
            for number in range(_ROUNDS):
                own = _own(addresses, _PICTURES // 2, 1000 * number + len(name))
                folder = folders[2] / f"{name}-{number}"
                shares.append(_rate(partial(job, addresses, folder, number)) / own)
            share, each = sum(shares) / len(shares), ", ".join(f"{one:.2f}" for one in shares)
            yield Result(
                f"{name} on two ComfyUI servers, over their own", f"{share:.2f} ({each})", "0.95", share >= 0.95
            )


def _rate(job: Callable[[], Any]) -> float:
    begun = time.monotonic()
    return float(job()["pictures"]) / (time.monotonic() - begun)


def _own(addresses: Sequence[str], count: int, seed: int) -> float:
    """Pictures a second of all servers, `count` each."""
    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.comfy_server import ComfyPainter
    from negopt_core.text.prompt import PromptPair

    pair, settings = PromptPair.plain("a photo of a red ball by the sea", "blurry"), PaintSettings(_STEPS, _CFG)

    def paint(address: str, first: int) -> None:
        ComfyPainter([address], settings=settings).paint([pair] * count, list(range(first, first + count)))

    threads = [
        threading.Thread(target=paint, args=(address, seed + 100_000 * place))
        for place, address in enumerate(addresses)
    ]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count * len(addresses) / (time.monotonic() - begun)


def _audit(addresses: Sequence[str], folder: Path, seed: int) -> Any:
    from negopt_core.lab.tune.run import run_audit
    from negopt_core.lab.tune.settings import AuditRun

    model = "comfy:" + ",".join(addresses)
    return run_audit(
        AuditRun(
            model=model,
            negative=_WORDS,
            prompts="world:20",
            steps=_STEPS,
            cfg=_CFG,
            pictures=_PICTURES,
            seed=seed,
            folder=folder,
        )
    )


def _tune(addresses: Sequence[str], folder: Path, seed: int) -> Any:
    from negopt_core.lab.tune.run import run_tune
    from negopt_core.lab.tune.settings import TuneRun

    return run_tune(
        TuneRun(
            model="comfy:" + ",".join(addresses),
            prompts="world:40",
            policy="rules:world",
            steps=_STEPS,
            cfg=_CFG,
            pictures=_PICTURES,
            check=24,
            seed=seed,
            folder=folder,
        )
    )
