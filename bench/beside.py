"""The same schedules through prompt-control's nodes and ours, beside each other in one real ComfyUI, over its samplers.

NEGOPT_PROMPT_CONTROL names a checkout of prompt-control, COMFYUI_PATH one of ComfyUI. A server of our own has both
packs linked into a scratch base directory; what each call of the network got is noted by `beside_nodes`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .result import ROOT, Result

sys.path.insert(0, str(ROOT / "tests" / "nodes"))

from host import Host, find_host
from server import Server, running

STEPS, REPEATS = 20, 21
SCHEDULERS = ("normal", "karras")
LOOPLESS = ("dpm_fast", "dpm_adaptive")
"""Samplers without a loop over steps: no step can be told, so they are left out."""
TEXTS = (("a castle, mist", 0.5, "a castle, gold"), ("a photo", 0.3, "a photo, blurry, text"))
"""Of each side: text before, where it switches, text after."""
THEIRS = ("a castle, [mist:gold:0.5]", "a photo[:, blurry, text:0.3]")
OURS = ("a castle, [mist:1-0.5:1][gold:0.5-0:1]", "a photo[, blurry, text:0.7-0:1]")
ARMS = ("prompt-control", "ours", "ours, in ComfyUI percent", "no schedule")


@dataclass
class Tally:
    """Of one arm: calls of the network, rows in them, and calls with a text that should not be there."""

    calls: int = 0
    rows: int = 0
    off_steps: int = 0
    off_percent: int = 0
    runs: int = 0


def beside() -> Iterator[Result]:
    """Steps misplaced, calls and time."""
    peer, host = os.environ.get("NEGOPT_PROMPT_CONTROL", ""), find_host()
    name = f"beside prompt-control in one ComfyUI (`python -m bench --only beside`), {STEPS} steps"
    if not peer or not isinstance(host, Host):
        yield Result(name, "skipped: NEGOPT_PROMPT_CONTROL is not set" if not peer else str(host), "none", None)
        return
    with tempfile.TemporaryDirectory() as folder:
        packs = Path(folder) / "custom_nodes"
        packs.mkdir()
        (packs / "prompt-control").symlink_to(Path(peer).resolve(), target_is_directory=True)
        (packs / "bench").symlink_to(Path(__file__).parent / "beside_nodes", target_is_directory=True)
        with running(host, Path(folder)) as server:
            yield from _placed(server, name)
            yield from _timed(server, name)


def _placed(server: Server, name: str) -> Iterator[Result]:
    samplers = server.ask("/object_info/KSampler")["KSampler"]["input"]["required"]["sampler_name"]
    names = [one for one in _options(samplers) if one not in LOOPLESS]
    tallies = {arm: Tally() for arm in ARMS}
    for sampler in names:
        for arm, heard in _run(server, [(sampler, scheduler) for scheduler in SCHEDULERS], seed=1):
            _count(tallies[arm], arm, heard)
    for arm, one in tallies.items():
        what = f"{name}: {arm}, a switch on each side, every sampler with {' and '.join(SCHEDULERS)}"
        if arm == "no schedule":
            yield Result(what, f"{one.runs} runs, {one.calls} calls of the network with {one.rows} rows", "none", None)
            continue
        figure = (
            f"{one.off_steps} of {one.calls} calls with a wrong text by shares of the steps, {one.off_percent} by "
            f"ComfyUI percent; {one.rows} rows"
        )
        is_ours = arm.startswith("ours")
        off = one.off_percent if "percent" in arm else one.off_steps
        yield Result(what, figure, "0 in its own unit" if is_ours else "none", (off == 0) if is_ours else None)


def _count(tally: Tally, arm: str, heard: dict[str, Any]) -> None:
    tally.runs += 1
    for step, sigma, texts in heard["calls"]:
        tally.calls += 1
        tally.rows += len(texts)
        if any(text == "?" for _, text in texts):
            raise RuntimeError(f"{arm} gave a text that is none of those in the schedule")
        if arm == "no schedule":
            continue
        got = [{text for side, text in texts if side == place} for place in (0, 1)]
        by_step = [{after if step / STEPS >= at else before} for before, at, after in TEXTS]
        by_noise = [
            {after if sigma <= cut else before} for (before, _, after), cut in zip(TEXTS, heard["sigmas"], strict=True)
        ]
        # a step's second side may come in a call of its own, so only the sides that are there count
        tally.off_steps += any(one and one != wanted for one, wanted in zip(got, by_step, strict=True))
        tally.off_percent += any(one and one != wanted for one, wanted in zip(got, by_noise, strict=True))


def _timed(server: Server, name: str) -> Iterator[Result]:
    """Processor time of the sampler's thread, and of the process: our hook works out the page's percents beside it."""
    seconds: dict[str, list[tuple[float, float]]] = {arm: [] for arm in ARMS}
    for repeat in range(REPEATS + 1):
        for arm, heard in _run(server, [("euler", "normal")], seed=2 + repeat):
            if repeat:  # the first one warms up
                seconds[arm].append(heard["seconds"])
    bare = seconds.pop("no schedule")
    for arm, found in seconds.items():
        thread, whole = ([1e3 * (a[at] - b[at]) for a, b in zip(found, bare, strict=True)] for at in (0, 1))
        figure = (
            f"{statistics.median(thread) / STEPS:.3g} ms a step ({min(thread) / STEPS:.3g} to "
            f"{max(thread) / STEPS:.3g}, n={REPEATS}); in all threads {statistics.median(whole):.3g} ms a run"
        )
        yield Result(f"{name}: {arm}, euler, processor time added to no schedule", figure, "none", None)


def _run(server: Server, ways: list[tuple[str, str]], seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every arm with every sampler and scheduler, in one graph."""
    graph = _encoders()
    labels = {}
    for place, (sampler, scheduler) in enumerate(ways):
        for arm in ARMS:
            key = f"{place} {ARMS.index(arm)}"
            labels[f"report {key}"] = arm
            graph |= _branch(key, arm, {"seed": seed, "sampler_name": sampler, "scheduler": scheduler})
    outputs = server.run(graph)
    for node, arm in labels.items():
        yield arm, json.loads(outputs[node]["text"][0])


