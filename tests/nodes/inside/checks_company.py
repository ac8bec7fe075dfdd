"""The hook in the company of everything else that ComfyUI can do to a prompt, a model or a run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import stage
import tiny
import torch
from stage import checkpoint, encoded, hooked, run, same, stock

GOOD, BAD, OTHER = "a red fox in the snow", "blurry", "low quality, watermark"
ALL_OTHER = f"[{OTHER}:1-0.0001:1][{BAD}:0.0001-0:1]"  # two pieces, of which the second has no step
SWAP = f"[{BAD}:1-0.5:1][{OTHER}:0.5-0:1]"

Dress = Callable[[Any], Any]


def with_values(values: dict[str, Any]) -> Dress:
    """A downstream node that maps over all entries, as ComfyUI's own do."""
    import node_helpers

    return lambda conditioning: node_helpers.conditioning_set_values(conditioning, values)


def half_mask() -> torch.Tensor:
    mask = torch.zeros([1, 8, 8])
    mask[:, :, :4] = 1
    return mask


def expect_like_the_other_prompt(positive: Dress, negative: Dress, model: Any = None, **settings: Any) -> None:
    """A schedule that is OTHER at every step paints what plain OTHER paints, and not what plain BAD paints."""
    plain = model or checkpoint()[0]
    ours = run(hooked(plain), positive(stock(GOOD)), negative(encoded(ALL_OTHER)), **settings)
    wanted = run(plain, positive(stock(GOOD)), negative(stock(OTHER)), **settings)
    assert same(ours.latent, wanted.latent)
    assert ours.batches == wanted.batches
    assert not same(ours.latent, run(plain, positive(stock(GOOD)), negative(stock(BAD)), **settings).latent)


def unchanged(conditioning: Any) -> Any:
    return conditioning


