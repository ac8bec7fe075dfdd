"""Runs pip so that a person can follow it, and says in one line why it failed. Stdlib only, Python 3.7 and newer."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Dict, List

LOG = "negopt-setup.log"
QUIET_SECONDS = 10.0  # longest silence while pip works
TEXT = {"encoding": "utf-8", "errors": "replace"}

DISK_FULL = "the disk is full: free about 3 GB and run this again"
CAUSES = (
    (r"No space left on device|Errno 28|Disk quota exceeded", DISK_FULL),
    (
        r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|ConnectTimeoutError"
        r"|Read timed out|Network is unreachable|ProxyError|ConnectionResetError",
        "pip cannot reach its package index: check the network, or point PIP_INDEX_URL at a mirror, and run this again",
    ),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError", "the package index is not trusted: set PIP_CERT to your certificates"),
    (
        r"DO NOT MATCH THE HASHES",
        "the package index serves another file than the one that tools/lock names: ask another index (PIP_INDEX_URL), "
        "or, if you trust this one, run python tools/setup_env.py --no-hashes",
    ),
    (
        r"No matching distribution found|Could not find a version",
        "a package that tools/lock pins is not there for this Python and system: ask an index that has it "
        "(PIP_INDEX_URL; PyPI does), or try another Python from 3.10 to 3.13",
    ),
    (r"Permission denied|Errno 13", "pip may not write here: check who owns .venv"),
)
"""What pip says when something outside it is wrong, and what to do about it; the first match is reported."""


class SetupError(Exception):
    """What went wrong and what to do about it, in one line."""


def run(command: List[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, keeping all that it says."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=child_env(), **TEXT)


def child_env() -> Dict[str, str]:
    """Our surroundings without the settings that would send packages elsewhere than into the environment."""
    env = {k: v for k, v in os.environ.items() if k not in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME")}
    return dict(env, PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PYTHONUNBUFFERED="1")


def install(python: Path, venv: Path, requirements: Path, with_hashes: bool = True) -> None:
    """Install a file into `venv`, showing a line for each package as it is fetched and as it arrives.

    A file with hashes is complete: pip looks for nothing beside it, and holds each package against its hash if wanted.
    """
    command = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--no-compile"]
    text = requirements.read_text(encoding="utf-8")
    if "--hash=" in text:
        command.append("--no-deps")
    if "--hash=" in text and not with_hashes:
        requirements = venv / requirements.name
        requirements.write_text(re.sub(r"\s*\\\n\s+--hash=\S+", "", text), encoding="utf-8")
    command += ["-r", str(requirements)]
    with (venv / LOG).open("a", encoding="utf-8") as log, Progress(venv) as progress:
        status = follow(command, log.write, progress.read)
    if status != 0:
        said = (venv / LOG).read_text(encoding="utf-8")
        explain(said)
        raise SetupError(f"pip failed: {last_error(said)} (all it said is in {venv / LOG})")


def follow(command, *readers) -> int:
    """Give each line that a command says to each reader; returns the command's exit status."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "close_fds": False}  # it inherits the lock
    with subprocess.Popen(command, env=child_env(), **pipes, **TEXT) as process:
        try:
            for line in process.stdout:
                for reader in readers:
                    reader(line)
        except BaseException:
            process.terminate()
            raise
    return process.returncode


def explain(said: str) -> None:
    """Raise what is known to be behind pip's words; return if nothing is."""
    for signs, remedy in CAUSES:
        if re.search(signs, said):
            raise SetupError(f"{remedy} ({last_error(said)[:200]})")


def last_error(said: str) -> str:
    """The last line that pip itself calls an error, else its last line."""
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    return errors[-1][len("ERROR: ") :] if errors else last_line(said)


def last_line(said: str) -> str:
    """The last line that says anything."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


class Progress:
    """Turns pip's output, and what appears in site-packages, into lines a person can follow."""

    def __init__(self, venv: Path) -> None:
        self.started = self.spoke = time.monotonic()
        self.venv = venv
        self.expected = 0  # packages pip said it would install
        self.seen = set(self.installed())
        self.arrived = 0
        self.stopped = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> "Progress":
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.watcher.join()
        self.report()

    def read(self, line: str) -> None:
        """One line of pip's output."""
        text = line.strip()
        if text.startswith(("Collecting ", "Downloading ", "Processing ")):
            self.say(text.split(" (from ")[0])
        elif text.startswith("Installing collected packages:"):
            self.expected = len(text.split(",")) if "," in text else 1
            self.say(f"installing {self.expected} packages")

    def watch(self) -> None:
        """Report arrivals twice a second, and break a long silence."""
        while not self.stopped.wait(0.5):
            self.report()
            if time.monotonic() - self.spoke > QUIET_SECONDS:
                self.say(f"still working after {time.monotonic() - self.started:.0f} s")

    def report(self) -> None:
        """A line for each package that is new in site-packages."""
        for name in self.installed() if self.expected else ():
            if name not in self.seen:
                self.seen.add(name)
                self.arrived += 1
                self.say("installed {}/{} {}".format(self.arrived, self.expected, name.replace("-", " ")))

    def installed(self) -> List[str]:
        """`name-version` of each package that is there."""
        folders = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return sorted(path.name[: -len(".dist-info")] for path in self.venv.glob(folders + "/*.dist-info"))

    def say(self, text: str) -> None:
        """Print one line; silence is counted from here."""
        self.spoke = time.monotonic()
        print("  " + text, flush=True)
