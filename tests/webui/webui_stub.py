"""STUB of a webui, in our own words, from what was measured of A1111 1.10 and Forge. It can drift from real hosts.

It replays the hosts' order of calls: script hooks, one denoiser callback for each call of the network, infotext. What
real hosts do is tested with `make test-host`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio_stub
import pytest
import webui_texts as prompt_parser
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CALLS = {"Euler": (1.0, 1), "DDIM": (0.875, 1), "Heun": (1.875, 2), "DPM++ SDE": (1.875, 2), "DPM adaptive": (18.4, 1)}
"""Calls of the network at 8 steps, as a multiple of the steps, and the host's `total_steps` likewise (measured)."""


@dataclass(eq=False)
class Processing:
    """A picture job."""

    prompt: str = "a cat"
    negative_prompt: str = ""
    steps: int = 8
    cfg_scale: float = 7.0
    sampler_name: str = "Euler"
    batch_size: int = 1
    n_iter: int = 1
    seed: int = 1
    width: int = 64
    height: int = 64
    enable_hr: bool = False
    hr_second_pass_steps: int = 0
    hr_sampler_name: str | None = None
    hr_prompt: str = ""
    hr_cfg: float = 7.0
    scripts: Any = None
    script_args: tuple[Any, ...] = ()
    prompts_by_picture: list[str] | None = None
    is_hr_pass: bool = False
    iteration: int = 0
    extra_generation_params: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, int] = field(default_factory=dict)

    @property
    def sd_model(self) -> Any:
        return self.webui.model

    def comment(self, text: str) -> None:
        self.comments[text] = 1

    def get_conds_with_caching(
        self, function: Any, texts: Any, steps: int, caches: Any, networks: Any, hires: Any
    ) -> Any:
        wanted = (list(texts), texts.is_negative_prompt, texts.width, steps, hires, str(networks))
        for cache in caches:
            if cache[0] == wanted:
                return cache[1]
        caches[0][0], caches[0][1] = wanted, function(self.webui.model, texts, steps, hires)
        return caches[0][1]


@dataclass
class Model:
    """Counts what it encodes. SDXL has a pooled vector beside the states."""

    is_xl: bool = False
    encoded: list[str] = field(default_factory=list)

    def encode(self, text: str) -> Any:
        self.encoded.append(text)
        return {"crossattn": text, "vector": f"pooled {text}"} if self.is_xl else text


@dataclass
class Call:
    """What the network got at one call."""

    positive: Any
    negative: Any


@dataclass
class Result:
    """What came of a job: the calls of every pass of every batch, and each picture's infotext."""

    passes: list[list[Call]]
    infotexts: list[str]


class Asked:
    """A txt2img job that a program makes."""

    def __init__(self, **settings: Any) -> None:
        self.settings, self.is_closed = settings, False

    def close(self) -> None:
        self.is_closed = True


class Studio:
    """Paints the jobs of programs: a plain picture, bright if its negative holds `good`, dark if it holds `bad`."""

    class State:
        """What the page's Interrupt button sets."""

        interrupted = skipped = False
        job = ""

        def begin(self, job: str) -> None:
            self.job, self.interrupted, self.skipped = job, False, False

        def end(self) -> None:
            self.job = ""

    def __init__(self) -> None:
        self.lock, self.jobs, self.before = threading.Lock(), [], lambda job: None

    def paint(self, job: Asked, state: State) -> Any:
        """`before` is called with each job, and may raise."""
        assert self.lock.locked() and state.job
        self.jobs.append(job)
        self.before(job)
        negative, seed = job.settings["negative_prompt"], job.settings["seed"]
        level = 100 + 60 * ("good" in negative) - 60 * ("bad" in negative) + seed % 20
        return types.SimpleNamespace(images=[Image.new("RGB", (64, 64), (level, level, level))])


