"""The work that is killed: small jobs of the command line, and what each leaves that must not depend on kills."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Results = dict[str, str]
"""A hash by name of everything that a finished job leaves."""

_SMALL = ("--threads", "1", "--json")
_SFT = ("--pairs", "world", "--stock", "world", "--scheduled", "--width", "16", "--layers", "1", "--batch", "2")


@dataclass(frozen=True)
class Job:
    """A command that can be run again in the same folder until it is done."""

    command: tuple[str, ...]
    results: Callable[[Path], Results]
    whole_files: str
    """Files (or folders) of this pattern are whole whenever they are there."""
    before: Callable[[Path], None] = lambda folder: None
    """Done in the process of the job, first."""
    is_done: Callable[[Path], bool] = lambda folder: False
    """Whether the job would refuse to run again, because what it makes is there."""

    def arguments(self, folder: Path, shared: Path) -> list[str]:
        """The command line for a folder of its own and one with what was prepared for all."""
        return [part.format(folder=folder, shared=shared) for part in self.command]


def prepare(shared: Path) -> list[list[str]]:
    """Commands that make what the jobs read: a policy to start from, pairs to filter."""
    pairs = [
        {"prompt": f"a photo of a {colour} ball", "negative": negative}
        for colour in ("red", "blue", "green", "yellow")
        for negative in ("blurry, noisy", "too dark")
    ]
    (shared / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    taught = ("-o", str(shared / "taught"), "--run", str(shared / "run"))
    return [["train", "sft", *_SFT, "--steps", "1", *taught, *_SMALL]]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _of_training(folder: Path) -> Results:
    names = ("run/metrics.jsonl", "run/config.json", *(f"run/export/{name}" for name in ("model.safetensors",
             "heads.safetensors", "policy.json", "SHA256SUMS")))  # fmt: skip
    samples = sorted(path.relative_to(folder).as_posix() for path in (folder / "run" / "samples").iterdir())
    return {name: _hash(folder / name) for name in (*names, *(name for name in samples if "partial" not in name))}


def _of_filter(folder: Path) -> Results:
    rows = [
        json.loads(line) for line in (folder / "run" / "scores.jsonl").read_text().splitlines() if line.endswith("}")
    ]
    scores = {row["key"]: str(row["score"]) for row in rows}
    return {"kept": _hash(folder / "kept.jsonl"), **scores}


def _of_pictures(folder: Path) -> Results:
    """A picture that was painted before the kill is not painted over, so that the second run adds copies."""
    return {_hash(path): "" for path in folder.glob("*.png")}


def _of_eval(folder: Path) -> Results:
    found = {_hash(path): "" for path in (folder / "out" / "cache").rglob("*.png")}
    report = folder / "out" / "report.json"
    if report.exists():
        values = json.loads(report.read_text())
        found["report"] = json.dumps([values["results"], values["sets"]], sort_keys=True)
    return found


def _own_cache(folder: Path) -> None:
    """Nothing of an earlier pull is there."""
    from huggingface_hub import constants

    constants.HF_HUB_CACHE = str(folder / "cache")


def _of_pull(folder: Path) -> Results:
    return {path.name: _hash(path) for path in (folder / "models" / "weather").iterdir()}


JOBS = {
    "sft": Job(
        ("train", "sft", *_SFT, "--steps", "6", "--save-every", "2", "--augment", "--run", "{folder}/run", *_SMALL),
        _of_training,
        "run/checkpoint.safetensors",
    ),
    "ppo": Job(
        ("train", "ppo", "--policy", "{shared}/taught", "--prompts", "world", "--paint-steps", "1", "--batch", "1",
         "--group", "2", "--epochs", "1", "--steps", "4", "--save-every", "1", "--run", "{folder}/run", *_SMALL),
        _of_training,
        "run/checkpoint.safetensors",
    ),
    "filter": Job(
        ("data", "filter", "{shared}/pairs.jsonl", "-o", "{folder}/kept.jsonl", "--run", "{folder}/run", "--steps", "1",
         "--pictures", "1", "--batch", "2", *_SMALL),
        _of_filter,
        "kept.jsonl",
    ),
    "paint": Job(
        ("paint", "a photo of a red ball, [by the sea:0-0.5:1.2]", "--steps", "1", "-n", "4", "--seed", "3", "-o",
         "{folder}", "--device", "cpu", "--json"),
        _of_pictures,
        "*.png",
    ),
    "eval": Job(
        ("eval", "-o", "{folder}/out", "--prompts", "world:3", "--steps", "1", "--batch", "1", "--arm", "none", "--arm",
         "fixed=text:blurry", "--metrics", "world-quality", "--device", "cpu", "--json"),
        _of_eval,
        "out/cache/**/*.png",
    ),
    "pull": Job(
        ("policies", "pull", "hf:me/weather", "-o", "{folder}/models", "--json"),
        _of_pull,
        "models/weather",
        _own_cache,
        lambda folder: (folder / "models" / "weather").is_dir(),
    ),
}  # fmt: skip
