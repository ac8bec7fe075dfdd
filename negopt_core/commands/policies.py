"""`policies`: what can be loaded, what it is, why it writes what it writes, and fetching one from the hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass
from pathlib import Path

from ..errors import PolicyError, PromptError
from ..flags import flag, word
from ..policy import SuggestOptions, list_policies, load_policy, suggest
from ..policy.hub import prepare_repository, pull_policy, push_policy
from ..policy.loglinear.policy import NegOptPolicy
from ..policy.store import HUB_PREFIX, default_policy, with_family
from ..policy.tuned.policy import TunedPolicy
from . import Command, Result, panel, tell
from .shared import Folders

_MODIFIER_COLUMNS = "policy                   subjects  precision@5  phrase F1  distinct-2  different  empty  verbatim"
_COLUMNS = "policy                   family  pairs  phrase F1  token F1  ROUGE-2  ROUGE-L  distinct-2  empty  against"


@dataclass(frozen=True, kw_only=True)
class Info(Folders):
    """What `policies info` takes."""

    name: str = word(MISSING, "folder or name")


@dataclass(frozen=True, kw_only=True)
class Pull(Folders):
    """What `policies pull` takes."""

    name: str = word(MISSING, "hf:owner/name[@revision]")
    offline: bool = flag(False, "only from the hub's cache on this machine")
    output: Path = flag(MISSING, "folder to put it under", "o", "output", metavar="DIR")


@dataclass(frozen=True, kw_only=True)
class Push:
    """What `policies push` takes."""

    folder: Path = word(MISSING, "policy folder", metavar="DIR")
    output: str = flag(MISSING, "folder to make, or hf:owner/name[@revision] to upload", "o", "output", metavar="PLACE")
    yes: bool = flag(False, "really upload; a folder needs none")


@dataclass(frozen=True, kw_only=True)
class Compare(Folders):
    """What `policies compare` takes."""

    name: tuple[str, ...] = word(MISSING, "folders or names", nargs="+")
    pairs: Path | None = flag(None, "prompts with people's negatives; this or --modified", metavar="FILE")
    modified: Path | None = flag(None, "subjects with people's modifiers; this or --pairs", metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class Why(Folders):
    """What `policies why` takes."""

    prompt: str = word(MISSING, "the prompt")
    policy: str = flag(default_policy(), "folder or name of a policy")
    family: str | None = flag(None, "family of the painting model", metavar="NAME")


def run_list(settings: Folders) -> Result:
    """Names, kinds and places."""
    found = list_policies(settings.policies)
    values = [{"name": item.name, "kind": item.kind, "where": item.where} for item in found]
    lines = [f"{item.name:16} {item.kind:8} {item.where}" for item in found]
    return Result({"policies": values}, "\n".join(lines))


def run_info(settings: Info) -> Result:
    """The card, and what the policy is hashed to."""
    policy = load_policy(settings.name, settings.policies)
    card = {**policy.card.to_json(), "fingerprint": policy.fingerprint}
    return Result(card, json.dumps(card, indent=2, ensure_ascii=False))


def run_pull(settings: Pull) -> Result:
    """Fetch a folder."""
    if not settings.name.startswith(HUB_PREFIX):
        raise PolicyError(f"pull fetches from the hub and needs hf:owner/name, got {settings.name!r}")
    folder = pull_policy(settings.name, settings.output, tell=tell, offline=settings.offline)
    return Result({"name": settings.name, "folder": str(folder)}, f"fetched into {folder}")


def run_push(settings: Push) -> Result:
    """Copy and write the README, into a folder or, only with `--yes`, to the hub."""
    place = settings.output
    if not place.startswith(HUB_PREFIX):
        files = prepare_repository(settings.folder, Path(place))
        told = f"wrote {place} ({len(files)} files); upload it with: policies push {settings.folder} -o hf:OWNER/NAME"
        return Result({"folder": place, "files": files}, told)
    if not settings.yes:
        raise PromptError(f"{place} is on the hub; to upload {settings.folder} there add --yes, or name a folder first")
    files = push_policy(settings.folder, place)
    return Result({"name": place, "files": files}, f"uploaded {len(files)} files to {place}")


def run_why(settings: Why) -> Result:
    """Concepts, then each phrase with its gain and its parts."""
    name = with_family(settings.policy, settings.family, settings.policies) if settings.family else settings.policy
    policy = load_policy(name, settings.policies)
    if isinstance(policy, TunedPolicy):
        rows = policy.why(settings.prompt)
        told = [
            f"{one['side']:9} {one['phrase']}  {one['gain']:+.2f} +- {one['sd']:.2f}  [{one['pictures']} pictures]"
            for one in rows
        ]
        return Result({"prompt": settings.prompt, "phrases": rows}, "\n".join(told) or "nothing helps here")
    if not isinstance(policy, NegOptPolicy):
        raise PolicyError(
            f"{name} cannot say why; {default_policy()} can, also as {default_policy()}:FAMILY, and tuned policies"
        )
    found = policy.why(settings.prompt)
    values = {
        "prompt": settings.prompt,
        "family": found.family.name,
        "concepts": [asdict(one) for one in found.reading.found],
        "unwanted": list(found.reading.unwanted),
        "negative": [asdict(one) for one in found.negative],
        "modifiers": [asdict(one) for one in found.modifiers],
    }
    lines = [f"model     {found.family.name}"]
    lines += [f"concept   {one.concept} ({one.word}, {one.strength:g})" for one in found.reading.found]
    for side, choices in (("negative", found.negative), ("modifiers", found.modifiers)):
        for one in choices:
            parts = "; ".join(f"{part.effect:+.2f} {part.source}: {part.because}" for part in one.reasons)
            lines.append(f"{side:9} {one.phrase}  {one.gain:.2f} +- {one.sd:.2f}  [{parts}]")
    return Result(values, "\n".join(lines))


def run_compare(settings: Compare) -> Result:
    """Score the negatives of each policy by family of prompts; the last row is the mean of the families."""
    if (settings.pairs is None) == (settings.modified is None):
        raise PromptError("policies compare needs either --pairs or --modified")
    if settings.modified:
        return _compare_modifiers(settings.modified, settings)
    from ..lab.compare.text import by_family
    from ..lab.data.corpus import read_rows

    assert settings.pairs is not None
    rows = read_rows(settings.pairs, skipped_sources=())
    found = {
        name: by_family(rows, _negatives(name, settings.policies, [row.prompt for row in rows]))
        for name in settings.name
    }
    lines = [_COLUMNS]
    for name, families in found.items():
        for family, s in families.items():
            lines.append(
                f"{name[-24:]:24} {family:8}{s.count:5d}{s.phrase_f1:11.3f}{s.token_f1:10.3f}{s.rouge_2:9.3f}"
                f"{s.rouge_l:9.3f}{s.distinct_2:12.3f}{s.empty:7.3f}{s.contradicting:9.3f}"
            )
    values = {name: {family: asdict(s) for family, s in families.items()} for name, families in found.items()}
    return Result(values, "\n".join(lines))


def _compare_modifiers(modified: Path, settings: Compare) -> Result:
    from ..lab.compare.text import score_modifiers
    from ..lab.data.corpus import read_modified

    rows = [row for row in read_modified(modified) if row.modifiers]
    subjects, options = [row.subject for row in rows], SuggestOptions(modes=("modifiers",))
    found = {}
    for name in settings.name:
        answers = suggest(load_policy(name, settings.policies), subjects, options)
        found[name] = score_modifiers(rows, [answer.positive for answer in answers])
    lines = [_MODIFIER_COLUMNS]
    for name, s in found.items():
        lines.append(
            f"{name[-24:]:24}{s.count:9d}{s.precision:13.3f}{s.phrase_f1:11.3f}{s.distinct_2:12.3f}{s.different:11.3f}"
            f"{s.empty:7.3f}{s.verbatim:10.3f}"
        )
    return Result({name: asdict(s) for name, s in found.items()}, "\n".join(lines))


def _negatives(name: str, folders: Sequence[Path], prompts: list[str]) -> list[str]:
    options = SuggestOptions(modes=("negative",))
    return [suggestion.negative for suggestion in suggest(load_policy(name, folders), prompts, options)]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """What `policies merge` takes."""

    folders: tuple[Path, ...] = word(MISSING, "two tuned policies of the same model", nargs=2, metavar="DIR")
    output: Path = flag(MISSING, "policy folder to make", "o", "output", metavar="DIR")


def run_merge(settings: Merge) -> Result:
    """Add up the evidence of two."""
    from ..tune.table import merge_tuned

    folder = merge_tuned(settings.folders[0], settings.folders[1], settings.output)
    return Result({"folder": str(folder)}, f"wrote {folder}")


HELP = {"panel": "read policies blind: write the sheet, count the verdicts"}
COMMANDS = (
    Command("list", "what can be loaded", Folders, run_list),
    Command("info", "one policy's card", Info, run_info),
    Command("pull", "fetch from the hub", Pull, run_pull),
    Command("push", "a model repository for the hub: a folder, or uploaded", Push, run_push),
    Command("compare", "negatives of policies beside what people wrote", Compare, run_compare),
    Command("why", "which phrases negopt writes for a prompt, and where each comes from", Why, run_why),
    Command("merge", "one tuned policy from the pictures of two", Merge, run_merge),
    *panel.COMMANDS,
)
