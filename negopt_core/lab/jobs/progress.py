"""Progress lines for long work: how far, how fast, how long still."""

from __future__ import annotations

import logging
import time

log = logging.getLogger("negopt")


class ProgressLog:
    """Logs one line every `every_seconds` with share done, images a second and the time left."""

    def __init__(self, label: str, total: int, done: int = 0, every_seconds: float = 15.0) -> None:
        self.label, self.total, self.every_seconds = label, total, every_seconds
        self.first_done, self.started = done, time.monotonic()
        self.last_line = self.started

    def update(self, done: int, note: str = "") -> None:
        """Tell that `done` of the total items are finished."""
        now = time.monotonic()
        if now - self.last_line < self.every_seconds and done < self.total:
            return
        self.last_line = now
        rate = (done - self.first_done) / max(now - self.started, 1e-6)
        left = (self.total - done) / rate if rate > 0 else float("inf")
        share = 100 * done / self.total
        log.info(
            "%s: %d of %d (%.0f %%), %.1f/s, %.1f min left %s",
            self.label,
            done,
            self.total,
            share,
            rate,
            left / 60,
            note,
        )
