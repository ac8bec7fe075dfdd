"""Which family of models the webui's loaded checkpoint belongs to, and the policy for it."""

from __future__ import annotations

from typing import Any

from negopt_core.policy.loglinear.policy import family_named
from negopt_core.policy.store import default_policy, with_family

DEFAULT = default_policy()
AUTOMATIC = "automatic"
"""Instead of a family: that of the loaded checkpoint."""
_FLAGS = {"is_sdxl": "sdxl", "is_sd3": "sd3", "is_sd2": "sd2", "is_flux": "flux", "is_sd1": "sd15"}
"""What the webui says of a model that it has loaded, and the family that it means."""

_ENGINES = {
    "Flux": "flux",
    "Flux2": "flux",
    "Chroma": "chroma",
    "QwenImage": "qwen-image",
    "ZImage": "z-image",
    "Lumina2": "z-image",
    "Wan": "wan",
    "Anima": "anima",
}
"""Names of the classes in which Forge and Forge Neo load the models that have no such flag."""


def family_of(model: Any) -> str:
    """The family of a loaded checkpoint, by its file's name or by what the webui knows of it; "" if unknown."""
    file = str(getattr(getattr(model, "sd_checkpoint_info", None), "name", ""))
    by_file = family_named(file) if file else None
    flagged = next((family for flag, family in _FLAGS.items() if getattr(model, flag, False)), "")
    return by_file.name if by_file else flagged or _ENGINES.get(type(model).__name__, "")


def name_for(policy: str, family: str, model: Any) -> str:
    """The policy to load: asked for `family`, or with `AUTOMATIC` the default for the loaded checkpoint.

    PolicyError if `policy` does not know a family that was named.
    """
    if family not in (AUTOMATIC, ""):
        return with_family(policy, family)
    found = family_of(model) if policy == DEFAULT else ""
    return with_family(policy, found) if found else policy


def judged_families(policy: str, family: str, model: Any) -> tuple[str | None, str | None]:
    """For the checks: the family of the loaded checkpoint, and the one that the policy is asked for if it is named."""
    named = family if family not in (AUTOMATIC, "") else policy.partition(":")[2]
    return family_of(model) or None, named or None
