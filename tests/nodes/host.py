"""Finding a ComfyUI on this machine and running our checks in its own interpreter."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
RUN_SECONDS = 900
"""Far above what the checks take; a hang must not stop the suite for ever."""


@dataclass(frozen=True)
class Host:
    """A ComfyUI checkout and the interpreter that can run it."""

    root: Path
    python: Path

    @property
    def environment(self) -> dict[str, str]:
        """What its processes get: our own environment, this checkout, one thread."""
        return {**os.environ, "COMFYUI_PATH": str(self.root), "OMP_NUM_THREADS": "1"}


def find_host() -> Host | str:
    """The ComfyUI to test in, or why there is none."""
    root = Path(os.environ.get("COMFYUI_PATH") or Path.home() / "comfy" / "ComfyUI")
    if not (root / "comfy" / "samplers.py").is_file():
        return f"NOT TESTED INSIDE COMFYUI: no checkout at {root}; set COMFYUI_PATH"
    python = Path(os.environ.get("COMFYUI_PYTHON") or root / ".venv" / "bin" / "python")
    if not python.is_file():
        return f"NOT TESTED INSIDE COMFYUI: no interpreter at {python}; set COMFYUI_PYTHON"
    return Host(root, python)


def check_names(*modules: str) -> list[str]:
    """`module.function` of every check in files under `inside/`, read without importing them."""
    return [
        f"{module}.{item.name}"
        for module in modules
        for item in ast.parse((INSIDE / f"{module}.py").read_text(encoding="utf-8")).body
        if isinstance(item, ast.FunctionDef) and item.name.startswith("check_")
    ]


def run_checks(host: Host, *modules: str) -> dict[str, str | None]:
    """`module.function` -> what went wrong in it, or None."""
    done = subprocess.run(
        [host.python, "run.py", *modules],
        cwd=INSIDE,
        env=host.environment,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    lines = [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("@")]
    if not lines or done.returncode:
        raise RuntimeError(f"the checks did not run to their end:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return {line["check"]: line["fault"] for line in lines}
