"""Nothing here unpickles: a file that somebody sends can be wrong, but it cannot run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("negopt_core", "nodes", "negopt_webui", "scripts", "tools", "bench")
SOURCES = sorted(
    path
    for part in (*(ROOT / name for name in FOLDERS), ROOT)
    for path in part.glob("*.py" if part == ROOT else "**/*.py")
)
PICKLING = {
    "pickle",
    "_pickle",
    "cPickle",
    "pickle5",
    "cloudpickle",
    "dill",
    "joblib",
    "shelve",
    "marshal",
    "torchfile",
}
RUNNING = {"eval", "exec", "compile", "__import__"}


def faults(source: str) -> list[str]:
    """What in a file could turn data into code, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        found += [f"{node.lineno}: imports {name}" for name in names if set(name.split(".")) & PICKLING]
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {fault}" for fault in _call_faults(node)]
    return found


def _call_faults(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in RUNNING:
        return [f"{name} runs text"]
    if name.endswith("torch.load") and given.get("weights_only") != "True":
        return [f"{name} without weights_only=True"]
    if name.split(".")[-1] in ("load", "loadtxt", "read_array") and given.get("allow_pickle", "False") != "False":
        return [f"{name} with allow_pickle"]
    if given.get("trust_remote_code", "False") != "False":
        return [f"{name} trusts remote code"]
    if name.split(".")[-1] in ("yaml_load", "unsafe_load", "full_load", "read_pickle", "import_string"):
        return [f"{name} builds objects"]
    return []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_of_ours_can_unpickle(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


def test_every_folder_was_looked_at() -> None:
    looked_at = {path.relative_to(ROOT).parts[0] for path in SOURCES}
    assert set(FOLDERS) <= looked_at and {"install.py", "__init__.py"} <= looked_at and len(SOURCES) > 100


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import numpy.lib, dill",
        "from torch import _pickle",
        "def f():\n    import joblib",
        "import torch\ntorch.load('x')",
        "torch.load('x', weights_only=False)",
        "numpy.load('x', allow_pickle=True)",
        "AutoModel.from_pretrained('x', trust_remote_code=True)",
        "eval('1')",
    ],
)
def test_the_search_finds_what_it_looks_for(source: str) -> None:
    assert faults(source)


def test_what_is_harmless_is_left_alone() -> None:
    assert faults("import torch\ntorch.load('x', weights_only=True)\nmodel.eval()\nre.compile('x')\njson.load(f)") == []
