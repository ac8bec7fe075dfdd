"""Which text each call of the model gets, for every sampler and scheduler ComfyUI has, against the sampler's own loop.

The truth is read from the running sampler: the loop variable in its Python frame. Samplers without one (`dpm_fast`,
`dpm_adaptive`) are held against the interval of the run's sigmas. The network is replaced by a formula, so that the
whole table runs in seconds; everything between KSampler and the network is ComfyUI's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import stage
import torch
from loop import loop_step
from stage import hooked, run

POSITIVE = "a[, b:0.9-0.55:1][, c:0.7-0.3:1][, d:0.35-0.1:1]"
NEGATIVE = "n[, o:1-0.5:1][, p:0.8-0.2:1]"
SCHEDULERS = ("normal", "karras", "exponential", "sgm_uniform", "simple", "beta")
LOOPLESS = ("dpm_fast", "dpm_adaptive")
STEPS = 6


class Codes:
    """Stands in for a text encoder: every text becomes a tensor filled with its number."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def tokenize(self, text: str) -> dict[str, Any]:
        return {"l": [[(text, 1.0)] * 77]}

    def encode_from_tokens_scheduled(self, tokens: dict[str, Any]) -> Any:
        text = tokens["l"][0][0][0]
        if text not in self.texts:
            self.texts.append(text)
        return [[torch.full([1, 77, 32], float(self.texts.index(text))), {"pooled_output": None}]]

    def conditioning(self, df_text: str) -> Any:
        return stage.node("NegOptEncode").execute(clip=self, df_text=df_text).result[0]


@dataclass
class Call:
    """One call of the network: where the sampler was, and the text of each side (0 positive, 1 negative)."""

    step: int
    steps: int
    texts: dict[int, set[str]] = field(default_factory=dict)


def noise_step(sigma: float, sigmas: list[float]) -> int:
    """The interval of falling sigmas that holds `sigma`, closed above up to rounding."""
    step = 0
    while step < len(sigmas) - 2 and sigma <= sigmas[step + 1] * 1.0001:
        step += 1
    return step


def listen(model: Any, codes: Codes, calls: list[Call], is_loopless: bool) -> Any:
    """The model with its network replaced by the best guess for plain noise, noting what it was asked."""

    def network(apply_model: Any, asked: dict[str, Any]) -> torch.Tensor:
        sigmas = asked["c"]["transformer_options"]["sample_sigmas"].tolist()
        sigma = float(asked["timestep"][0])
        step = noise_step(sigma, sigmas) if is_loopless else loop_step()
        assert step is not None, "the sampler keeps no loop variable: name it in LOOPLESS"
        call = Call(step, len(sigmas) - 1)
        rows = asked["c"]["c_crossattn"].chunk(len(asked["cond_or_uncond"]))
        for side, row in zip(asked["cond_or_uncond"], rows, strict=True):
            call.texts.setdefault(side, set()).add(codes.texts[round(float(row[0, 0, 0]))])
        calls.append(call)
        return asked["input"] / (1 + sigma**2)

    heard = model.clone()
    heard.set_model_unet_function_wrapper(network)
    return heard


@cache
def truth(df_text: str, steps: int) -> list[str]:
    """The text of each step, by the library's schedule compiler, which the hook does not use."""
    compiler, reader = stage.module("negopt_core.text.schedule"), stage.module("negopt_core.text.df_text")
    schedule = compiler.compile_schedule(reader.parse_prompt(df_text), steps)
    return [compiler.segment_at(schedule, step).text for step in range(steps)]


def faults(calls: list[Call]) -> list[str]:
    """Calls that got another text than the schedule says, or more than one."""
    found = []
    for call in calls:
        for side, df_text in enumerate((POSITIVE, NEGATIVE)):
            wanted = truth(df_text, call.steps)[call.step]
            if call.texts.get(side) != {wanted}:
                found.append(f"step {call.step} of {call.steps}, side {side}: {call.texts.get(side)}, not {wanted!r}")
    return found


def check_every_sampler_gets_the_scheduled_text_at_every_call() -> None:
    import comfy.samplers

    codes = Codes()
    positive, negative = codes.conditioning(POSITIVE), codes.conditioning(NEGATIVE)
    start = torch.randn([1, 4, 8, 8], generator=torch.Generator().manual_seed(1))
    modes: dict[str, dict[str, Any]] = {
        "full": {},
        "denoise 0.6": {"denoise": 0.6, "latent": start},
        "slice 2 to 5": {"start": 2, "stop": 5, "latent": start},
    }
    wrong, total = [], 0
    for sampler in comfy.samplers.KSampler.SAMPLERS:
        for scheduler in SCHEDULERS:
            for mode, settings in modes.items():
                calls: list[Call] = []
                model = listen(hooked(), codes, calls, sampler in LOOPLESS)
                run(model, positive, negative, sampler=sampler, scheduler=scheduler, steps=STEPS, **settings)
                total += len(calls)
                wrong += [f"{sampler}, {scheduler}, {mode}: {fault}" for fault in faults(calls)]
    assert total > 4000, total
    assert not wrong, "\n".join(wrong[:20])


