"""`train sft`, `ppo`, `retrieval`, `mini`, `world`: policies from pairs and rewards, the demo world."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import retrieval, train_mini, train_ppo, world
from .train_common import Stage, add_common, digest, export, hashes_in, prepare, start_folder

if TYPE_CHECKING:
    from ..lab.data.pairs import Pair
    from ..lab.train.sft import SFT
    from ..policy.language import LanguagePolicy

log = logging.getLogger("negopt")

POLARITIES = ("negative", "modifiers")
_NEW: dict[str, Any] = {"tokenizer": "world", "stock": None, "scheduled": False, "width": 96, "layers": 2}
"""What only a new policy is told, and what holds if nothing is said."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare every kind of training."""
    kinds = commands.add_parser("train", help="train policies or the demo world").add_subparsers(
        dest="what", required=True
    )
    _add_sft(kinds)
    train_ppo.add(kinds)
    retrieval.add_training(kinds)
    train_mini.add_training(kinds)
    world.add_training(kinds)


def _add_sft(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sft = kinds.add_parser("sft", help="learn from pairs of prompts and what people wrote; run again to resume")
    sft.add_argument(
        "--pairs", required=True, metavar="FILE", help="JSON Lines; `world[:COUNT]` draws the demo world's people"
    )
    sft.add_argument("--held-out", type=Path, metavar="FILE", help="pairs to measure on; `world[:COUNT]` draws others")
    sft.add_argument("--polarity", choices=POLARITIES, help="which side a new policy writes (default negative)")
    sft.add_argument("--kind", choices=("seq2seq", "df"), help="T5 or GPT-2 (default: T5 for negatives)")
    sft.add_argument(
        "--policy", type=Path, metavar="DIR", help="start from this policy (or its name) or transformers folder"
    )
    sft.add_argument("--tokenizer", metavar="DIR", help="tokenizer of a new policy (default world)")
    sft.add_argument("--stock", metavar="FILE", help="phrases a new policy may write, one a line; `world`, or none")
    sft.add_argument("--scheduled", action="store_true", help="a new policy also chooses windows and weights")
    sft.add_argument("--learn-schedule", action="store_true", help="the pairs say windows and weights: learn them")
    sft.add_argument(
        "--augment",
        type=float,
        nargs="?",
        const=0.5,
        default=0.0,
        metavar="P",
        help="vary case and commas of prompts, anew each epoch, with this probability (0.5 if none is given)",
    )
    sft.add_argument("--width", type=int, help="of a new policy (default 96)")
    sft.add_argument("--layers", type=int, help="of a new policy (default 2)")
    sft.add_argument("--steps", type=int, default=1000)
    sft.add_argument("--batch", type=int, default=32)
    sft.add_argument("--rate", type=float, default=1e-3, help="learning rate (default 1e-3)")
    sft.set_defaults(run=run_sft)
    add_common(sft)


def run_sft(args: argparse.Namespace) -> int:
    """Learn from pairs and export."""
    from contextlib import nullcontext

    from ..lab.jobs.events import event_files, ignore
    from ..lab.jobs.processes import check_alone
    from ..lab.jobs.run import Listeners, Loop, RunFolder, run_steps
    from ..lab.train.samples import sft_samples
    from ..lab.train.sft import SFT, SFTSettings

    check_alone("train sft")
    start = _settle(args)
    config = prepare(args)
    pairs, held_out = _pairs(args.pairs, args), _held_out(args)
    facts = _facts(args, pairs)
    settings = SFTSettings(
        args.steps,
        args.batch,
        args.rate,
        learns_schedule=args.learn_schedule,
        augment=args.augment,
        seed=args.seed,
    )
    sft = SFT(start or _new(args), pairs, settings)
    run = RunFolder.open(args.folder, config, hashes_in(facts))
    facts["phrases_left_out"] = _left_out(args, sft)
    write_samples = sft_samples(sft.policy, held_out or pairs, run.folder)
    with event_files(run.folder) if args.tensorboard else nullcontext(ignore) as write:
        listeners = Listeners(write, write_samples)
        run_steps(run, sft, sft.step, Loop(args.steps, args.save_every), "sft", listeners)
    how = f"{len(pairs)} pairs from {Path(args.pairs).name}"
    unused = frozenset({"kind", *_NEW} if args.policy else ())
    measured = sft.evaluate(held_out) if held_out else sft.evaluate(pairs[:512], "train")
    return export(args, sft.policy, Stage(how, facts, measured, unused))


def _settle(args: argparse.Namespace) -> LanguagePolicy | None:
    """The policy to start from, which says itself what it is; without one, the defaults of a new one are filled in."""
    policy = _start(args) if args.policy else None
    if policy is not None:
        args.polarity = _side(policy)
    args.polarity = args.polarity or "negative"
    vars(args).update({name: value for name, value in _NEW.items() if getattr(args, name) is None})
    return policy


def _start(args: argparse.Namespace) -> LanguagePolicy:
    """Open it; TrainingError if it is told to be something else than it is."""
    from dataclasses import replace

    from ..errors import TrainingError
    from ..policy.language.folder import CARD_FILE, open_policy

    given = [f"--{name}" for name in _NEW if getattr(args, name)]
    if given:
        raise TrainingError(
            f"{', '.join(given)}: only for a new policy, and that in {args.policy} has its own; leave out one of them"
        )
    folder = start_folder(args.policy)
    policy = open_policy(folder)
    if args.polarity and not (folder / CARD_FILE).exists():  # a plain transformers folder has no side yet
        policy.card = replace(policy.card, polarity=args.polarity)
    for name, found in (("kind", policy.card.kind), ("polarity", _side(policy))):
        if getattr(args, name) not in (None, found):
            raise TrainingError(
                f"--{name} is {getattr(args, name)}, and the policy in {args.policy} has {found}; leave it out, or "
                "start from another policy"
            )
    return policy


def _side(policy: LanguagePolicy) -> str:
    return "negative" if policy.card.polarity == "negative" else "modifiers"


def _left_out(args: argparse.Namespace, sft: SFT) -> float:
    """The share of phrases that cannot be learned, said aloud if there are any."""
    share = round(sft.left_out(), 4)
    is_remedy = not args.policy and args.tokenizer == "world" and not _world(args.pairs, 1)
    remedy = "; a policy for real prompts needs a tokenizer of real words: --tokenizer" if is_remedy else ""
    if share:
        log.warning(
            "%.0f%% of the phrases do not fit the policy (stock, tokenizer, tokens, or the prompt asks for them) and "
            "are left out%s",
            100 * share,
            remedy,
        )
    return share


def _facts(args: argparse.Namespace, pairs: list[Pair]) -> dict[str, Any]:
    """What goes in: how many pairs, hashes of them and of the policy it starts from."""
    from ..lab.data.pairs import write_pair
    from ..policy.folder_check import folder_hash

    facts: dict[str, Any] = {"pairs": len(pairs)}
    facts["pairs_sha256"] = digest(write_pair(pair, args.polarity) for pair in pairs)
    if args.policy:
        facts["start_sha256"] = folder_hash(start_folder(args.policy))
    return facts


def _pairs(source: str, args: argparse.Namespace) -> list[Pair]:
    from ..lab.data.pairs import read_pairs
    from ..lab.data.world_people import draw_modifiers, draw_negatives

    count = _world(source, 4000)
    if not count:
        return read_pairs(Path(source), args.polarity)
    return (draw_negatives if args.polarity == "negative" else draw_modifiers)(count, 1000 + args.seed)


def _held_out(args: argparse.Namespace) -> list[Pair]:
    """The pairs to measure on, empty only if none were named; of the demo world those of prompts nothing trains on."""
    from ..errors import TrainingError
    from ..lab.data.pairs import read_pairs
    from ..lab.data.world_people import human_modifiers, human_negatives
    from ..lab.make_world.measure import draw_prompts

    if not args.held_out:
        return []
    count, seed = _world(str(args.held_out), 500), 3000 + args.seed
    if count:
        prompts = draw_prompts(count, seed, part="held-out")
        return (human_negatives if args.polarity == "negative" else human_modifiers)(prompts, seed)
    pairs = read_pairs(args.held_out, args.polarity)
    if not pairs:
        raise TrainingError(f"{args.held_out} has no pairs of {args.polarity} to measure on; name another --held-out")
    return pairs


def _world(source: str, usual: int) -> int:
    """How many pairs `world` or `world:COUNT` asks for; 0 for a file."""
    world, _, count = source.partition(":")
    return int(count or usual) if world == "world" and (not count or count.isdecimal()) else 0


def _new(args: argparse.Namespace) -> LanguagePolicy:
    from ..lab.data.world_people import modifier_stock, negative_stock
    from ..lab.train.setup import Size, load_tokenizer, new_policy
    from ..policy.card import PolicyCard
    from ..policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS
    from ..text.prompt import FULL

    if args.stock == "world":
        stock: tuple[str, ...] = negative_stock() if args.polarity == "negative" else modifier_stock()
    else:
        stock = _stock(Path(args.stock)) if args.stock else ()
    card = PolicyCard(
        kind=args.kind or ("seq2seq" if args.polarity == "negative" else "df"),
        name=args.name or (args.output or args.folder).name,
        polarity=args.polarity,
        windows=PAE_WINDOWS if args.scheduled else (FULL,),
        weights=PAE_WEIGHTS if args.scheduled else (1.0,),
        families=("world",) if args.tokenizer == "world" else (),
        max_tokens=24 if args.tokenizer == "world" else 75,
    )
    phrases = [phrase for phrase in stock if phrase.strip()]
    return new_policy(card, load_tokenizer(args.tokenizer), phrases, Size(args.width, args.layers), args.seed)


def _stock(path: Path) -> tuple[str, ...]:
    from ..errors import TrainingError

    try:
        return tuple(path.read_text(encoding="utf-8-sig").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"cannot read the stock {path}: {error}; a stock is a text file, one phrase a line"
        ) from error
