"""The policies that a host offers by name: those that come with negopt, and the folders in the host's model folders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ..errors import PolicyError
from .base import Policy
from .card import PolicyCard
from .combined import SIGN
from .loglinear.policy import NAME, SCHEDULED, family_names
from .store import CARD_NAME, builtin_names, card_named, default_policy, load_policy, offered_names, read_origin

_NEAR = 3
"""Names that a misspelled one is answered with."""


@dataclass(frozen=True, slots=True)
class PolicyGroups:
    """The names of a menu, for hosts that show the few before the many."""

    usual: tuple[str, ...]
    """The default, the same with windows, and what lies in the user's folders."""
    families: tuple[str, ...]
    """Families of models that the default can be asked for, as a choice of its own beside the name."""
    more: tuple[str, ...]
    """The other policies that come with negopt, without a family: tables, nearest prompts, the demo world's."""


class PolicyMenu:
    """Finds and loads policies by name, never by path: names come from pages and from files of strangers.

    `folders` gives the model folders, the first of them where new policies go. It is asked each time, because users
    change settings while a host runs.
    """

    def __init__(self, folders: Callable[[], Sequence[Path]]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._kept: tuple[str, Policy] | None = None

    def names(self) -> list[str]:
        """Every name the menu shows, `usual` ones first. Cards are not read: a broken one must not hide the others."""
        usual = self.groups().usual
        return [*usual, *(name for name in offered_names() if name not in usual)]

    def groups(self) -> PolicyGroups:
        """The same names as `names`, in groups; those of the form NAME:FAMILY are in `families` only."""
        usual = (NAME, SCHEDULED)
        own = sorted(self._in_folders() - set(builtin_names()))
        world = default_policy("world")  # its words are in no family of the default
        more = [name for name in offered_names() if name not in usual and (":" not in name or name == world)]
        return PolicyGroups((*usual, *own), family_names(), tuple(more))

    def missing(self, name: str) -> str | None:
        """The part of `name` that is not here, None if all is; what no menu shows any longer is here as well.

        Names are those of `names` and of `builtin_names`, NAME:FAMILY of a folder, and two as NEGATIVE+MODIFIERS.
        """
        in_folders = self._in_folders()
        known = in_folders | set(builtin_names())
        parts = [name] if name in known or name.count(SIGN) > 1 else name.split(SIGN)
        return next((part for part in parts if part not in known and part.rpartition(":")[0] not in in_folders), None)

    def check(self, name: str) -> None:
        """PolicyError says where to put a policy that is not here."""
        missing = self.missing(name)
        if missing is not None:
            place = next(iter(self._folders()), Path("models/negopt"))
            groups = self.groups()
            near = get_close_matches(missing[:80], self.names(), _NEAR) or [*groups.usual, *groups.more]
            raise PolicyError(
                f"the policy {missing[:80]!r} is not here: put its folder (with {CARD_NAME}) into {place}, "
                f"or choose one of {', '.join(near)}"
            )

    def load(self, name: str) -> Policy:
        """A policy of the caller's own; PolicyError for one that is not here or cannot be read."""
        self.check(name)
        return load_policy(name, self._folders())

    def policy(self, name: str) -> Policy:
        """As `load`, but the last one stays loaded until its files change or another is asked for."""
        self.check(name)
        state = self.state(name)
        with self._lock:
            if self._kept is None or self._kept[0] != state:
                self._kept = None  # two at once could be more than the memory holds
                self._kept = (state, load_policy(name, self._folders()))
            return self._kept[1]

    def card(self, name: str) -> PolicyCard:
        """The card of a policy, without its weights; errors as `load` has them."""
        self.check(name)
        return card_named(name, self._folders())

    def state(self, name: str) -> str:
        """A text that changes when, and only when, the files of a policy do."""
        stamps = [
            f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"
            for folder in self._folders_of(name)
            for path in sorted(folder.iterdir())
            if path.is_file()
        ]
        return "\n".join([name, *stamps])

    def origin(self, name: str) -> str:
        """Where a policy was fetched from, if that is known: of two joined ones both, one after the other."""
        return " ".join(filter(None, map(read_origin, self._folders_of(name))))

    def _in_folders(self) -> set[str]:
        return {card.parent.name for folder in self._folders() for card in folder.glob(f"*/{CARD_NAME}")}

    def _folders_of(self, name: str) -> list[Path]:
        """The folders under the model folders that a name, both its parts or its NAME of NAME:FAMILY stand for."""
        names = dict.fromkeys(one for part in (name, *name.split(SIGN)) for one in (part, part.rpartition(":")[0]))
        places = [folder / one for one in names if one for folder in self._folders()]
        return [place for place in places if (place / CARD_NAME).is_file()]
