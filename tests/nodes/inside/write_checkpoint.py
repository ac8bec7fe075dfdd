"""Write the tiny SD1.5 checkpoint: `COMFYUI_PATH=... python write_checkpoint.py FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import boot

if __name__ == "__main__":
    boot.start()
    import tiny

    tiny.write_checkpoint(Path(sys.argv[1]))
