"""A package that is not here is named, with what it is for and the command that installs it."""

import importlib.abc
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file

from negopt_core.errors import MissingPackage, NegOptError
from negopt_core.needs import _ON_INDEX, _WHAT_FOR, missing_package, naming_what_is_missing, need
from negopt_core.scorers.features import load_set_metric

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(_WHAT_FOR)
PROGRAM = """
import json, sys
sys.path.insert(0, {root!r})

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from negopt_core import cli

for words in json.load(sys.stdin):
    sys.argv[1:] = words
    print(cli.main())
"""
INCEPTION = ["eval", "--model", "world", "--prompts", "world:1", "--arm", "none", "--steps", "1", "--metrics", "fid",
             "--source", "inception=x.safetensors"]  # fmt: skip
COMMANDS = {
    "torch": [
        ["suggest", "cat", "--policy", "negopt-mini"], ["demo"], ["paint", "cat"], ["score", "x.png"],
        ["train", "sft", "--pairs", "world:2", "--run", "r"], ["explain", "cat", "--negative", "a"],
        ["train", "ppo", "--policy", "world-negative", "--prompts", "world", "--run", "r"], INCEPTION,
    ],
    "numpy": [["suggest", "cat", "--policy", "nearest"]],
    "safetensors": [
        ["suggest", "cat", "--policy", "nearest"], ["suggest", "cat", "--policy", "negopt-mini"], ["paint", "cat"],
    ],
    "transformers": [["suggest", "cat", "--policy", "negopt-mini"], ["paint", "cat"]],
    "tokenizers": [["suggest", "cat", "--policy", "negopt-mini"]],
    "diffusers": [["demo"], ["paint", "cat"]],
    "accelerate": [["paint", "cat", "--device", "cuda", "--offload"]],
    "pyarrow": [["data", "pairs", "x.parquet", "-o", "x.jsonl"]],
    "huggingface_hub": [["policies", "pull", "hf:a/b", "-o", "x"]],
    "PIL": [["provenance", "x.png"]],
}  # fmt: skip
"""What needs each package; torch-fidelity and tensorboard, which leave the rest to go on, have tests of their own."""


@pytest.mark.parametrize("package", COMMANDS)
def test_a_command_names_the_package_that_it_lacks(package: str, tmp_path: Path) -> None:
    commands = COMMANDS[package]
    (tmp_path / "x.parquet").touch()
    (tmp_path / "x.png").touch()
    code = PROGRAM.format(root=str(ROOT), package=package)
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(commands),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    name = _ON_INDEX.get(package, package)
    line = f"negopt: {name} is not installed in this Python; {_WHAT_FOR[package]}; "
    line += f"install it with: {sys.executable} -m pip install {name}"
    assert done.stderr.splitlines() == [line] * len(commands)
    assert done.stdout.split() == ["1"] * len(commands)


@contextmanager
def absent(package: str, error: type[ImportError] = ModuleNotFoundError) -> Iterator[None]:
    class Absent(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
            if name.partition(".")[0] == package:
                raise error("DLL load failed\nmore", name=name)

    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == package}
    sys.meta_path.insert(0, hook := Absent())
    try:
        yield
    finally:
        sys.meta_path.remove(hook)
        sys.modules.update(kept)


@pytest.mark.parametrize("package", ["accelerate", "pyarrow", "tensorboard"])
def test_each_is_named_where_only_it_is_needed(package: str) -> None:
    with absent(package), pytest.raises(MissingPackage, match=f"pip install {_ON_INDEX.get(package, package)}$"):
        need(package)


def test_without_torch_fidelity_its_metrics_say_so_and_the_command_leaves_torch_alone(tmp_path: Path) -> None:
    """torch-fidelity needs torchvision, and a torchvision one torch: pip would take ours away."""
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with absent("torch_fidelity"), pytest.raises(MissingPackage, match=r"pip install --no-deps torch-fidelity$"):
        load_set_metric("fid", {"inception": str(tmp_path / "x.safetensors")}, 1)


def test_no_document_names_a_command_that_moves_torch() -> None:
    """Bare `pip install torch-fidelity`, or an extra that pip would resolve together with a torch of its own."""
    root = Path(__file__).resolve().parents[2]
    texts = [root / "README.md", *root.glob("docs/**/*.md"), root / "pyproject.toml", *root.glob("requirements*.txt")]
    moving = re.compile(r"install torch-fidelity|torch-fidelity *[>=]")
    assert not [path.name for path in texts if moving.search(path.read_text(encoding="utf-8"))]


def test_a_package_that_lacks_a_part_is_damaged() -> None:
    error = ModuleNotFoundError("No module named 'diffusers.new'", name="diffusers.new")
    assert "does not fit (No module named 'diffusers.new')" in str(missing_package(error))


def test_a_damaged_package_is_not_called_missing() -> None:
    with absent("accelerate", ImportError), pytest.raises(MissingPackage) as raised:
        need("accelerate")
    assert str(raised.value).startswith("accelerate is damaged or does not fit (DLL load failed); ")
    assert str(raised.value).endswith("-m pip install --upgrade --force-reinstall --no-deps accelerate")


def test_a_library_that_says_in_its_own_words_what_it_lacks_is_understood() -> None:
    with pytest.raises(MissingPackage, match=r"^tokenizers is not installed"), naming_what_is_missing():
        try:
            raise ModuleNotFoundError("No module named 'tokenizers'", name="tokenizers")
        except ModuleNotFoundError as error:
            raise RuntimeError("Could not import module 'AutoTokenizer'") from error


@pytest.mark.parametrize(
    "error", [ValueError("torch"), ModuleNotFoundError("x", name="x"), ImportError("torch"), MissingPackage("a")]
)
def test_every_other_error_stays_what_it_is(error: Exception) -> None:
    assert missing_package(error) is None
    with pytest.raises(type(error)) as raised, naming_what_is_missing():
        raise error
    assert raised.value is error and issubclass(MissingPackage, NegOptError)


def test_a_path_with_spaces_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a folder/python")
    for platform, quoted in (("linux", "'/a folder/python'"), ("win32", '"/a folder/python"')):
        monkeypatch.setattr(sys, "platform", platform)
        assert str(missing_package(ImportError(name="torch"))).rpartition(": ")[2].startswith(f"{quoted} -m pip ")
