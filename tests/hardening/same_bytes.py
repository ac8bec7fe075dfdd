"""Everything that promises the same bytes, done once: `python same_bytes.py FOLDER` prints a hash for each."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from negopt_core.cli import main

PROMPTS = ("a photo of a red ball by the sea", "1girl, night, rain", "日本語 🐟", "", "a [broken, (x:1.2)")
PAIRS = [{"prompt": f"a photo of {n % 7} balls and {n} stars", "negative": f"blurry, text {n % 5}"} for n in range(60)]
SFT = ("--pairs", "world", "--stock", "world", "--scheduled", "--width", "16", "--layers", "1", "--batch", "2")


def say(*arguments: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(list(arguments)) == 0, arguments
    return out.getvalue()


def run(folder: Path) -> dict[str, str]:
    """A hash of everything that came out, by name; nothing in it may depend on the folder."""
    found = {}
    for policy in ("negopt", "negopt-scheduled:flux", "rules", "nearest", "static", "static+rules"):
        for seed in ("0", "7"):
            said = [say("suggest", prompt, "--policy", policy, "--seed", seed, "--json") for prompt in PROMPTS]
            found[f"suggest {policy} {seed}"] = digest("".join(said).encode())
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS))
    say("data", "split", str(folder / "pairs.jsonl"), "-o", str(folder / "parts"), "--json")
    trained = ("--run", str(folder / "run"), "-o", str(folder / "taught"), "--threads", "1", "--json")
    say("train", "sft", *SFT, "--steps", "3", "--augment", *trained)
    ppo = (
        "--policy",
        str(folder / "taught"),
        "--prompts",
        "world",
        "--paint-steps",
        "1",
        "--batch",
        "2",
        "--epochs",
        "1",
    )
    say("train", "ppo", *ppo, "--steps", "2", "--run", str(folder / "ppo"), "--threads", "1", "--json")
    painted = ("--steps", "2", "-n", "2", "--seed", "5", "--device", "cpu", "-o", str(folder / "painted"), "--json")
    say("paint", "a photo of a red ball[, by the sea:0-0.5:1.2]", "--policy", "rules:world", *painted)
    say("suggest", PROMPTS[0], "--policy", str(folder / "taught"), "--seed", "3", "--json")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "config.json"]
    return found | {path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in files}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    told = run(Path(sys.argv[1]))
    sys.stdout.write("@" + json.dumps(told) + "\n")
