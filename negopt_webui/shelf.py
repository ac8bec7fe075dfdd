"""Policies by name, from the webui's `models/negopt` folder and the built-in ones; the last one used stays loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from negopt_core.errors import PolicyError
from negopt_core.policy import Policy, load_policy
from negopt_core.policy.joint import SIGN
from negopt_core.policy.loglinear.policy import family_named
from negopt_core.policy.store import CARD_NAME, builtin_names, default_policy, offered_names, with_family

DEFAULT = default_policy()


class Shelf:
    """Finds and loads policies, on the CPU: a second or two, and no race with the sampler for the GPU.

    `folders` is asked each time, because the user can change a setting while the webui runs.
    """

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._loaded: tuple[tuple[str, ...], Policy] | None = None

    def names(self) -> list[str]:
        """Every name the menu offers. Cards are not read: a broken one must not hide the others."""
        found = {card.parent.name for folder in self._folders() for card in folder.glob(f"*/{CARD_NAME}")}
        return [*offered_names(), *sorted(found - set(builtin_names()))]

    def policy(self, name: str) -> Policy:
        """Load by one of `names`, or two as NEGATIVE+MODIFIERS; never by path, since requests come over HTTP."""
        names = self.names()
        known = {*names, *builtin_names()}
        for part in [name] if name in known else name.split(SIGN):
            if part not in known:
                place = next(iter(self._folders()), Path("models/negopt"))
                raise PolicyError(
                    f"the policy {part[:80]!r} is not here: put its folder (with {CARD_NAME}) into {place}, or choose "
                    f"one of {', '.join(names)}"
                )
        with self._lock:
            state = (name, *self._stamps(name))
            if self._loaded is None or self._loaded[0] != state:
                self._loaded = None  # two at once could be more than the memory holds
                self._loaded = (state, load_policy(name, self._folders()))
            return self._loaded[1]

    def _stamps(self, name: str) -> list[str]:
        """Changes when, and only when, the files of a policy do."""
        return [
            f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"
            for part in sorted({name, *name.split(SIGN)})
            for folder in self._folders()
            for path in sorted((folder / part).glob("*"))
            if path.is_file()
        ]


def name_for_model(name: str, model: Any) -> str:
    """The default policy for the loaded checkpoint, by its file's name or by what the webui knows of it."""
    if name != DEFAULT or model is None:
        return name
    file = str(getattr(getattr(model, "sd_checkpoint_info", None), "name", ""))
    found = family_named(file) if file else None
    flags = {"is_sdxl": "sdxl", "is_sd3": "sd3", "is_sd2": "sd2", "is_flux": "flux"}
    flagged = next((family for flag, family in flags.items() if getattr(model, flag, False)), "")
    family = found.name if found else flagged
    return with_family(name, family) if family else name
