"""What the ComfyUI registry gets: the archive's files and size, pyproject.toml, nothing that its scanner flags."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import registry  # noqa: E402

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="the archive is what git tracks: no git here"
)
ME = registry.Publisher("somebody", "https://github.com/somebody/negopt")
FLAGGED = {
    r"\.connect\s*\(": "a socket",
    r"\.bind\s*\(": "a socket",
    r"\.send(all)?\s*\(": "a socket",
    r"ClientSession": "a request",
    r"\burllib\b|\brequests\.\w+\(|http\.client": "a request",
    r"\bsubprocess\b|os\.(system|popen|startfile)": "a process",
    r"(?<![\w.])(eval|exec)\s*\(|\b__import__\b|\bmarshal\b": "code from text",
}
"""Patterns that people report from the registry's scanner, which reads Python and JavaScript alike, and what they mean
there. Torch's `.eval()` is none."""
STANDS_IN = """
import importlib.abc, importlib.machinery, pathlib, sys, types

class Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return anything(name)
    def __call__(cls, *args, **kwargs):
        return anything("made")

def anything(name):
    return Anything(name, (), {})

class Module(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return anything(name)

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        ours = name.partition(".")[0] in HOST
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if ours else None
    def create_module(self, spec):
        return Module(spec.name)
    def exec_module(self, module):
        pass

HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "execution", "folder_paths", "node_helpers", "server"}
sys.meta_path.insert(0, Finder())
"""
"""Modules of ComfyUI, as far as importing goes."""


@pytest.fixture(scope="module")
def files() -> list[str]:
    return registry.archive_files()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that would be published."""
    made = tmp_path_factory.mktemp("registry") / "negopt"
    registry.write_folder(made, ME)
    return made


def imported_from(root: Path, entry: str) -> set[str]:
    """Files that a file imports, inside of functions too, and what these import: relative imports only."""
    seen: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in ast.walk(ast.parse((root / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                waiting += _targets(root, name, node)
    return seen


def _targets(root: Path, name: str, node: ast.ImportFrom) -> list[str]:
    parts = Path(name).parent.parts
    package = [*parts[: len(parts) - node.level + 1], *(node.module.split(".") if node.module else ())]
    found = [Path(*package[: count + 1], "__init__.py") for count in range(len(package))]
    for inner in ((), *((alias.name,) for alias in node.names)):
        path = Path(*package, *inner)
        found += [path / "__init__.py", *([path.with_suffix(".py")] if path.name else [])]
    return [path.as_posix() for path in found if (root / path).is_file()]


def test_the_archive_holds_only_what_the_nodes_import(files: list[str]) -> None:
    """`install.py` is run by ComfyUI-Manager."""
    there = {name for name in files if name.endswith(".py")}
    needed = imported_from(ROOT, "__init__.py")
    assert there - needed == {"install.py"}
    assert not needed - there


def test_it_holds_the_page_the_templates_and_the_papers(files: list[str]) -> None:
    tops = {name.split("/")[0] for name in files}
    assert tops >= {"web", "locales", "example_workflows", "subgraphs", "LICENSE", "README.md", "requirements.txt"}
    assert not tops & {"tests", "tools", "docs", "bench", "studies", "scripts", "negopt_webui", ".ci"}
    assert "negopt_core/assets/words/NOTICE.md" in files  # licences of what is in there


def test_the_archive_is_small_enough(folder: Path) -> None:
    assert registry.archive_bytes(folder) <= registry.LIMIT_BYTES


def test_every_module_imports_from_the_archive_alone(folder: Path, tmp_path: Path) -> None:
    """Without a host: stand-ins for ComfyUI's modules, and the pack under a name like ComfyUI's."""
    modules = sorted(
        path.relative_to(folder).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for top in ("nodes", "negopt_core")
        for path in (folder / top).rglob("*.py")
    )
    code = f"""{STANDS_IN}
import importlib.util
spec = importlib.util.spec_from_file_location("a_path_x_like", {str(folder / "__init__.py")!r},
                                              submodule_search_locations=[{str(folder)!r}])
sys.modules["a_path_x_like"] = pack = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
assert pack.comfy_entrypoint
for name in {modules!r}:
    importlib.import_module("a_path_x_like." + name)
from a_path_x_like.negopt_core.policy import load_policy, suggest
print(suggest(load_policy("negopt:sdxl"), ["a photo of a cat"])[0].df_negative)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip()


def test_the_world_of_the_archive_is_the_same_world(folder: Path) -> None:
    """In 8 bits each weight moves by less than a hundredth of its row's largest."""
    from safetensors.torch import load_file

    from negopt_core.world.small import restore

    for name in ("unet/diffusion_pytorch_model", "judges/eval"):
        path = f"{registry.WORLD}/{name}.safetensors"
        whole, small = restore(load_file(ROOT / path)), restore(load_file(folder / path))
        assert whole.keys() == small.keys()
        for key, value in whole.items():
            assert (value - small[key]).abs().max() <= value.abs().max() / 200


def test_the_registry_finds_what_it_reads(folder: Path) -> None:
    told: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    comfy, urls = told["tool"]["comfy"], told["project"]["urls"]
    assert comfy["PublisherId"] == "somebody" and comfy["requires-comfyui"] == ">=0.3.64"
    assert set(urls) == {"Repository", "Documentation", "Bug Tracker"}
    for address in (urls["Documentation"], comfy["Icon"], comfy["Banner"]):
        assert (ROOT / re.sub(r"^https://github.com/somebody/negopt/(raw|blob)/HEAD/", "", address)).is_file()


def test_nothing_is_to_be_installed(folder: Path) -> None:
    """What the registry's clients hand to pip: packages that ComfyUI has, itself or through its transformers."""
    told = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {line.split(">=")[0] for line in told}
    assert names == {"huggingface_hub", "numpy", "pillow", "safetensors", "tokenizers", "torch", "transformers"}


def test_the_banner_has_the_registrys_shape() -> None:
    from PIL import Image

    with Image.open(ROOT / registry.BANNER) as banner:
        assert abs(banner.width / banner.height - 21 / 9) < 0.01
    assert (ROOT / registry.BANNER).stat().st_size < 100_000


@pytest.mark.parametrize("pattern", FLAGGED)
def test_nothing_looks_like_what_the_scanner_flags(pattern: str, folder: Path) -> None:
    found = [
        f"{path.relative_to(folder)}: {FLAGGED[pattern]}"
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".js", ".json", ".md", ".svg"}
        and re.search(pattern, path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Some Body", "https://github.com/a/b"),
        ("a", "github.com/a/b"),
        ("a", "https://github.com/a/b.git"),
        ("a", 'https://github.com/a/"b'),
    ],
)
def test_bad_names_and_addresses_are_refused(name: str, address: str) -> None:
    with pytest.raises(ValueError, match="--"):
        registry.Publisher(name, address)
