"""Where policies come from: a folder, a name under the model folders, or one of the built-in ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import PolicyError
from ..quiet import quiet
from .base import Policy
from .card import PolicyCard, parse_card
from .combined import SIGN, CombinedPolicy
from .families import families
from .folder_check import as_policy_error, check_policy_folder, check_settings
from .loglinear.policy import NAME, SCHEDULED, NegOptPolicy, family_named, family_names, negopt_card
from .loglinear.tables import TablesError
from .rules import RulesPolicy, rules_card
from .static import StaticPolicy

CARD_NAME = "policy.json"
ORIGIN_NAME = "origin.json"
"""Where a folder was fetched from, so that a workflow can say where others get it."""
HUB_PREFIX = "hf:"
SHIPPED = Path(__file__).resolve().parent.parent / "assets" / "policies"
"""Folder of the trained policies that come with negopt."""
READABLE_KINDS = ("loglinear", "tuned", "rules", "static", "retrieval", "seq2seq", "df")
"""Kinds of policy that this version can run."""
_PLAIN = {"t5": ("seq2seq", "negative"), "gpt2": ("df", "modifiers"), "llama": ("df", "modifiers")}
"""What a plain transformers model becomes, by its `model_type`: NegOpt's kind, PAE's kind."""
_CONFIG, _WEIGHTS = "config.json", ("model.safetensors", "model.safetensors.index.json")
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


RETIRED = ("negopt-mini", "negopt-sched-mini", "pae-mini")
"""Small language models that lost the reading in docs/policies.md: they load by name, and stand in no menu."""


def builtin_names() -> tuple[str, ...]:
    """Every name that comes with negopt, the default first; most also as `NAME:FAMILY`."""
    ours = [name for one in (NAME, SCHEDULED) for name in (one, *(f"{one}:{family}" for family in family_names()))]
    trained = [name for shipped in shipped_names() for name in (shipped, *_with_families(shipped))]
    return (*ours, "static", "rules", *(f"rules:{family}" for family in families()), *trained)


def offered_names() -> tuple[str, ...]:
    """What a menu shows: of `builtin_names` those that are not retired."""
    return tuple(name for name in builtin_names() if name.partition(":")[0] not in RETIRED)


def _with_families(shipped: str) -> list[str]:
    return [f"{shipped}:{family}" for family in known_families(read_card(SHIPPED / shipped))]


def known_families(card: PolicyCard) -> tuple[str, ...]:
    """Families of models that a trained policy can be asked for, each by `NAME:FAMILY`."""
    names = card.settings.get("families", ())
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def default_policy(family: str = "") -> str:
    """What writes unless somebody chooses, by the readings in docs/policies.md: `negopt`, for any family of models.

    The demo world understands no words but its own, and only `rules` has them.
    """
    if family == "world":
        return "rules:world"
    return with_family(NAME, family) if family else NAME


def with_windows(name: str) -> str:
    """The policy that says when phrases act, for hosts that ask for a schedule; other policies as they are."""
    base, colon, family = name.partition(":")
    return f"{SCHEDULED}{colon}{family}" if base == NAME else name


def shipped_names() -> tuple[str, ...]:
    """Trained policies that come with negopt."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{CARD_NAME}")))


def load_policy(name: str, folders: Sequence[Path] = ()) -> Policy:
    """Load a policy by path, by name under one of `folders`, or by built-in name, looked up in this order.

    `NEGATIVE+MODIFIERS` takes the negative from one policy and the modifiers from another. `NAME:FAMILY` asks a policy
    for a family of models that it knows, such as `rules:sdxl`.

    Raises PolicyError for a name that leads nowhere, a malformed card, a kind this version cannot run, and a folder
    that holds pickled weights; MissingPackage where a kind needs a package that is not here. Never uses the network.
    """
    if name.startswith(HUB_PREFIX):
        raise PolicyError(f"{name} is on the hub and nothing is fetched unasked; run `policies pull {name}` first")
    folder = _find(name, folders)
    if folder is not None:
        return _load_folder(folder)
    first, sign, second = name.partition(SIGN)
    if sign:
        return CombinedPolicy(load_policy(first, folders), load_policy(second, folders))
    if name == "static":
        return StaticPolicy()
    kind, colon, family = name.rpartition(":") if ":" in name else (name, "", "")
    if kind in (NAME, SCHEDULED):
        return _negopt(family, kind)
    if kind == "rules":
        return RulesPolicy(rules_card(family) if colon else rules_card())
    folder = _find(kind, folders) if colon else None
    if folder is not None:
        return _load_folder(folder, family)
    searched = ", ".join(str(folder) for folder in folders) or "no model folders"
    raise PolicyError(
        f"no policy is called {name[:200]!r} (looked for a folder with {CARD_NAME}, then in {searched}); "
        f"built in are {', '.join(builtin_names())}"
    )


def _negopt(family: str, name: str) -> Policy:
    """The default policy; `rules`, which says so, where its tables cannot be read: a host has something to write."""
    try:
        return NegOptPolicy(negopt_card(family, name))
    except TablesError as error:
        card = rules_card()
        return RulesPolicy(replace(card, caveats=(*card.caveats, f"{error}; `rules` wrote this instead of {name}")))


def card_named(name: str, folders: Sequence[Path] = ()) -> PolicyCard:
    """The card that `load_policy(name, folders)` would have, without its weights; same errors for the name and card."""
    folder = _find(name, folders)
    if folder is not None:
        return card_of(folder)
    base, colon, family = name.rpartition(":")
    folder = _find(base, folders) if colon and SIGN not in name else None
    if folder is None:
        return load_policy(name, folders).card  # these have no weights
    card = card_of(folder)
    _check_family(card, family)
    return card.for_family(family)


