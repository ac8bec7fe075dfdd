"""The lock of the environment: tools/lock, which `make lock` writes and tools/setup_env.py installs."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "tools" / "lock"


@pytest.fixture
def lock_file(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("lock_file")


@pytest.fixture
def copied(lock_file: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock with what it was made from, in a folder of its own."""
    monkeypatch.setattr(lock_file, "ROOT", tmp_path)
    monkeypatch.setattr(lock_file, "LOCKS", tmp_path)
    (tmp_path / "wanted.txt").write_text("six>=1\n")
    lock = tmp_path / "dev.txt"
    lock.write_text(lock_file.sign("six==1.17.0 \\\n    --hash=sha256:00\n", tmp_path / "wanted.txt"))
    return lock


@pytest.mark.parametrize("name", ["dev.txt", "torch.txt", "torch-cuda.txt", "fuzz.txt"])
def test_the_locks_are_as_make_lock_wrote_them(lock_file: ModuleType, name: str) -> None:
    lock_file.check(LOCKS / name)


def test_every_package_is_pinned_and_hashed_for_every_system() -> None:
    entries = re.findall(r"^[a-z].*(?:\n    .*)*", (LOCKS / "dev.txt").read_text(), re.MULTILINE)
    assert len(entries) > 60
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[0-9]", entry) and "--hash=sha256:" in entry, entry
    text = "\n".join(entries)
    assert "colorama==" in text and "sys_platform == 'win32'" in text  # Windows
    assert re.search(r"^numpy==.*python_full_version < '3\.11'", text, re.MULTILINE)  # the oldest Python
    assert not re.search(r"^(torch|nvidia-|triton)", text, re.MULTILINE)
    assert (LOCKS / "torch.txt").read_text().splitlines()[1:] == ["torch==2.13.0", "-c torch-cuda.txt"]


def test_everything_that_is_asked_for_is_in_the_lock() -> None:
    wanted = (ROOT / "requirements-dev.txt").read_text() + (ROOT / "tests" / "fuzz" / "requirements.txt").read_text()
    locked = "".join((LOCKS / name).read_text() for name in ("dev.txt", "torch.txt", "fuzz.txt"))
    for name in re.findall(r"^[a-z_-]+", wanted, re.MULTILINE):
        assert f"\n{name.replace('_', '-')}==" in locked, name


def test_an_edit_by_hand_is_told(lock_file: ModuleType, copied: Path) -> None:
    lock_file.check(copied)
    text = copied.read_text()
    copied.write_bytes(text.replace("\n", "\r\n").encode())
    lock_file.check(copied)  # a checkout on Windows
    copied.write_text(text.replace("1.17.0", "1.16.0"))
    with pytest.raises(lock_file.SetupError, match=r"edited by hand: .*run `make lock`"):
        lock_file.check(copied)
    copied.write_text(text.partition("\n")[2])
    with pytest.raises(lock_file.SetupError, match="lost its first line"):
        lock_file.check(copied)


def test_a_lock_older_than_its_source_is_told(lock_file: ModuleType, copied: Path) -> None:
    (copied.parent / "wanted.txt").write_text("six>=2\n")
    with pytest.raises(lock_file.SetupError, match=r"wanted\.txt changed since .*run `make lock`"):
        lock_file.check(copied)


def test_a_spoiled_lock_is_one_line_and_no_environment(copied: Path, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.txt"
    spoiled.write_text((LOCKS / "dev.txt").read_text() + "six==1.16.0\n")
    command = [sys.executable, str(ROOT / "tools" / "setup_env.py"), "--venv", str(tmp_path / "venv")]
    done = subprocess.run([*command, "--requirements", str(spoiled)], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "edited by hand" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("with_hashes", "is_held"), [(True, True), (False, False)])
def test_hashes_can_be_left_out_for_an_index_with_rebuilt_packages(
    with_hashes: bool, is_held: bool, copied: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    pip_run = importlib.import_module("pip_run")
    given: list[str] = []
    monkeypatch.setattr(pip_run, "follow", lambda command, *readers: given.extend(command) or 0)
    venv = tmp_path / "venv"
    venv.mkdir()
    pip_run.install(Path(sys.executable), venv, copied, with_hashes)
    assert "--no-deps" in given
    text = Path(given[-1]).read_text()
    assert "six==1.17.0" in text and ("--hash" in text) == is_held
