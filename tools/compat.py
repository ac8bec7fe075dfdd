"""Do all policies say the same under every host's Python, torch and transformers? Makes an environment for each.

    python tools/compat.py                     the whole matrix; each environment is made once, in --home
    python tools/compat.py 4.30.2 4.56.2       only these rows
    python tools/compat.py --python PATH ...   also, or instead, under a Python that is there already, such as a host's

The reference is the Python that runs this, the project's own. Exit status 0: all agree; 1: one does not or did not run.
Beside the built-in policies two small language policies (T5 and GPT-2, with windows and weights) are trained and read.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pip_run import SetupError
from setup_env import python_in, version_of

ROOT = Path(__file__).resolve().parent.parent
COMMON = ("numpy", "pillow", "safetensors", "torch")


@dataclass(frozen=True)
class Row:
    """One environment: what a host pins, and Pythons to make it with, the first that is there."""

    packages: tuple[str, ...]
    pythons: tuple[str, ...]


MATRIX = {
    "4.30.2": Row(("transformers==4.30.2", "tokenizers==0.13.3", "numpy==1.26.4", "torch==2.1.2"), ("3.10", "3.11")),
    "4.46.1": Row(("transformers==4.46.1", "numpy==1.26.4", "torch==2.3.1"), ("3.11", "3.10", "3.12")),
    "4.56.2": Row(("transformers==4.56.2", "numpy>=2"), ("3.12", "3.11", "3.13", "3.10")),
    "5.24.0": Row(("transformers==5.24.0", "numpy>=2", "torch==2.13.0"), ("3.11", "3.12", "3.13")),
    "newest": Row(("transformers", "numpy>=2"), ("3.13", "3.12", "3.11")),
}
"""By version of transformers: A1111 1.10, Forge, Forge Neo, ComfyUI today, and whatever is newest. 5.24.0 renamed the
key-value cache. torch and numpy are the hosts', or the newest."""
TINY = {"tiny-t5": ("seq2seq", "negative"), "tiny-gpt2": ("df", "modifiers")}
WORDS = {
    "blurry": "blurry",
    "low quality": "low quality",
    "sharp focus": "[sharp focus:0-0.5:0.75]",
    "watermark": "[watermark:0.5-1:1.25]",
}
"""What the small policies learn to say, and when it acts."""
SUBJECTS = ("a photo of a cat", "a red circle", "a forest at night", "an oil painting of a ship")
STEPS = "80"


def main() -> int:
    """Print a line for each environment."""
    args = read_arguments()
    try:
        folders = [tiny_policy(args.home, name) for name in TINY]
        reference = ask(Path(sys.executable), folders)
        print(f"{described(reference)}: the reference, {len(reference['policies'])} policies", flush=True)
        rows = args.rows if args.rows or args.python else list(MATRIX)
        agreed = [row(f"transformers {name}", lambda n=name: made(args.home, n), folders, reference) for name in rows]
        agreed += [row(str(path), lambda p=path: p, folders, reference) for path in args.python]
    except SetupError as error:
        print(f"negopt: {error}", file=sys.stderr)
        return 1
    return 0 if all(agreed) else 1


def read_arguments() -> argparse.Namespace:
    """The command line."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="VERSION", help=", ".join(MATRIX))
    parser.add_argument("--python", type=Path, action="append", default=[], help="an interpreter that has the packages")
    parser.add_argument("--home", type=Path, default=cache / "negopt" / "compat", help="where environments are kept")
    args = parser.parse_args()
    if unknown := [name for name in args.rows if name not in MATRIX]:
        parser.error(f"{unknown[0]!r} is no row of the matrix; its rows are {', '.join(MATRIX)}")
    return args


def made(home: Path, name: str) -> Path:
    """The Python of one row's environment, which is made if it is not there; SetupError if it cannot be."""
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    wanted = MATRIX[name].packages
    pinned = {spec.split("=")[0].rstrip("<>") for spec in wanted}
    requirements.write_text("\n".join([*wanted, *(package for package in COMMON if package not in pinned)]) + "\n")
    command = [interpreter(name), str(ROOT / "tools" / "setup_env.py"), "--venv", str(folder / "venv")]
    done = subprocess.run([*command, "--requirements", str(requirements)], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SetupError(last_line(done))
    return python_in(folder / "venv")


def interpreter(name: str) -> str:
    """The first of a row's Pythons that is there: this one, or one on PATH."""
    wanted = MATRIX[name].pythons
    here = "{}.{}".format(*sys.version_info[:2])
    for one in wanted:
        found = sys.executable if one == here else shutil.which(f"python{one}")
        if found and version_of([found]) == tuple(map(int, one.split("."))):
            return found
    raise SetupError(f"transformers {name} needs Python {' or '.join(wanted)} and there is none on PATH")


def tiny_policy(home: Path, name: str) -> Path:
    """A small trained policy, written by this Python; the others must read it."""
    kind, polarity = TINY[name]
    folder, run = home / "policies" / name, home / "runs" / name
    for old in (folder, run):
        shutil.rmtree(old, ignore_errors=True)
    run.parent.mkdir(parents=True, exist_ok=True)
    pairs, stock = run.with_suffix(".jsonl"), run.with_suffix(".txt")
    rows = [json.dumps({"prompt": subject, polarity: ", ".join(WORDS.values())}) for subject in SUBJECTS]
    pairs.write_text("\n".join(rows) + "\n")
    stock.write_text("\n".join(WORDS) + "\n")
    command = [sys.executable, "-m", "negopt_core", "train", "sft", "--pairs", str(pairs), "--kind", kind]
    command += ["--polarity", polarity, "--stock", str(stock), "--scheduled", "--learn-schedule", "--width", "32"]
    command += ["--steps", STEPS, "--rate", "0.01", "--threads", "1", "--run", str(run), "-o", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SetupError(f"training {name} failed: {last_line(done)}")
    return folder


def row(title: str, python: Callable[[], Path], folders: list[Path], reference: dict[str, Any]) -> bool:
    """Compare one environment with the reference and say how it went."""
    try:
        answers = ask(python(), folders)
    except (SetupError, OSError) as error:
        print(f"{title}: DID NOT RUN: {error}", flush=True)
        return False
    wrong = [name for name, said in reference["policies"].items() if answers["policies"].get(name) != said]
    print(f"{described(answers)}: {'DIFFERS in ' + ', '.join(wrong) if wrong else 'the same'}", flush=True)
    return not wrong


def ask(python: Path, folders: list[Path]) -> dict[str, Any]:
    """What the policies say under that Python."""
    command = [str(python), str(ROOT / "tools" / "compat_answers.py"), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SetupError(last_line(done))
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The last thing a process said."""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"


def described(answers: dict[str, Any]) -> str:
    """The versions, on a line."""
    return ", ".join(f"{name} {version}" for name, version in answers["versions"].items())


if __name__ == "__main__":
    sys.exit(main())
