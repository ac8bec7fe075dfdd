"""Who may import whom. The tables below are the architecture; docs/dev/architecture.md draws it."""

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module of negopt_core may import modules of its own layer and of the layers above it in this table.
LAYERS = {
    "stdlib": {"errors", "files", "flags", "json_text", "needs", "own_process", "quiet", "text"},
    "model": {"encode", "policy", "torch_file", "devices"},
    "work": {"paint", "scorers", "world", "provenance", "measure", "tune"},
    "lab": {"lab"},
    "edge": {"cli", "commands", "__main__"},
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
HOSTS |= {"fastapi", "starlette"}
MAY_IMPORT_DIFFUSERS = ("negopt_core/paint/", "negopt_core/lab/make_world/", "negopt_core/lab/drawn_world/")
# A part of the laboratory may import the parts before it.
LAB_ORDER = ("jobs", "make_world", "drawn_world", "data", "train", "compare", "papers", "tune")


def sources(*folders: str) -> list[str]:
    """Paths, relative to the root, of the Python files in these folders."""
    return sorted(p.relative_to(ROOT).as_posix() for folder in folders for p in (ROOT / folder).rglob("*.py"))


class Import(NamedTuple):
    """One imported name: where, as an absolute dotted name, and whether it was written relative."""

    path: str
    line: int
    name: str
    is_relative: bool


@cache
def imports(path: str) -> tuple[Import, ...]:
    """Each import in a file, wherever in it the import stands."""
    package = Path(path).parent.parts
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"), path)):
        if isinstance(node, ast.Import):
            found += [Import(path, node.lineno, alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x` may name a module
            found += [Import(path, node.lineno, f"{source}.{alias.name}", bool(node.level)) for alias in node.names]
    return tuple(found)


def violations(paths: list[str], is_wrong: Callable[[Import], bool]) -> list[Import]:
    return [item for path in paths for item in imports(path) if is_wrong(item)]


def top(name: str) -> str:
    return name.split(".")[0]


def layer_module(name: str) -> str:
    """`paint` for both `negopt_core.paint.base` and `negopt_core/paint/base.py`."""
    return name.removesuffix(".py").replace("/", ".").split(".")[1]


def files_of(name: str) -> list[str]:
    """The files that importing this name runs: its packages and the module, if they are ours."""
    parts = name.split(".")
    dotted = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    return [path for stem in dotted for path in (f"{stem}.py", f"{stem}/__init__.py") if path in OURS]


CORE = sources("negopt_core")
LAB = sources("negopt_core/lab")
WEBUI = sources("negopt_webui")
SKINS = sources("nodes", "scripts") + WEBUI
OURS = frozenset([*CORE, *SKINS, *sources("studies")])


def test_the_library_has_files_to_check() -> None:
    assert "negopt_core/text/prompt.py" in CORE


def test_every_module_of_the_library_has_a_layer() -> None:
    missing = {layer_module(path) for path in CORE} - {"__init__"} - set(RANK)
    assert not missing, f"add to LAYERS: {sorted(missing)}"


def test_the_library_imports_itself_only_relatively() -> None:
    """ComfyUI loads the pack under a path-like name, where `import negopt_core` does not exist."""
    assert not violations(CORE, lambda item: top(item.name) == "negopt_core" and not item.is_relative)


def test_imports_point_to_the_same_layer_or_a_lower_one() -> None:
    def is_upward(item: Import) -> bool:
        me = layer_module(item.path)
        highest = RANK["text"] if me == "__init__" else RANK[me]
        parts = item.name.split(".")
        return parts[0] == "negopt_core" and RANK.get(parts[1], 0) > highest

    assert not violations(CORE, is_upward)


def test_the_parts_of_the_laboratory_import_only_those_before_them() -> None:
    def part(dotted: str) -> str:
        return dotted.split(".")[2]

    assert {part(path.replace("/", ".")) for path in LAB} - {"__init__"} == set(LAB_ORDER)

    def is_upward(item: Import) -> bool:
        if not item.name.startswith("negopt_core.lab."):
            return False
        return LAB_ORDER.index(part(item.name)) > LAB_ORDER.index(part(item.path.replace("/", ".")))

    assert not violations([path for path in LAB if path != "negopt_core/lab/__init__.py"], is_upward)


def test_hosts_load_nothing_of_the_laboratory() -> None:
    """Everything that nodes and webui can reach, however far down, is outside of lab, commands and studies."""
    seen: set[str] = set()
    waiting = list(SKINS)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [file for item in imports(path) for file in files_of(item.name)]
    assert len(seen) > 100
    above = ("negopt_core/lab/", "negopt_core/commands/", "negopt_core/cli.py", "studies/")
    assert not sorted(path for path in seen if path.startswith(above))


def test_the_library_knows_no_host() -> None:
    assert not violations(CORE, lambda item: top(item.name) in HOSTS | {"nodes", "scripts"})


def test_the_stdlib_layer_imports_no_third_party() -> None:
    paths = [path for path in CORE if layer_module(path) in LAYERS["stdlib"] | {"__init__"}]
    known = sys.stdlib_module_names | {"negopt_core"}
    assert len(paths) > 5
    assert not violations(paths, lambda item: top(item.name) not in known)


def test_only_paint_and_world_import_diffusers() -> None:
    assert not violations(
        CORE + SKINS, lambda item: top(item.name) == "diffusers" and not item.path.startswith(MAY_IMPORT_DIFFUSERS)
    )


def test_a_host_skin_imports_no_other_skin() -> None:
    """`nodes` is also the name of a module of ComfyUI, and `scripts` of a folder of the webui.

    `scripts/` is the webui's door to `negopt_webui/`, so that one way is open.
    """

    def is_foreign(item: Import) -> bool:
        mine, theirs = Path(item.path).parts[0], top(item.name)
        if (mine, theirs) == ("scripts", "negopt_webui"):
            return item.is_relative
        return theirs in {"nodes", "scripts", "negopt_webui"} and not (item.is_relative and theirs == mine)

    assert not violations(SKINS, is_foreign)


def test_a_host_skin_imports_the_library_the_way_its_host_can() -> None:
    """ComfyUI knows only relative names, the webui only absolute ones."""

    def is_wrong(item: Import) -> bool:
        is_node = Path(item.path).parts[0] == "nodes"
        of_library = top(item.name) == "negopt_core"
        return of_library and item.is_relative != is_node

    assert not violations(SKINS, is_wrong)


def test_the_webuis_package_knows_no_host_and_needs_no_third_party() -> None:
    """The host's modules and gradio are handed to it, so that it can be tested without them."""
    known = sys.stdlib_module_names | {"negopt_core", "negopt_webui"}
    assert len(WEBUI) > 5
    assert not violations(WEBUI, lambda item: top(item.name) not in known)


def test_the_webuis_package_stays_below_the_work_layer() -> None:
    """Nothing that paints, trains or parses a command line is loaded into a webui; audits are planned in `tune`."""

    def is_above(item: Import) -> bool:
        parts = item.name.split(".")
        # the record of what the webui itself adds, and the audits that it paints itself
        is_known = parts[1:3] == ["provenance", "plan"] or parts[1:2] == ["tune"]
        return parts[0] == "negopt_core" and RANK.get(parts[1], 0) > RANK["policy"] and not is_known

    assert not violations(WEBUI + sources("scripts"), is_above)


@pytest.mark.parametrize(
    ("path", "source", "names"),
    [
        ("negopt_core/a.py", "from .b import c", ["negopt_core.b.c"]),
        ("negopt_core/paint/a.py", "from ..b import c", ["negopt_core.b.c"]),
        ("negopt_core/a.py", "from . import b", ["negopt_core.b"]),
        ("nodes/a.py", "from ..negopt_core import b", ["negopt_core.b"]),
        ("negopt_core/a.py", "def f():\n    import torch.nn, os", ["torch.nn", "os"]),
    ],
)
def test_imports_are_read_as_python_resolves_them(
    path: str, source: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(source)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert [item.name for item in imports.__wrapped__(path)] == names


HEAVY = ("torch", "transformers", "diffusers", "numpy", "PIL", "safetensors", "huggingface_hub")


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = f"import sys, negopt_core; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
