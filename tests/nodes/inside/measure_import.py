"""Time the loading of the pack after ComfyUI's own modules are there: `COMFYUI_PATH=... python measure_import.py`."""

from __future__ import annotations

import gc
import json
import sys
import time

import boot

if __name__ == "__main__":
    boot.start()
    import comfy.samplers  # what a running ComfyUI has loaded anyway
    import comfy_api.latest
    import folder_paths

    import nodes

    loaded_before = (comfy.samplers, comfy_api.latest, folder_paths, nodes)
    gc.collect()
    gc.freeze()  # or a walk over all of ComfyUI's objects, 300 ms, falls into our imports by chance
    begun = time.perf_counter()
    boot.load_pack()
    milliseconds = (time.perf_counter() - begun) * 1000
    sys.stdout.write(json.dumps({"ms": milliseconds, "host_modules": len(loaded_before)}) + "\n")
