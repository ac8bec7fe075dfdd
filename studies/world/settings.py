"""How much `world report` measures."""

from __future__ import annotations

from dataclasses import dataclass

from negopt_core.flags import flag
from negopt_core.paint.choice import WORLD_CFG


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """How much is painted and measured, and with what noise."""

    prompts: int = flag(256, "prompts painted for each arm", "prompt-count", old=("prompts",))
    seeds: int = flag(2, "pictures of each prompt")
    steps: int = flag(10, "sampler steps")
    guidance_scale: float = flag(WORLD_CFG, "guidance scale", "cfg", old=("guidance",))
    scenes: int = 4000
    """Rendered scenes for the judges."""
    seed: int = flag(90_001, "decides prompts and noise")

    @property
    def searches(self) -> int:
        """Prompts of the search for negatives, each with one noise."""
        return 2 * self.prompts

    @property
    def window_searches(self) -> int:
        """Prompts of the search for windows, each with one noise."""
        return max(self.prompts // 2, 1)
