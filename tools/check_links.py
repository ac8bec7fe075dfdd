"""Checks links without a network: `python tools/check_links.py`. One line for each that leads nowhere; then exit 1.

Looked at are relative links, pictures and anchors in every tracked Markdown page, and the names of pages (`docs/...`)
in every tracked text file. CHANGELOG.md and docs/dev/decisions.md tell of files as they were: names there may be old.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
HISTORY = {"CHANGELOG.md", "docs/dev/decisions.md"}
LINK = re.compile(r"""\]\(\s*<?([^)>\s]+)>?(?:\s+"[^"]*")?\s*\)|<(?:a|img)\s[^>]*?(?:href|src)=["']([^"']+)["']""")
NAME = re.compile(r"(?<![\w/.+-])docs/[\w/-]+\.(?:md|json|jpg|png)\b")
CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
TEXT = {".py", ".md", ".js", ".mjs", ".txt", ".json", ".toml", ".yml", ""}


def main() -> int:
    """Print what leads nowhere; the exit status."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [name for name in listed.splitlines() if (ROOT / name).is_file()]
    found = [line for name in files for line in broken(ROOT, name)]
    print("\n".join(found) if found else f"links: {sum(name.endswith('.md') for name in files)} pages, nothing broken")
    return 1 if found else 0


def broken(root: Path, name: str) -> Iterator[str]:
    """`FILE:LINE: what` for every link of a page, and every name of a page in a file, that leads nowhere."""
    path = root / name
    if path.suffix not in TEXT or path.stat().st_size > 2_000_000:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    if name not in HISTORY:
        for hit in NAME.finditer(text):
            if not any((folder / hit[0]).exists() for folder in (root, root / "web", path.parent)):
                yield f"{name}:{line_of(text, hit.start())}: there is no {hit[0]}"
    if path.suffix == ".md" and name != "CHANGELOG.md":
        for place, target in links(text):
            if problem := why_not(path, target):
                yield f"{name}:{line_of(text, place)}: {problem}"


def links(text: str) -> Iterator[tuple[int, str]]:
    """Place and target of each link outside of code."""
    plain = CODE.sub(blanked, text)
    plain = re.sub(r"`[^`\n]*`", blanked, plain)
    for hit in LINK.finditer(plain):
        yield hit.start(), hit[1] or hit[2]


def why_not(page: Path, target: str) -> str | None:
    """Why a link does not lead anywhere; None if it does, or if it leads into the network."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    file, _, anchor = target.partition("#")
    there = page.parent / unquote(file) if file else page
    if not exists(there):
        return f"there is no {file}"
    if anchor and there.suffix == ".md" and unquote(anchor) not in anchors(there.read_text(encoding="utf-8")):
        return f"{there.name} has no heading #{anchor}"
    return None


def exists(path: Path) -> bool:
    """Whether it is there with these very letters: a code host knows capitals where Windows and macOS do not."""
    resolved = path.resolve()
    return resolved.exists() and (not resolved.name or resolved.name in {one.name for one in resolved.parent.iterdir()})


def anchors(text: str) -> set[str]:
    """The anchors that code hosts make of headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*\s*$", CODE.sub("", text), re.MULTILINE):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = sum(bool(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one)) for one in found)
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def blanked(hit: re.Match[str]) -> str:
    """The same lines without letters, so that places stay."""
    return re.sub(r"[^\n]", " ", hit[0])


def line_of(text: str, place: int) -> int:
    """The number of a place's line, from 1."""
    return text.count("\n", 0, place) + 1


if __name__ == "__main__":
    sys.exit(main())
