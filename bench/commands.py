"""How our commands grow: memory of `eval` with prompts, processor time of `train ppo` with processes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from .result import ROOT

_PEAK = (
    "import re, sys; from pathlib import Path; from negopt_core.cli import main\n"
    "status = main(sys.argv[1:])\n"
    "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) / 1024)\n"
    "sys.exit(status)"
)
STEPS = 6
"""Of PPO; a run of one step is taken off, so that starting and loading do not count."""


def peak_megabytes(arguments: list[str]) -> float:
    """Peak memory of one of our commands, in a process of its own (Linux; `ru_maxrss` would begin at the parent's)."""
    command = [sys.executable, "-c", _PEAK, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def eval_megabytes(prompts: int) -> float:
    """`eval` of so many different prompts, painted by the demo world in one step each and judged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.txt"
        path.write_text("".join(f"a photo of a red ball by the sea, number {number}\n" for number in range(prompts)))
        arm = ["--arm", "text:blurry", "--metrics", "world-quality", "--device", "cpu", "--json"]
        arguments = ["eval", "--model", "world", "--prompts", str(path), "--steps", "1", *arm]
        return peak_megabytes([*arguments, "-o", str(Path(folder) / "out")])


def rows_megabytes(rows: int) -> float:
    """`data pairs` over so many rows, which are made on the way."""
    import gzip

    negative = "low quality, worst quality, blurry, watermark, text, signature, bad anatomy, cropped"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl.gz"
        with gzip.open(path, "wt", compresslevel=1) as file:
            for number in range(rows):
                prompt = f"a picture of thing number {number} in a room"
                file.write(json.dumps({"prompt": prompt, "negative": f"{negative}, fault {number}"}) + "\n")
        return peak_megabytes(["data", "pairs", str(path), "-o", str(Path(folder) / "out.jsonl.gz"), "--json"])


def step_seconds(processes: int) -> float:
    """Processor time of a PPO step of 32 pictures, of all processes together."""
    whole, start = (_processor_seconds(processes, steps) for steps in (STEPS, 1))
    return (whole - start) / (STEPS - 1)


def _processor_seconds(processes: int, steps: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = ["--policy", "world-scheduled", "--prompts", "world", "--paint-steps", "6", "--cfg", "2.5", "--json"]
        size = ["--batch", "8", "--group", "4", "--steps", str(steps), "--threads", "1", "--run", f"{folder}/run"]
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        before = _children()
        command = [*launcher, "-m", "--", "negopt_core", "train", "ppo", *run, *size]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
