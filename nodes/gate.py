"""The gate: of each group of conditioning entries, keep those of the piece that is active now. Knows no host.

Entries are the dicts ComfyUI's sampler works with. They are shared between steps and runs, so they are never changed:
an entry that needs a change is copied.
"""

from __future__ import annotations

from collections.abc import Callable

from .tags import KEY, Entry, has_own_limits, has_tags

PickActive = Callable[[tuple[float, ...]], int]
"""Starts of a group's pieces (progress, ascending) -> index of the active one."""

PercentToSigma = Callable[[float], float]

_RANGE = ("timestep_start", "timestep_end")
_SHARED = ("control", "gligen")


def gate_entries(entries: list[Entry], pick: PickActive, percent_to_sigma: PercentToSigma) -> list[Entry]:
    """The entries that act now; the same list if nothing in it is scheduled."""
    if not has_tags(entries):
        return entries
    copies = _area_copies(entries)
    members = _members([entry for index, entry in enumerate(entries) if index not in copies])
    active = {group: _pick_start(members.get(group, {}), entries, group, pick) for group in _groups(entries)}
    kept = []
    for index, entry in enumerate(entries):
        tag = entry.get(KEY)
        if tag and tag["start"] != active[tag["group"]]:
            continue
        if index in copies:
            entry = _with_active_text(entry, entries[copies[index]], members, active)
        if tag:
            entry = _without_fallback(_with_shared(entry, members.get(tag["group"], {})), percent_to_sigma)
        kept.append(entry)
    return kept


Members = dict[str, dict[float, list[Entry]]]


def _groups(entries: list[Entry]) -> set[str]:
    return {entry[KEY]["group"] for entry in entries if KEY in entry}


def _members(originals: list[Entry]) -> Members:
    """Group -> start of a piece -> its entries, in order (several where a prompt was combined with itself)."""
    members: Members = {}
    for entry in originals:
        if KEY in entry:
            tag = entry[KEY]
            members.setdefault(tag["group"], {}).setdefault(tag["start"], []).append(entry)
    return members


def _pick_start(pieces: dict[float, list[Entry]], entries: list[Entry], group: str, pick: PickActive) -> float:
    # a group may exist only as area copies from the other side of the guidance
    starts = set(pieces) or {e[KEY]["start"] for e in entries if KEY in e and e[KEY]["group"] == group}
    ordered = tuple(sorted(starts))
    return ordered[pick(ordered)]


def _area_copies(entries: list[Entry]) -> dict[int, int]:
    """Index of an entry made by the host -> index of the entry whose text it carries.

    Where one side of the guidance has an area and the other has not, ComfyUI adds a copy of the area entry to the other
    side, with that side's encoded text (`model_conds`) in it. The very same objects in two entries give it away.
    """
    if not any("area" in entry for entry in entries):
        return {}
    owners: dict[tuple[int, ...], int] = {}
    copies: dict[int, int] = {}
    for index, entry in enumerate(entries):
        identity = tuple(id(value) for value in entry["model_conds"].values())
        if not identity:
            continue
        owner = owners.setdefault(identity, index)
        if owner != index and "area" in entry:
            copies[index] = owner
    return copies


def _with_active_text(copy: Entry, owner: Entry, members: Members, active: dict[str, float]) -> Entry:
    """A host-made copy froze one piece of its side; give it the piece that is active now."""
    tag = owner.get(KEY)
    if not tag:
        return copy
    pieces = members[tag["group"]]
    ordinal = next(place for place, entry in enumerate(pieces[tag["start"]]) if entry is owner)
    now = pieces[active[tag["group"]]]
    return {**copy, "model_conds": now[min(ordinal, len(now) - 1)]["model_conds"]}


def _with_shared(entry: Entry, pieces: dict[float, list[Entry]]) -> Entry:
    """The host gives a ControlNet or GLIGEN of the positive to *one* negative entry; it is meant for every piece."""
    for name in _SHARED:
        if entry.get(name) is None:
            found = next((e[name] for some in pieces.values() for e in some if e.get(name) is not None), None)
            if found is not None:
                entry = {**entry, name: found}
    return entry


def _without_fallback(entry: Entry, percent_to_sigma: PercentToSigma) -> Entry:
    """The gate decides exactly; the approximate range that stands in for it must not decide too."""
    if not has_own_limits(entry) or not any(name in entry for name in _RANGE):
        return entry
    free = {name: value for name, value in entry.items() if name not in _RANGE}
    if "clip_start_percent" in entry:  # a text-encoder LoRA schedule: its range is the user's, keep it
        free["timestep_start"] = percent_to_sigma(entry["clip_start_percent"])
        free["timestep_end"] = percent_to_sigma(entry["clip_end_percent"])
    return free
