"""What negopt takes: megabytes on disk, and in memory once it is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .result import ROOT, Result

_STATM = Path("/proc/self/statm")
_KEPT = f"""
{{}}
import resource
print(int(open("{_STATM}").read().split()[1]) * resource.getpagesize() / 1e6)
"""
_PARTS = ("negopt_core", "nodes", "web", "locales", "negopt_webui", "scripts", "example_workflows", "docs")


def footprint() -> Iterator[Result]:
    """The files a user gets, the shares of the demo world and the policies, and memory over a bare Python."""
    assets = ROOT / "negopt_core" / "assets"
    world, policies = _on_disk(assets / "world"), _on_disk(assets / "policies")
    whole = sum(_on_disk(ROOT / part) for part in _PARTS)
    yield Result("the demo world on disk", f"{world:.1f} MB", "25 MB", world <= 25)
    yield Result(f"{', '.join(_PARTS)} on disk", f"{whole:.1f} MB, of it policies {policies:.1f} MB", "none", True)
    if not _STATM.exists():
        yield Result("import negopt_core, memory over a bare Python", "skipped: only on Linux", "none", None)
        return
    bare, loaded = (_megabytes(code) for code in ("", "import negopt_core"))
    yield Result("import negopt_core, memory over a bare Python", f"{loaded - bare:.1f} MB", "none", True)


def _on_disk(folder: Path) -> float:
    """Megabytes of its files, without what Python keeps beside them."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sum(path.stat().st_size for path in files) / 1e6


def _megabytes(code: str) -> float:
    """Resident memory at the end."""
    command = [sys.executable, "-c", _KEPT.format(code)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
