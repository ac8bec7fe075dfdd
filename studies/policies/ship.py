"""The trained world policies that come with negopt, copied from the runs of `reproduce` in half precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from negopt_core.files import write_text
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.language.folder import open_policy, save_policy, write_card
from negopt_core.policy.store import CARD_NAME

SHIPPED_RUNS = {
    "world-negative": "negative-rl-0",
    "world-negative-sft": "negative-sft-0",
    "world-scheduled": "scheduled-rl-0",
    "world-modifiers": "modifiers-rl-0",
}
"""Name of the policy, and the run that made it: always the first training seed, not the best of them."""


def likeliest(run: str) -> str:
    """Name of the arm that has the likeliest words of a run's policy, which is what `suggest` writes by default."""
    return f"{run}, likeliest"


_NOTICE = """# {name}

Trained by `python -m negopt_core reproduce` on the demo world that comes with negopt, and on nothing else: its
captions, the negatives and modifiers of its simulated people, its pictures and its `reward` judge. No text or picture
of anybody is in it. Apache-2.0, as negopt. It knows the words of the demo world only. `policy.json` has every setting
and hash; docs/results.md has what it gains. The run's weights, whose hash `start_sha256` of a later stage is, are
rounded to half precision here.
"""


def ship(
    folder: Path, target: Path, prompts: Sequence[str], measured: Mapping[str, Mapping[str, float]] | None = None
) -> list[Path]:
    """Copy the policies of finished runs under `folder` to `target`/NAME; returns the folders written.

    `measured` are figures by arm for the cards, of the likeliest words; they are those of the run's own weights, so
    each card also says on what share of `prompts` both write the same. Runs that are not finished are left out.
    """
    written = []
    for name, run in SHIPPED_RUNS.items():
        source = folder / run / "policy"
        if not (source / CARD_NAME).exists():
            continue
        policy = open_policy(source)
        save_policy(policy, target / name, torch.float16)
        metrics = dict(policy.card.metrics)
        metrics |= {f"held-out/{key}": value for key, value in (measured or {}).get(likeliest(run), {}).items()}
        metrics["written_alike"] = _alike(source, target / name, prompts, policy.card.polarity)
        write_card(replace(policy.card, name=name, metrics=metrics), target / name)
        write_text(target / name / "NOTICE.md", _NOTICE.format(name=name))
        written.append(target / name)
    return written


def _alike(one: Path, other: Path, prompts: Sequence[str], polarity: str) -> float:
    """The share of prompts for which two policies write the same text."""
    options = SuggestOptions(modes=(polarity,))
    first, second = (suggest(load_policy(str(folder)), list(prompts), options) for folder in (one, other))
    same = [a.pair == b.pair for a, b in zip(first, second, strict=True)]
    return sum(same) / len(same)
