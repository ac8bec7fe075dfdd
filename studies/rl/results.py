"""Arms of each part, painted and judged, and the tables made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from negopt_core.json_text import read_json
from negopt_core.lab.compare.arms import Arm
from negopt_core.lab.jobs.run import METRICS
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import PromptPair, Span
from studies.document import table
from studies.learning.arms import kept
from studies.policies.arms import PolicyArms, at_all_steps
from studies.policies.curves import Curve, read_curve
from studies.policies.recipe import GROUP, PROMPTS
from studies.policies.tables import Results, added_spans
from studies.rl.recipe import ALGORITHMS, SCHEDULES, TWO_WORDS, run_name
from studies.rl.settings import RLSettings
from studies.rl.windows import TUNE_PICTURES, Pairs, in_other_windows, in_published_windows, tuned_windows
from studies.world.arms import NONE, WINDOWS

WORLD_REPORT = Path("docs/generated/world-report.json")
CLEAR = "modifiers with one clearly best window"
"""A line of the world's report: the modifiers whose best window its sweep shows clearly."""
REFEREED = {
    "negatives, SFT": "negative-sft",
    "negatives, PPO": "algorithms-group",
    "modifiers, SFT": "modifiers-sft",
    "modifiers, PPO": "windows-prior",
    "modifiers, PPO, alignment kept": "referee-kept",
}
"""Row -> arm."""
STOCK_ROWS = ("untrained, short", "untrained, long", "sft, short", "sft, long")


@dataclass(frozen=True)
class Written:
    """What every policy of a part wrote."""

    settings: RLSettings
    source: PolicyArms

    def of(self, name: str, mode: str) -> Pairs:
        """The answers of a run."""
        return self.source.of_run(name, mode)

    def algorithms(self) -> dict[str, Pairs]:
        """By arm."""
        names = [run_name("algorithms", name, seed) for name in ALGORITHMS for seed in range(self.settings.seeds)]
        return {name: self.of(name, "negative") for name in [*self._of_seeds("negative-sft"), *names]}

    def stock(self) -> dict[str, Pairs]:
        """By arm."""
        names = [run_name("stock", name, seed) for name in STOCK_ROWS for seed in range(self.settings.seeds)]
        return {name: self.of(name, "negative") for name in [*self._of_seeds("stock-sft"), *names]}

    def referee(self) -> dict[str, Pairs]:
        """By arm."""
        return {
            name: self.of(name, "modifiers" if row.startswith("modifiers") else "negative")
            for row, arm in REFEREED.items()
            for name in self._of_seeds(arm)
        }

    def windows(self, texts: Mapping[str, Sequence[str]]) -> dict[str, Pairs]:
        """By arm; `texts` are what the engine of `tune` wrote, by arm."""
        found = {name: self.of(name, "modifiers") for name in self._of_seeds("modifiers-sft")}
        names = (*SCHEDULES, TWO_WORDS)
        arms = [run_name("windows", name, seed) for name in names for seed in range(self.settings.seeds)]
        found |= {arm: self.of(arm, "modifiers") for arm in arms}
        found |= {
            arm: tuple(PromptPair(parse_prompt(one), PromptPair.plain("").negative) for one in each)
            for arm, each in texts.items()
        }
        for arm, pairs in list(found.items()):
            name, _, seed = arm.rpartition("-")
            found[f"{name}-always-{seed}"] = at_all_steps(pairs)
            if not name.endswith("sft"):
                found[f"{name}-random-{seed}"] = in_other_windows(self.source.prompts, pairs, int(seed))
                found[f"{name}-published-{seed}"] = in_published_windows(self.source.prompts, pairs)
        return found

    def tuned(self) -> dict[str, list[str]]:
        """What the engine of `tune` wrote for each prompt, by arm; learned where it is not there."""
        found: dict[str, list[str]] = {}
        for seed in range(self.settings.seeds):
            path = self.settings.folder / f"windows-tune-{seed}-{len(self.source.prompts)}.json"
            learn = partial(tuned_windows, self.source.prompts, seed, self.settings.paint_dtype)
            texts: Mapping[str, list[str]] = kept(path, learn)
            found |= {f"windows-tune-{count}-{seed}": texts[str(count)] for count in TUNE_PICTURES}
        return found

    def _of_seeds(self, name: str) -> list[str]:
        return [f"{name}-{seed}" for seed in range(self.settings.seeds)]


