"""STUB contract: our axes of the webui's X/Y/Z grid."""

import re
import types
from typing import Any

import pytest
from webui_stub import StubWebui


def axes_of(webui: StubWebui) -> tuple[dict[str, Any], int]:
    """Our axes by name, and how many there are, where the host asks for them twice."""

    class AxisOption:
        def __init__(self, label: str, kind: Any, apply: Any, confirm: Any = None, choices: Any = None) -> None:
            self.label, self.type, self.apply, self.confirm, self.choices = label, kind, apply, confirm, choices

    grid = types.SimpleNamespace(AxisOption=AxisOption, axis_options=[])
    script = types.SimpleNamespace(script_class=type("Script", (), {"__module__": "xyz_grid.py"}), module=grid)
    webui.module.scripts.scripts_data[:] = [script]
    for _ in range(2):
        webui.callbacks["on_before_ui"][0]()
    return {option.label.removeprefix("[negopt] "): option for option in grid.axis_options}, len(grid.axis_options)


def test_the_grid_gets_our_axes_once_and_each_cell_its_own_value(webui: StubWebui) -> None:
    axes, count = axes_of(webui)
    assert list(axes) == [
        "policy", "mode", "df_text", "df_negative", "window start", "enabled", "seed", "model family",
        "policy writes", "scheduled words, prompt", "scheduled words, negative",
    ]  # fmt: skip
    assert len(axes) == count
    assert "rules" in axes["policy"].choices() and "pony" in axes["model family"].choices()
    cells = [webui.job(False), webui.job(False)]
    for p, start in zip(cells, (0.25, 0.75), strict=True):
        axes["window start"].apply(p, start, [])
        axes["df_text" if start == 0.25 else "scheduled words, prompt"].apply(p, "art, [oil:0.5-1:1]", [])
    made = [webui.run(p).passes[0] for p in cells]
    assert [calls[step].positive[0] for calls in made for step in (0, 2, 6)] == [
        "a cat", "a cat, art, oil", "a cat, art", "a cat", "a cat", "a cat, art",
    ]  # fmt: skip
    axes["enabled"].apply(cells[0], "False", [])
    assert "NegOpt plan" not in webui.run(cells[0]).infotexts[0]


@pytest.mark.parametrize(
    ("axis", "good", "bad", "said"),
    [
        ("window start", [0.0, 0.5], 1.5, "0 <= start < 1, got 1.5"),
        ("policy", ["rules", "negopt:pony"], "negoptt", "'negoptt' is not here"),
        ("mode", ["nothing", "negative"], "all", "cannot write 'all'"),
        ("policy writes", ["modifiers"], "all", "cannot write 'all'"),
        ("seed", [-1, 7], -2, "got -2"),
        ("df_text", ["fog", "[a [b"], "x" * 20_001, "may have 20,000 characters"),
    ],
)
def test_a_grid_with_a_wrong_value_is_refused_before_it_paints(
    webui: StubWebui, axis: str, good: list[Any], bad: Any, said: str
) -> None:
    option = axes_of(webui)[0][axis]
    option.confirm(None, good)
    with pytest.raises(RuntimeError, match=re.escape(f"[negopt] {axis}: ")) as caught:
        option.confirm(None, [*good, bad])
    assert said in str(caught.value)
