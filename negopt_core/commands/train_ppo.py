"""`train ppo`: a policy from rewards of painted pictures, in one process or in as many as a launcher starts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .models import MODEL_HELP, own_device, place_of, read_size
from .scorers import add_sources, load_named, refuse_toys, reward_names
from .train_common import Stage, add_common, digest, export, hashes_in, prepare, start_folder

if TYPE_CHECKING:
    from ..lab.jobs.processes import Processes
    from ..lab.jobs.run import RunFolder
    from ..lab.train.ppo import PPO, PPOSettings
    from ..paint.base import ModelPainter, Painter

_REWARD = "scorer:weight[:floor][:plain[=share]],...; plain: measured against the plain prompt's picture, same noise"


def add(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    ppo = kinds.add_parser("ppo", help="learn from rewards of painted pictures; run again to resume")
    ppo.add_argument(
        "--policy", type=Path, required=True, metavar="DIR", help="where to start (folder or name); also the reference"
    )
    ppo.add_argument("--prompts", required=True, metavar="FILE", help="text or JSON Lines; `world` draws them")
    ppo.add_argument("--reward", default="world-quality:1,world-alignment:3", help=_REWARD)
    ppo.add_argument("--model", default="world", help=f"painter: {MODEL_HELP}")
    ppo.add_argument("--size", metavar="WxH", help="pixels (default: the model's own; 512x512 on a ComfyUI server)")
    ppo.add_argument("--paint-steps", type=int, default=12)
    ppo.add_argument("--cfg", type=float, default=2.5)
    ppo.add_argument(
        "--paint-dtype",
        metavar="DTYPE",
        help="precision of the painter: float32, bfloat16 (faster on newer CPUs) or float16 (default on a GPU)",
    )
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
    ppo.add_argument("--policy-device", default="cpu", metavar="DEVICE", help="where the policy learns (default cpu)")
    ppo.add_argument(
        "--scorer-device",
        default="cpu",
        metavar="DEVICE",
        help="where scorers built on CLIP run (default cpu; the demo world's judges stay there)",
    )
    add_sources(ppo)
    ppo.set_defaults(run=run)
    add_common(ppo)


def run(args: argparse.Namespace) -> int:
    """Learn from rewards and export. Of several processes only the first writes and speaks."""
    from ..lab.jobs.processes import joined
    from ..lab.jobs.run import RunFolder

    with joined() as processes:
        config = prepare(args, processes.is_leader)
        refuse_toys(args.model, reward_names(args.reward), "--reward")
        with processes.together():
            painter = _painter(args, processes)
            ppo = _trainer(args, painter, processes)
            facts = _facts(args, ppo, painter.model_hash())
            folder = (
                RunFolder.open(args.folder, config, hashes_in(facts)) if processes.is_leader else RunFolder(args.folder)
            )
        _train(args, ppo, folder)
    if not processes.is_leader:
        return 0
    recent = folder.metrics()[-20:]
    measured = {"reward": sum(row["reward"] for row in recent) / len(recent)}
    return export(args, ppo.actors.policy, Stage(f"PPO on {args.reward}", facts, measured))


def _facts(args: argparse.Namespace, ppo: PPO, painter: str) -> dict[str, object]:
    """What went in: prompts, the policy it started from, the painter, and how many pictures were rewarded."""
    from ..policy.folder_check import folder_hash

    return {
        "prompts": len(ppo.prompts),
        "prompts_sha256": digest(ppo.prompts),
        "start_sha256": folder_hash(start_folder(args.policy)),
        "painter": painter,
        "pictures": args.steps * args.batch * args.group * args.pictures,
    }


def _train(args: argparse.Namespace, ppo: PPO, folder: RunFolder) -> None:
    from contextlib import nullcontext

    from ..lab.jobs.events import event_files, ignore
    from ..lab.jobs.run import Listeners, Loop, run_steps
    from ..lab.train.samples import PPOSamples

    samples = PPOSamples(ppo, folder.folder)
    is_told = args.tensorboard and ppo.processes.is_leader
    with event_files(folder.folder) if is_told else nullcontext(ignore) as write:
        loop = Loop(args.steps, args.save_every, ("reward", "kl"))
        run_steps(folder, ppo, samples.step, loop, "ppo", Listeners(write, samples.write), ppo.processes)


def _trainer(args: argparse.Namespace, painter: Painter, processes: Processes) -> PPO:
    from copy import deepcopy

    from ..devices import put_on
    from ..lab.train.ppo import PPO
    from ..lab.train.rollout import Actors, new_critic
    from ..lab.train.setup import build_reward
    from ..policy.language.backbone import width_of
    from ..policy.language.folder import open_policy

    policy = put_on(open_policy(start_folder(args.policy)), args.policy_device)
    reward = build_reward(args.reward, lambda name: load_named(name, args.source, "reward", args.scorer_device))
    critic = put_on(new_critic(width_of(policy.model), args.seed), args.policy_device)
    actors = Actors(policy, deepcopy(policy), critic, painter, reward)
    return PPO(actors, _prompts(args), _settings(args), processes)


def _settings(args: argparse.Namespace) -> PPOSettings:
    from ..lab.train.ppo import PPOSettings

    return PPOSettings(
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


def _painter(args: argparse.Namespace, processes: Processes) -> ModelPainter:
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter

    width, height = read_size(args.size)
    share = -(-args.batch * args.group * args.pictures // processes.size)
    settings = PaintSettings(args.paint_steps, args.cfg, height, width, batch_size=min(32, share))
    device = own_device(args.model, processes)
    return open_painter(place_of(args.model), settings, device=device, dtype=args.paint_dtype)


def _prompts(args: argparse.Namespace) -> list[str]:
    from ..lab.make_world.measure import draw_prompts
    from ..lab.train.setup import read_prompts

    if args.prompts == "world":
        return draw_prompts(2000, 2000 + args.seed, part="train")
    return read_prompts(Path(args.prompts))
