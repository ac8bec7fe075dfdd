"""Who may import whom. The tables below are the architecture; docs/architecture.md draws it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module of negopt_core may import modules of its own layer and of the layers above it in this table.
LAYERS = {
    "stdlib": {"errors", "prompt", "df_text", "schedule", "dialects", "inspect", "planner", "clock", "chunks", "files"},
    "model": {"weighting", "conditioning", "policy", "reward"},
    "work": {"paint", "world", "data", "train", "evaluate"},
    "edge": {"cli", "commands", "provenance", "__main__"},
}
RANK = {module: rank for rank, modules in enumerate(LAYERS.values()) for module in modules}
HOSTS = {
    "comfy",
    "comfy_api",
    "comfy_extras",
    "folder_paths",
    "server",
    "execution",
    "node_helpers",
    "modules",
    "gradio",
}
MAY_IMPORT_DIFFUSERS = ("negopt_core/paint/", "negopt_core/world/")
DIFFUSION = {"diffusers"}


def sources(*folders: str) -> list[str]:
    """Paths, relative to the root, of the Python files in these folders."""
    return sorted(p.relative_to(ROOT).as_posix() for folder in folders for p in (ROOT / folder).rglob("*.py"))


def imports(path: str) -> Iterator[tuple[int, str, bool]]:
    """(line, absolute dotted name, was written relative) of each import in a file, wherever in it the import stands."""
    package = Path(path).parent.parts
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"), path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, False
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # `from . import x` may name a module
                yield node.lineno, f"{source}.{alias.name}", bool(node.level)


def top(name: str) -> str:
    return name.split(".")[0]


def layer_module(name: str) -> str:
    """`paint` for both `negopt_core.paint.base` and `negopt_core/paint/base.py`."""
    return name.removesuffix(".py").replace("/", ".").split(".")[1]


CORE = sources("negopt_core")
SKINS = sources("nodes", "scripts")


def test_the_library_has_files_to_check() -> None:
    assert "negopt_core/prompt.py" in CORE


def test_every_module_of_the_library_has_a_layer() -> None:
    missing = {layer_module(path) for path in CORE} - {"__init__"} - set(RANK)
    assert not missing, f"add to LAYERS: {sorted(missing)}"


@pytest.mark.parametrize("path", CORE)
def test_the_library_imports_itself_only_relatively(path: str) -> None:
    """ComfyUI loads the pack under a path-like name, where `import negopt_core` does not exist."""
    wrong = [(line, name) for line, name, relative in imports(path) if top(name) == "negopt_core" and not relative]
    assert not wrong


@pytest.mark.parametrize("path", CORE)
def test_imports_point_to_the_same_layer_or_a_lower_one(path: str) -> None:
    me = layer_module(path)
    highest = RANK["schedule"] if me == "__init__" else RANK[me]
    wrong = []
    for line, name, _ in imports(path):
        parts = name.split(".")
        if parts[0] == "negopt_core" and RANK.get(parts[1], 0) > highest:
            wrong.append((line, name))
    assert not wrong


@pytest.mark.parametrize("path", CORE)
def test_the_library_knows_no_host(path: str) -> None:
    wrong = [(line, name) for line, name, _ in imports(path) if top(name) in HOSTS | {"nodes", "scripts"}]
    assert not wrong


STDLIB_LAYER = [path for path in CORE if layer_module(path) in LAYERS["stdlib"] | {"__init__"}]


@pytest.mark.parametrize("path", STDLIB_LAYER)
def test_the_stdlib_layer_imports_no_third_party(path: str) -> None:
    known = sys.stdlib_module_names | {"negopt_core"}
    assert not [(line, name) for line, name, _ in imports(path) if top(name) not in known]


@pytest.mark.parametrize("path", CORE + SKINS)
def test_only_paint_and_world_import_diffusers(path: str) -> None:
    used = [(line, name) for line, name, _ in imports(path) if top(name) in DIFFUSION]
    assert not used or path.startswith(MAY_IMPORT_DIFFUSERS)


@pytest.mark.parametrize("path", SKINS)
def test_a_host_skin_imports_the_library_and_no_other_skin(path: str) -> None:
    """`nodes` is also the name of a module of ComfyUI, and `scripts` of a folder of the webui."""
    mine = Path(path).parts[0]
    for line, name, relative in imports(path):
        where = f"{path}:{line} imports {name}"
        if top(name) in {"nodes", "scripts"}:
            assert relative and top(name) == mine, where
        if top(name) == "negopt_core":
            assert relative == (mine == "nodes"), f"{where}; nodes import relatively, scripts absolutely"
            assert not name.startswith("negopt_core.train"), where


HEAVY = ("torch", "transformers", "diffusers", "numpy", "PIL", "safetensors", "huggingface_hub")


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = f"import sys, negopt_core; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
