"""How much of a download has arrived: told from another thread, by what lies in the hub's cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

OnProgress = Callable[[int, int], None]
"""Told bytes that are here and bytes in all; 0 in all means that the hub does not say."""

_LOOK_SECONDS = 0.3


@contextmanager
def watched(folder: Path, total: int, tell: OnProgress | None) -> Iterator[None]:
    """Tell a few times a second how many of `total` bytes lie in `folder`, and once more at the end."""
    if tell is None:
        yield
        return
    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_SECONDS):
            tell(min(_bytes_in(folder), total), total)

    watcher = threading.Thread(target=look, name="negopt-pull-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    tell(total, total)


def _bytes_in(folder: Path) -> int:
    """Links do not count: the cache's snapshots are links into its blobs."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
        except OSError:  # it was renamed while we looked
            continue
    return total