@contextmanager
def warnings_of_negopt() -> Any:
    """What the pack says to the log meanwhile."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("negopt").addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger("negopt").removeHandler(handler)


def check_an_area_on_the_negative() -> None:
    expect_like_the_other_prompt(unchanged, with_values({"area": (4, 8, 0, 0), "strength": 1.0}))


def check_an_area_on_the_positive_copies_the_active_negative() -> None:
    # ComfyUI adds a copy of the area to the negative side, with the text of its first entry
    expect_like_the_other_prompt(with_values({"area": (4, 8, 0, 0), "strength": 1.0}), unchanged)
    later = f"[{BAD}:1-0.999:1][{OTHER}:0.999-0:1]"  # BAD acts in the first step only
    area = with_values({"area": (4, 8, 0, 0), "strength": 1.0})
    ours = run(hooked(), area(stock(GOOD)), encoded(later), steps=2)
    frozen = run(hooked(), area(stock(GOOD)), stock(BAD), steps=2)
    assert same(ours.steps[0], frozen.steps[0]) and not same(ours.steps[1], frozen.steps[1])


def check_areas_on_both_scheduled_sides() -> None:
    area = with_values({"area": (4, 8, 0, 0), "strength": 1.0})
    other = with_values({"area": (8, 4, 0, 2), "strength": 1.0})
    # OTHER and GOOD at every step on both sides: as plain
    good = f"[{GOOD}:1-0.0001:1][{BAD}:0.0001-0:1]"
    ours = run(hooked(), area(encoded(good)), other(encoded(ALL_OTHER)))
    wanted = run(checkpoint()[0], area(stock(GOOD)), other(stock(OTHER)))
    assert same(ours.latent, wanted.latent) and ours.batches == wanted.batches


def check_a_mask() -> None:
    mask = half_mask()
    expect_like_the_other_prompt(unchanged, with_values({"mask": mask, "set_area_to_bounds": False}))
    expect_like_the_other_prompt(unchanged, with_values({"mask": mask, "set_area_to_bounds": True}))


def check_a_combined_prompt_keeps_both_areas() -> None:
    left, right = ({"area": (8, 4, 0, x), "strength": 1.0} for x in (0, 4))
    expect_like_the_other_prompt(unchanged, lambda c: with_values(left)(c) + with_values(right)(c))


def _with_controlnet(to_both: bool) -> Dress:
    net = tiny.controlnet().set_cond_hint(torch.full([1, 3, 64, 64], 0.5), 1.0, (0.0, 1.0))
    return with_values({"control": net, "control_apply_to_uncond": to_both})


def check_a_controlnet_on_both_sides() -> None:
    net = _with_controlnet(to_both=False)
    expect_like_the_other_prompt(net, net)


def check_a_controlnet_that_the_host_hands_to_the_negative() -> None:
    # the old apply node marks the positive only, and ComfyUI gives the net to the first negative entry
    net = _with_controlnet(to_both=True)
    expect_like_the_other_prompt(net, unchanged)
    with_net = run(hooked(), net(stock(GOOD)), encoded(SWAP))
    assert with_net.batches == [2] * 6


def check_a_lora_as_a_patch() -> None:
    model = checkpoint()[0].clone()
    import comfy.lora
    import comfy.sd

    model = comfy.sd.load_lora_for_models(model, None, tiny.lora(), 1.0, 0.0)[0]
    assert not same(run(model, stock(GOOD), stock(BAD)).latent, run(checkpoint()[0], stock(GOOD), stock(BAD)).latent)
    expect_like_the_other_prompt(unchanged, unchanged, model)


def check_a_lora_as_a_hook() -> None:
    import comfy.hooks

    hooks = comfy.hooks.create_hook_lora(tiny.lora(), 1.0, 0.0)
    on = with_values({"hooks": hooks})
    expect_like_the_other_prompt(on, on)
    expect_like_the_other_prompt(unchanged, on)


def check_cfg_one_skips_the_negative_and_says_so() -> None:
    with warnings_of_negopt() as said:
        ours = run(hooked(), stock(GOOD), encoded(SWAP), cfg=1.0)
    assert ours.batches == [1] * 6
    assert same(ours.latent, run(checkpoint()[0], stock(GOOD), stock(BAD), cfg=1.0).latent)
    assert len(said) == 1 and "CFG 1" in said[0]


def _custom(guider: Any, sampler: str = "heun") -> torch.Tensor:
    """SamplerCustomAdvanced's own way of running a guider."""
    import comfy.sample
    import comfy.samplers

    latent = torch.zeros([1, 4, 8, 8])
    return guider.sample(
        comfy.sample.prepare_noise(latent, 3),
        latent,
        comfy.samplers.sampler_object(sampler),
        torch.tensor(stage.sigmas(checkpoint()[0], "karras", 6)),
        disable_pbar=True,
        seed=3,
    )


def check_the_guider_of_sampler_custom_advanced() -> None:
    import comfy.samplers

    def guided(model: Any, negative: Any) -> torch.Tensor:
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(stock(GOOD), negative)
        guider.set_cfg(5.0)
        return _custom(guider)

    assert same(guided(hooked(), encoded(ALL_OTHER)), guided(checkpoint()[0], stock(OTHER)))
    assert not same(guided(hooked(), encoded(SWAP)), guided(checkpoint()[0], stock(OTHER)))


def check_a_guider_with_two_positives() -> None:
    from comfy_extras.nodes_custom_sampler import Guider_DualCFG

    def guided(model: Any, middle: Any, negative: Any) -> torch.Tensor:
        guider = Guider_DualCFG(model)
        guider.set_conds(stock(GOOD), middle, negative)
        guider.set_cfg(5.0, 3.0)
        return _custom(guider)

    ours = guided(hooked(), encoded(ALL_OTHER), encoded(ALL_OTHER))
    assert same(ours, guided(checkpoint()[0], stock(OTHER), stock(OTHER)))


def check_normalized_attention_guidance_uses_the_active_negative() -> None:
    try:
        from comfy_extras.nodes_nag import NAGuidance
    except ImportError:  # ComfyUI before February 2026
        return
    model = NAGuidance.execute(checkpoint()[0], 5.0, 0.5, 1.5).result[0]
    expect_like_the_other_prompt(unchanged, unchanged, model, cfg=1.0)


def check_a_second_hook_replaces_the_first() -> None:
    once = run(hooked(), stock(GOOD), encoded(SWAP), sampler="heun")
    twice = run(hooked(hooked(step_offset=3)), stock(GOOD), encoded(SWAP), sampler="heun")
    assert same(once.latent, twice.latent)
