"""Our text engine beside the peers' parsers, in one process of the peer's own Python: one schedule in both notations.

What is not on this machine is said in its row: NEGOPT_WEBUI_PATH (and NEGOPT_WEBUI_PYTHON) name a checkout of A1111 or
Forge, NEGOPT_PROMPT_CONTROL one of prompt-control.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .result import ROOT, Result

STEPS = 20
BY_HAND = "a castle on a hill, [mist:0.5-1:1] old stone bridge, [golden light:0.2-1:1] [sharp focus:0-0.4:1]"
TYPED = {
    "a1111": "a castle on a hill, [mist::10] old stone bridge, [golden light::16] [sharp focus:12]",
    "prompt-control": "a castle on a hill, [mist::0.5] old stone bridge, [golden light::0.8] [sharp focus:0.6]",
}
"""The same three windows, as people type them there."""
MANY = (
    "a castle on a hill, [mist:0.5-1:1], [river:0-0.9:1], old stone bridge, [highly detailed:0-0.5:1], "
    "[golden light:0.2-1:1], birds, [sharp focus:0-0.4:1], [oil painting:0.3-0.8:1], [wind:0-0.6:1], [8k:0-0.25:1]"
)
"""Eight windows, as our writer spells them in the peer's notation."""
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
    from negopt_core.text.dialects import to_dialect

    spelled = to_dialect(parse_prompt(MANY), dialect, STEPS)
    for label, ours, theirs in (
        ("3 windows typed by hand", BY_HAND, TYPED[dialect]),
        ("8 windows as our writer spells them", MANY, spelled),
    ):
        name = f"parse + compile against {title}, {label}, {STEPS} steps"
        if not place:
            yield Result(name, f"skipped: {variable} is not set", "1 x", None)
            continue
        asked = {"ours": ours, "theirs": theirs, "steps": STEPS, "repeats": _REPEATS, "root": str(ROOT)}
        command = [python, str(Path(__file__).parent / "peer_parse.py"), dialect, place]
        done = subprocess.run(command, input=json.dumps(asked), text=True, capture_output=True, check=False)
        if done.returncode:
            yield Result(name, f"did not run: {done.stderr.strip().splitlines()[-1:]}", "1 x", False)
            continue
        told = json.loads(done.stdout)
        figure = (
            f"{told['ratio']:.1f} x faster ({told['theirs']:.3g} ms against {told['ours']:.3g} ms, n={_REPEATS}); "
            f"another text at {told['apart']} of {STEPS} steps"
        )
        yield Result(name, figure, "1 x", told["ratio"] >= 1)
