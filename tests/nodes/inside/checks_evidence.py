"""The nodes that compare, explain and score, on the demo world; every format carries its provenance."""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import stage
import torch
from checks_demo import world
from checks_writing import ASK, fault
from stage import node, same

PROMPT = "a photo of a red ball in the snow by day"


def painting(**changed: Any) -> dict[str, Any]:
    model, clip, vae, latent = world()
    return {
        "model": model, "clip": clip, "vae": vae, "latent_image": latent, "steps": 3, "cfg": 4.0,
        "sampler_name": "euler", "scheduler": "normal", "seed": 5, "seeds": 2, "scorer": "world-quality",
        **changed,
    }  # fmt: skip


def check_comparing_paints_every_arm_on_the_same_noise() -> None:
    grid, plot, scores, told = (
        node("NegOptCompare").execute(prompt=PROMPT, own_negative="blurry", mode="negative", **painting()).result
    )
    assert grid.shape[0] == plot.shape[0] == 1 and grid.shape[3] == 3 and 0 <= grid.min() <= grid.max() <= 1
    lines = scores.splitlines()
    assert [line.split(":")[0] for line in lines] == ["no negative", "own negative", "negopt"]
    assert "win rate" in lines[1] and ("winner" in told or "better" in told)
    again = node("NegOptCompare").execute(prompt=PROMPT, own_negative="", mode="negative", **painting(seeds=1)).result
    assert len(again[2].splitlines()) == 2 and "one seed" in again[3]


def check_a_verdict_claims_no_more_than_the_seeds_can_show() -> None:
    verdict = stage.module("nodes.compare").verdict
    compare = importlib.import_module(f"{stage.pack()[0]}.negopt_core.measure.statistics").compare

    def told(*gains: float) -> str:
        values = numpy.array(gains)[:, None]
        return str(verdict("x", {"arm": compare(values, numpy.zeros_like(values))}))

    assert "is better" in told(1.0, 1.1, 0.9, 1.2, 1.0, 0.8, 1.1, 0.9)
    assert "4 seeds cannot show it" in told(1.0, 1.1, 0.9, 1.2)
    assert "no clear winner" in told(1.0, -1.1, 0.3, -0.2)
    assert "one seed" in told(1.0) and "no finite" in told(float("nan"))


def check_the_studio_paints_what_the_wired_graph_paints() -> None:
    studio = stage.module("nodes.studio")
    core = importlib.import_module(f"{stage.pack()[0]}.negopt_core")
    model, clip, vae, latent = world()
    values = {key: value for key, value in painting().items() if key not in ("seed", "seeds", "scorer")}
    pair = core.PromptPair(core.parse_prompt(PROMPT), core.parse_prompt("[blurry:0-0.5:1]"))
    painted = studio.make_studio(**values).paint([pair, pair], [3, 4])
    encode = node("NegOptEncode").execute
    hooked = node("NegOptSamplerHook").execute(model=model, unit="sampler steps").result[0]
    positive, negative = (encode(clip=clip, df_text=text).result[0] for text in (PROMPT, "[blurry:0-0.5:1]"))
    run = stage.run(hooked, positive, negative, steps=3, cfg=4.0, latent=latent["samples"][:1])
    alone = vae.decode(run.latent)[0].movedim(-1, 0)
    assert painted.shape == (2, 3, 64, 64) and float((painted[0] - alone).abs().max()) < 1e-4


def check_explaining_leaves_out_each_phrase() -> None:
    sheet, report, positive, negative = (
        node("NegOptExplain")
        .execute(prompt=PROMPT, positive_text=f"{PROMPT}, cinematic", negative_text="blurry, noisy", **painting())
        .result
    )
    lines = report.splitlines()
    assert len(lines) == 4 and sheet.shape[3] == 3
    assert {"blurry", "noisy", "cinematic"} == {line.split()[0] for line in lines[1:]}
    assert positive.startswith(PROMPT) and set(negative.split(", ")) <= {"blurry", "noisy", ""}
    fault(
        lambda: node("NegOptExplain").execute(prompt=PROMPT, positive_text="", negative_text="", **painting()), "phrase"
    )


def check_scoring_picks_the_best_and_says_what_is_missing() -> None:
    images = torch.rand(3, 64, 64, 3, generator=torch.Generator().manual_seed(1))
    best, mean, scores, plot = node("NegOptScore").execute(images=images, prompt=PROMPT, scorer="world-quality").result
    values = [float(line.split(": ")[1]) for line in scores.splitlines()]
    assert same(best[0], images[values.index(max(values))]) and abs(mean - sum(values) / 3) < 1e-3
    assert plot.shape[0] == 1
    fault(lambda: node("NegOptScore").execute(images=images, prompt="", scorer="aesthetic"), "clip", "negopt_scorers")


