"""The notation that we write, read by a webui's own parser: every step must get our words and weights.

Needs a checkout and its Python (NEGOPT_WEBUI_PATH, NEGOPT_WEBUI_PYTHON), not a running webui.
"""

import json
import math
import os
import random
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from negopt_core import DFPrompt, DialectError, Span, Window, compile_schedule, segment_at
from negopt_core.dialects import to_a1111_passes, to_dialect

MOST = 150  # the hosts' grammar is slow to parse: about a quarter of a second each
INSIDE = Path(__file__).parent / "inside" / "parse.py"
WORDS = ["cat", "a dog", ", ", " ", "big", "f(y)", "[z]", "16:9", r"a\b", "a|b", "é", "!", ":", "<x>", "(", "]"]


def ask(cases: list[list[Any]]) -> list[list[list[list[Any]]]]:
    """What the host's parser says; skips, loudly, where there is none."""
    root = os.environ.get("NEGOPT_WEBUI_PATH")
    if not root:
        pytest.skip("NOT CHECKED AGAINST A WEBUI'S PARSER: set NEGOPT_WEBUI_PATH to a checkout")
    python = os.environ.get("NEGOPT_WEBUI_PYTHON") or str(Path(root) / "venv" / "bin" / "python")
    done = subprocess.run(
        [python, str(INSIDE), str(Path(root) / "modules" / "prompt_parser.py")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[list[list[list[Any]]]] = json.loads(done.stdout)
    return answers


def random_prompt(draw: random.Random) -> DFPrompt:
    spans = []
    for _ in range(draw.randint(1, 5)):
        low, high = sorted(draw.sample(range(21), 2))
        text = "".join(draw.choices(WORDS, k=draw.randint(1, 3)))
        spans.append(Span(text, draw.choice([1.0, 1.0, 0.5, 1.25]), Window(low / 20, high / 20)))
    return DFPrompt(tuple(spans))


def joined(parts: Any) -> list[tuple[str, float]]:
    """Neighbours of equal weight as one, without the spaces at the ends that no encoder sees."""
    found = [(text, round(float(weight), 6)) for text, weight in parts if text]
    runs = [("".join(text for text, _ in run), weight) for weight, run in groupby(found, key=lambda part: part[1])]
    if runs:
        runs[0] = (runs[0][0].lstrip(), runs[0][1])
        runs[-1] = (runs[-1][0].rstrip(), runs[-1][1])
    return [part for part in runs if part[0]]


@pytest.mark.host
@pytest.mark.parametrize("hires", [False, True])
def test_the_hosts_parser_gives_every_step_our_words(hires: bool) -> None:
    draw = random.Random(8)
    cases: list[list[Any]] = []
    wanted: list[tuple[DFPrompt, int]] = []
    while len(cases) < MOST:
        prompt, steps, second = random_prompt(draw), draw.choice([2, 7, 10, 20]), draw.choice([3, 10, 20])
        try:
            text = to_a1111_passes(prompt, steps, second) if hires else to_dialect(prompt, "a1111", steps)
        except DialectError:
            continue  # what cannot be said is refused, never bent
        cases.append([text, steps, None])
        wanted.append((prompt, steps))
        if hires:
            cases.append([text, steps, second])
            wanted.append((prompt, second))
    for (text, *_), (prompt, steps), answer in zip(cases, wanted, ask(cases), strict=True):
        schedule = compile_schedule(prompt, steps)
        for step, got in enumerate(answer):
            ours = joined(segment_at(schedule, step).parts)
            assert [part[0] for part in joined(got)] == [part[0] for part in ours], (text, step, steps)
            assert all(math.isclose(a[1], b[1]) for a, b in zip(joined(got), ours, strict=True)), (text, step)
