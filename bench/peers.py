"""Our text engine beside the peers' parsers, in one process of the peer's own Python: one schedule in both notations.

What is not on this machine is said in its column: NEGOPT_WEBUI_PATH (and NEGOPT_WEBUI_PYTHON) name a checkout of A1111
or Forge, NEGOPT_PROMPT_CONTROL one of prompt-control.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .result import ROOT, Result

PROMPTS = {
    "3 windows": "a castle on a hill, [mist:0.5-1:1], old stone bridge, [golden light:0.2-1:1], [sharp focus:0-0.4:1]",
    "8 windows": (
        "a castle on a hill, [mist:0.5-1:1], [river:0-0.9:1], old stone bridge, [highly detailed:0-0.5:1], "
        "[golden light:0.2-1:1], birds, [sharp focus:0-0.4:1], [oil painting:0.3-0.8:1], [wind:0-0.6:1], [8k:0-0.25:1]"
    ),
}
STEPS = 20
_REPEATS = 15


def peers() -> Iterator[Result]:
    """Parse a schedule and say what is encoded at each of its steps."""
    webui = os.environ.get("NEGOPT_WEBUI_PATH", "")
    python = os.environ.get("NEGOPT_WEBUI_PYTHON") or str(Path(webui) / "venv" / "bin" / "python")
    control = os.environ.get("NEGOPT_PROMPT_CONTROL", "")
    yield from _beside("a1111", "A1111's parser", webui, python, "NEGOPT_WEBUI_PATH")
    yield from _beside("prompt-control", "prompt-control's parser", control, sys.executable, "NEGOPT_PROMPT_CONTROL")


def _beside(dialect: str, title: str, place: str, python: str, variable: str) -> Iterator[Result]:
    from negopt_core import parse_prompt
    from negopt_core.dialects import to_dialect

    for label, text in PROMPTS.items():
        name = f"parse + compile against {title}, {label}, {STEPS} steps"
        if not place:
            yield Result(name, f"skipped: {variable} is not set", "1 x", True)
            continue
        theirs = to_dialect(parse_prompt(text), dialect, STEPS)
        asked = {"ours": text, "theirs": theirs, "steps": STEPS, "repeats": _REPEATS, "root": str(ROOT)}
        command = [python, str(Path(__file__).parent / "peer_parse.py"), dialect, place]
        told = json.loads(
            subprocess.run(command, input=json.dumps(asked), text=True, capture_output=True, check=True).stdout
        )
        figure = f"{told['ratio']:.1f} x faster ({told['theirs']:.3g} ms against {told['ours']:.3g} ms, n={_REPEATS})"
        yield Result(name, figure, "1 x", told["ratio"] >= 1)
