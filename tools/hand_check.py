"""60 pictures of the demo world read by eye beside the judge: `paint` makes the sheet, `compare` the table.

python tools/hand_check.py paint SHEET.png       60 pictures of 60 prompts, a third of them with a word for a fault
python tools/hand_check.py compare READING.csv TABLE.md

A reading has one line a picture, in the order of the sheet: shape, colour, place, time, and faults joined by "+";
"?" is what could not be told. Whoever reads sees the sheet, not the prompts.
"""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from negopt_core.paint.base import PaintSettings
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.prompt import PromptPair
from negopt_core.world import vocabulary as words
from negopt_core.world import world_dir
from negopt_core.world.captions import read_prompt
from negopt_core.world.judges import judge_pictures, load_judge
from negopt_core.world.measure import draw_prompts

COUNT, PROMPT_SEED, FIRST_SEED = 60, 606, 7000
TABLES = {"shape": words.SHAPES, "colour": words.COLOURS, "place": words.PLACES, "time": words.TIMES}


def prompts() -> list[str]:
    """The prompts in the order of the sheet."""
    rng = random.Random(6)
    plain = draw_prompts(COUNT, PROMPT_SEED)
    found = [text if i % 3 else f"{text}, {rng.choice(list(words.DEGRADATIONS))}" for i, text in enumerate(plain)]
    order = list(range(COUNT))
    rng.shuffle(order)
    return [found[index] for index in order]


def pictures() -> Tensor:
    """[60, 3, 64, 64] in 0..1."""
    painter = load_painter(str(world_dir()), PaintSettings(10, 2.5, batch_size=COUNT), device="cpu")
    return painter.paint([PromptPair.plain(text, "") for text in prompts()], [FIRST_SEED + i for i in range(COUNT)])


def paint(path: Path) -> None:
    """Ten columns, six rows, three times as large."""
    tiles = torch.nn.functional.pad(pictures(), (2, 2, 2, 2))
    rows = [torch.cat(list(tiles[start : start + 10]), dim=2) for start in range(0, COUNT, 10)]
    pixels = (torch.cat(rows, dim=1).permute(1, 2, 0) * 255).round().byte().numpy()
    sheet = Image.fromarray(pixels)
    sheet.resize((sheet.width * 3, sheet.height * 3), Image.Resampling.NEAREST).save(path)


def compare(reading: Path, table: Path) -> None:
    """Write what was read beside what the eval judge says."""
    with reading.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    verdict = judge_pictures(load_judge(world_dir() / "judges" / "eval.safetensors"), pictures())
    judged = [
        {head: table[int(verdict.logits[head][i].argmax())] for head, table in TABLES.items()}
        | {"faults": {name for k, name in enumerate(words.DEGRADATIONS) if verdict.logits["degradations"][i, k] > 0}}
        for i in range(COUNT)
    ]
    table.write_text(
        "\n".join([*_attributes(read, judged), "", *_faults(read, judged), "", *_rows(read, judged)]) + "\n"
    )


def _attributes(read: list[dict[str, str]], judged: list[dict]) -> list[str]:
    lines = ["| | told by eye | judge agrees | as the prompt asks |", "|---|---|---|---|"]
    for head, table in TABLES.items():
        told = [i for i in range(COUNT) if read[i][head] != "?"]
        agreed = sum(read[i][head] == judged[i][head] for i in told)
        asked = sum(read[i][head] == table[getattr(read_prompt(prompts()[i]), head)] for i in told)
        lines.append(f"| {head} | {len(told)} of {COUNT} | {agreed} | {asked} |")
    return lines


def _faults(read: list[dict[str, str]], judged: list[dict]) -> list[str]:
    lines = ["| degradation | by eye | judge | both |", "|---|---|---|---|"]
    for name in words.DEGRADATIONS:
        mine = {i for i in range(COUNT) if name in read[i]["faults"].split("+")}
        theirs = {i for i in range(COUNT) if name in judged[i]["faults"]}
        lines.append(f"| {name} | {len(mine)} | {len(theirs)} | {len(mine & theirs)} |")
    return lines


def _rows(read: list[dict[str, str]], judged: list[dict]) -> list[str]:
    lines = ["| | prompt | by eye | judge, where it differs |", "|---|---|---|---|"]
    for number, (text, mine, theirs) in enumerate(zip(prompts(), read, judged, strict=True), 1):
        content = " ".join(mine[head] for head in TABLES)
        other = [theirs[head] for head in TABLES if mine[head] != theirs[head]]
        seen = set(mine["faults"].split("+")) - {""}
        more, less = sorted(theirs["faults"] - seen), sorted(seen - theirs["faults"])
        differs = "; ".join([*other, *(f"+ {name}" for name in more), *(f"- {name}" for name in less)])
        lines.append(f"| {number} | {text} | {content}{': ' if seen else ''}{', '.join(sorted(seen))} | {differs} |")
    return lines


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    {"paint": paint, "compare": compare}[command](*map(Path, paths))
