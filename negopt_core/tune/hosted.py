"""An audit or a tune that a host paints: its plan and journal, what is to be painted next, and what is known so far."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..errors import PromptError
from ..files import append_journal, read_journal, write_bytes, write_text
from ..policy.loglinear.knowledge import Side
from ..policy.loglinear.policy import tables_fingerprint
from ..policy.tuned.effects import SIDES, Stock
from ..text.prompt import Span
from .audit import HURTS, NOTHING, AuditPlan
from .evidence import Source, reward_of
from .journal import PICTURES, Journal, in_use
from .judges import Judge, thumbnail
from .report import audit_phrases, audit_report, check_pairs, click_pairs, tune_phrases, tune_report
from .rounds import Ask, Reader
from .start import CLICKS, MOST_PICTURES, Start, as_df
from .tune import TunePlan

SAME, RESULT = "same.jsonl", "result.json"
_AT_ONCE = 8
"""Pictures that a host is told of at a time."""
_SHOWN = 48
"""Newest pictures of the wall."""
_FRESH = 8
"""Pictures after which effects are worked out anew."""
_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{12}")

Key = tuple[str, tuple[int, ...]]


class Notation(Protocol):
    """How texts are written for the encoders of a host."""

    def prompt(self, prompt: str, added: Sequence[Span]) -> str:
        """A prompt, given as DF-Prompt text, with modifiers behind it."""
        ...

    def phrases(self, side: Side, spans: Sequence[Span]) -> str:
        """A list of phrases."""
        ...


class HostedRun:
    """A run in its folder. Every call writes what it changes, so that a run goes on where it was left."""

    def __init__(
        self,
        folder: Path,
        start: Start,
        judge: Judge,
        plan: AuditPlan | TunePlan,
        notation: Notation,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.start, self.judge, self.plan, self.notation = folder, start, judge, plan, notation
        with in_use(folder):
            self.journal = Journal.open(folder, {**start.to_json(), "weights": dict(judge.weights), **(more or {})})
            self.same = {frozenset(map(_key, row)) for row in read_journal(folder / SAME) if row}
            self._compared: dict[str, Mapping[str, tuple[int, ...]]] = {}
            self._known: tuple[int, list[dict[str, Any]]] = (-1, [])
            self._advance()

    @property
    def result(self) -> dict[str, Any] | None:
        """What came out, once all is done."""
        path = self.folder / RESULT
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def state(self) -> dict[str, Any]:
        """What a page shows and does next."""
        pairs = self._pairs()
        return {
            "run": self.folder.name,
            "start": self.start.to_json(),
            "painted": len(self.journal.scores),
            "most": self._most(),
            "stage": self.journal.rounds[-1].stage if self.journal.rounds else "",
            "asks": self.asks(),
            "phrases": self._phrases(),
            "pairs": [[id_of(one) for one in pair] for pair in pairs[:_AT_ONCE]],
            "open_pairs": len(pairs),
            "clicks": len(self.journal.clicks),
            "wall": self._wall(),
            "result": self.result,
        }

    def asks(self) -> list[dict[str, Any]]:
        """The next pictures that are to be painted: id, seed, and both texts as the host's encoders read them."""
        return [self._told(one) for one in self.journal.waiting[:_AT_ONCE]]

    def tell(self, ask_id: str, picture: Path) -> None:
        """A picture was painted: judge it, keep a small copy. One that was told before is not judged again."""
        ask = self._asked(ask_id)
        if ask.key in self.journal.scores:
            return
        is_last = self.journal.rounds[-1].stage == "check"
        scores = self.judge.score(picture, ask.prompt, is_last)
        with in_use(self.folder):
            write_bytes(self.picture(ask_id), thumbnail(picture))
            self.journal.tell([ask], [scores])
            self._advance()

    def click(self, better: str, worse: str, is_same: bool) -> None:
        """Somebody preferred one of two pictures, or neither."""
        one, other = self._asked(better), self._asked(worse)
        with in_use(self.folder):
            if is_same:
                append_journal(self.folder / SAME, [[[key[0], list(key[1])] for key in (one.key, other.key)]])
                self.same.add(frozenset((one.key, other.key)))
            else:
                self.journal.prefer(one, other)
            self._advance()

    def picture(self, ask_id: str) -> Path:
        """The small copy of a picture."""
        return picture_of(self.folder, ask_id)

    def report(self) -> dict[str, Any]:
        """What is known so far, with pictures by their keys."""
        if isinstance(self.plan, AuditPlan):
            return audit_report(self.plan, self.journal)
        return tune_report(self.plan, self.journal)

    def _asked(self, ask_id: str) -> Ask:
        for row in self.journal.rounds:
            for one in row.asks:
                if id_of(one.key) == ask_id:
                    return one
        raise PromptError(f"{self.folder.name} has not asked for {ask_id[:60]}; reopen the run")

    def _advance(self) -> None:
        """Begin the next round, or write the result, once the one before is judged; clicks are waited for."""
        if self.journal.waiting or self.result is not None:
            return
        left = len(self._pairs())
        row = self.plan.next(self.journal) if not left or self._may_go_ahead(left) else None
        if row is not None and (not left or row.stage == "learn"):
            self.journal.ask(row)
        elif row is None and not left:
            write_text(self.folder / RESULT, json.dumps(self._finish()) + "\n")

    def _may_go_ahead(self, left: int) -> bool:
        """An audit paints one round ahead of the clicks; a tune needs them to choose."""
        return isinstance(self.plan, AuditPlan) and left <= self.plan.round_pairs

    def _pairs(self) -> list[tuple[Key, Key]]:
        """Pairs that wait for a click, the oldest first."""
        if self.start.judge != CLICKS:
            return []
        pairs = click_pairs(self.journal)
        if self.journal.rounds and self.journal.rounds[-1].stage == "check":
            pairs += check_pairs(self.journal, self._arms())
        painted = self.journal.scores
        return [pair for pair in pairs if frozenset(pair) not in self.same and all(one in painted for one in pair)]

    def _arms(self) -> dict[str, Mapping[str, tuple[int, ...]]]:
        """What the last check compares, the new list first; the same as long as it lasts."""
        if not self._compared:
            plan = self.plan
            if isinstance(plan, AuditPlan):
                sets = plan.arms(self.journal)
                self._compared |= {name: dict.fromkeys(plan.prompts, one) for name, one in sets.items()}
            else:
                self._compared |= plan.arms(self.journal)
        return self._compared

    def _most(self) -> int:
        """Pictures at most, with those of the last check."""
        rows = self.journal.rounds
        if rows and rows[-1].stage == "check":
            return len({one.key for row in rows for one in row.asks})
        if isinstance(self.plan, TunePlan):
            return self.plan.pictures + self.plan.check * (2 + len(self.plan.rivals))
        return self.plan.most

    def _told(self, ask: Ask) -> dict[str, Any]:
        stock = next(row for row in reversed(self.journal.rounds) if ask in row.asks).stock
        spans = spans_of(stock, ask.options)
        return {
            "id": id_of(ask.key),
            "seed": ask.seed,
            "positive": self.notation.prompt(ask.prompt, spans["modifiers"]),
            "negative": self.notation.phrases("negative", spans["negative"]),
        }

    def _phrases(self) -> list[dict[str, Any]]:
        """What is known of each phrase; worked out anew after some pictures or clicks, and at the end."""
        if (result := self.result) is not None:
            phrases: list[dict[str, Any]] = result["phrases"]
            return phrases
        known = self.journal.scores if self.judge.weights else self.journal.clicks
        count = len(self.journal.scores) // _FRESH + len(self.journal.clicks) * MOST_PICTURES
        if known and count != self._known[0]:
            self._known = (count, self._rows(self._read_phrases()))
        return self._known[1]

    def _read_phrases(self) -> list[dict[str, Any]]:
        if isinstance(self.plan, AuditPlan):
            return audit_phrases(self.plan, self.journal)
        return tune_phrases(self.plan, self.journal)

    def _rows(self, phrases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"examples": [[id_of(_key(one)) for one in pair] for pair in row["examples"]]} for row in phrases]

    def _finish(self) -> dict[str, Any]:
        """The report, with texts for the user's encoders."""
        report = self.report()
        report["phrases"] = self._rows(report["phrases"])
        if isinstance(self.plan, AuditPlan):
            stock, rows = self.plan.reader.stock, report["phrases"]
            spans = spans_of(stock, [at for at, row in enumerate(rows) if row["verdict"] not in (HURTS, NOTHING)])
            report["shortened"] = self.notation.phrases("negative", spans["negative"])
            report["shortened_modifiers"] = self.notation.phrases("modifiers", spans["modifiers"])
        return report

    def _wall(self) -> list[dict[str, Any]]:
        """The newest pictures: what they show and what they were worth."""
        stock = self.journal.rounds[-1].stock if self.journal.rounds else Stock(())
        found = []
        for key in list(self.journal.scores)[-_SHOWN:]:
            reward = reward_of(self.journal.scores[key], self.judge.weights)
            texts: dict[str, str] = {
                side: self.notation.phrases(side, spans) for side, spans in spans_of(stock, key[1]).items()
            }
            found.append({"id": id_of(key), "score": reward if reward == reward else None, **texts})
        return found


