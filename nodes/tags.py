"""The private mark that ties a conditioning entry to its slice of the run; plain data, so that it survives caching.

ComfyUI keeps unknown keys of a conditioning entry and hands them on through every node that maps over entries
(areas, masks, ControlNet, hooks), which is how a mark made at encoding reaches the sampler.
"""

from __future__ import annotations

from typing import Any

KEY = "negopt"

Entry = dict[str, Any]


def make_tag(group: str, start: float, limits: dict[str, float], spans: list[list[Any]]) -> dict[str, Any]:
    """`start`: progress at which the entry begins; `limits`: the fallback ranges written beside the tag;
    `spans`: [text, start, end] of every scheduled phrase of the group, for reports."""
    return {"group": group, "start": start, "limits": limits, "spans": spans}


def tag_of(entry: Entry) -> dict[str, Any] | None:
    """The mark of an entry; None for entries that are not ours."""
    return entry.get(KEY)


def has_tags(entries: list[Entry] | None) -> bool:
    """True if any entry of a sampler's list is marked."""
    return any(KEY in entry for entry in entries or ())


def has_own_limits(entry: Entry) -> bool:
    """True if the entry's range is the fallback we wrote, False if another node has set one since."""
    limits = entry[KEY]["limits"]
    return all(entry.get(name) == limits.get(name) for name in ("start_percent", "end_percent"))
