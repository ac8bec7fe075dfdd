"""Says which packages the host lacks. Run by ComfyUI-Manager after installing and by A1111 and Forge at every start.

It installs nothing: all that negopt needs in a host is part of that host, and moving its torch or transformers would
break other extensions. It never fails the start either, so it always exits with 0.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)\s*>=\s*([0-9.]+)")


def complaints(requirements: str) -> list[str]:
    """One line for each requirement (`name>=version` lines) that this Python does not satisfy."""
    found = []
    for line in requirements.splitlines():
        match = REQUIREMENT.match(line)
        if not match:
            continue
        name, wanted = match.groups()
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} {wanted} or newer is missing")
            continue
        if numbers(have) < numbers(wanted):
            found.append(f"{name} is {have}, needs {wanted} or newer")
    return found


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: `2.1.2+cu121` is (2, 1, 2)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def main() -> None:
    """Print what is missing, or nothing at all."""
    if sys.version_info < (3, 10):  # noqa: UP036 - the host chooses the Python that runs this
        print(f"negopt: needs Python 3.10 or newer, this is {sys.version.split()[0]}")
        return
    here = Path(__file__).resolve().parent  # hosts start this from their own folder
    try:
        requirements = (here / "requirements.txt").read_text(encoding="utf-8")
    except OSError as error:
        print(f"negopt: cannot read its list of requirements ({error}); install negopt again")
        return
    for line in complaints(requirements):
        print(f"negopt: {line}; add it to this host's Python with pip (nothing was installed or changed)")


if __name__ == "__main__":
    main()