class StubWebui:
    """One host: `a1111`, or `forge`, which prepares a hires pass twice and computes no negative at CFG 1."""

    def __init__(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kind, self.model, self.printed, self.studio = kind, Model(), [], Studio()
        self.callbacks: dict[str, list[Any]] = {}
        self.options: dict[str, Any] = {}
        self.gradio = gradio_stub
        for name, module in self._modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        self.module = self._load(monkeypatch)
        self.script = self.module.NegOptScript()
        self.script.show(False)

    def _modules(self) -> dict[str, Any]:
        webui = self

        class Script:
            infotext_fields = paste_field_names = None

            def on_after_component(self, callback: Any, *, elem_id: str) -> None:
                webui.callbacks.setdefault(f"after {elem_id}", []).append(callback)

        class OptionInfo:
            def __init__(self, default: Any = None, label: str = "", section: Any = None) -> None:
                self.default, self.label, self.section = default, label, section

        class Options:
            def add_option(self, name: str, info: Any) -> None:
                webui.options[name] = info.default

            def __getattr__(self, name: str) -> Any:
                if name in webui.options:
                    return webui.options[name]
                raise AttributeError(name)

        def register(kind: str) -> Any:
            return lambda callback, name=None: self.callbacks.setdefault(kind, []).append(callback)

        def find_sampler_config(name: str) -> Any:
            if name not in CALLS:
                return None
            factor = CALLS[name][1]
            return types.SimpleNamespace(total_steps=lambda steps: steps * factor)

        class Loaded:
            sd_model = property(lambda _: webui.model)

        class Shared(types.ModuleType):
            opts = Options()
            sd_model = property(lambda _: webui.model)
            cmd_opts = types.SimpleNamespace(embeddings_dir="/nowhere/embeddings", api=True, api_auth=None)
            state = Studio.State()
            total_tqdm = types.SimpleNamespace(clear=lambda: None)

        shared = Shared("modules.shared")
        shared.OptionInfo = OptionInfo
        self.state, self.cmd_opts = shared.state, shared.cmd_opts
        kinds = ("on_cfg_denoiser", "on_before_ui", "on_ui_settings", "on_app_started", "on_script_unloaded")
        parts = {
            "call_queue": types.SimpleNamespace(queue_lock=self.studio.lock),
            "paths": types.SimpleNamespace(models_path="/nowhere/models", data_path="/nowhere"),
            "processing": types.SimpleNamespace(
                StableDiffusionProcessingTxt2Img=Asked, process_images=lambda p: self.studio.paint(p, shared.state)
            ),
            "prompt_parser": prompt_parser,
            "script_callbacks": types.SimpleNamespace(**{kind: register(kind) for kind in kinds}),
            "scripts": types.SimpleNamespace(Script=Script, AlwaysVisible=object(), scripts_data=[]),
            "sd_models": types.SimpleNamespace(model_data=Loaded()),
            "sd_samplers": types.SimpleNamespace(
                find_sampler_config=find_sampler_config,
                all_samplers=[types.SimpleNamespace(name=name) for name in CALLS],
            ),
            "sd_schedulers": types.SimpleNamespace(schedulers=[types.SimpleNamespace(label="Karras")]),
            "shared": shared,
        }
        root = types.ModuleType("modules")
        for name, part in parts.items():
            setattr(root, name, part)
        return {"modules": root, "gradio": gradio_stub, **{f"modules.{name}": part for name, part in parts.items()}}

    def _load(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """By path, under the bare file name, kept out of `sys.modules`, the root on `sys.path` only meanwhile."""
        path = ROOT / "scripts" / "negopt_webui.py"
        spec = importlib.util.spec_from_file_location(path.name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with monkeypatch.context() as during:
            during.syspath_prepend(str(ROOT))
            spec.loader.exec_module(module)
        return module

    def swallow(self, function: Any, *args: Any, **kwargs: Any) -> None:
        """As hosts call scripts and callbacks: an exception is printed, and the picture is made without them."""
        try:
            function(*args, **kwargs)
        except Exception as error:
            self.printed.append(error)

    def job(self, *args: Any, **settings: Any) -> Processing:
        """A job whose script arguments are `args`."""
        p = Processing(**settings)
        p.webui = self
        p.script_args = args
        return p

    def run(self, p: Processing, calls: int | None = None) -> Result:
        """Make the pictures; `calls` stands in for the sampler's own number of calls of the network."""
        count = p.batch_size * p.n_iter
        p.all_prompts = p.prompts_by_picture or [p.prompt] * count
        p.all_negative_prompts = [p.negative_prompt] * count
        p.all_seeds = [p.seed + index for index in range(count)]
        self.swallow(self.script.process, p, *p.script_args)
        result = Result([], [])
        for iteration in range(p.n_iter):
            p.iteration = iteration
            part = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
            p.prompts, p.negative_prompts = p.all_prompts[part], p.all_negative_prompts[part]
            p.prompts = [prompt.replace("<lora:x:1>", "") for prompt in p.prompts]
            p.hr_prompts = [p.hr_prompt or prompt for prompt in p.prompts]
            p.hr_negative_prompts = list(p.negative_prompts)
            p.extra_network_data = p.hr_extra_network_data = {}
            result.passes.append(self._sample(p, p.sampler_name, p.steps, p.cfg_scale, calls))
            if p.enable_hr:
                p.is_hr_pass = True
                p.hr_upscale_to_x, p.hr_upscale_to_y = 2 * p.width, 2 * p.height
                if self.kind == "forge":
                    self._before_sampling(p)
                sampler = p.hr_sampler_name or p.sampler_name
                result.passes.append(self._sample(p, sampler, p.hr_second_pass_steps or p.steps, p.hr_cfg, calls))
                p.is_hr_pass = False
            self.swallow(self.script.postprocess_batch, p, *p.script_args, batch_number=p.iteration)
            result.infotexts += [infotext(p, index) for index in range(len(p.prompts))]
        self.swallow(self.script.postprocess, p, None, *p.script_args)
        return result

    def _before_sampling(self, p: Processing) -> None:
        self.swallow(self.script.process_before_every_sampling, p, *p.script_args, x=None, noise=None, c=None, uc=None)

    def _sample(self, p: Processing, sampler: str, steps: int, cfg: float, calls: int | None) -> list[Call]:
        rate, factor = CALLS[sampler]
        hires = steps * factor if p.is_hr_pass else None
        if not p.is_hr_pass:
            p.firstpass_steps = steps * factor
        prompts, negatives = (p.hr_prompts, p.hr_negative_prompts) if p.is_hr_pass else (p.prompts, p.negative_prompts)
        cond = prompt_parser.get_multicond_learned_conditioning(self.model, prompts, p.firstpass_steps, hires)
        uncond = prompt_parser.get_learned_conditioning(self.model, negatives, p.firstpass_steps, hires)
        self._before_sampling(p)
        denoiser = types.SimpleNamespace(step=0, total_steps=steps * factor, p=p)
        made = []
        for _ in range(calls or int(steps * rate)):
            positive = prompt_parser.reconstruct_multicond_batch(cond, denoiser.step)[1]
            no_negative = self.kind == "forge" and cfg == 1
            negative = None if no_negative else prompt_parser.reconstruct_cond_batch(uncond, denoiser.step)
            params = types.SimpleNamespace(
                text_cond=positive, text_uncond=negative, denoiser=denoiser, total_sampling_steps=steps
            )
            for callback in self.callbacks["on_cfg_denoiser"]:
                self.swallow(callback, params)
            made.append(Call(params.text_cond, params.text_uncond))
            denoiser.step += 1
        return made


def infotext(p: Processing, index: int) -> str:
    """The last line that the host writes: values with a comma, colon or line end are JSON strings."""
    values = {"Steps": p.steps, "Sampler": p.sampler_name, "Seed": p.seed, **p.extra_generation_params}
    shown = {
        key: value(p=p, index=index, all_prompts=p.prompts, use_main_prompt=False) if callable(value) else value
        for key, value in values.items()
    }
    return ", ".join(
        f"{key}: {json.dumps(value) if any(sign in str(value) for sign in ',:') else value}"
        for key, value in shown.items()
    )
