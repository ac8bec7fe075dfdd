"""The set-up that `make` runs: tools/setup_env.py, with requirements that need no network."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"


@pytest.fixture
def setup_env(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("setup_env")


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("# nothing\n")
    return path


def run(venv: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / "setup_env.py"), "--venv", str(venv), "--requirements", str(requirements)]
    return subprocess.run(command, capture_output=True, text=True)


def fake_venv(path: Path) -> Path:
    """What the stamp looks at, without making it."""
    (path / "bin").mkdir(parents=True)
    (path / "Scripts").mkdir()
    (path / "bin" / "python").touch()
    (path / "Scripts" / "python.exe").touch()
    (path / "pyvenv.cfg").write_text("version = 3.11.7\n")
    return path


def test_a_stamp_holds_until_the_requirements_or_the_python_change(
    setup_env: ModuleType, tmp_path: Path, requirements: Path
) -> None:
    venv = fake_venv(tmp_path / "venv")
    assert not setup_env.is_ready(venv, [requirements])
    (venv / setup_env.UNFINISHED).touch()
    setup_env.write_stamp(venv, [requirements])
    assert setup_env.is_ready(venv, [requirements])
    assert not (venv / setup_env.UNFINISHED).exists()
    requirements.write_text("six\n")
    assert not setup_env.is_ready(venv, [requirements])
    setup_env.write_stamp(venv, [requirements])
    (venv / "pyvenv.cfg").write_text("version = 3.13.0\n")
    assert not setup_env.is_ready(venv, [requirements])


def test_a_stamped_environment_is_left_alone(setup_env: ModuleType, tmp_path: Path, requirements: Path) -> None:
    venv = fake_venv(tmp_path / "venv")
    setup_env.write_stamp(venv, [requirements])
    done = run(venv, requirements)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_that_is_no_environment_is_not_touched(tmp_path: Path, requirements: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "letters.txt").touch()
    done = run(tmp_path / "venv", requirements)
    assert done.returncode == 1
    assert "is in the way" in done.stderr and done.stderr.count("\n") == 1
    assert (tmp_path / "venv" / "letters.txt").exists()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for x", "cannot reach"),
        ("ERROR: No matching distribution found for x==2", "not there for this Python and system"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "serves another file"),
    ],
)
def test_pips_words_are_turned_into_one_line(setup_env: ModuleType, said: str, remedy: str) -> None:
    with pytest.raises(setup_env.SetupError, match=remedy) as caught:
        setup_env.explain(said)
    assert "\n" not in str(caught.value)


def test_an_unexplained_failure_shows_pips_last_error(setup_env: ModuleType) -> None:
    pip_run = importlib.import_module("pip_run")
    setup_env.explain("ERROR: something new")
    assert pip_run.last_error("ERROR: something new\n[notice] bye\n") == "something new"


def test_an_interrupted_first_run_starts_over(
    setup_env: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making a real environment takes long; every `make` does that part."""
    made: list[Path] = []
    monkeypatch.setattr(setup_env, "make_venv", lambda venv, python: made.append(venv))
    monkeypatch.setattr(setup_env, "ensure_pip", lambda venv: None)
    venv = fake_venv(tmp_path / "venv")
    (venv / setup_env.UNFINISHED).touch()
    setup_env.prepare_venv(venv)
    assert made == [venv] and not venv.exists()


def test_a_working_environment_made_by_hand_is_adopted(
    setup_env: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_env, "version_of", lambda command: (3, 12))
    monkeypatch.setattr(setup_env, "ensure_pip", lambda venv: None)
    venv = fake_venv(tmp_path / "venv")
    setup_env.prepare_venv(venv)
    assert (venv / "pyvenv.cfg").exists()


def test_an_old_python_looks_for_a_newer_one(setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_env, "NEWEST", (3, 9))  # so that the running Python counts as unfit
    monkeypatch.setattr(setup_env, "OLDEST", (3, 9))
    monkeypatch.setattr(setup_env.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(setup_env, "version_of", lambda command: (3, 9) if command == ["/bin/python3.12"] else (3, 8))
    assert setup_env.choose_python() == "/bin/python3.12"
    monkeypatch.setattr(setup_env.shutil, "which", lambda name: None)
    with pytest.raises(setup_env.SetupError, match=r"needs Python 3\.10 to 3\.13"):
        setup_env.choose_python()
