"""The notation that we write and read, against a webui's own parser: every step must get the same words and weights.

Needs a checkout and its Python (NEGOPT_WEBUI_PATH, NEGOPT_WEBUI_PYTHON), not a running webui.
"""

import json
import math
import os
import random
import re
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from negopt_core import DFPrompt, DialectError, Span, Window, compile_schedule, segment_at
from negopt_core.text.dialects import import_dialect, to_a1111_passes, to_dialect

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


PIECES = ["cat", "dog", "(big:1.3)", "red ", " ", ", ", r"\(x\)", "16;9", "[soft]"]
TIMES = ["0", "1", "3", "9", "12", "0.5", "1.0", "1.5"]


def random_text(draw: random.Random, depth: int = 0) -> str:
    """Prompt editing and words that take turns, nested; bars outside of brackets only where nothing is edited."""
    out = ""
    for _ in range(draw.randint(1, 3)):
        kind = draw.random()
        if kind < 0.5 or depth > 2:
            out += draw.choice(PIECES if depth else [*PIECES, "|_|", "{a|b}"])
        elif kind < 0.75:
            out += f"[{'|'.join(random_text(draw, depth + 1) for _ in range(draw.randint(2, 3)))}]"
        else:
            out += f"[{random_text(draw, depth + 1)}:{random_text(draw, depth + 1)}:{draw.choice(TIMES)}]"
    return out


def bare(parts: Any) -> list[tuple[str, float]]:
    """Parts without separators, which our rule takes out with an absent phrase."""
    return joined([(re.sub(r"[\s,]+", "", text), weight) for text, weight in parts])


@pytest.mark.host
def test_what_we_read_is_what_the_hosts_parser_gives_every_step() -> None:
    draw = random.Random(9)
    cases: list[list[Any]] = []
    read: list[DFPrompt] = []
    while len(cases) < MOST:
        text, steps, second = random_text(draw), draw.choice([1, 2, 5, 8]), draw.choice([None, None, 3, 6])
        try:
            read.append(import_dialect(text, "a1111", second or steps, steps if second else None).prompt)
        except DialectError:
            continue  # what would be bent is refused
        cases.append([text, steps, second])
    for (text, steps, second), prompt, answer in zip(cases, read, ask(cases), strict=True):
        schedule = compile_schedule(prompt, second or steps)
        for step, got in enumerate(answer):
            ours = bare(segment_at(schedule, step).parts)
            assert [part[0] for part in bare(got)] == [part[0] for part in ours], (text, step, steps, second)
            assert all(math.isclose(a[1], b[1]) for a, b in zip(bare(got), ours, strict=True)), (text, step)