def audit_plan(start: Start, judge: Judge) -> AuditPlan:
    """Of the phrases and prompts of a start; PromptError for what cannot be audited."""
    reader = Reader(Stock(tuple(start.own())), start.family, is_free=True)
    return AuditPlan(
        reader,
        tuple(df_prompts(start)),
        source_of(start),
        judge.weights,
        start.pictures,
        referee=judge.referee,
        seed=start.seed,
    )


def source_of(start: Start) -> Source:
    """Where the pictures come from."""
    return Source(start.family, start.model, tables_fingerprint(), start.sampling)


def df_prompts(start: Start) -> list[str]:
    """The prompts as DF-Prompt text, each once."""
    return list(dict.fromkeys(as_df(one, start.positive_notation) for one in start.prompts))


def spans_of(stock: Stock, places: Sequence[int]) -> dict[Side, list[Span]]:
    """Phrases by side, in the order of `places`."""
    said = [stock.options[one] for one in places]
    return {side: [one.span for one in said if one.side == side] for side in SIDES}


def is_id(text: str) -> bool:
    """Whether a text can be the id of a picture of a run."""
    return _ID.fullmatch(text) is not None


def picture_of(folder: Path, ask_id: str) -> Path:
    """The small copy of a picture of the run in `folder`."""
    return folder / PICTURES / f"{ask_id}.jpg"


def id_of(key: Key) -> str:
    """A picture's name in a page and of its file."""
    group, options = key
    return f"{group}-{hashlib.sha256(str(list(options)).encode()).hexdigest()[:12]}"


def _key(row: Any) -> Key:
    return row[0], tuple(row[1])
