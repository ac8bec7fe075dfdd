"""Measure the page on this machine: `python tests/web/measure_page.py`. Prints a table for docs/dev/benchmarks.md.

Needs what tests/web/test_page.py needs: a ComfyUI, node, Chromium, playwright-core. NEGOPT_FRONTEND chooses the
frontend.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "nodes")]

from browser_tools import find_browser  # noqa: E402
from host import Host, find_host  # noqa: E402
from server import running  # noqa: E402

ROWS = {
    "one_click_ms": "one click to filled text, warm, ms (median of 6)",
    "drag_frame_ms": "one frame of a drag over 50 phrases: script, style, layout, ms (median)",
    "drag_frame_p95_ms": "the same, 95th percentile",
    "hundred_kb_ms": "100 kB of broken text until drawn, ms",
    "page_load_ms": "our scripts while the page loads, main thread, ms (median of 3)",
}


def measure() -> dict[str, dict[str, float]]:
    """Renderer -> figure -> value."""
    host, browser = find_host(), find_browser()
    if not isinstance(host, Host):
        raise SystemExit(host)
    if isinstance(browser, str):
        raise SystemExit(browser)
    found = {}
    with tempfile.TemporaryDirectory() as base, running(host, Path(base)) as server:
        for mode in ("classic", "vue"):
            command = ["node", str(HERE / "page" / "measure.mjs"), server.address, mode]
            done = subprocess.run(
                command, env={**os.environ, **browser}, capture_output=True, text=True, timeout=3600, check=True
            )
            (line,) = [line for line in done.stdout.splitlines() if line.startswith("@")]
            found[mode] = json.loads(line[1:])
    return found


def main() -> None:
    found = measure()
    lines = ["| | classic | Vue |", "|---|---|---|"]
    lines += [f"| {title} | {found['classic'][key]:.1f} | {found['vue'][key]:.1f} |" for key, title in ROWS.items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
