"""Seeded damage to policy folders, and what loading them does: `python damage.py FIRST COUNT FOLDER`, a JSON line each.

Run by `test_damaged_policies.py` in a process of its own, because what is tried could end it.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "policy"))

import torch
from languages import language_policy

from negopt_core.errors import NegOptError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.index import fit_index, save_retrieval
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.card import PolicyCard
from negopt_core.policy.folder_check import SUMS
from negopt_core.policy.language.folder import save_policy
from negopt_core.policy.rules import rules_card
from negopt_core.policy.static import static_card
from negopt_core.text.prompt import Span

CARD, SECRET = "policy.json", "the words of a file that is none of the policy's business"
PROMPTS = ["a photo of a red ball by the sea", ""]
CPU_SECONDS, MEMORY_MB = 60, 700
"""What one folder may take of a processor, and all of them may add to this process's memory."""
KINDS = {"seq2seq": 4, "df": 4, "retrieval": 4, "static": 1, "rules": 1}
"""Kinds of policy, and how often each is damaged: those with more files more often."""
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**9, 10**400, 1e308, 0.5, "x", "", [], {}, [[]], {"a": 1}, "../../outside/secret",
    "/etc/passwd", "C:\\x", "\ud800", "a" * 5000, [1] * 1000, {"__class__": "os.system"},
)  # fmt: skip


def make_originals(folder: Path) -> None:
    """One sound policy of each kind."""
    for kind in ("seq2seq", "df"):
        save_policy(language_policy(kind), folder / kind)
    pairs = [Pair("a red ball", (Span("blurry"), Span("text"))), Pair("a sketch of the sea", (Span("noisy"),))]
    card = PolicyCard("retrieval", "tiny", polarity="negative", settings={"neighbours": 2})
    save_retrieval(folder / "retrieval", card, *fit_index(pairs, pairs))
    for plain in (static_card("fog, [rain:0-0.5:1]"), rules_card()):
        (folder / plain.kind).mkdir()
        (folder / plain.kind / CARD).write_text(json.dumps(plain.to_json()))
    (folder / "outside").mkdir()
    (folder / "outside" / "secret").write_text(SECRET)


# each takes the draw and the folder, does its damage, and names the file


def truncate(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    os.truncate(path, draw.randrange(path.stat().st_size) if path.stat().st_size else 0)
    return path.name


def flip(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 8)):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return path.name


