"""A host stays as it was when our packages are loaded into it. Inside a real ComfyUI: `checks_host_state`."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(__file__).with_name("state.py")
SKINS = sorted(
    path for name in ("negopt_core", "negopt_webui", "nodes", "scripts") for path in (ROOT / name).rglob("*.py")
)
COMMAND_LINE = {"negopt_core/cli.py", "negopt_core/__main__.py"}
ALLOWED = {
    ("studies/world/runner.py", "torch.set_num_threads"),  # in the worker processes that it starts
    ("nodes/api_answers.py", "time.time"),  # the date that a like is kept with; nothing is computed from it
}


CARELESS = (
    "random.random()", "torch.manual_seed(0)", "torch.set_default_dtype(torch.float16)", "torch.set_num_threads(3)",
    "warnings.simplefilter('ignore')", "logging.basicConfig()", "sys.path.insert(0, 'x')", "os.environ.pop('A', 0)",
    "setattr(torch.nn.Linear, 'forward', len)", "setattr(torch, 'load', len)", "torch.set_grad_enabled(False)",
)  # fmt: skip
"""Each of these stands in for a line in one of our modules."""


@pytest.fixture(scope="module")
def changed() -> list[list[str]]:
    """What changes in a Python that has torch and diffusers: by our packages, then by a careless one."""
    careless = f"import random, torch, warnings, logging, sys, os; {'; '.join(CARELESS)}"
    program = (
        "import state; state.main(); real = state.our_modules; "
        f"state.our_modules = lambda: exec({careless!r}) or real(); state.main()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=STATE.parent,
        env={
            **os.environ,
            "A": "b",
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(STATE.parent), os.environ["PYTHONPATH"])),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(told) == 2 and all(one["imported"] > 80 for one in told)
    return [one["changed"] for one in told]


@pytest.mark.slow
def test_importing_every_module_of_ours_changes_nothing_of_the_host(changed: list[list[str]]) -> None:
    assert changed[0] == []


@pytest.mark.slow
def test_the_comparison_sees_what_a_careless_pack_does(changed: list[list[str]]) -> None:
    for name in (
        "random", "torch random", "default dtype", "threads", "warning filters", "root logger", "path", "environment",
        "torch.nn.modules.linear.Linear.forward", "torch.load", "gradients",
    ):  # fmt: skip
        assert name in changed[1], (name, changed[1])


@pytest.mark.parametrize("path", SKINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_touches_what_is_global(path: Path) -> None:
    """Not even later: seeds, types and threads of the process are the host's. The command line is a process of ours."""
    name = path.relative_to(ROOT).as_posix()
    if name in COMMAND_LINE or name.startswith("negopt_core/commands/"):
        pytest.skip("a process of our own")
    forbidden = (
        "random.seed", "np.random.seed", "numpy.random.seed", "torch.set_default_dtype", "torch.set_default_device",
        "torch.set_num_threads", "torch.use_deterministic_algorithms", "warnings.filterwarnings", "logging.basicConfig",
        "sys.path.insert", "sys.path.append", "time.time", "datetime.now",
    )  # fmt: skip
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [(node.lineno, ast.unparse(node.func)) for node in nodes if isinstance(node, ast.Call)]
    assert not [(line, call) for line, call in calls if call in forbidden and (name, call) not in ALLOWED]
