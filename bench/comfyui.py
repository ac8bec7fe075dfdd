"""What the hook costs inside a real ComfyUI, and what loading the pack costs it; said loudly where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from .result import ROOT, Result
from .timing import Timing

sys.path.insert(0, str(ROOT / "tests" / "nodes"))

from host import INSIDE, Host, find_host

_LOADS = 7


def in_comfyui() -> Iterator[Result]:
    """The sampler hook beside the unhooked model; the import of the pack."""
    host = find_host()
    if not isinstance(host, Host):
        yield Result("sampler hook in ComfyUI", host, "0.3 ms", False)
        return
    told = _ask(host, "measure_hook.py", "--full-size")
    hook = told["hook_ms_a_step"]
    yield Result(
        f"sampler hook, {told['pieces']} pieces, added to a step (processor time, paired, n={told['pairs']})",
        f"{hook['median']:.3g} ms ({hook['least']:.3g} to {hook['most']:.3g})",
        "0.3 ms",
        hook["median"] <= 0.3,
    )
    share = hook["median"] / told["full_size_ms_a_step"]
    yield Result(
        "the same as a share of a step at SD1.5's full size (512 x 512, guided, random weights, one CPU thread)",
        f"{share * 100:.2g} % of {told['full_size_ms_a_step'] / 1000:.3g} s",
        "0.5 %",
        share <= 0.005,
    )
    loaded = Timing(tuple(_ask(host, "measure_import.py")["ms"] / 1e3 for _ in range(_LOADS)))
    name = "ComfyUI loading the pack, over its own imports"
    yield Result(name, str(loaded), "150 ms", loaded.median <= 0.15)


def _ask(host: Host, *command: str) -> dict[str, float]:
    done = subprocess.run(
        [host.python, *command], cwd=INSIDE, env=host.environment, capture_output=True, text=True, check=True
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
