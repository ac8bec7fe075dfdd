"""`train sft` as one function: pairs, a new policy or an old one, the run folder, the exported policy."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...policy.card import PolicyCard
from ...policy.folder_check import folder_hash
from ...policy.language import LanguagePolicy
from ...policy.language.folder import CARD_FILE, open_policy
from ...policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
from ...text.prompt import FULL
from ..data.pairs import Pair, iter_pairs, no_pairs, read_pairs, write_pair
from ..data.settings import POLARITIES
from ..data.world_people import (
    draw_modifiers,
    draw_negatives,
    human_modifiers,
    human_negatives,
    modifier_stock,
    negative_stock,
)
from ..jobs.events import event_files, ignore
from ..jobs.processes import check_alone
from ..jobs.run import Listeners, Loop, RunFolder, run_steps
from ..make_world.measure import draw_prompts
from .card import Stage, digest, export, hashes_in, settings_of, sft_card
from .compute import computed_in, merge_adapters, naming_full_memory, prepared
from .samples import sft_samples
from .settings import PUBLISHED_RATE, SFTRun, Size
from .setup import load_tokenizer, new_policy, start_folder, with_schedule
from .sft import SFT

log = logging.getLogger("negopt")
_OF_A_NEW_POLICY = ("tokenizer", "stock", "width", "layers")


def run_sft(run: SFTRun) -> tuple[Path, dict[str, float]]:
    """Learn from pairs and export; goes on where a run was stopped. Returns the policy folder and its losses.

    Raises TrainingError for settings that contradict the policy to start from, and for pairs that cannot be used.
    """
    check_alone("train sft")
    start = _start(run) if run.policy else None
    run = _filled_in(run, start)
    pairs, held_out = _pairs(run), _held_out(run)
    if start and run.scheduled:
        start = with_schedule(start, [span.text for pair in pairs for span in pair.spans])
    facts: dict[str, Any] = {"pairs": len(pairs)}
    facts["pairs_sha256"] = digest(write_pair(pair, str(run.polarity)) for pair in pairs)
    if run.policy:
        facts["start_sha256"] = folder_hash(start_folder(run.policy))
    policy = prepared(start or _new(run), run.compute, run.device, run.sft.seed)
    facts |= computed_in(policy)
    sft = SFT(policy, pairs, run.sft)
    decided = settings_of("sft", run)
    folder = RunFolder.open(run.folder, {name: str(value) for name, value in decided.items()}, hashes_in(facts))
    facts["phrases_left_out"] = _left_out(run, sft)
    write_samples = sft_samples(sft.policy, held_out or pairs, folder.folder)
    with event_files(folder.folder) if run.tensorboard else nullcontext(ignore) as write:
        loop = Loop(run.sft.steps, run.save_every)
        with naming_full_memory():
            run_steps(folder, sft, sft.step, loop, "sft", Listeners(write, write_samples))
    how = f"{len(pairs)} pairs from {Path(run.pairs).name}"
    if run.policy:
        left_out = {"kind", *_OF_A_NEW_POLICY, *(() if run.scheduled else ("scheduled",))}
        decided = {name: value for name, value in decided.items() if name not in left_out}
    merge_adapters(sft.policy)
    measured = sft.evaluate(held_out) if held_out else sft.evaluate(pairs[:512], "train")
    sft.policy.card = sft_card(sft.policy.card, run)
    return export(run, run.sft.seed, sft.policy, Stage(how, decided, facts, measured)), measured


def _filled_in(run: SFTRun, start: LanguagePolicy | None) -> SFTRun:
    """With the usual values of a new policy, which runs that start from an old one keep too."""
    size = Size()
    is_published = run.policy is not None and not (start_folder(run.policy) / CARD_FILE).exists()
    usual = PUBLISHED_RATE if is_published else run.sft.learning_rate
    rate = usual if run.rate is None else run.rate
    return replace(
        run,
        rate=rate,
        sft=replace(run.sft, learning_rate=rate),
        polarity=_side(start) if start else run.polarity or "negative",
        tokenizer=run.tokenizer or "world",
        width=size.width if run.width is None else run.width,
        layers=size.layers if run.layers is None else run.layers,
    )


def _start(run: SFTRun) -> LanguagePolicy:
    """Open the policy to start from; TrainingError if it is told to be something else than it is."""
    assert run.policy is not None
    given = [f"--{name}" for name in _OF_A_NEW_POLICY if getattr(run, name)]
    if given:
        raise TrainingError(
            f"{', '.join(given)}: only for a new policy, and that in {run.policy} has its own; leave out one of them"
        )
    folder = start_folder(run.policy)
    policy = open_policy(folder)
    if not (folder / CARD_FILE).exists():  # a plain transformers folder has no side yet
        policy.card = replace(policy.card, polarity=run.polarity or _side_of_the_pairs(run.pairs, _side(policy)))
    for name, found in (("kind", policy.card.kind), ("polarity", _side(policy))):
        if getattr(run, name) not in (None, found):
            raise TrainingError(
                f"--{name} is {getattr(run, name)}, and the policy in {run.policy} has {found}; leave it out, or "
                "start from another policy"
            )
    return policy


def _side_of_the_pairs(source: str, usual: str) -> str:
    """The side that a file of pairs has answers of: the usual one, unless there are only others."""
    other = next(side for side in POLARITIES if side != usual)
    if _world_count(source, 1) or any(True for _ in iter_pairs(Path(source), usual)):
        return usual
    return other if any(True for _ in iter_pairs(Path(source), other)) else usual


def _side(policy: LanguagePolicy) -> str:
    return "negative" if policy.card.polarity == "negative" else "modifiers"


def _left_out(run: SFTRun, sft: SFT) -> float:
    """The share of phrases that cannot be learned, with a warning if there are any."""
    share = round(sft.left_out(), 4)
    is_remedy = not run.policy and run.tokenizer == "world" and not _world_count(run.pairs, 1)
    remedy = "; a policy for real prompts needs a tokenizer of real words: --tokenizer" if is_remedy else ""
    if share:
        log.warning(
            "%.0f%% of the phrases do not fit the policy (stock, tokenizer, tokens, or the prompt asks for them) and "
            "are left out%s",
            100 * share,
            remedy,
        )
    return share


def _pairs(run: SFTRun) -> list[Pair]:
    count = _world_count(run.pairs, 4000)
    if not count:
        pairs = read_pairs(Path(run.pairs), str(run.polarity))
        if not pairs:
            raise no_pairs(Path(run.pairs), str(run.polarity))
        return pairs
    return (draw_negatives if run.polarity == "negative" else draw_modifiers)(count, 1000 + run.sft.seed)


def _held_out(run: SFTRun) -> list[Pair]:
    """The pairs to measure on, empty only if none were named; of the demo world those of prompts nothing trains on."""
    if not run.held_out:
        return []
    count, seed = _world_count(run.held_out, 500), 3000 + run.sft.seed
    if count:
        prompts = draw_prompts(count, seed, part="held-out")
        return (human_negatives if run.polarity == "negative" else human_modifiers)(prompts, seed)
    pairs = read_pairs(Path(run.held_out), str(run.polarity))
    if not pairs:
        raise TrainingError(f"{run.held_out} has no pairs of {run.polarity} to measure on; name another --held-out")
    return pairs


def _world_count(source: str, usual: int) -> int:
    """How many pairs `world` or `world:COUNT` asks for; 0 for a file."""
    world, _, count = source.partition(":")
    return int(count or usual) if world == "world" and (not count or count.isdecimal()) else 0


def _new(run: SFTRun) -> LanguagePolicy:
    """Fresh weights for the settings; TrainingError for a stock or a tokenizer that cannot be read."""
    if run.stock == "world":
        stock = negative_stock() if run.polarity == "negative" else modifier_stock()
    else:
        stock = _stock(Path(run.stock)) if run.stock else ()
    is_world = run.tokenizer == "world"
    card = PolicyCard(
        kind=run.kind or ("seq2seq" if run.polarity == "negative" else "df"),
        name=run.name or (run.output or run.folder).name,
        polarity=str(run.polarity),
        windows=PAE_WINDOWS if run.scheduled else (FULL,),
        weights=PAE_WEIGHTS if run.scheduled else (1.0,),
        families=("world",) if is_world else (),
        max_tokens=24 if is_world else 75,
    )
    phrases = [phrase for phrase in stock if phrase.strip()]
    size = Size(run.width or 0, run.layers or 0)
    return new_policy(card, load_tokenizer(str(run.tokenizer)), phrases, size, run.sft.seed)


def _stock(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8-sig").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"cannot read the stock {path}: {error}; a stock is a text file, one phrase a line"
        ) from error
