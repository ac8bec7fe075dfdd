"""The repository as a package: versions, requirements, exports, the ComfyUI door, the installer, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import negopt_core

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOWER_BOUND = re.compile(r"[A-Za-z0-9_-]+>=\d+(\.\d+)*")
FOLDERS = ("negopt_core", "negopt_webui", "nodes", "scripts", "studies", "tools", "bench")
OURS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "*.py",
        *(
            f"{folder}/**/*.py"
            for folder in ("negopt_core", "negopt_webui", "nodes", "scripts", "studies", "tools", "bench")
        ),
    )
    for path in ROOT.glob(pattern)
)


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def python(*args: str, cwd: Path = ROOT) -> str:
    """What a fresh Python prints."""
    return subprocess.run([sys.executable, *args], cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == negopt_core.__version__
    assert f"## [{negopt_core.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("requirement", [*requirements(), *PROJECT["dependencies"]])
def test_a_requirement_is_only_a_lower_bound(requirement: str) -> None:
    """ComfyUI-Manager feeds them to pip: a pin or an upper bound could move the host's own packages."""
    assert LOWER_BOUND.fullmatch(requirement)


def test_what_a_host_must_have_is_part_of_what_the_library_needs() -> None:
    assert requirements()
    assert set(requirements()) <= set(PROJECT["dependencies"])


_MODULES = {"pillow": "PIL", "resvg-py": "resvg_py", "efficientnet-lite-pytorch": "efficientnet_lite_pytorch"}
"""Module names of distributions that are called otherwise."""
_NAMED_ONLY = {"torch_fidelity"}
"""No extra: pip would move torch. `negopt_core.needs` says how it is installed alone."""


def test_third_party_imports_of_the_library_are_declared() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    declared = {re.split(r"[>=<]", line)[0] for line in [*PROJECT["dependencies"], *extras]}
    declared = {_MODULES.get(name, name) for name in declared} | {"negopt_core"} | _NAMED_ONLY
    declared |= sys.stdlib_module_names
    undeclared = {
        (path, name)
        for path in OURS
        if path.startswith("negopt_core/")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        for name in imported(node)
        if name not in declared
    }
    assert not undeclared


def imported(node: ast.AST) -> list[str]:
    """Top-level names of the absolute imports in one statement."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [str(node.module).split(".")[0]]
    return []


def kind_then_name(name: str) -> tuple[int, str]:
    """The order that ruff keeps: constants, classes, functions; alphabetical within each."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_all_is_sorted_and_names_each_public_import() -> None:
    tree = ast.parse((ROOT / "negopt_core/__init__.py").read_text(encoding="utf-8"))
    public = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert negopt_core.__all__ == sorted(public, key=kind_then_name)
    assert all(hasattr(negopt_core, name) for name in public)


def test_the_root_does_nothing_outside_comfyui(tmp_path: Path) -> None:
    """pytest imports it too, so it must not need a host."""
    assert load_root(tmp_path) == "[]"


def test_the_root_is_a_node_pack_when_comfyui_is_there(tmp_path: Path) -> None:
    """A pack is loaded by path; here with a stand-in for its nodes, which have tests of their own."""
    pack = tmp_path / "pack"
    (pack / "nodes").mkdir(parents=True)
    (pack / "nodes" / "__init__.py").write_text("def comfy_entrypoint(): ...\n")
    (pack / "__init__.py").write_bytes((ROOT / "__init__.py").read_bytes())
    (tmp_path / "comfy_api.py").touch()
    assert load_root(tmp_path, pack) == "['WEB_DIRECTORY', 'comfy_entrypoint']"


def load_root(search: Path, pack: Path = ROOT) -> str:
    """The public names of the root package, loaded the way ComfyUI loads a pack, with `search` on the path."""
    code = f"""
import importlib.util, sys
sys.path[:0] = [{str(search)!r}]
spec = importlib.util.spec_from_file_location("/a/path_x_like/name", {str(pack / "__init__.py")!r})
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
print(sorted(name for name in vars(module) if name in ("WEB_DIRECTORY", "comfy_entrypoint", "NODE_CLASS_MAPPINGS")))
"""
    return python("-c", code, cwd=search).strip()


def test_the_installer_says_nothing_when_nothing_is_missing(tmp_path: Path) -> None:
    """Hosts start it from their own folder."""
    assert python(str(ROOT / "install.py"), cwd=tmp_path) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pytest>=1.0", ""),
        ("pytest>=9999.1", "newer"),
        ("negopt-no-such-package>=1", "negopt-no-such-package 1 or newer is missing"),
        ("# pytest>=9999", ""),
    ],
)
def test_the_installer_names_what_is_missing(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "install.py").write_bytes((ROOT / "install.py").read_bytes())
    (tmp_path / "requirements.txt").write_text(line + "\n")
    out = python("install.py", cwd=tmp_path)
    assert said in out and bool(out) == bool(said)


def test_the_installer_survives_a_missing_list(tmp_path: Path) -> None:
    (tmp_path / "install.py").write_bytes((ROOT / "install.py").read_bytes())
    assert "install negopt again" in python("install.py", cwd=tmp_path)


def test_files_and_functions_stay_small() -> None:
    too_long = []
    for path in OURS:
        source = (ROOT / path).read_text(encoding="utf-8")
        if source.count("\n") >= 400:
            too_long.append((path, source.count("\n")))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 70:
                too_long.append((f"{path}:{node.name}", (node.end_lineno or 0) - node.lineno))
    assert OURS and not too_long
