"""Run every case and write the report."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from pathlib import Path

import torch

from .cases import CASES
from .draw import draw_growth
from .growth import ROWS, every_series, table
from .result import ROOT, Result


def main() -> None:
    """Time, print, write."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    parser.add_argument("--rows", type=int, default=ROWS, help="most rows through `data pairs` (default %(default)s)")
    args = parser.parse_args()
    results: list[Result] = []
    for case in CASES:
        for result in case():
            mark = "MISS" if result.met is False else "ok  "
            print(f"{mark} {result.name}: {result.figure} (bar {result.bar})", flush=True)
            results.append(result)
    growth = []
    for series in every_series(args.rows):
        print(f"{'ok  ' if series.met else 'MISS'} {series.name}: exponent {series.exponent:.2f}", flush=True)
        growth.append(series)
    picture = args.output.parent / "images" / "growth.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(draw_growth(growth))
    page = report(results) + "\n" + "\n".join(table(growth, "images/growth.png")) + "\n"
    args.output.write_text(page, encoding="utf-8")
    print(f"wrote {args.output}")


def report(results: list[Result]) -> str:
    """The Markdown page."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.date.today()}: {os.cpu_count()} cores ({_processor()}), "
        f"Python {platform.python_version()}, torch {torch.__version__}. Medians (least to most); the machine is "
        "shared, so trust ratios and orders of magnitude, not digits.",
        "",
        "| what | measured | bar | met |",
        "|---|---|---|---|",
        *(f"| {item.name} | {item.figure} | {item.bar} | {item.verdict} |" for item in results),
    ]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
