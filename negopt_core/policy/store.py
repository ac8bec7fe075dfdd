"""Where policies come from: a folder, a name under the model folders, or one of the built-in ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import PolicyError
from .base import Policy
from .card import PolicyCard, parse_card
from .families import FAMILIES
from .guard import check_folder, check_settings, said_plainly
from .joint import SIGN, JointPolicy
from .rules import RulesPolicy, rules_card
from .static import StaticPolicy

CARD_NAME = "policy.json"
ORIGIN_NAME = "origin.json"
"""Where a folder was fetched from, so that a workflow can say where others get it."""
HUB_PREFIX = "hf:"
SHIPPED = Path(__file__).resolve().parent.parent / "assets" / "policies"
"""Folder of the trained policies that come with negopt."""
READABLE_KINDS = ("rules", "static", "retrieval", "seq2seq", "df")
"""Kinds of policy that this version can run."""
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_MAX_CARD_BYTES = 1_000_000
_MAX_ORIGIN = 300


@dataclass(frozen=True, slots=True)
class Listed:
    """One policy that can be loaded by `name`."""

    name: str
    kind: str
    where: str
    """"built in", or the folder."""


def builtin_names() -> tuple[str, ...]:
    """What comes with negopt: `static`, `rules` (for Stable Diffusion 1.5), `rules:FAMILY`, and the trained ones."""
    return ("static", "rules", *(f"rules:{family}" for family in FAMILIES), *shipped_names())


def shipped_names() -> tuple[str, ...]:
    """Trained policies that come with negopt."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{CARD_NAME}")))


def load_policy(name: str, folders: Sequence[Path] = ()) -> Policy:
    """Load a policy by path, by name under one of `folders`, or by built-in name, looked up in this order.

    `NEGATIVE+MODIFIERS` takes the negative from one policy and the modifiers from another.

    Raises PolicyError for a name that leads nowhere, a malformed card, a kind this version cannot run, and a folder
    that holds pickled weights. Never uses the network.
    """
    if name.startswith(HUB_PREFIX):
        raise PolicyError(f"{name} is on the hub and nothing is fetched unasked; run `policies pull {name}` first")
    for folder in (Path(name), *(root / name for root in folders)):
        if name and _is_policy(folder):
            return _load_folder(folder)
    first, sign, second = name.partition(SIGN)
    if sign:
        return JointPolicy(load_policy(first, folders), load_policy(second, folders))
    if name in shipped_names():
        return _load_folder(SHIPPED / name)
    if name == "static":
        return StaticPolicy()
    kind, _, family = name.partition(":")
    if kind == "rules":
        return RulesPolicy(rules_card(family) if family or ":" in name else rules_card())
    searched = ", ".join(str(folder) for folder in folders) or "no model folders"
    raise PolicyError(
        f"no policy is called {name[:200]!r} (looked for a folder with {CARD_NAME}, then in {searched}); "
        f"built in are {', '.join(builtin_names())}"
    )


def list_policies(folders: Sequence[Path] = ()) -> list[Listed]:
    """Every policy that `load_policy` can load from `folders` or by built-in name."""
    found = [Listed(name, _builtin_kind(name), "built in") for name in builtin_names()]
    for root in folders:
        for path in sorted(root.glob(f"*/{CARD_NAME}")):
            found.append(Listed(path.parent.name, read_card(path.parent).kind, str(path.parent)))
    return found


def _builtin_kind(name: str) -> str:
    return read_card(SHIPPED / name).kind if name in shipped_names() else name.partition(":")[0]


def read_card(folder: Path) -> PolicyCard:
    """The card of a policy folder; raises PolicyError naming the file and what is wrong in it."""
    path = folder / CARD_NAME
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise PolicyError(f"{path} is larger than {_MAX_CARD_BYTES:,} bytes, so it is no policy card")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"cannot read {path}: {error}; check the folder") from error
    try:
        return parse_card(text)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def read_origin(folder: Path) -> str:
    """Where a policy folder was fetched from, such as `hf:owner/name@revision`; "" if that is not known."""
    try:
        told = json.loads((folder / ORIGIN_NAME).read_text(encoding="utf-8"))["from"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return told[:_MAX_ORIGIN] if isinstance(told, str) else ""


def _is_policy(folder: Path) -> bool:
    try:
        return (folder / CARD_NAME).is_file()
    except (OSError, ValueError):  # a name too long or with a character that no path can have
        return False


@said_plainly
def _load_folder(folder: Path) -> Policy:
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in _PICKLES)
    if pickles:
        raise PolicyError(
            f"{folder} holds {pickles[0]}, a pickle that could run code; only safetensors are read: convert or remove"
        )
    card = read_card(folder)
    check_settings(card.settings)
    check_folder(folder)
    if card.kind == "static":
        return StaticPolicy(card)
    if card.kind == "rules":
        return RulesPolicy(card)
    if card.kind == "retrieval":
        from .retrieval import RetrievalPolicy

        return RetrievalPolicy.open(folder, card)
    if card.kind in ("seq2seq", "df"):
        # torch and transformers are read only for policies that need them
        from .language.suggester import LanguageSuggester

        return LanguageSuggester.open(folder, card)
    raise PolicyError(
        f"{folder} is a policy of kind {card.kind[:60]!r}; this version runs {', '.join(READABLE_KINDS)}: update negopt"
    )
