"""NegOptSamplerHook: makes a model obey scheduled conditioning at exactly the chosen steps.

Three of ComfyUI's own wrappers on a cloned model: one starts a clock for each run, one counts model calls, one gates
the conditioning in front of the batched call. All encoding of text, areas, masks, ControlNet and guidance stays
ComfyUI's.
"""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import Any

from comfy.patcher_extension import WrappersMP
from comfy_api.latest import io

from ..negopt_core.errors import ModelError
from ..negopt_core.text.guidance import advice
from ..negopt_core.text.prompt import Window
from .acted import Acted
from .gate import gate_entries
from .host import log, make_schema, node_id_of, page_server, show_on_node, tell_page, warn
from .run_state import STEPS, UNITS, HookSettings, Run, step_percents
from .tags import KEY, has_tags

_SHOWN = 4  # phrases named in a warning


class NegOptSamplerHook(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return make_schema(
            node_id="NegOptSamplerHook",
            display_name="negopt: sampler hook",
            description="Makes the model obey prompts scheduled by negopt at exactly the chosen sampler steps. "
            "Without scheduled prompts it changes nothing.",
            search_aliases=["prompt scheduling", "scheduled negative", "timestep prompt", "prompt travel"],
            inputs=[
                io.Model.Input("model"),
                io.Combo.Input(
                    "unit",
                    options=list(UNITS),
                    default=STEPS,
                    tooltip="What a window counts in. Sampler steps: half of the run is half of its steps, whatever "
                    "the sampler and scheduler. Noise level: the same, read off the noise (for samplers without a "
                    "fixed loop). ComfyUI percent: like ComfyUI's own start and end percent.",
                ),
                io.Int.Input(
                    "step_offset",
                    default=0,
                    min=0,
                    max=10000,
                    tooltip="For a chain of KSampler (Advanced): the start_at_step of this one.",
                ),
                io.Int.Input(
                    "total_steps",
                    default=0,
                    min=0,
                    max=10000,
                    tooltip="For a chain of KSampler (Advanced): the steps of the whole chain. 0: the only sampler.",
                ),
            ],
            outputs=[io.Model.Output(tooltip="The model, with the hook. Give it to the sampler.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model: Any, unit: str, step_offset: int = 0, total_steps: int = 0) -> io.NodeOutput:
        return io.NodeOutput(add_hook(model, HookSettings(unit, step_offset, total_steps, node_id_of(cls))))


def add_hook(model: Any, settings: HookSettings) -> Any:
    """A clone of `model` with the hook; a hook that was there before is replaced."""
    hooked = model.clone()
    for kind, wrapper in (
        (WrappersMP.SAMPLER_SAMPLE, partial(_start_run, settings)),
        (WrappersMP.PREDICT_NOISE, _count_call),
        (WrappersMP.CALC_COND_BATCH, partial(_gate_call, settings)),
    ):
        hooked.remove_wrappers_with_key(kind, KEY)
        hooked.add_wrapper_with_key(kind, KEY, wrapper)
    return hooked


def _start_run(
    settings: HookSettings,
    executor: Any,
    guider: Any,
    sigmas: Any,
    extra_args: Any,
    callback: Any,
    *args: Any,
    **kw: Any,
) -> Any:
    """SAMPLER_SAMPLE: put a fresh clock in this run's options and let it hear the sampler's step reports."""
    conds, options = getattr(guider, "conds", {}), extra_args["model_options"]
    acted = Acted.of(guider, options)
    run = Run.begin(settings, _sampler_name(executor.class_obj), sigmas, acted)
    is_scheduled = any(has_tags(entries) for entries in conds.values())
    has_warned = False
    if is_scheduled:
        _check_family(guider, conds)
        has_warned = _tell_before(run, acted, conds, options)
        _tell_percents(run, guider)

    def report(*report_args: Any, **report_kw: Any) -> None:
        run.on_report()
        if callback is not None:
            callback(*report_args, **report_kw)

    seen = acted.watched(options.get("transformer_options", {}))
    options = {**options, "transformer_options": {**seen, KEY: run}}
    result = executor(guider, sigmas, {**extra_args, "model_options": options}, report, *args, **kw)
    if is_scheduled and run.model_calls and not run.batched_calls:
        warn(
            settings.node_id,
            "the sampler never asked the hook which prompt is active: another node has replaced ComfyUI's batched "
            "model call (calc_cond_batch), so schedules ran by their approximate fallback ranges",
        )
    elif not has_warned:
        _tell_after(acted, settings.node_id, has_tags(conds.get("negative")))
    return result


def _count_call(executor: Any, x: Any, timestep: Any, model_options: Any = None, *args: Any, **kw: Any) -> Any:
    """PREDICT_NOISE: one evaluation of the model, however many batches it takes."""
    run = _run_in(model_options)
    if run is not None:
        run.on_model_call()
    return executor(x, timestep, model_options, *args, **kw)


def _gate_call(
    settings: HookSettings,
    executor: Any,
    model: Any,
    conds: Any,
    x: Any,
    timestep: Any,
    model_options: Any,
    *args: Any,
    **kw: Any,
) -> Any:
    """CALC_COND_BATCH: hand on only what is active now."""
    run = _run_in(model_options)
    if run is not None:
        run.on_batched_call()
    if any(has_tags(entries) for entries in conds):
        run = run or _run_without_start(settings, timestep, model_options)
        to_sigma = model.model_sampling.percent_to_sigma
        pick = run.picker(timestep, to_sigma)
        gated = [entries if entries is None else gate_entries(entries, pick, to_sigma) for entries in conds]
    else:
        gated = conds
    answers = executor(model, gated, x, timestep, model_options, *args, **kw)
    if run is not None and run.acted is not None:
        run.acted.on_call(conds, answers)
    return answers


def _run_in(model_options: Any) -> Run | None:
    return (model_options or {}).get("transformer_options", {}).get(KEY)


def _run_without_start(settings: HookSettings, timestep: Any, model_options: Any) -> Run:
    """A guider that calls the model outside of a sampler: go by the noise, if the run's sigmas are there at all."""
    sigmas = model_options.get("transformer_options", {}).get("sample_sigmas", timestep)
    return Run.begin(settings, "", sigmas)


def _sampler_name(sampler: Any) -> str:
    function = getattr(sampler, "sampler_function", None)
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", "")
    options = getattr(sampler, "extra_options", {})
    if name == "sample_sa_solver" and options.get("use_pece") and options.get("corrector_order") != 0:
        return f"{name}_pece"  # the same loop, with a second call in each step but the first
    return name


def _check_family(guider: Any, conds: Any) -> None:
    """Text encoded by another family's CLIP fails deep inside the model with a shape error; say it in words here."""
    config = getattr(getattr(guider.inner_model, "model_config", None), "unet_config", {})
    expected = config.get("context_dim")
    for entries in conds.values():
        for entry in entries:
            text = entry.get("cross_attn") if KEY in entry else None
            if isinstance(expected, int) and text is not None and text.shape[-1] != expected:
                raise ModelError(
                    f"the prompt was encoded {text.shape[-1]} wide, this model reads {expected}: CLIP and MODEL belong "
                    "to different model families; take both from the same checkpoint"
                )


def _tell_before(run: Run, acted: Acted, conds: Any, model_options: Any) -> bool:
    """What the user should know about this run before it starts; returns whether there is anything."""
    skips_negative = math.isclose(acted.cfg or 0.0, 1.0) and not model_options.get("disable_cfg1_optimization")
    is_idle = skips_negative and has_tags(conds.get("negative"))
    if is_idle:
        warn(
            run.settings.node_id,
            "at CFG 1 ComfyUI does not evaluate the negative prompt, so its schedule has no effect; "
            f"{advice(acted.guidance)}",
        )
    idle = _never_live(conds, run.total_steps) if run.settings.unit == STEPS else []
    if idle:
        more = f" and {len(idle) - _SHOWN} more" if len(idle) > _SHOWN else ""
        names = ", ".join(repr(text) for text in idle[:_SHOWN])
        warn(run.settings.node_id, f"never acts: {names}{more}; a window needs to reach one of {run.total_steps} steps")
    return is_idle or bool(idle)


def _tell_after(acted: Acted, node_id: str | None, is_scheduled: bool) -> None:
    """Whether the negative changed anything; a warning only for one with a schedule: others may be meant to be idle."""
    verdict = acted.verdict()
    if verdict is None:
        return
    has_acted, text = verdict
    if has_acted or not is_scheduled:
        log.info("negopt: %s", text)
        show_on_node(node_id, text)
    else:
        warn(node_id, text)


def _tell_percents(run: Run, guider: Any) -> None:
    """The page shows what each step was in ComfyUI's percent; only a run with its model can tell.

    In a thread of its own: some hundred scalar calls of the model's noise schedule must not hold up the sampler.
    """
    node_id, sigmas = run.settings.node_id, run.scale.sigmas
    if node_id is None or page_server() is None or len(sigmas) < 2 or run.scale.is_rising:
        return
    to_sigma = guider.inner_model.model_sampling.percent_to_sigma
    told = threading.Thread(
        target=lambda: tell_page("negopt.run", {"node": node_id, "percents": step_percents(sigmas, to_sigma)}),
        name="negopt-percent",
        daemon=True,
    )
    told.start()


def _never_live(conds: Any, steps: int) -> list[str]:
    tags = [entry[KEY] for entries in conds.values() for entry in entries if KEY in entry]
    spans = {tuple(span) for tag in tags for span in tag["spans"]}
    return sorted(text for text, start, end in spans if not Window(start, end).steps(steps))


NODES = [NegOptSamplerHook]
