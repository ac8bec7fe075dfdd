"""PPO on the demo world: where a step goes, painting beside the bare pipeline, decoding beside the naive loop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from studies.policies.recipe import GROUP, MAIN_REWARD, PROMPTS, Recipe

from .result import Result
from .timing import Timing, measure_pair

if TYPE_CHECKING:
    from negopt_core.lab.train.ppo import PPO
    from negopt_core.paint.diffusers_painter import DiffusersPainter
    from negopt_core.policy.language import LanguagePolicy

POLICY = "world-scheduled"
_BATCH = PROMPTS * GROUP
_RECIPE, _ROUNDS = Recipe(), 5


def training() -> Iterator[Result]:
    """All of it on one thread, as `reproduce` runs it."""
    import torch

    from negopt_core.policy.language.folder import open_policy
    from negopt_core.policy.store import SHIPPED

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        policy = open_policy(SHIPPED / POLICY)
        for paint_steps in (12, _RECIPE.train_paint_steps):  # the default of `train ppo`, and what `reproduce` takes
            ppo = _trainer(deepcopy(policy), paint_steps)
            yield _step(ppo, paint_steps)
        yield _rollout(ppo)
        yield _precision(ppo)
        yield _decoding(policy, ppo.prompts[:_BATCH])
    finally:
        torch.set_num_threads(threads)


class _Watched:
    """A painter that adds up the time it takes."""

    def __init__(self, painter: DiffusersPainter) -> None:
        self.painter, self.seconds = painter, 0.0

    def paint(self, pairs: Sequence[Any], seeds: Sequence[int]) -> Any:
        start = time.perf_counter()
        try:
            return self.painter.paint(pairs, seeds)
        finally:
            self.seconds += time.perf_counter() - start


def _trainer(policy: LanguagePolicy, paint_steps: int) -> PPO:
    from negopt_core.lab.make_world.measure import draw_prompts
    from negopt_core.lab.train.ppo import PPO
    from negopt_core.lab.train.rollout import Actors
    from negopt_core.lab.train.settings import PPOSettings
    from negopt_core.lab.train.setup import build_reward
    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.diffusers_painter import load_painter
    from negopt_core.scorers.table import load_named
    from negopt_core.world import world_dir

    reward = build_reward(MAIN_REWARD, lambda name: load_named(name, {}, "reward"))
    settings = PaintSettings(paint_steps, _RECIPE.cfg, batch_size=_BATCH)
    painter = load_painter(str(world_dir()), settings, device="cpu")
    actors = Actors(policy, deepcopy(policy), _Watched(painter), reward)
    round_of_reproduce = PPOSettings(prompts=PROMPTS, group=GROUP, minibatch=_BATCH)
    return PPO(actors, draw_prompts(200, 1, part="train"), round_of_reproduce)


def _step(ppo: PPO, paint_steps: int) -> Result:
    painter: Any = ppo.actors.painter
    ppo.step()
    shares, seconds = [], []
    for _ in range(_ROUNDS):
        painter.seconds, start = 0.0, time.perf_counter()
        ppo.step()
        seconds.append(time.perf_counter() - start)
        shares.append(painter.seconds / seconds[-1])
    share = sorted(shares)[_ROUNDS // 2]
    pictures = f"{_BATCH} pictures of {paint_steps} steps"
    name = f"PPO step of {pictures} ({POLICY}): share of the time that is painting"
    figure = f"{share:.1%} ({min(shares):.1%} to {max(shares):.1%}, n={_ROUNDS}); a step {Timing(tuple(seconds))}"
    return Result(name, figure, "85 %", share >= 0.85)


def _rollout(ppo: PPO) -> Result:
    """The painter beside diffusers' own pipeline, called once with the same texts, noise and batch."""
    import torch

    watched: Any = ppo.actors.painter
    painter: DiffusersPainter = watched.painter
    pairs = [pair for pair in _answers(ppo) for _ in range(GROUP)][:_BATCH]
    seeds = list(range(_BATCH))
    pipeline: Any = painter._pipeline

    def bare() -> object:
        noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        return pipeline(
            [pair.positive.text for pair in pairs],
            negative_prompt=[pair.negative.text for pair in pairs],
            num_inference_steps=_RECIPE.train_paint_steps,
            guidance_scale=_RECIPE.cfg,
            generator=noise,
            output_type="pt",
        )

    theirs, ours, ratio = measure_pair(bare, lambda: painter.paint(pairs, seeds), 9, time.process_time)
    name = f"pictures a second in rollouts against the bare pipeline, batch {_BATCH}, scheduled negatives"
    return Result(name, f"{ratio:.3f} x (bare {theirs}, ours {ours})", "0.95 x", ratio >= 0.95)


def _precision(ppo: PPO) -> Result:
    """The pictures of a rollout in the precision of `reproduce` and in float32; how far apart their rewards are."""
    from negopt_core.paint.diffusers_painter import load_painter
    from negopt_core.paint.open import read_dtype
    from negopt_core.paint.precision import has_bfloat16
    from negopt_core.world import world_dir

    watched: Any = ppo.actors.painter
    exact: DiffusersPainter = watched.painter
    rounded = load_painter(str(world_dir()), exact.settings, device="cpu", dtype=read_dtype("bfloat16"))
    pairs, seeds, prompts = _answers(ppo), list(range(_BATCH)), ppo.prompts[:_BATCH]
    slow, fast, ratio = measure_pair(
        lambda: exact.paint(pairs, seeds), lambda: rounded.paint(pairs, seeds), 9, time.process_time
    )
    rewards = [ppo.actors.reward(painter.paint(pairs, seeds), prompts).total for painter in (exact, rounded)]
    apart = float((rewards[0] - rewards[1]).abs().mean())
    name = f"pictures in bfloat16, which `reproduce` chooses where it is faster, against float32, batch {_BATCH}"
    figure = f"{ratio:.2f} x as fast ({slow} against {fast}); rewards {apart:.3f} apart on average"
    return Result(name, figure, "not slower where the CPU has bfloat16", ratio >= 1.0 if has_bfloat16() else None)


def _answers(ppo: PPO) -> list[Any]:
    from negopt_core.policy.language import Sampling
    from negopt_core.policy.language.render import pair_of

    policy, prompts = ppo.actors.policy, ppo.prompts[:_BATCH]
    rows = policy.spans(policy.respond(prompts, range(len(prompts)), Sampling()))
    return [pair_of(prompt, spans, policy.card.polarity) for prompt, spans in zip(prompts, rows, strict=True)]


def _decoding(policy: LanguagePolicy, prompts: Sequence[str]) -> Result:
    """Batched with a key-value cache, beside one prompt after the other with everything read again for each token."""
    import torch

    from negopt_core.policy.language import Sampling

    drawn = policy.respond(prompts, range(len(prompts)), Sampling())

    @torch.no_grad()
    def naive() -> None:
        backbone = policy.backbone
        for row, prompt in enumerate(prompts):
            length = int(drawn.is_action[row].sum())
            for count in range(1, length + 1):
                backbone.states(backbone.read([prompt]), drawn.words[row : row + 1, :count])

    slow, fast, ratio = measure_pair(naive, lambda: policy.respond(prompts, range(len(prompts)), Sampling()), 5)
    name = f"answers to {len(prompts)} prompts in a batch with a cache, against the naive loop ({POLICY})"
    return Result(name, f"{ratio:.1f} x faster ({slow} against {fast})", "5 x", ratio >= 5)
