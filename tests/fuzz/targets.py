"""What is fuzzed: each target takes any bytes, and fails where a promise about any text does not hold.

Refusing with a `NegOptError` of one line is always right; every other exception is a finding, and so is an answer that
is wrong. Needs no torch, so that the fuzzer runs a thousand times a second.
"""

from __future__ import annotations

import json
import math
import re
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from negopt_core.errors import NegOptError
from negopt_core.lab.data.pairs import Pair, read_pairs, write_pair
from negopt_core.lab.data.pictures import read_likes, read_sides
from negopt_core.lab.data.written import pair_of_sides, whole_phrases
from negopt_core.policy import suggest
from negopt_core.policy.card import parse_card
from negopt_core.policy.rules import RulesPolicy
from negopt_core.policy.static import StaticPolicy
from negopt_core.provenance.comfy_graph import prompts_of_graph
from negopt_core.provenance.host_text import read_written
from negopt_core.provenance.infotext import parse_infotext
from negopt_core.provenance.picture_texts import read_texts
from negopt_core.provenance.record import infotext, read_picture, record_from_json
from negopt_core.text.checks import Setup, inspect_setup
from negopt_core.text.df_text import format_prompt, parse_prompt, parse_report
from negopt_core.text.dialects import DIALECTS, from_dialect, to_dialect
from negopt_core.text.prompt import DFPrompt, PromptPair, Span
from negopt_core.text.schedule import compile_schedule

Target = Callable[[bytes, Path], None]
"""Bytes to try, and a folder for a file that the target may write; raises AssertionError for a broken promise."""

_LONGEST_LINE = 1500
_BETWEEN = " \t\r\n,"
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)  # one grey pixel
_PIXEL = zlib.compress(b"\0\0")


