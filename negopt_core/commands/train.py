"""`train sft`, `train ppo`, `train retrieval`, `train world`: policies from pairs and rewards, the demo world."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import retrieval, world
from .output import add_json, emit
from .scorers import add_sources, load_named

if TYPE_CHECKING:
    from ..policy.language import LanguagePolicy

POLARITIES = ("negative", "modifiers")
_REWARD = "scorer:weight[:floor][:plain[=share]],...; plain: measured against the plain prompt's picture, same noise"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare every kind of training."""
    kinds = commands.add_parser("train", help="train policies or the demo world").add_subparsers(
        dest="what", required=True
    )
    _add_sft(kinds)
    _add_ppo(kinds)
    retrieval.add_training(kinds)
    world.add_training(kinds)


def _add_sft(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sft = kinds.add_parser("sft", help="learn from pairs of prompts and what people wrote; run again to resume")
    sft.add_argument("--pairs", required=True, metavar="FILE", help="JSON Lines; `world` draws the demo world's people")
    sft.add_argument("--held-out", type=Path, metavar="FILE", help="pairs to measure on")
    sft.add_argument("--polarity", choices=POLARITIES, default="negative", help="which side to write")
    sft.add_argument("--kind", choices=("seq2seq", "df"), help="T5 or GPT-2 (default: T5 for negatives)")
    sft.add_argument("--policy", type=Path, metavar="DIR", help="start from this policy or transformers folder")
    sft.add_argument("--tokenizer", default="world", metavar="DIR", help="tokenizer of a new policy (default world)")
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
    sft.add_argument("--width", type=int, default=96)
    sft.add_argument("--layers", type=int, default=2)
    sft.add_argument("--steps", type=int, default=1000)
    sft.add_argument("--batch", type=int, default=32)
    sft.add_argument("--rate", type=float, default=1e-3, help="learning rate (default 1e-3)")
    sft.set_defaults(run=run_sft)
    _add_common(sft)


def _add_ppo(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ppo = kinds.add_parser("ppo", help="learn from rewards of painted pictures; run again to resume")
    ppo.add_argument("--policy", type=Path, required=True, metavar="DIR", help="where to start; also the reference")
    ppo.add_argument("--prompts", required=True, metavar="FILE", help="text or JSON Lines; `world` draws them")
    ppo.add_argument("--reward", default="world-quality:1,world-alignment:3", help=_REWARD)
    ppo.add_argument("--model", default="world", help="painter: world, a diffusers folder, a .safetensors file")
    ppo.add_argument("--paint-steps", type=int, default=12)
    ppo.add_argument("--cfg", type=float, default=4.0)
    ppo.add_argument("--steps", type=int, default=200)
    ppo.add_argument("--batch", type=int, default=16, help="prompts a step")
    ppo.add_argument("--group", type=int, default=2, help="responses to each prompt")
    ppo.add_argument("--pictures", type=int, default=1, help="pictures of each response")
    ppo.add_argument("--epochs", type=int, default=4)
    ppo.add_argument("--rate", type=float, default=3e-4, help="learning rate (default 3e-4)")
    ppo.add_argument("--advantage", choices=("gae", "group", "grpo"), default="gae")
    ppo.add_argument("--kl", type=float, default=0.02, help="price of a nat away from the start")
    ppo.add_argument("--kl-target", type=float, default=0.0, help="nats a response; 0 keeps the price fixed")
    ppo.add_argument("--entropy", type=float, default=0.0)
    add_sources(ppo)
    ppo.set_defaults(run=run_ppo)
    _add_common(ppo)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="run folder")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="policy folder (default: export in the run)")
    parser.add_argument("--name", help="name of the policy (default: the output folder's)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, help="CPU threads")
    add_json(parser)


def run_sft(args: argparse.Namespace) -> int:
    """Learn from pairs and export."""
    from ..train.run import Loop, Run, run_steps
    from ..train.sft import SFT, SFTSettings

    config = _prepare(args)
    pairs, held_out = _pairs(args.pairs, args), _pairs(args.held_out, args) if args.held_out else []
    settings = SFTSettings(
        args.steps,
        args.batch,
        args.rate,
        learns_schedule=args.learn_schedule,
        augment=args.augment,
        seed=args.seed,
    )
    sft = SFT(_start(args), pairs, settings)
    run = Run.open(args.folder, config)
    run_steps(run, sft, sft.step, Loop(args.steps, args.save_every), "sft")
    measured = sft.evaluate(held_out or pairs[:512])
    return _export(args, sft.policy, measured, f"{len(pairs)} pairs from {Path(args.pairs).name}")


def run_ppo(args: argparse.Namespace) -> int:
    """Learn from rewards and export."""
    from copy import deepcopy

    from ..paint.base import PaintSettings
    from ..paint.diffusers_painter import load_painter
    from ..policy.language.backbone import width_of
    from ..policy.language.folder import open_policy
    from ..train.critic import Critic
    from ..train.ppo import PPO, PPOSettings
    from ..train.rollout import Actors
    from ..train.run import Loop, Run, run_steps
    from ..train.setup import build_reward
    from ..world import world_dir

    config = _prepare(args)
    policy = open_policy(args.policy)
    batch = min(32, args.batch * args.group * args.pictures)
    model = str(world_dir()) if args.model == "world" else args.model
    painter = load_painter(model, PaintSettings(args.paint_steps, args.cfg, batch_size=batch))
    reward = build_reward(args.reward, lambda name: load_named(name, args.source, role="reward"))
    settings = PPOSettings(
        prompts=args.batch,
        group=args.group,
        pictures=args.pictures,
        epochs=args.epochs,
        minibatch=args.batch * args.group,
        learning_rate=args.rate,
        advantage=args.advantage,
        kl=args.kl,
        kl_target=args.kl_target,
        entropy=args.entropy,
        seed=args.seed,
    )
    actors = Actors(policy, deepcopy(policy), Critic(width_of(policy.model)), painter, reward)
    ppo = PPO(actors, _prompts(args), settings)
    run = Run.open(args.folder, config)
    run_steps(run, ppo, lambda: ppo.step()[0], Loop(args.steps, args.save_every, ("reward", "kl")), "ppo")
    recent = run.metrics()[-20:]
    measured = {"reward": sum(row["reward"] for row in recent) / len(recent)}
    return _export(args, policy, measured, f"PPO on {args.reward} from {args.policy.name}")


def _prepare(args: argparse.Namespace) -> dict[str, Any]:
    """Threads and logging; returns what the run folder remembers: every argument that decides the result."""
    import torch

    logging.getLogger("negopt").setLevel(logging.INFO)
    if args.threads:
        torch.set_num_threads(args.threads)
    left_out = {"run", "folder", "output", "name", "threads", "json", "debug", "save_every"}
    if not getattr(args, "augment", 0.0):
        left_out.add("augment")  # runs that were begun before there was such a setting go on
    return {key: str(value) for key, value in vars(args).items() if key not in left_out}


def _pairs(source: Any, args: argparse.Namespace) -> list[Any]:
    from ..data.pairs import read_pairs
    from ..world.people import draw_modifiers, draw_negatives

    if str(source) == "world":
        draw = draw_negatives if args.polarity == "negative" else draw_modifiers
        return draw(4000, 1000 + args.seed)
    return read_pairs(Path(source), args.polarity)


def _prompts(args: argparse.Namespace) -> list[str]:
    from ..train.setup import read_prompts
    from ..world.measure import draw_prompts

    return draw_prompts(2000, 2000 + args.seed) if args.prompts == "world" else read_prompts(Path(args.prompts))


def _start(args: argparse.Namespace) -> LanguagePolicy:
    from ..policy.card import PolicyCard
    from ..policy.language.folder import open_policy
    from ..prompt import FULL
    from ..train.setup import PAE_WEIGHTS, PAE_WINDOWS, Size, load_tokenizer, new_policy
    from ..world.people import modifier_stock, negative_stock

    if args.policy:
        return open_policy(args.policy)
    if args.stock == "world":
        stock: tuple[str, ...] = negative_stock() if args.polarity == "negative" else modifier_stock()
    else:
        stock = tuple(Path(args.stock).read_text(encoding="utf-8").split("\n")) if args.stock else ()
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


def _export(args: argparse.Namespace, policy: LanguagePolicy, measured: dict[str, float], how: str) -> int:
    from dataclasses import replace

    from .. import __version__
    from ..policy.language.folder import save_policy

    output: Path = args.output or args.folder / "export"
    history = [*policy.card.provenance.get("history", []), how]
    policy.card = replace(
        policy.card,
        name=args.name or output.name,
        metrics={**policy.card.metrics, **measured},
        provenance={"made_by": f"negopt {__version__}", "seed": args.seed, "history": history},
        licence=policy.card.licence or "Apache-2.0",
    )
    save_policy(policy, output)
    told = ", ".join(f"{name} {value:.3f}" for name, value in measured.items())
    emit(args, {"folder": str(output), **measured}, f"exported {output} ({told})")
    return 0
