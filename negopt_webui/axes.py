"""Axes for the webui's X/Y/Z grid: the same picture with other policies, words or window starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from negopt_core.errors import NegOptError
from negopt_core.policy.menu import PolicyMenu

from .request import WRITES, read_request
from .session import AXES

_Axis = tuple[str, type, str, Callable[[], Sequence[str]] | None]
"""Label, type of the values, name in a request, and the values to choose from."""
_GRIDS = ("xyz_grid.py", "scripts.xyz_grid")
_LABEL = "[negopt] "
_OLD_LABELS = {
    "policy writes": "mode",
    "scheduled words, prompt": "df_text",
    "scheduled words, negative": "df_negative",
}
"""Names until November 2026. The grid keeps them in presets and programs send them, so they stay, after the others."""


def add_axes(scripts_data: Iterable[Any], menu: PolicyMenu) -> bool:
    """Offer our axes, named as the fields of ComfyUI's nodes; False where there is no grid.

    Any of them but 'enabled' switches negopt on for its cell. Their order is public: programs send an axis by position.
    """
    grid = next((data.module for data in scripts_data if data.script_class.__module__ in _GRIDS), None)
    if grid is None:
        return False
    axes: tuple[_Axis, ...] = (
        ("policy", str, "policy", menu.names),
        ("mode", str, "writes", lambda: list(WRITES)),
        ("df_text", str, "positive", None),
        ("df_negative", str, "negative", None),
        ("window start", float, "start", None),
        ("enabled", str, "enabled", lambda: ["False", "True"]),
        ("seed", int, "seed", None),
        ("model family", str, "family", lambda: menu.groups().families),
    )
    old = [(was, *axis[1:]) for was, now in _OLD_LABELS.items() for axis in axes if axis[0] == now]
    known = {option.label for option in grid.axis_options}
    for label, kind, name, choices in (*axes, *old):
        if _LABEL + label not in known:
            how = {"choices": choices, "confirm": checker(_LABEL + label, name, menu)}
            grid.axis_options.append(grid.AxisOption(_LABEL + label, kind, setter(name), **how))
    return True


def setter(name: str) -> Callable[[Any, Any, Any], None]:
    """What the grid calls for one cell: the value hangs on that cell's processing object, in a dict of its own."""

    def apply(p: Any, value: Any, _: Any) -> None:
        setattr(p, AXES, {**getattr(p, AXES, {}), name: value})

    return apply


def checker(label: str, name: str, menu: PolicyMenu) -> Callable[[Any, Any], None]:
    """What the grid calls with all values before it paints: a wrong one in one of many cells would be overlooked."""

    def check(_: Any, values: Sequence[Any]) -> None:
        for value in values:
            try:
                _check({name: value}, menu)
            except NegOptError as error:  # of the grid's kind, which the page shows
                raise RuntimeError(f"{label}: {error}") from None

    return check


def _check(axes: Mapping[str, Any], menu: PolicyMenu) -> None:
    request = read_request((True,), axes)
    request.plan()
    if "policy" in axes:
        menu.check(request.policy)
    _ = request.modes  # refuses a word that is none
