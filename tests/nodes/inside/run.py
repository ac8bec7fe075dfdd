"""Run the check functions of this folder in the host's interpreter and print one JSON line for each.

COMFYUI_PATH=... python run.py checks_exact checks_samplers
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback

import boot


def main(names: list[str]) -> None:
    import torch

    torch.set_num_threads(1)
    boot.start()
    for name in names:
        checks = importlib.import_module(name)
        for title, check in vars(checks).items():
            if title.startswith("check_"):
                begun = time.perf_counter()
                try:
                    check()
                    fault = None
                except Exception:  # every failure is reported to pytest, which fails the test of this name
                    fault = traceback.format_exc()
                line = {"check": f"{name}.{title}", "fault": fault, "seconds": round(time.perf_counter() - begun, 2)}
                sys.stdout.write("\n@" + json.dumps(line) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
