"""Axes for the webui's X/Y/Z grid: the same picture with other policies, words or window starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .request import WRITES
from .session import AXES

_GRIDS = ("xyz_grid.py", "scripts.xyz_grid")
_LABEL = "[negopt] "


def add_axes(scripts_data: Iterable[Any], policy_names: Callable[[], Sequence[str]]) -> bool:
    """Offer our axes; False where there is no grid. Any of them but 'enabled' switches negopt on for its cell."""
    grid = next((data.module for data in scripts_data if data.script_class.__module__ in _GRIDS), None)
    if grid is None:
        return False
    axes = (
        ("policy", str, "policy", policy_names),
        ("policy writes", str, "writes", lambda: list(WRITES)),
        ("scheduled words, prompt", str, "positive", None),
        ("scheduled words, negative", str, "negative", None),
        ("window start", float, "start", None),
        ("enabled", str, "enabled", lambda: ["False", "True"]),
    )
    known = {option.label for option in grid.axis_options}
    for label, kind, name, choices in axes:
        if _LABEL + label not in known:
            grid.axis_options.append(grid.AxisOption(_LABEL + label, kind, setter(name), choices=choices))
    return True


def setter(name: str) -> Callable[[Any, Any, Any], None]:
    """What the grid calls for one cell: the value hangs on that cell's processing object, in a dict of its own."""

    def apply(p: Any, value: Any, _: Any) -> None:
        setattr(p, AXES, {**getattr(p, AXES, {}), name: value})

    return apply
