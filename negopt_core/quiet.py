"""Whether other people's libraries speak to our user: decided here, for every command and every node.

Kept back are their log lines below errors, their progress bars, and Python warnings that nobody has set a filter for.
`--debug`, or NEGOPT_DEBUG=1 in the environment (in a host too), shows them all.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

DEBUG = "NEGOPT_DEBUG"
_LIBRARIES = ("transformers", "diffusers")
_HUB_BARS = "HF_HUB_DISABLE_PROGRESS_BARS"
_UNLESS_TOLD = {
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    _HUB_BARS: "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}
_ONE_AT_A_TIME = threading.RLock()
"""Whoever comes second would take our own setting for the host's and put that back."""


def quieten_process(debug: bool = False) -> None:
    """For a process of our own, before it imports a library: quiet to its end, and so are those it starts."""
    if debug:
        os.environ[DEBUG] = "1"
    if _is_debug():
        return
    for name, value in _UNLESS_TOLD.items():
        os.environ.setdefault(name, value)
    warnings.simplefilter("ignore", append=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Around calls into a library, also in a host: quiet inside, and everything as it was afterwards."""
    if _is_debug():
        yield
        return
    with _ONE_AT_A_TIME, ExitStack() as afterwards:
        _without_warnings(afterwards)
        for name in _LIBRARIES:
            _without_notices(name, afterwards)
        _without_hub_bars(afterwards)
        yield


def _is_debug() -> bool:
    return os.environ.get(DEBUG, "0") not in ("", "0")


def _without_warnings(afterwards: ExitStack) -> None:
    """A filter behind all others, so that what somebody asked for comes first: tests still make errors of warnings.

    `warnings.catch_warnings` puts a whole list back, which would undo what another thread sets in the meantime.
    """
    filters: Any = warnings.filters
    ours = ("ignore", None, Warning, None, 0)
    filters.append(ours)

    def take_back() -> None:
        for one in (filters, warnings.filters):
            kept = [entry for entry in one if entry is not ours]
            if len(kept) < len(one):
                one[:] = kept  # type: ignore[index]

    afterwards.callback(take_back)


def _without_notices(name: str, afterwards: ExitStack) -> None:
    """Log lines and bars of transformers or diffusers; the latter's module came from the former."""
    settings: Any = sys.modules.get(f"{name}.utils.logging")
    if settings is None:
        return
    logger = logging.getLogger(name)
    afterwards.callback(logger.setLevel, logger.level)
    logger.setLevel(max(logger.getEffectiveLevel(), logging.ERROR))
    if hasattr(settings, "_tqdm_active"):  # transformers' own switch turns the hub's bars too, and not back
        afterwards.callback(setattr, settings, "_tqdm_active", settings._tqdm_active)
        settings._tqdm_active = False


def _without_hub_bars(afterwards: ExitStack) -> None:
    hub: Any = sys.modules.get("huggingface_hub.utils")
    if hub is None or _HUB_BARS in os.environ or hub.are_progress_bars_disabled():
        return
    hub.disable_progress_bars()
    afterwards.callback(hub.enable_progress_bars)
