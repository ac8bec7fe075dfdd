"""Does a picture still hold what its provenance says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NegOptError
from ..paint.pictures import read_image, to_pixels
from ..policy import load_policy
from ..policy.store import builtin_names
from .origin import Origin
from .picture_texts import hash_pixels

MATCHES, DIFFERS, UNKNOWN = "matches", "differs", "cannot be checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    what: str
    outcome: str
    """matches, differs or cannot be checked."""
    why: str = ""


def verify(path: Path, origin: Origin, policy_folders: Sequence[Path] = ()) -> list[Check]:
    """Pixels against their hash, and the policy on this machine against the one that wrote the words."""
    return [_pixels(path, origin), _policy(origin, policy_folders)]


def _pixels(path: Path, origin: Origin) -> Check:
    if not origin.pixels_sha256:
        return Check("pixels", UNKNOWN, f"{origin.host} recorded no hash of them")
    digest = hash_pixels(to_pixels(read_image(path)))
    if digest == origin.pixels_sha256:
        return Check("pixels", MATCHES)
    return Check("pixels", DIFFERS, "the picture was changed after it was saved, or saved again with loss")


def _policy(origin: Origin, folders: Sequence[Path]) -> Check:
    if not origin.policy or not origin.policy_hash:
        return Check("policy", UNKNOWN, "no policy wrote these words" if not origin.policy else "its hash is not there")
    # the card of the built-in tables is called `rules` whatever the family
    names = [origin.policy, *(name for name in builtin_names() if name.startswith(f"{origin.policy}:"))]
    try:
        fingerprints = [load_policy(name, folders).fingerprint for name in names]
    except NegOptError as error:
        return Check("policy", UNKNOWN, f"{origin.policy} is not here: {' '.join(str(error).split())}")
    if any(fingerprint.startswith(origin.policy_hash) for fingerprint in fingerprints):
        return Check("policy", MATCHES)
    return Check("policy", DIFFERS, f"{origin.policy} here has {fingerprints[0][:16]}, not {origin.policy_hash[:16]}")