def _encoders() -> dict[str, Any]:
    graph: dict[str, Any] = {
        "model": {"class_type": "BenchModel", "inputs": {}},
        "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    }
    for side in (0, 1):
        clip = {"clip": ["model", 1]}
        ours = {**clip, "df_text": OURS[side], "weighting": "comfy", "same_length": True}
        graph[f"prompt-control {side}"] = {"class_type": "PCLazyTextEncode", "inputs": {**clip, "text": THEIRS[side]}}
        graph[f"ours {side}"] = {"class_type": "NegOptEncode", "inputs": ours}
        graph[f"no schedule {side}"] = {"class_type": "CLIPTextEncode", "inputs": {**clip, "text": TEXTS[side][0]}}
    return graph


def _branch(key: str, arm: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Listener, hook where it is ours, sampler, report."""
    texts = json.dumps([text for before, _, after in TEXTS for text in (before, after)])
    listen = {"model": ["model", 0], "clip": ["model", 1], "texts": texts, "label": f"{key} {settings}"}
    source = arm.partition(",")[0]
    unit = "ComfyUI percent" if "percent" in arm else "sampler steps"
    part = {"unit": unit, "step_offset": 0, "total_steps": 0}
    hook = {"class_type": "NegOptSamplerHook", "inputs": {"model": [f"listen {key}", 0], **part}}
    sampled = {
        "model": [f"{'hook' if source == 'ours' else 'listen'} {key}", 0],
        "positive": [f"{source} 0", 0],
        "negative": [f"{source} 1", 0],
        "latent_image": ["latent", 0],
        "steps": STEPS,
        "cfg": 5.0,
        "denoise": 1.0,
        **settings,
    }
    percents = json.dumps([at for _, at, _ in TEXTS])
    told = {"model": ["model", 0], "latent": [f"sample {key}", 0], "label": listen["label"], "percents": percents}
    return {
        f"listen {key}": {"class_type": "BenchListen", "inputs": listen},
        **({f"hook {key}": hook} if source == "ours" else {}),
        f"sample {key}": {"class_type": "KSampler", "inputs": sampled},
        f"report {key}": {"class_type": "BenchReport", "inputs": told},
    }


def _options(described: list[Any]) -> list[str]:
    """The choices of an input, in either form that ComfyUI tells them."""
    choices: list[str] = described[0] if isinstance(described[0], list) else described[1]["options"]
    return choices
