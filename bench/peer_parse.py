"""Run by a peer's Python: milliseconds for our parser and theirs, in turn, and where they read another text.

Reads JSON from stdin, writes JSON.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable


def main() -> None:
    """Arguments: the notation, the peer's checkout."""
    dialect, place = sys.argv[1:]
    asked = json.load(sys.stdin)
    sys.path.insert(0, asked["root"])
    from negopt_core import compile_schedule, parse_prompt, segment_at

    read = _a1111(place) if dialect == "a1111" else _prompt_control(place)
    steps = asked["steps"]
    ours, theirs = compile_schedule(parse_prompt(asked["ours"]), steps), read(asked["theirs"], steps)
    apart = sum(_words(segment_at(ours, step).text) != _words(_live(theirs, step)) for step in range(steps))
    work: tuple[Callable[[], object], ...] = (
        lambda: compile_schedule(parse_prompt(asked["ours"]), steps),
        lambda: read(asked["theirs"], steps),
    )
    times: list[list[float]] = [[], []]
    for turn in range(-2, asked["repeats"]):
        for side in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            work[side]()
            if turn >= 0:
                times[side].append(1e3 * (time.perf_counter() - start))
    ratio = statistics.median(two / one for one, two in zip(*times, strict=True))
    told = {
        "ours": statistics.median(times[0]),
        "theirs": statistics.median(times[1]),
        "ratio": ratio,
        "apart": apart,
    }
    json.dump(told, sys.stdout)


Schedule = list[tuple[float, str]]
"""Before which step, counted from 0, which text."""


def _live(schedule: Schedule, step: int) -> str:
    return next(text for end, text in schedule if step < end - 1e-9)


def _words(text: str) -> str:
    """White space aside, which weighs nothing in a text encoder."""
    return " ".join(text.split())


def _a1111(place: str) -> Callable[[str, int], Schedule]:
    spec = importlib.util.spec_from_file_location("prompt_parser", f"{place}/modules/prompt_parser.py")
    assert spec and spec.loader
    parser = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parser)

    def read(text: str, steps: int) -> Schedule:
        (schedule,) = parser.get_learned_conditioning_prompt_schedules([text], steps)
        # a webui takes the first text whose end is not before the step, which it counts from 0
        return [(end + 1, "".join(part for part, _ in parser.parse_prompt_attention(words))) for end, words in schedule]

    return read


def _prompt_control(place: str) -> Callable[[str, int], Schedule]:
    sys.path.insert(0, place)
    from prompt_control.parser_parsy import parse_prompt_schedules  # type: ignore[import-not-found]

    def read(text: str, steps: int) -> Schedule:
        return [(end * steps, part["prompt"]) for end, part in parse_prompt_schedules(text)]  # shares: no step numbers

    return read


if __name__ == "__main__":
    main()
