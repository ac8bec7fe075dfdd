"""Start a ComfyUI server on the CPU: `COMFYUI_PATH=... python serve.py [ComfyUI's own options]`."""

from __future__ import annotations

import os
import runpy
import sys

import boot

if __name__ == "__main__":
    boot.make_media_importable()
    os.chdir(boot.comfyui())
    sys.path[0] = str(boot.comfyui())  # as if main.py itself had been started
    sys.argv = ["main.py", "--cpu", "--disable-auto-launch", "--disable-api-nodes", *sys.argv[1:]]
    runpy.run_path("main.py", run_name="__main__")