def check_scorers_read_words_not_brackets() -> None:
    read: list[str] = []

    def judge(images: torch.Tensor, prompts: list[str]) -> torch.Tensor:
        read.extend(prompts)
        return images.mean(dim=(1, 2, 3))

    modules = [stage.module("nodes.compare"), stage.module("nodes.score")]
    kept = modules[0].load_scorer
    try:
        for one in modules:
            one.load_scorer = lambda name: judge
        prompt = f"{PROMPT}, [misty:0-0.5:1.2]"
        node("NegOptCompare").execute(prompt=prompt, own_negative="", mode="negative", **painting())
        node("NegOptScore").execute(images=torch.rand(2, 64, 64, 3), prompt=prompt, scorer="world-quality")
    finally:
        for one in modules:
            one.load_scorer = kept
    assert len(read) == 6 and set(read) == {f"{PROMPT}, misty"}


def check_the_demo_worlds_judge_is_no_judge_of_other_models() -> None:
    model, clip = stage.checkpoint()
    other = {**painting(), "model": model, "clip": clip}
    words = ("demo world", "scorer", "pickscore", "negopt_scorers")
    fault(lambda: node("NegOptCompare").execute(prompt=PROMPT, own_negative="", mode="negative", **other), *words)
    fault(lambda: node("NegOptExplain").execute(prompt=PROMPT, positive_text="", negative_text="dark", **other), *words)
    large = torch.rand(1, 128, 128, 3)
    fault(lambda: node("NegOptScore").execute(images=large, prompt=PROMPT, scorer="world-quality"), *words)


def check_a_graph_says_what_painted_the_pictures() -> None:
    painted_by = stage.module("nodes.workflow").painted_by
    sampler = {"class_type": "KSampler", "inputs": {"model": ["1", 0]}}
    score = {"class_type": "NegOptScore", "inputs": {"images": ["2", 0]}}
    real = {"class_type": "UNETLoader", "inputs": {"unet_name": "flux.safetensors"}}
    demo = {"class_type": "NegOptDemoModel", "inputs": {"batch_size": 1}}
    assert painted_by({"1": real, "2": sampler, "3": score}, "3") == "flux.safetensors"
    assert painted_by({"1": demo, "2": sampler, "3": score}, "3") == "world"
    assert painted_by({"3": score}, "3") == painted_by(None, None) == ""


def check_a_scorer_of_real_pictures_is_the_default_once_its_weights_are_there() -> None:
    import folder_paths

    studio = stage.module("nodes.studio")
    before = folder_paths.models_dir
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.models_dir = folder
        try:
            assert studio.scorer_input().default == "world-quality"
            (Path(folder) / "negopt_scorers" / "pickscore").mkdir(parents=True)
            assert studio.scorer_input().default == "pickscore"
        finally:
            folder_paths.models_dir = before


def check_every_format_carries_its_provenance() -> None:
    import folder_paths

    origin = importlib.import_module(f"{stage.pack()[0]}.negopt_core.provenance.origin")
    verify = importlib.import_module(f"{stage.pack()[0]}.negopt_core.provenance.verify")
    saving = node("NegOptSaveProvenance")
    record = node("NegOptSuggest").execute(**{**ASK, "negative": "[näh:1-0.5:1]"}).result[3]
    sampler = {"seed": 5, "steps": 9, "cfg": 4.5, "sampler_name": "heun", "scheduler": "beta"}
    graph = {"2": {"class_type": "KSampler", "inputs": sampler}, "4": {"inputs": {"images": ["2", 0]}}}
    hidden = SimpleNamespace(prompt=graph, extra_pnginfo={"workflow": {"nodes": []}}, unique_id="4")
    provenance = stage.module("nodes.provenance")
    chunks = provenance.make_chunks(record, hidden, {"pickscore": 21.5})
    images = torch.rand(1, 24, 32, 3)
    before = folder_paths.get_output_directory()
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.set_output_directory(folder)
        try:
            for kind in provenance.FORMATS:
                saved = provenance._save(images, "x", chunks, kind)[0]
                path = Path(folder) / saved["filename"]
                found = origin.read_origin(path)
                assert found.df_negative.startswith("[näh:") and found.host == "comfyui", kind
                assert (
                    found.sampling["steps"] == 9 and found.sampling["schedule"] == "beta" and found.policy == "negopt"
                )
                assert found.scores == {"pickscore": 21.5} and found.modes == ("negative", "modifiers")
                assert [check.outcome for check in verify.verify(path, found)] == ["matches", "matches"], kind
                texts = importlib.import_module(f"{stage.pack()[0]}.negopt_core.provenance.picture_texts").read_texts(
                    path
                )
                assert json.loads(texts["workflow"]) == {"nodes": []} and json.loads(texts["prompt"]) == graph, kind
                assert "Negative prompt: näh" in texts["parameters"], kind
            large = {**chunks, "workflow": "x" * 70_000}
            fault(lambda: provenance._save(images, "x", large, "jpeg"), "JPEG", "webp")
            assert saving.execute(images, "plain", "", "webp").ui["images"]
        finally:
            folder_paths.set_output_directory(before)
    fault(lambda: provenance.read_scores("[1]"), "scores")