def append(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    with path.open("ab") as file:
        file.write(draw.randbytes(draw.choice((1, 8, 4096))))
    return path.name


def delete(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    path.unlink()
    return path.name


def swap(draw: random.Random, folder: Path) -> str:
    one, other = _any(draw, folder), _any(draw, folder)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    return f"{one.name} and {other.name}"


def make_huge(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    os.truncate(path, 3_000_000_000)  # a hole: takes no room on the disk
    return path.name


def nest(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder, ".json")
    depth = draw.choice((90, 500, 990, 100_000))
    path.write_text('{"kind": "static", "name": "x", "a": ' + "[" * depth + "]" * depth + "}")
    return path.name


def change_value(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder, ".json")
    values = json.loads(path.read_text())
    place, keys, parent, key = values, [], values, "added"
    while isinstance(place, dict) and place and (not keys or draw.random() < 0.5):
        parent, key = place, draw.choice(list(place))
        place, keys = place[key], [*keys, key]
    parent[key] = draw.choice(HOSTILE)
    path.write_text(json.dumps(values))
    return f"{path.name}: {'.'.join(map(str, keys))} = {str(parent[key])[:30]}"


def add_value(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder, ".json")
    values = json.loads(path.read_text())
    key = draw.choice(("auto_map", "vocab_file", "tokenizer_file", "settings", "tokenizer_class", "torch_dtype",
                       "model_type", "architectures", "quantization_config", "n_positions", "num_layers"))  # fmt: skip
    values[key] = draw.choice((*HOSTILE, {"AutoTokenizer": ["x.y", "x.y"]}, "BertTokenizer", "bert", "float8"))
    path.write_text(json.dumps(values))
    return f"{path.name}: {key} = {str(values[key])[:30]}"


def change_header(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder, ".safetensors")
    if path.suffix != ".safetensors":
        return flip(draw, folder)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    name = draw.choice([key for key in header if key != "__metadata__"])
    what = draw.choice(("dtype", "shape", "offsets", "name", "drop", "length"))
    if what == "dtype":
        header[name]["dtype"] = draw.choice(("I32", "F16", "BF16", "F64", "I64", "U8", "F8_E4M3", "X", 7))
    elif what == "shape":
        header[name]["shape"] = draw.choice(([], [0], [-1], [2**62, 2**62], [1.5], "x", header[name]["shape"][::-1]))
    elif what == "offsets":
        header[name]["data_offsets"] = draw.choice(([0, 2**60], [-8, 0], [8, 0], [0, 4], "x", []))
    elif what == "name":
        header["../../outside/secret"] = header.pop(name)
    elif what == "drop":
        del header[name]
    written = json.dumps(header).encode()
    claimed = draw.choice((0, 2**63 - 1, len(written) * 2)) if what == "length" else len(written)
    path.write_bytes(struct.pack("<Q", claimed) + written + content[8 + length :])
    return f"{path.name}: {what} of {name}"


def fill(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder, ".safetensors")
    if path.suffix != ".safetensors":
        return flip(draw, folder)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    value = draw.choice((b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\xff\xff"))  # NaN, infinity, NaN or -1
    rest = len(content) - 8 - length
    path.write_bytes(content[: 8 + length] + (value * (rest // 4 + 1))[:rest])
    return f"{path.name} filled with {value.hex()}"


def link_out(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    target = draw.choice(
        ("/dev/zero", "/dev/urandom", str(folder.parent / "outside" / "secret"), path.name, "../../..")
    )
    path.unlink()
    path.symlink_to(target)
    return f"{path.name} -> {target}"


def make_pipe(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    path.unlink()
    os.mkfifo(path)
    return f"{path.name} as a pipe"


def make_folder(draw: random.Random, folder: Path) -> str:
    path = _any(draw, folder)
    path.unlink()
    path.mkdir()
    return f"{path.name} as a folder"


def change_sums(draw: random.Random, folder: Path) -> str:
    name = draw.choice(("../outside/secret", "/etc/passwd", "..\\x", "", "no such file", "a/b", "\0"))
    with (folder / SUMS).open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    return f"{SUMS} names {name!r}"


def add_file(draw: random.Random, folder: Path) -> str:
    name = draw.choice(("pytorch_model.bin", "modeling_x.py", "training_args.pt", "sub/x.pkl", "added_tokens.json",
                        "heads.safetensors", "..\\evil", "n" * 200, "chat_template.jinja"))  # fmt: skip
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(draw.randbytes(64))
    return f"{name[:30]} added"


DAMAGE: tuple[Callable[[random.Random, Path], str], ...] = (
    truncate, flip, flip, append, delete, swap, make_huge, nest, change_value, change_value, change_value, add_value,
    change_header, change_header, fill, link_out, make_pipe, make_folder, change_sums, add_file,
)  # fmt: skip


def _any(draw: random.Random, folder: Path, ending: str = "") -> Path:
    """A file of the folder; of any kind if none ends so."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return draw.choice([path for path in files if path.suffix == ending] or files)


def answers(name: str) -> list[dict[str, Any]]:
    return [found.to_json() for found in suggest(load_policy(name), PROMPTS)]


def try_one(number: int, folder: Path, wanted: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Damage a copy and load it; what was done and what came of it: refused, equal or other."""
    draw, hurt = random.Random(number), DAMAGE[number % len(DAMAGE)]
    (kind,) = draw.choices(list(KINDS), KINDS.values())
    copy = folder / "copy"
    shutil.copytree(folder / kind, copy)
    has_sums = (copy / SUMS).exists() and draw.random() < 0.4
    if not has_sums and hurt is not change_sums:
        (copy / SUMS).unlink(missing_ok=True)
    row: dict[str, Any] = {"number": number, "kind": kind, "damage": f"{hurt.__name__}: {hurt(draw, copy)}"}
    before = sorted(str(path) for path in copy.rglob("*"))
    try:
        row["outcome"] = "equal" if answers(str(copy)) == wanted[kind] else "other"
        row["must be equal"] = has_sums and CARD not in row["damage"]
    except NegOptError as error:
        row |= {"outcome": "refused", "says": str(error)}
    assert sorted(str(path) for path in copy.rglob("*")) == before, "loading wrote something"
    shutil.rmtree(copy)
    return row


def main(first: int, count: int, folder: Path) -> None:
    torch.set_num_threads(1)
    make_originals(folder)
    wanted = {kind: answers(str(folder / kind)) for kind in KINDS}
    at_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(first, first + count):
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # ends the process: a hang is a finding
        row = try_one(number, folder, wanted)
        row["grown_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_start) // 1024
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
