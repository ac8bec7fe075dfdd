"""One audit or tune of the page: its plan and journal, what is asked of the page next, and what is known so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..negopt_core.errors import NegOptError
from ..negopt_core.files import append_journal, free_path, read_journal, write_bytes, write_text
from ..negopt_core.policy.loglinear.policy import tables_fingerprint
from ..negopt_core.policy.store import default_policy
from ..negopt_core.policy.tuned.effects import Stock
from ..negopt_core.text.df_text import parse_prompt
from ..negopt_core.tune.audit import AuditPlan
from ..negopt_core.tune.candidates import candidates, rivals_of, split_prompts
from ..negopt_core.tune.evidence import Source, reward_of
from ..negopt_core.tune.journal import Journal, in_use
from ..negopt_core.tune.report import audit_phrases, audit_report, check_pairs, click_pairs, tune_phrases, tune_report
from ..negopt_core.tune.rounds import Ask, Limits, Reader
from ..negopt_core.tune.table import save_tuned
from ..negopt_core.tune.tune import TunePlan
from .api_read import RequestError
from .learn_judges import Judge, thumbnail
from .learn_read import CLICKS, MOST_PICTURES, Start, as_df, as_written, list_text
from .policy import policy_folders, policy_menu

SAME, RESULT, PICTURES = "same.jsonl", "result.json", "pictures"
_AT_ONCE = 8
"""Pictures that the page is told of at a time."""
_SHOWN = 48
"""Newest pictures of the wall."""
_STOCK, _REFINED = 40, 0.25
_FRESH = 8
"""Pictures after which effects are worked out anew."""

Key = tuple[str, tuple[int, ...]]


class LearnRun:
    """A run in its folder. Every call writes what it changes, so that a run goes on where it was left."""

    def __init__(self, folder: Path, start: Start, judge: Judge) -> None:
        self.folder, self.start, self.judge = folder, start, judge
        self.plan = _audit_plan(start, judge) if start.kind == "audit" else _tune_plan(start, judge)
        with in_use(folder):
            self.journal = Journal.open(folder, {**start.to_json(), "weights": dict(judge.weights)})
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
        """What the page shows and does next."""
        pairs = self._pairs()
        waiting = self.journal.waiting
        return {
            "run": self.folder.name,
            "start": self.start.to_json(),
            "painted": len(self.journal.scores),
            "most": self._most(),
            "stage": self.journal.rounds[-1].stage if self.journal.rounds else "",
            "asks": [self._told(one) for one in waiting[:_AT_ONCE]],
            "phrases": self._phrases(),
            "pairs": [[_id(one) for one in pair] for pair in pairs[:_AT_ONCE]],
            "open_pairs": len(pairs),
            "clicks": len(self.journal.clicks),
            "wall": self._wall(),
            "result": self.result,
        }

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
        return self.folder / PICTURES / f"{ask_id}.jpg"

    def _asked(self, ask_id: str) -> Ask:
        for row in self.journal.rounds:
            for one in row.asks:
                if _id(one.key) == ask_id:
                    return one
        raise RequestError(
            404, "no-such-picture", f"{self.folder.name} has not asked for {ask_id[:60]}; reopen the run"
        )

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
        row = next(row for row in reversed(self.journal.rounds) if ask in row.asks)
        pair = ask.pair(row.stock)
        return {
            "id": _id(ask.key),
            "seed": ask.seed,
            "positive": as_written(pair.positive, self.start.positive_notation),
            "negative": as_written(pair.negative, self.start.negative_notation),
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

    def _report(self) -> dict[str, Any]:
        if isinstance(self.plan, AuditPlan):
            return audit_report(self.plan, self.journal)
        return tune_report(self.plan, self.journal)

    def _rows(self, phrases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"examples": [[_id(_key(one)) for one in pair] for pair in row["examples"]]} for row in phrases]

    def _finish(self) -> dict[str, Any]:
        """The report, with texts for the user's encoders; a tune that won becomes a policy."""
        report = self._report()
        report["phrases"] = self._rows(report["phrases"])
        if isinstance(self.plan, AuditPlan):
            for name, notation in (
                ("shortened", self.start.negative_notation),
                ("shortened_modifiers", self.start.positive_notation),
            ):
                report[name] = as_written(parse_prompt(report[name]), notation)
        elif report["kept"]:
            report["policy"] = self._save(report).name
        return report

    def _save(self, report: Mapping[str, Any]) -> Path:
        assert isinstance(self.plan, TunePlan)
        folder = free_path(policy_folders()[0] / self.folder.name)
        facts = {"model": self.start.model, "reward": self.start.judge, "seed": self.start.seed}
        means = {name: one["value"] for name, one in report["means"].items() if one["value"] is not None}
        return save_tuned(folder, self.plan.evidence(self.journal), self.judge.weights, Limits(), facts, means)

    def _wall(self) -> list[dict[str, Any]]:
        """The newest pictures: what they show and what they were worth."""
        stock = self.journal.rounds[-1].stock if self.journal.rounds else None
        found = []
        for key in list(self.journal.scores)[-_SHOWN:]:
            reward = reward_of(self.journal.scores[key], self.judge.weights)
            said = [stock.options[one] for one in key[1]] if stock else []
            texts = {side: list_text(said, side, self.start.negative_notation) for side in ("negative", "modifiers")}
            found.append({"id": _id(key), "score": reward if reward == reward else None, **texts})
        return found


def _id(key: Any) -> str:
    """A picture's name in the page and of its file: `key`, or an ask."""
    group, options = key.key if isinstance(key, Ask) else key
    return f"{group}-{hashlib.sha256(str(list(options)).encode()).hexdigest()[:12]}"


def _key(row: Any) -> Key:
    return row[0], tuple(row[1])


def _source(start: Start) -> Source:
    return Source(start.family, start.model, tables_fingerprint(), start.sampling)


def _prompts(start: Start) -> list[str]:
    return list(dict.fromkeys(as_df(one, start.positive_notation) for one in start.prompts))


def _audit_plan(start: Start, judge: Judge) -> AuditPlan:
    reader = Reader(Stock(tuple(start.own())), start.family, is_free=True)
    return AuditPlan(
        reader,
        tuple(_prompts(start)),
        _source(start),
        judge.weights,
        start.pictures,
        referee=judge.referee,
        seed=start.seed,
    )


def _tune_plan(start: Start, judge: Judge) -> TunePlan:
    learned, fresh = split_prompts(_prompts(start))
    own = [one for one in start.own() if one.side in start.modes]
    policy = policy_menu().load(_default(start.family))
    stock = Stock(tuple(dict.fromkeys((*own, *candidates(policy, learned, start.modes, _STOCK)))))
    rivals, more = rivals_of(policy, fresh, own, stock, start.modes)
    check = min(48, max(16, start.pictures // 8))
    return TunePlan(
        Reader(stock, start.family),
        tuple(learned),
        tuple(fresh),
        _source(start),
        judge.weights,
        rivals,
        more,
        start.pictures,
        _REFINED if start.windows else 0.0,
        check,
        judge.referee,
        start.seed,
    )


def _default(family: str) -> str:
    try:
        return default_policy(family)
    except NegOptError:
        return default_policy()
