"""What one of several processes does in the tests; `test_processes.py` starts them as a launcher does."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "policy"))

import languages
import torch
from safetensors.torch import save_file
from toys import actors, phrases
from transformers import AutoTokenizer

from negopt_core.errors import NegOptError
from negopt_core.lab.jobs.processes import ALONE, Processes, joined
from negopt_core.lab.jobs.run import Loop, RunFolder, run_steps
from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.settings import PPOSettings
from negopt_core.text.prompt import PromptPair

PROMPTS = ["a photo of a ball", "a sketch of a star by the sea at night", "a cube", "a painting"]
SETTINGS = PPOSettings(
    prompts=5, group=2, epochs=2, minibatch=4, learning_rate=5e-5, kl=0.1, kl_target=0.5, entropy=0.01, seed=3
)
STEPS = 4
SAVE_EVERY = 2


def count_phrases(pair: PromptPair) -> float:
    return float(len(phrases(pair)))


def make(processes: Processes, kind: str = "df", code: Callable[[PromptPair], float] = count_phrases) -> PPO:
    """Five prompts of two responses: uneven shares, and minibatches of which a process may have no row at all."""
    everybody = actors(kind, code)
    return PPO(everybody, PROMPTS, replace(SETTINGS, advantage="group" if kind == "df" else "grpo"), processes)


def go_on(
    folder: Path, processes: Processes, steps: int, ppo: PPO | None = None, each: Callable[[], None] = int
) -> PPO:  # type: ignore[assignment]
    """A run of `steps` in a folder, from wherever it stands."""
    ppo = ppo or make(processes)
    run = RunFolder.open(folder, {}) if processes.is_leader else RunFolder(folder)

    def step() -> dict[str, float]:
        each()
        return ppo.step()[0]

    run_steps(run, ppo, step, Loop(steps, SAVE_EVERY), "test", processes=processes)
    return ppo


def weights_after_a_step(kind: str, processes: Processes) -> dict[str, torch.Tensor]:
    """Every weight of the policy after one step of two epochs, and the gradients of a single update."""
    ppo, once = make(processes, kind), make(processes, kind)
    once.settings = replace(once.settings, epochs=1, minibatch=once.count)
    ppo.step()
    once.step()
    found = {}
    for part, module in ppo.modules().items():
        found |= {f"{part}/{name}": value.clone().contiguous() for name, value in module.state_dict().items()}
    for part, module in once.modules().items():
        grads = {f"gradient/{part}/{name}": one.grad for name, one in module.named_parameters()}
        found |= {name: grad.clone().contiguous() for name, grad in grads.items() if grad is not None}
    return found


def equal(folder: Path, processes: Processes) -> None:
    """Weights after one step of both kinds, a whole run, half of one, and the second half of one begun alone."""
    for kind in ("df", "seq2seq"):
        weights = weights_after_a_step(kind, processes)
        save_file(weights, folder / f"{kind}-{processes.rank}.safetensors")
    go_on(folder / "shared", processes, STEPS)
    go_on(folder / "begun-shared", processes, SAVE_EVERY)
    go_on(folder / "begun-alone", processes, STEPS)


def painter_fails(folder: Path, processes: Processes) -> None:
    """The second process's pictures fail in the third step."""
    painted = 0

    def code(pair: PromptPair) -> float:
        nonlocal painted
        painted += 1
        if processes.rank == 1 and painted > 2 * 5:
            raise ValueError("the brush is gone")
        return count_phrases(pair)

    go_on(folder, processes, STEPS, make(processes, code=code))


def one_is_killed(folder: Path, processes: Processes) -> None:
    """The second process is killed in the third step."""
    steps = 0

    def each() -> None:
        nonlocal steps
        steps += 1
        if processes.rank == 1 and steps == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    go_on(folder, processes, STEPS, each=each)


def one_is_interrupted(folder: Path, processes: Processes) -> None:
    """Ctrl-C reaches only the second process, in the third step."""
    steps = 0

    def each() -> None:
        nonlocal steps
        steps += 1
        if processes.rank == 1 and steps == 3:
            os.kill(os.getpid(), signal.SIGINT)

    go_on(folder, processes, STEPS, each=each)


def folders_differ(folder: Path, processes: Processes) -> None:
    """Two machines that do not share a disk: the second finds no checkpoint."""
    go_on(folder / ("here" if processes.is_leader else "elsewhere"), processes, STEPS)


def disk_full(folder: Path, processes: Processes) -> None:
    """The leader cannot write its third line of metrics."""
    if processes.is_leader:
        go_on_until_full(folder, processes)
    else:
        go_on(folder, processes, STEPS)


def go_on_until_full(folder: Path, processes: Processes) -> None:
    steps = 0

    def each() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            (folder / "metrics.jsonl").rename(folder / "kept.jsonl")
            (folder / "metrics.jsonl").symlink_to("/dev/full")

    go_on(folder, processes, STEPS, each=each)


SCENARIOS = (equal, painter_fails, one_is_killed, one_is_interrupted, folders_differ, disk_full)


def work(name: str, folder: Path, shared_tokenizer: str) -> str | None:
    """Join the others and do it; a line if it failed."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    (scenario,) = (one for one in SCENARIOS if one.__name__ == name)
    # made anew it could number words in another order: byte-pair training breaks ties as it likes
    shared = AutoTokenizer.from_pretrained(shared_tokenizer)
    languages.tokenizer = lambda: shared  # type: ignore[assignment]
    try:
        with joined() as mine:
            assert mine is not ALONE
            scenario(folder, mine)
    except (NegOptError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None