def as_text(data: bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates: texts that Python can hold and no file can."""
    return data.decode("utf-8", "surrogateescape")


def refused(work: Callable[[], object]) -> bool:
    """Do something that may be refused by one of our own errors, in one line of bearable length."""
    try:
        work()
    except NegOptError as error:
        assert 0 < len(str(error)) < _LONGEST_LINE, f"a refusal of {len(str(error))} characters"
        return True
    return False


def df_prompt(data: bytes, folder: Path) -> None:
    """Reading is total, loses nothing, and writing what was read is a fixed point."""
    text, steps = as_text(data), 1 + len(data) % 50
    report = parse_report(text)
    written = format_prompt(report.prompt)
    again = parse_report(written)
    assert again.prompt == report.prompt and not again.problems
    assert format_prompt(again.prompt) == written
    for problem in report.problems:
        assert text.startswith(problem.text, problem.position) and str(problem)
    schedule = compile_schedule(report.prompt, steps)
    assert schedule[0].first == 0 and schedule[-1].stop == steps
    assert all(one.stop == other.first for one, other in pairwise(schedule))
    inspect_setup(PromptPair(report.prompt, report.prompt), Setup(steps=steps, embeddings=frozenset()))


def dialect_writers(data: bytes, folder: Path) -> None:
    """What a dialect writes reads back as the same words, weights and steps.

    Reading may refuse it: it looks for reserved words in the whole text, writing in what is encoded at each step.
    """
    prompt, steps = parse_prompt(as_text(data)), 1 + len(data) % 50
    for dialect in DIALECTS:
        texts: list[str] = []
        if refused(lambda name=dialect, out=texts: out.append(to_dialect(prompt, name, steps))):  # type: ignore[misc]
            continue
        read: list[DFPrompt] = []
        if not refused(lambda name=dialect, text=texts[0], out=read: out.append(from_dialect(text, name, steps))):  # type: ignore[misc]
            assert _encoded(read[0], steps) == _encoded(_said(prompt), steps), f"{dialect}: {texts[0]!r}"


def _said(prompt: DFPrompt) -> DFPrompt:
    """With round brackets for `\\(` and `\\)`, which every notation writes as they are and reads as brackets."""
    return DFPrompt(
        tuple(Span(re.sub(r"\\([()])", r"\1", span.text), span.weight, span.window) for span in prompt.spans)
    )


def _encoded(prompt: DFPrompt, steps: int) -> list[object]:
    """What an encoder is given at each step: the words, and the weight of every character of them, to ten places.

    Commas and white space are left out: how many stand between two words, and whether they stand before the first one,
    depends on where spans were cut, and encoders read any white space as one space.
    """
    rows: list[object] = []
    for segment in compile_schedule(prompt, steps):
        weights = [f"{weight:.10g}" for text, weight in segment.parts for sign in text if sign not in _BETWEEN]
        rows += [(re.sub(f"[{_BETWEEN}]+", " ", segment.text).strip(), tuple(weights))] * (segment.stop - segment.first)
    return rows


def dialect_readers(data: bytes, folder: Path) -> None:
    """Any text reads as a prompt or is refused; what was read can be written again as DF-Prompt text."""
    text, steps = as_text(data), 1 + len(data) % 50
    for dialect in DIALECTS:

        def read(name: str = dialect) -> None:
            prompt = from_dialect(text, name, steps)
            assert parse_prompt(format_prompt(prompt)) == prompt

        refused(read)


def infotexts(data: bytes, folder: Path) -> None:
    """A1111's text as it comes out of any picture, down to the training pair."""
    text = as_text(data)
    refused(lambda: parse_infotext(text))
    for notation in ("a1111", "comfy", "df"):
        prompt = read_written(text, notation)  # type: ignore[arg-type]
        whole_phrases(prompt.spans)
        for polarity in ("negative", "modifiers"):
            _pair_survives(pair_of_sides(prompt, prompt, polarity), polarity)


def _pair_survives(pair: Pair, polarity: str) -> None:
    """JSON Lines hold a pair whatever is in it."""
    line = write_pair(pair, polarity)
    assert json.loads(line)["prompt"] == pair.prompt and line.count("\n") == 1


def workflows(data: bytes, folder: Path) -> None:
    """ComfyUI's two graphs; a zero byte is where the second one begins."""
    prompt, _, workflow = as_text(data).partition("\0")

    def read() -> None:
        pair = prompts_of_graph(prompt, workflow)
        for polarity in ("negative", "modifiers"):
            _pair_survives(pair_of_sides(pair.positive, pair.negative, polarity), polarity)

    refused(read)


def pictures(data: bytes, folder: Path) -> None:
    """Any file may be called a picture."""
    path = folder / "picture.png"
    path.write_bytes(data)
    for read in (read_texts, read_sides, read_picture):
        refused(lambda read=read: read(path))  # type: ignore[misc]


def chunks(data: bytes, folder: Path) -> None:
    """A sound PNG with text chunks of any name and content: `name\\0text`, separated by two zero bytes."""
    texts = b"".join(_chunk(b"tEXt", one) for one in data.split(b"\0\0")[:4])
    pictures(
        _PNG + _chunk(b"IHDR", _HEADER) + texts + _chunk(b"IDAT", _PIXEL) + texts[:200] + _chunk(b"IEND", b""), folder
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def records(data: bytes, folder: Path) -> None:
    """Our own record: one that is accepted is complete, and its types are those it claims."""
    try:
        values = json.loads(as_text(data))
    except (ValueError, RecursionError):
        return

    def read() -> None:
        record = record_from_json(values)
        assert record_from_json(json.loads(json.dumps(record.to_json()))) == record
        assert infotext(record)
        assert all(isinstance(seed, int) for seed in (record.seed, *record.batch_seeds))
        assert math.isfinite(record.cfg) and min(record.width, record.height, record.steps) > 0

    refused(read)


def cards(data: bytes, folder: Path) -> None:
    """A card that is accepted survives being written, and its policy answers."""
    text = as_text(data)

    def read() -> None:
        card = parse_card(text)
        assert parse_card(json.dumps(card.to_json())) == card
        for make in (StaticPolicy, RulesPolicy):

            def answer(make: type = make) -> None:
                (found,) = suggest(make(card), ["a photo of a cat, [sharp:0-0.5:1]"])
                assert json.dumps(found.to_json())

            refused(answer)

    refused(read)


def lines(data: bytes, folder: Path) -> None:
    """Files of pairs and of likes."""
    path = folder / "lines.jsonl"
    path.write_bytes(data)
    for polarity in ("negative", "modifiers"):

        def read(polarity: str = polarity) -> None:
            pairs = read_pairs(path, polarity)
            path.write_text("".join(write_pair(pair, polarity) for pair in pairs), encoding="utf-8")
            again = read_pairs(path, polarity)
            assert [(pair.prompt, pair.weight) for pair in again] == [(pair.prompt, pair.weight) for pair in pairs]
            path.write_bytes(data)

        refused(read)
    refused(lambda: read_likes(path))


TARGETS: dict[str, Target] = {
    "df-prompt": df_prompt,
    "dialect-writers": dialect_writers,
    "dialect-readers": dialect_readers,
    "infotexts": infotexts,
    "workflows": workflows,
    "pictures": pictures,
    "chunks": chunks,
    "records": records,
    "cards": cards,
    "lines": lines,
}
