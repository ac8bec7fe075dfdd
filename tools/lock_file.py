"""What a file in tools/lock says of itself: what it was made from, and if somebody edited it. Stdlib, Python 3.7."""

import hashlib
import re
from pathlib import Path

from pip_run import SetupError

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "tools" / "lock"
HEADER = re.compile(r"# Made by `make lock` from (\S+) \(sha256 (\w+)\); do not edit\. The rest: sha256 (\w+)\.\n")


class Locked:
    """One package of a lock: `text` as uv wrote it, `name`, and `pin`, a line without hashes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pin = re.sub(r"\s*\\\n\s+--hash=\S+", "", text)
        self.name = text.partition("==")[0].strip()


def sign(body: str, source: Path) -> str:
    """The body of a lock under its header."""
    where = source.relative_to(ROOT).as_posix()
    made_from, rest = digest(read(source)), digest(body)
    return f"# Made by `make lock` from {where} (sha256 {made_from}); do not edit. The rest: sha256 {rest}.\n{body}"


def check(path: Path) -> None:
    """SetupError if a lock was edited by hand, or is older than what it was made from; other files pass."""
    header, _, body = read(path).partition("\n")
    said = HEADER.match(header + "\n")
    if said is None:
        if path.parent == LOCKS and path.name != "uv.txt":
            raise SetupError(f"{path} has lost its first line: run `git checkout -- {path.name}` there, or `make lock`")
        return
    source, made_from, rest = said.groups()
    if digest(body) != rest:
        raise SetupError(
            f"{path} was edited by hand: take the edit back (git checkout), or change {source} and run `make lock`"
        )
    if (ROOT / source).exists() and digest(read(ROOT / source)) != made_from:
        raise SetupError(f"{source} changed since {path} was made from it: run `make lock`, or take the change back")


def read(path: Path) -> str:
    """A text file; line ends may be those of any system."""
    with path.open(encoding="utf-8", newline=None) as file:
        return file.read()


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
