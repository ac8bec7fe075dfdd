"""Which family of models the webui's loaded checkpoint belongs to, and the default policy for it."""

from __future__ import annotations

from typing import Any

from negopt_core.policy.loglinear.policy import family_named
from negopt_core.policy.store import default_policy, with_family

DEFAULT = default_policy()
_FLAGS = {"is_sdxl": "sdxl", "is_sd3": "sd3", "is_sd2": "sd2", "is_flux": "flux"}
"""What the webui says of a model that it has loaded, and the family that it means."""


def name_for_model(name: str, model: Any) -> str:
    """The default policy for the loaded checkpoint, by its file's name or by what the webui knows of it."""
    if name != DEFAULT or model is None:
        return name
    file = str(getattr(getattr(model, "sd_checkpoint_info", None), "name", ""))
    by_file = family_named(file) if file else None
    flagged = next((family for flag, family in _FLAGS.items() if getattr(model, flag, False)), "")
    family = by_file.name if by_file else flagged
    return with_family(name, family) if family else name
