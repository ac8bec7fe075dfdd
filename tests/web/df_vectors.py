"""What `negopt_core.text.df_text` says to many texts, for the page's own reader to be held to.

`python tests/web/df_vectors.py` from the repository root writes `df_vectors.json` again.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).with_name("df_vectors.json")
CHOSEN = (
    "",
    "a cat",
    "a cat, [trending on artstation:0-0.5:0.75]",
    "a cat[, misty:1-0.5:1], dog",
    "[x:0.5-0:1][y:0.5-0:1]",
    "[full:0-1:1], [heavy:1-0:1.5]",
    r"\[x\] \: \\ \ [a\:b:0-1:2]",
    "[a:b:0-0.5:1]",
    "[x:0.2→0.8:1] [x:0.2–0.8:1] [x:0.2->0.8:1] [x:0.2|->0.8:1] [x:.2 ↦ .8: 1 ] [x:0⟶1:2] [x:0⟼1:2]",
    "[never closed",
    "never opened]",
    "[one [two:0-1:2] three]",
    "a [b] c",
    "[:0-1:2]",
    "[x:0-2:1]",
    "[x:0.5-0.5:1]",
    "[x:0-1:11]",
    "[x:0-1:-1]",
    "[x:0-1:1e1]",
    "[x:0-1:1e-5]",
    "[x:0-1:0.00001234]",
    "[x:0-1:0]",
    "[x:0-1:2.]",
    "[x:0.3333333333-0.6666666666:1]",
    "[x:0.0009765625-0.5:1]",
    "[x:0.0029296875-0.5:1]",
    "[x:0-1e-9:1]",
    "[x:0.0000000001-0.0000000002:1]",
    "[x:0-0.0000000005:1]",
    "[x:0-0.15:0.1]",
    "[x:0-0.85:0.30000000000000004]",
    "[x:0\u00a0-1:1]",
    "[x:0-1:\u00a01]",
    "[x:\u0660-1:1]",
    "[x\n:0-0.5\n:1\t]",
    "🐈 [🐈 cat:0-0.5:1] [🐈",
    "<b>[<i>:0-0.5:1]</b>",
    "trailing \\",
    "[trailing \\:0-0.5:1]",
    "[a\\]:0-0.5:1]",
    "\\\\[x:0-0.5:1]",
    "[x:0-0.5:1]\\",
)
_PARTS = (
    "[",
    "]",
    ":",
    "\\",
    ",",
    " ",
    "-",
    "→",
    "a cat",
    "é",
    "🐈",
    "0",
    "1",
    "0.5",
    ".25",
    "0-0.5",
    ":0.2-0.9:",
    "1.5]",
    "2e-3",
)


def vectors() -> list[dict[str, Any]]:
    """Chosen texts and random ones with a fixed seed, each with spans, problems and the canonical text."""
    from negopt_core.text.df_text import format_prompt, parse_report

    rng = random.Random(7)
    texts = [*CHOSEN, *("".join(rng.choices(_PARTS, k=rng.randint(1, 14))) for _ in range(400))]
    told = []
    for text in texts:
        parsed = parse_report(text)
        spans = [[span.text, span.weight, span.window.start, span.window.end] for span in parsed.prompt.spans]
        problems = [[problem.position, len(problem.text)] for problem in parsed.problems]
        told.append({"text": text, "spans": spans, "problems": problems, "format": format_prompt(parsed.prompt)})
    return told


def as_text() -> str:
    """The file's content: one vector a line."""
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors())
    return f"[\n{lines}\n]\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    VECTORS.write_text(as_text(), encoding="utf-8")
