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
    names = [case.__name__ for case in CASES]
    parser.add_argument("--only", action="append", choices=names, help="measure again, and put into the page's rows")
    args = parser.parse_args()
    results: list[Result] = []
    for case in (case for case in CASES if not args.only or case.__name__ in args.only):
        for result in case():
            mark = "MISS" if result.met is False else "ok  "
            print(f"{mark} {result.name}: {result.figure} (bar {result.bar})", flush=True)
            results.append(result)
    if args.only:
        page = args.output.read_text(encoding="utf-8")
        args.output.write_text(replaced(page, results), encoding="utf-8")
        return
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


def replaced(page: str, results: list[Result]) -> str:
    """The page with new rows at the place of those of the same name."""
    lines = page.splitlines(keepends=True)
    for item in results:
        places = [place for place, line in enumerate(lines) if line.startswith(f"| {item.name} |")]
        if not places:
            raise SystemExit(f"the page has no row {item.name!r}; run all of bench")
        lines[places[0]] = f"{row(item)}\n"
    return "".join(lines)


def row(item: Result) -> str:
    """A line of the table."""
    return f"| {item.name} | {item.figure} | {item.bar} | {item.verdict} |"


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
        *map(row, results),
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
