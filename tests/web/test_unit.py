"""The page's plain modules under node's own test runner, and the vectors that tie them to the Python reader."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from browser_tools import find_node_modules  # noqa: E402


def test_the_vectors_are_what_the_python_reader_says_now() -> None:
    spec = importlib.util.spec_from_file_location("df_vectors", HERE / "df_vectors.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.VECTORS.read_text(encoding="utf-8") == module.as_text(), "run python tests/web/df_vectors.py"


def test_the_modules_pass_their_tests_in_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT TESTED: the page's modules; there is no node")
    files = sorted(map(str, (HERE / "unit").glob("*.test.mjs")))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == 9:
        pytest.skip("NOT TESTED: the page's modules; this node has no test runner")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_modules_pass_the_type_checker() -> None:
    folder = find_node_modules("typescript")
    compiler = str(folder / "node_modules/.bin/tsc") if folder else shutil.which("tsc")
    if compiler is None:
        pytest.skip("NOT CHECKED: types of the page's modules; no tsc: run npm install in tests/web")
    done = subprocess.run([compiler, "-p", str(HERE)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
