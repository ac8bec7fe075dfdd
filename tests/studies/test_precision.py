"""Pictures of the demo world in bfloat16: only where the CPU has it and it is measured to be faster."""

from pathlib import Path

import pytest
import torch

from negopt_core.paint import precision
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.precision import choose_precision
from negopt_core.world import world_dir
from studies.policies.recipe import Recipe
from studies.policies.runs import precision_of

SETTINGS = PaintSettings(2, 2.5)


class Clock:
    """Seconds that each painting is said to take, float32 and bfloat16 in turn."""

    def __init__(self, *seconds: float) -> None:
        self.seconds, self.now, self.calls = seconds, 0.0, 0

    def __call__(self) -> float:
        if self.calls % 2:  # the end of a painting
            self.now += self.seconds[self.calls // 2 % 2]
        self.calls += 1
        return self.now


@pytest.mark.parametrize(
    ("seconds", "chosen"), [((2.0, 1.0), "bfloat16"), ((1.0, 13.0), "float32"), ((1.05, 1.0), "float32")]
)
def test_bfloat16_is_chosen_only_where_it_is_measured_faster(
    seconds: tuple[float, float], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    found = choose_precision(str(world_dir()), SETTINGS, Clock(*seconds))
    assert found.dtype == chosen
    assert f"{seconds[0] / seconds[1]:.2f} times" in found.reason


def test_a_cpu_without_its_instructions_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False}, raising=False)
    found = choose_precision("no such model", SETTINGS)
    assert (found.dtype, found.reason) == ("float32", "this CPU has no bfloat16 instructions")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert precision.has_bfloat16()
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # before torch 2.10
    assert not precision.has_bfloat16()


def test_a_folder_keeps_the_precision_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    assert precision_of(tmp_path, "bfloat16", Recipe()) == "bfloat16"  # asked for, not measured
    assert precision_of(tmp_path, "auto", Recipe()) == "float32"
    (tmp_path / "precision.json").write_text('{"dtype": "bfloat16", "reason": "measured elsewhere"}')
    assert precision_of(tmp_path, "auto", Recipe()) == "bfloat16"