def list_policies(folders: Sequence[Path] = ()) -> list[Listed]:
    """Every policy that `load_policy` can load from `folders` or by built-in name."""
    listed = [Listed(name, _builtin_kind(name), "built in") for name in offered_names()]
    for root in folders:
        for path in sorted(root.glob(f"*/{CARD_NAME}")):
            listed.append(Listed(path.parent.name, read_card(path.parent).kind, str(path.parent)))
    return listed


def _builtin_kind(name: str) -> str:
    shipped = name.partition(":")[0]
    if shipped in (NAME, SCHEDULED):
        return "loglinear"
    return read_card(SHIPPED / shipped).kind if shipped in shipped_names() else shipped


def read_card(folder: Path) -> PolicyCard:
    """The card of a policy folder; raises PolicyError naming the file and what is wrong in it."""
    path = folder / CARD_NAME
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise PolicyError(f"{path} is larger than {_MAX_CARD_BYTES:,} bytes, so it is no policy card")
        text = path.read_text(encoding="utf-8-sig")  # people edit cards, some in Notepad
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"cannot read {path}: {error}; check the folder") from error
    try:
        return parse_card(text)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def read_origin(folder: Path) -> str:
    """Where a policy folder was fetched from, such as `hf:owner/name@revision`; "" if that is not known."""
    try:
        origin = json.loads((folder / ORIGIN_NAME).read_text(encoding="utf-8"))["from"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return origin[:_MAX_ORIGIN] if isinstance(origin, str) else ""


def card_of(folder: Path) -> PolicyCard:
    """The card of a folder; for a plain transformers one, how little is known. PolicyError if it is neither."""
    if (folder / CARD_NAME).is_file():
        return read_card(folder)
    try:
        kind = _PLAIN.get(json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        kind = None
    if kind is None:
        raise PolicyError(
            f"{folder} holds neither {CARD_NAME} nor the configuration of a {', '.join(_PLAIN)}: no policy"
        )
    return PolicyCard(kind[0], folder.name, kind[1], provenance={"made_by": f"unknown: there was no {CARD_NAME}"})


def _is_policy(folder: Path) -> bool:
    try:
        return (folder / CARD_NAME).is_file() or (
            (folder / _CONFIG).is_file() and any((folder / name).is_file() for name in _WEIGHTS)
        )
    except (OSError, ValueError):  # a name too long or with a character that no path can have
        return False


def with_family(name: str, family: str, folders: Sequence[Path] = ()) -> str:
    """The name that asks each part of `name` that knows the family for it; PolicyError if none does."""
    parts = [name] if _find(name, folders) else name.split(SIGN)
    asked = [_asked(part, family, folders) for part in parts]
    if asked == parts:
        known = sorted({one for part in parts for one in _families_of(part, folders)})
        raise PolicyError(f"{name} cannot be asked for {family!r}; it knows {', '.join(known) or 'no families'}")
    return SIGN.join(asked)


def _asked(name: str, family: str, folders: Sequence[Path]) -> str:
    """The name with the family, under the name that this policy has for it; without, if it does not know it."""
    known = _families_of(name, folders)
    if name in (NAME, SCHEDULED) and family not in known and known and (known_as := family_named(family)):
        family = known_as.name
    return f"{name}:{family}" if family in known else name


def _families_of(name: str, folders: Sequence[Path]) -> tuple[str, ...]:
    if name == "rules":
        return tuple(families())
    if name in (NAME, SCHEDULED):
        return family_names()
    folder = _find(name, folders)
    return known_families(card_of(folder)) if folder else ()


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    """The folder of a policy: a path, a name under the folders, or a shipped one."""
    places = (Path(name), *(root / name for root in folders), *([SHIPPED / name] if name in shipped_names() else []))
    return next((place for place in places if name and _is_policy(place)), None)


def _check_family(card: PolicyCard, family: str) -> None:
    if family not in known_families(card) or family not in families():
        known = ", ".join(known_families(card)) or "none"
        raise PolicyError(f"{card.name} cannot be asked for {family!r}; families that it knows: {known}")


@as_policy_error
@quiet()
def _load_folder(folder: Path, family: str = "") -> Policy:
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in _PICKLES)
    if pickles:
        raise PolicyError(
            f"{folder} holds {pickles[0]}, a pickle that could run code; only safetensors are read: convert or remove"
        )
    card = card_of(folder)
    check_settings(card.settings)
    checked = check_policy_folder(folder)
    if family:
        _check_family(card, family)
    if card.kind == "static":
        return StaticPolicy(card)
    if card.kind == "rules":
        return RulesPolicy(card)
    if card.kind == "loglinear":
        return NegOptPolicy.open(folder, card)
    if card.kind == "tuned":
        from .tuned.policy import TunedPolicy

        return TunedPolicy.open(folder, card)
    if card.kind == "retrieval":
        from .retrieval import RetrievalPolicy

        return RetrievalPolicy.open(folder, card)
    if card.kind in ("seq2seq", "df"):
        # torch and transformers are read only for policies that need them
        from .language.suggester import LanguageSuggester

        return LanguageSuggester.open(checked, card, family)
    raise PolicyError(
        f"{folder} is a policy of kind {card.kind[:60]!r}; this version runs {', '.join(READABLE_KINDS)}: update negopt"
    )
