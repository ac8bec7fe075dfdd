"""Run every case and write the report."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from .cases import CASES, Case
from .draw import draw_growth
from .growth import ROWS, every_series, table
from .result import ROOT, Result

GROWTH = "growth"


def main() -> None:
    """Time, print, write."""
    names = [*(case.__name__ for case in CASES), GROWTH]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "generated" / "benchmarks.md")
    parser.add_argument("--rows", type=int, default=ROWS, help="most rows through `data pairs` (default %(default)s)")
    parser.add_argument("--only", action="append", choices=names, help="measure this again, for the page that is there")
    args = parser.parse_args()
    wanted = args.only or names
    results = list(measured([case for case in CASES if case.__name__ in wanted]))
    page = replaced(args.output.read_text(encoding="utf-8"), results) if args.only else report(results)
    if GROWTH in wanted:
        page = page.partition("\n## Growth")[0] + "\n" + growth(args.output.parent, args.rows)
    args.output.write_text(page, encoding="utf-8")
    print(f"wrote {args.output}")


def measured(cases: list[Case]) -> Iterator[Result]:
    """Every row of the cases, said as soon as it is there."""
    for case in cases:
        for result in case():
            mark = "MISS" if result.met is False else "ok  "
            print(f"{mark} {result.name}: {result.figure} (bar {result.bar})", flush=True)
            yield result


def growth(folder: Path, most_rows: int) -> str:
    """The section on growth; its plots go into `images` in `folder`."""
    found = []
    for series in every_series(most_rows):
        print(f"{'ok  ' if series.met else 'MISS'} {series.name}: exponent {series.exponent:.2f}", flush=True)
        found.append(series)
    picture = folder / "images" / "growth.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(draw_growth(found))
    return "\n".join(table(found, "images/growth.png")) + "\n"


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