def arms_of(written: Mapping[str, Pairs]) -> list[Arm]:
    """With none beside them."""
    return [Arm(NONE, NONE), *(Arm.written(name, pairs) for name, pairs in written.items())]


def best_windows(report: Path = WORLD_REPORT) -> dict[str, str]:
    """Modifier -> name of the window that the world's sweep finds best."""
    told: Any = read_json(report.read_bytes())
    return dict(told["windows"])


def clear_windows(report: Path = WORLD_REPORT) -> dict[str, str]:
    """Those of `best_windows` that are clearly best."""
    told: Any = read_json(report.read_bytes())
    measured = next(row["measured"] for row in told["checks"] if row["what"] == CLEAR)
    return {word: told["windows"][word] for word in measured.split(", ")}


def gains_table(results: Results, part: str, names: Sequence[str], first: str, reference: str) -> str:
    """R over none and over a reference, and each seed's."""
    rows = []
    for name, arm in [(first, first), *((name, run_name(part, name, 0)[:-2]) for name in names)]:
        seeds = ", ".join(f"{float(results.gain(f'{arm}-{seed}', NONE).value):.2f}" for seed in range(results.seeds))
        rows.append([name, str(results.gain(arm, NONE)), str(results.gain(arm, reference)), seeds])
    return table(["", "R over none", f"R over {reference}", "seeds, over none"], rows)


def windows_table(results: Results, names: Mapping[str, str]) -> str:
    """What the chosen windows are worth, against the same words in others; `names`: row -> arm."""
    rows = []
    for name, arm in names.items():
        others = [str(results.gain(arm, f"{arm}-{other}")) for other in ("always", "random", "published")]
        rows.append([name, str(results.gain(arm, NONE)), *others])
    return table(["", "R over none", "over all steps", "over random windows", "over published windows"], rows)


def share_table(
    prompts: Sequence[str], written: Mapping[str, Pairs], names: Mapping[str, str], seeds: int, best: Mapping[str, str]
) -> str:
    """How often each modifier is written, and how often in the window that `best` says."""
    rows = []
    for name, arm in names.items():
        spans = [
            one for seed in range(seeds) for pair in [written[f"{arm}-{seed}"]] for one in added_spans(prompts, pair)
        ]
        rows.append([name, *(_share(spans, word, when) for word, when in best.items()), _all_shares(spans, best)])
    return table(["", *(f"{word}: {when}" for word, when in best.items()), "all of them"], rows)


def _share(spans: Sequence[Span], word: str, window: str) -> str:
    used = [one.window == WINDOWS[window] for one in spans if one.text == word]
    return f"{sum(used) / len(used):.2f} of {len(used)}" if used else "not used"


def _all_shares(spans: Sequence[Span], best: Mapping[str, str]) -> str:
    used = [one.window == WINDOWS[best[one.text]] for one in spans if one.text in best]
    return f"{sum(used) / len(used):.2f}" if used else ""


def curves(folder: Path, part: str, names: Sequence[str], seeds: int) -> dict[str, Curve]:
    """The mean over the seeds of the rollouts' reward."""
    found: dict[str, Curve] = {}
    for name in names:
        each = [
            read_curve(folder / run_name(part, name, seed) / "run" / METRICS, PROMPTS * GROUP) for seed in range(seeds)
        ]
        found[name] = [(rows[0][0], sum(y for _, y in rows) / len(rows)) for rows in zip(*each, strict=False)]
    return found
