"""Runs that are cut short, nested, or fed with something odd: nothing leaks, and what matters is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tiny
import torch
from checks_company import ALL_OTHER, BAD, GOOD, OTHER, SWAP, warnings_of_negopt, with_values
from stage import checkpoint, encoded, hooked, run, same, stock


def sample(model: Any, callback: Callable[..., None]) -> torch.Tensor:
    """The scheduled run of `run`, with a callback of our own."""
    import comfy.sample

    latent = torch.zeros([1, 4, 8, 8])
    noise = comfy.sample.prepare_noise(latent, 3)
    sides = (stock(GOOD), encoded(SWAP))
    settings = {"disable_pbar": True, "seed": 3, "callback": callback}
    return comfy.sample.sample(model, noise, 6, 7.0, "heun", "normal", *sides, latent, **settings)


def check_the_models_own_copy_stays_as_it_was() -> None:
    plain = checkpoint()[0]
    before = {kind: dict(kept) for kind, kept in plain.wrappers.items()}
    hooked(plain)
    assert {kind: dict(kept) for kind, kept in plain.wrappers.items()} == before


def check_an_interrupted_run_leaves_nothing_behind() -> None:
    model, fresh = hooked(), run(hooked(), stock(GOOD), encoded(SWAP), sampler="heun")

    class Stop(Exception):
        pass

    def stop(step: int, *_: Any) -> None:
        if step == 2:
            raise Stop

    try:
        sample(model, stop)
        raise AssertionError("the run was not interrupted")
    except Stop:
        pass
    assert same(fresh.latent, run(model, stock(GOOD), encoded(SWAP), sampler="heun").latent)


def check_a_run_inside_a_run_keeps_its_own_clock() -> None:
    alone = run(hooked(), stock(GOOD), encoded(SWAP), sampler="heun")
    inner: list[torch.Tensor] = []

    def nested(step: int, *_: Any) -> None:
        if step == 1:
            # another copy of the network: ComfyUI itself cannot run one network inside its own run
            inner.append(run(hooked(tiny.small_model()), stock(GOOD), encoded(SWAP), sampler="heun").latent)

    outer = sample(hooked(), nested)
    assert same(outer, alone.latent) and same(inner[0], alone.latent)


def check_a_replaced_model_call_is_noticed() -> None:
    import comfy.samplers

    model = hooked().clone()

    def own_batch(args: dict[str, Any]) -> Any:
        return comfy.samplers._calc_cond_batch(
            args["model"], args["conds"], args["input"], args["sigma"], args["model_options"]
        )

    model.set_model_sampler_calc_cond_batch_function(own_batch)
    with warnings_of_negopt() as said:
        run(model, stock(GOOD), encoded(SWAP))
    assert len(said) == 1 and "calc_cond_batch" in said[0]


def check_a_run_of_no_steps_gives_the_latent_back() -> None:
    start = torch.full([1, 4, 8, 8], 0.5)
    for model in (checkpoint()[0], hooked()):
        watched = run(model, stock(GOOD), encoded(f"{BAD}[, grain:0.5-0:1]"), start=6, stop=6, latent=start)
        assert not watched.batches and same(watched.latent, start)


def check_a_window_without_a_step_is_reported() -> None:
    with warnings_of_negopt() as said:
        run(hooked(), stock(GOOD), encoded(f"{BAD}[, grain:0.5-0.49:1]"), steps=5)
    assert len(said) == 1 and "grain" in said[0] and "one of 5 steps" in said[0]


def check_a_range_set_downstream_is_kept() -> None:
    narrowed = with_values({"start_percent": 0.0, "end_percent": 0.5})
    ours = run(hooked(), stock(GOOD), narrowed(encoded(ALL_OTHER)))
    assert same(ours.latent, run(checkpoint()[0], stock(GOOD), narrowed(stock(OTHER))).latent)


def check_a_node_that_drops_entries_never_leaves_a_gap() -> None:
    first_only = run(hooked(), stock(GOOD), encoded(SWAP)[:1])
    assert same(first_only.latent, run(checkpoint()[0], stock(GOOD), stock(BAD)).latent)
    last_only = run(hooked(), stock(GOOD), encoded(SWAP)[1:])
    assert same(last_only.latent, run(checkpoint()[0], stock(GOOD), stock(OTHER)).latent)


def check_clip_of_another_family_is_refused_in_words() -> None:
    wide = [[torch.zeros(1, 77, 2048), dict(entry[1])] for entry in encoded(SWAP)]
    try:
        run(hooked(), stock(GOOD), wide)
    except Exception as error:  # the pack's own class, under the pack's own name
        assert type(error).__name__ == "ModelError" and "2048" in str(error) and "CLIP and MODEL" in str(error)
    else:
        raise AssertionError("a prompt of the wrong width was accepted")


def check_entries_are_never_changed() -> None:
    conditioning = encoded(SWAP)
    before = [(id(entry[0]), dict(entry[1])) for entry in conditioning]
    run(hooked(), stock(GOOD), conditioning)
    assert [(id(entry[0]), dict(entry[1])) for entry in conditioning] == before