def check_the_noise_level_unit_goes_by_the_noise() -> None:
    codes, calls = Codes(), []
    positive, negative = codes.conditioning(POSITIVE), codes.conditioning(NEGATIVE)
    model = listen(hooked(unit="noise level"), codes, calls, is_loopless=True)
    for sampler in ("euler", "heun", "dpmpp_2m", "seeds_3"):
        run(model, positive, negative, sampler=sampler, scheduler="karras", steps=STEPS)
    assert len(calls) > 30 and not faults(calls)


def check_the_percent_unit_means_what_comfyuis_percent_means() -> None:
    codes = Codes()
    half = codes.conditioning("n[, o:0.5-0:1]")
    for scheduler in SCHEDULERS:
        calls: list[Call] = []
        model = listen(hooked(unit="ComfyUI percent"), codes, calls, is_loopless=True)
        run(model, codes.conditioning("a"), half, scheduler=scheduler, steps=20)
        sampling = model.model.model_sampling
        cut = float(sampling.percent_to_sigma(0.5))
        sigmas = stage.sigmas(model, scheduler, 20)
        wanted = [{"n, o"} if sigma <= cut else {"n"} for sigma in sigmas[:-1]]
        assert [call.texts[1] for call in calls] == wanted, scheduler


def check_without_the_hook_exactly_one_piece_acts_at_every_step() -> None:
    codes = Codes()
    positive, negative = codes.conditioning(POSITIVE), codes.conditioning(NEGATIVE)
    for scheduler in SCHEDULERS:
        for steps in (1, 7, 20):
            calls: list[Call] = []
            model = listen(stage.checkpoint()[0], codes, calls, is_loopless=True)
            run(model, positive, negative, scheduler=scheduler, steps=steps)
            assert [{side: len(texts) for side, texts in call.texts.items()} for call in calls] == [
                {0: 1, 1: 1}
            ] * steps


def check_with_sigmas_connected_no_hook_is_needed() -> None:
    codes = Codes()
    for scheduler in SCHEDULERS:
        sigmas = torch.tensor(stage.sigmas(stage.checkpoint()[0], scheduler, STEPS))
        encode = stage.node("NegOptEncode").execute
        positive = encode(clip=codes, df_text=POSITIVE, sigmas=sigmas).result[0]
        negative = encode(clip=codes, df_text=NEGATIVE, sigmas=sigmas).result[0]
        for model in (stage.checkpoint()[0], hooked()):  # and the hook is not in its way
            calls: list[Call] = []
            run(listen(model, codes, calls, is_loopless=True), positive, negative, scheduler=scheduler, steps=STEPS)
            assert len(calls) == STEPS and not faults(calls), (scheduler, faults(calls))


def check_a_part_of_a_chain_counts_from_its_offset() -> None:
    codes = Codes()
    positive, negative = codes.conditioning(POSITIVE), codes.conditioning(NEGATIVE)
    for start, stop in ((0, 2), (2, 5), (5, 6)):
        calls: list[Call] = []
        model = listen(hooked(step_offset=start, total_steps=STEPS), codes, calls, is_loopless=False)
        run(model, positive, negative, sampler="heun", steps=STEPS, start=start, stop=stop)
        shifted = [Call(call.step + start, STEPS, call.texts) for call in calls]
        assert shifted and not faults(shifted), faults(shifted)


def check_the_sa_solver_nodes_options_are_known() -> None:
    import comfy.sample
    from comfy_extras.nodes_custom_sampler import SamplerSASolver

    codes = Codes()
    positive, negative = codes.conditioning(POSITIVE), codes.conditioning(NEGATIVE)
    latent = torch.zeros([1, 4, 8, 8])
    for is_pece, corrector in ((False, 4), (True, 4), (True, 1), (True, 0)):
        calls: list[Call] = []
        model = listen(hooked(), codes, calls, is_loopless=False)
        sampler = SamplerSASolver.execute(model, 1.0, 0.2, 0.8, 1.0, 3, corrector, is_pece, False).result[0]
        sigmas = torch.tensor(stage.sigmas(model, "normal", STEPS))
        noise = comfy.sample.prepare_noise(latent, 3)
        given = (noise, 4.0, sampler, sigmas, positive, negative, latent)
        comfy.sample.sample_custom(model, *given, disable_pbar=True, seed=3)
        assert len(calls) == (2 * STEPS - 1 if is_pece and corrector else STEPS)
        assert not faults(calls), faults(calls)


def check_unsampling_runs_backwards_through_the_same_steps() -> None:
    import comfy.sample

    codes, calls = Codes(), []
    model = listen(hooked(), codes, calls, is_loopless=False)
    sigmas = torch.tensor(stage.sigmas(model, "normal", STEPS)).flip(0)
    sigmas[0] = 0.03
    latent = torch.zeros([1, 4, 8, 8])
    comfy.sample.sample_custom(
        model,
        latent,
        4.0,
        comfy.samplers.sampler_object("euler"),
        sigmas,
        codes.conditioning(POSITIVE),
        codes.conditioning(NEGATIVE),
        latent,
        disable_pbar=True,
        seed=3,
    )
    assert len(calls) == STEPS and not faults(calls)
