"""Frozen dataclasses as flags of a command: a field made by `flag` or `word` is declared, read back and recorded.

The default stands in the dataclass alone: the parser hands over only what a user gave. A field whose type is another
dataclass is made by `nested`; its flags are the command's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from typing import Any

_TYPES = {"str": str, "int": int, "float": float, "Path": Path}
"""Annotations, as text, whose values argparse reads."""


def flag(default: Any = MISSING, help: str = "", *names: str, **more: Any) -> Any:
    """A field that is a flag. `names` are its spellings, without dashes; the field's own name if there are none.

    `more`: `old` (spellings that stay understood), `shown` (the default in words, where it is None), `key` (its name
    in records), `is_recorded` (False for what changes no result), and argparse's own `metavar`, `choices`, `type`,
    `nargs`, `const`. A bool is a switch, a tuple without `type` a flag that is repeated. No default: required.
    """
    return field(default=default, metadata={"help": help, "names": names, **more})


def word(default: Any = MISSING, help: str = "", **more: Any) -> Any:
    """A field that is a positional argument."""
    return field(default=default, metadata={"help": help, "is_word": True, **more})


def nested(settings: type[Any]) -> Any:
    """A field that holds other settings, whose flags are declared with the rest."""
    return field(default_factory=settings, metadata={"settings": settings})


def _flags(settings: type[Any]) -> Iterator[Field[Any]]:
    for one in fields(settings):
        if "settings" in one.metadata:
            yield from _flags(one.metadata["settings"])
        elif "help" in one.metadata:
            yield one


def _dest(one: Field[Any]) -> str:
    """The longest spelling with underscores: no two flags of a command share it."""
    return str(max((one.name, *one.metadata.get("names", ())), key=len)).replace("-", "_")


def _key(one: Field[Any]) -> str:
    return str(one.metadata.get("key", _dest(one)))


def declare(parser: argparse.ArgumentParser, settings: type[Any]) -> None:
    """Add every flag and word of `settings` to a parser."""
    for one in _flags(settings):
        told: dict[str, Any] = {"dest": _dest(one), "default": argparse.SUPPRESS}
        kind = str(one.type).removesuffix(" | None")
        if kind == "bool":
            told["action"] = "store_true"
        else:
            many = kind.startswith("tuple[")
            told["type"] = one.metadata.get("type") or _TYPES[kind.removeprefix("tuple[").removesuffix(", ...]")]
            told |= {
                name: one.metadata[name] for name in ("metavar", "choices", "nargs", "const") if name in one.metadata
            }
            if many and "type" not in one.metadata and not one.metadata.get("is_word"):
                told["action"] = "append"
        _add(parser, one, told)


def _add(parser: argparse.ArgumentParser, one: Field[Any], told: dict[str, Any]) -> None:
    text = _help(one)
    if one.metadata.get("is_word"):
        if one.default is not MISSING:
            told["nargs"] = "?"
        parser.add_argument(told.pop("dest"), help=text, **told)
        return
    spellings = [_dashed(name) for name in one.metadata["names"] or (one.name.replace("_", "-"),)]
    parser.add_argument(*spellings, help=text, required=one.default is MISSING, **told)
    for old in one.metadata.get("old", ()):
        parser.add_argument(_dashed(old), help=argparse.SUPPRESS, **told)


def _dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _help(one: Field[Any]) -> str:
    """What a flag is for, with its default; argparse reads % as a placeholder."""
    shown = one.metadata.get("shown", one.default)
    if shown is MISSING or one.metadata.get("is_word"):
        return str(one.metadata["help"]).replace("%", "%%")
    if isinstance(shown, bool):
        shown = "on" if shown else "off"
    elif isinstance(shown, tuple):
        shown = ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in shown)
    elif isinstance(shown, float):
        shown = f"{shown:g}"
    default = f"(default {'none' if shown in (None, '') else shown})"
    return f"{one.metadata['help']} {default}".strip().replace("%", "%%")


def read(settings: type[Any], given: Mapping[str, Any]) -> Any:
    """The settings that a parser's namespace, as a mapping, gives; what is not in it has the dataclass's default."""
    values: dict[str, Any] = {}
    for one in fields(settings):
        if "settings" in one.metadata:
            values[one.name] = read(one.metadata["settings"], given)
        elif "help" in one.metadata and _dest(one) in given:
            value = given[_dest(one)]
            values[one.name] = tuple(value) if isinstance(value, list) else value
    return settings(**values)


def recorded(settings: Any) -> dict[str, Any]:
    """The settings that decide a result, by the names that run folders and cards have for them."""
    found: dict[str, Any] = {}
    for one in fields(settings):
        value = getattr(settings, one.name)
        if "settings" in one.metadata:
            found |= recorded(value)
        elif "help" in one.metadata and one.metadata.get("is_recorded", True):
            found[_key(one)] = list(value) if isinstance(value, tuple) else value
    return found


def given_in(settings: type[Any], words: Sequence[str]) -> dict[str, Any]:
    """Only what a command line gives, by the names that run folders and cards have."""
    parser = argparse.ArgumentParser()
    declare(parser, settings)
    for action in parser._actions:
        action.required = False
    given = vars(parser.parse_args(words))
    return {_key(one): given[_dest(one)] for one in _flags(settings) if _dest(one) in given}
