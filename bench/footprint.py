"""What negopt takes: megabytes on disk, and in memory once it is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from .result import ROOT, Result

_KEPT = "import sys, resource; {}; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
_PARTS = ("negopt_core", "nodes", "web", "locales", "negopt_webui", "scripts", "example_workflows")


def footprint() -> Iterator[Result]:
    """The files a user gets, the demo world's share of them, and memory over a bare Python."""
    listed = subprocess.run(["git", "ls-files", *_PARTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sizes = {line: (ROOT / line).stat().st_size / 1e6 for line in listed.splitlines()}
    world = sum(size for line, size in sizes.items() if line.startswith("negopt_core/assets/world/"))
    policies = sum(size for line, size in sizes.items() if line.startswith("negopt_core/assets/policies/"))
    yield Result("the demo world on disk", f"{world:.1f} MB", "25 MB", world <= 25)
    yield Result(
        "everything a user gets, on disk", f"{sum(sizes.values()):.1f} MB ({policies:.1f} policies)", "none", True
    )
    bare, loaded = (_megabytes(code) for code in ("pass", "import negopt_core, negopt_core.policy"))
    yield Result("import negopt_core, memory over a bare Python", f"{loaded - bare:.1f} MB", "none", True)


def _megabytes(code: str) -> float:
    """Peak resident memory."""
    command = [sys.executable, "-c", _KEPT.format(code)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
