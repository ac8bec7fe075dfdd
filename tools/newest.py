"""Do the main parts work with the newest version of every package, and what do those packages call deprecated?

    python tools/newest.py --make     make .venv-newest, anew each day: requirements-dev.txt, pins off but torch's
    .venv-newest/bin/python tools/newest.py     import, load, suggest, paint, one step of SFT and of PPO: about a minute

Exit status 0: everything works, whatever is deprecated; 1: a part does not work.
"""

import argparse
import contextlib
import datetime
import importlib
import io
import logging
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from pip_run import SetupError
from setup_env import is_ready, python_in, set_up

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-newest"
SHOWN = ("torch", "transformers", "diffusers", "tokenizers", "safetensors", "huggingface_hub", "accelerate", "numpy")


def main() -> int:
    """Make the environment, or try the parts in it and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true", help="make the environment and stop")
    try:
        return make() if parser.parse_args().make else try_parts()
    except SetupError as error:
        print(f"negopt: {error}", file=sys.stderr)
        return 1


def make() -> int:
    """Today's newest packages; an environment of another day is made anew, since pip keeps what is there."""
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    wanted = [
        line if line.startswith("torch==") else re.sub(r"[=<>~].*", "", line) for line in lines if line[:1] != "#"
    ]
    requirements = ROOT / "out" / "newest" / "requirements.txt"
    requirements.parent.mkdir(parents=True, exist_ok=True)
    requirements.write_text(f"# {datetime.date.today()}\n" + "\n".join(wanted) + "\n", encoding="utf-8")
    if not is_ready(VENV, [requirements]):
        shutil.rmtree(VENV, ignore_errors=True)
        set_up(VENV, [requirements])
    return 0


def try_parts() -> int:
    """Run every part, even after one that failed."""
    if Path(sys.executable).absolute() != python_in(VENV).absolute():
        raise SetupError(f"this is run by {python_in(VENV)}: `make newest` does it")
    sys.path.insert(0, str(ROOT))
    print(", ".join(f"{name} {version(name)}" for name in SHOWN), flush=True)
    heard: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        results = [attempt(name, part, Path(folder), heard) for name, part in PARTS.items()]
    for text, part in heard.items():
        print(f"deprecated or warned of ({part}): {text}")
    print(f"{sum(results)} of {len(results)} parts work with the newest packages; {len(heard)} warnings")
    return 0 if all(results) else 1


def attempt(name: str, part: Callable[[Path], object], folder: Path, heard: dict[str, str]) -> bool:
    """Run one part; what it warns of goes to `heard`."""
    started, listener = time.monotonic(), Listener()
    logging.getLogger().addHandler(listener)
    for library in ("transformers", "diffusers", "huggingface_hub", "accelerate"):
        logging.getLogger(library).addHandler(listener)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                part(folder)
            fault = ""
        except Exception as error:  # whatever a new version does
            fault = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    for text in [f"{one.category.__name__}: {one.message}" for one in told] + listener.said:
        heard.setdefault(" ".join(text.split())[:300], name)
    print(f"{name}: {'BROKEN: ' + fault if fault else 'works'} ({time.monotonic() - started:.0f} s)", flush=True)
    return not fault


class Listener(logging.Handler):
    """Keeps what libraries log as warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("negopt"):
            self.said.append(f"{record.name}: {record.getMessage()}")


def suggest(folder: Path) -> None:
    from negopt_core.policy import load_policy, suggest
    from negopt_core.policy.store import builtin_names

    for name in builtin_names():
        assert suggest(load_policy(name), ["a photo of a cat in the rain"])[0].positive


def command(*line: str) -> None:
    from negopt_core.cli import main as negopt

    status = negopt(list(line))
    assert status == 0, f"{' '.join(line)[:80]} ended with {status}"


def paint(folder: Path) -> None:
    text = "a photo of a red ball by the sea by day, [vivid:0-0.5:1.25]"
    command("paint", text, "--negative", "blurry", "--steps", "4", "-o", str(folder / "pictures"))
    command("score", *map(str, (folder / "pictures").glob("*.png")))


def train_sft(folder: Path) -> None:
    line = ["--pairs", "world:64", "--stock", "world", "--polarity", "negative", "--scheduled", "--steps", "2"]
    command("train", "sft", *line, "--run", str(folder / "sft"), "-o", str(folder / "policy"))


def train_ppo(folder: Path) -> None:
    line = [
        "--policy",
        str(folder / "policy"),
        "--prompts",
        "world",
        "--steps",
        "1",
        "--batch",
        "2",
        "--paint-steps",
        "2",
    ]
    command("train", "ppo", *line, "--run", str(folder / "ppo"), "-o", str(folder / "better"))


PARTS: dict[str, Callable[[Path], object]] = {
    "import": lambda folder: importlib.import_module("negopt_core"),
    "load and suggest": suggest,
    "paint and score": paint,
    "a step of SFT": train_sft,
    "a step of PPO": train_ppo,
}


if __name__ == "__main__":
    sys.exit(main())
