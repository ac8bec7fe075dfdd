"""One audit or tune of the page; a tune that won becomes a policy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..negopt_core.errors import NegOptError, PromptError
from ..negopt_core.files import free_path
from ..negopt_core.policy.store import default_policy
from ..negopt_core.policy.tuned.effects import Stock
from ..negopt_core.tune.candidates import candidates, rivals_of, split_prompts
from ..negopt_core.tune.hosted import HostedRun, audit_plan, df_prompts, source_of
from ..negopt_core.tune.judges import Judge
from ..negopt_core.tune.rounds import Ask, Limits, Reader
from ..negopt_core.tune.start import Start
from ..negopt_core.tune.table import save_tuned
from ..negopt_core.tune.tune import TunePlan
from .api_read import RequestError
from .learn_read import ComfyNotation
from .policy import policy_folders, policy_menu

_STOCK, _REFINED = 40, 0.25


class LearnRun(HostedRun):
    """A run in its folder."""

    def __init__(self, folder: Path, start: Start, judge: Judge) -> None:
        plan = audit_plan(start, judge) if start.kind == "audit" else _tune_plan(start, judge)
        super().__init__(folder, start, judge, plan, ComfyNotation(start.positive_notation, start.negative_notation))

    def _asked(self, ask_id: str) -> Ask:
        try:
            return super()._asked(ask_id)
        except PromptError as error:
            raise RequestError(404, "no-such-picture", str(error)) from None

    def _finish(self) -> dict[str, Any]:
        report = super()._finish()
        if isinstance(self.plan, TunePlan) and report["kept"]:
            report["policy"] = self._save(self.plan, report).name
        return report

    def _save(self, plan: TunePlan, report: Mapping[str, Any]) -> Path:
        folder = free_path(policy_folders()[0] / self.folder.name)
        facts = {"model": self.start.model, "reward": self.start.judge, "seed": self.start.seed}
        means = {name: one["value"] for name, one in report["means"].items() if one["value"] is not None}
        return save_tuned(folder, plan.evidence(self.journal), self.judge.weights, Limits(), facts, means)


def _tune_plan(start: Start, judge: Judge) -> TunePlan:
    learned, fresh = split_prompts(df_prompts(start))
    own = [one for one in start.own() if one.side in start.modes]
    policy = policy_menu().load(_default(start.family))
    stock = Stock(tuple(dict.fromkeys((*own, *candidates(policy, learned, start.modes, _STOCK)))))
    rivals, more = rivals_of(policy, fresh, own, stock, start.modes)
    check = min(48, max(16, start.pictures // 8))
    return TunePlan(
        Reader(stock, start.family),
        tuple(learned),
        tuple(fresh),
        source_of(start),
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
