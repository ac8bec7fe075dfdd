"""A ComfyUI server with this repository in `custom_nodes`, asked over HTTP as its page would."""

import io
import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from graphs import node, painting, runnable
from PIL import Image
from server import REPOSITORY, Refused, Server

pytestmark = pytest.mark.host

EXAMPLES = sorted((REPOSITORY / "example_workflows").glob("*.json"))
OWN_CHECKPOINT = ("02 Your own checkpoint", "11 SDXL node by node", "12 Pony and Illustrious")
"""Examples that need a checkpoint of the user's: they run on a tiny random one of the SD 1.5 layout here."""
IDS = "Compare DemoModel Encode Explain LoadPolicy OneClick SamplerHook SaveProvenance Score Suggest Timeline"


def encoded(df_text: str, clip: tuple[str, int] = ("1", 1)) -> dict[str, Any]:
    return node("NegOptEncode", clip=clip, df_text=df_text, weighting="comfy", same_length=True)


def writing(**inputs: Any) -> dict[str, Any]:
    texts = {"prompt": "a photo of a red ball in the snow by day", "negative": "", "mode": "negative and modifiers"}
    locked = {"locked": False, "locked_positive": "", "locked_negative": ""}
    return {**texts, "seed": 1, **locked, **inputs}


def picture(server: Server, graph: dict[str, Any], workflow: dict[str, Any] | None = None) -> Image.Image:
    """The one picture a graph makes."""
    (png,) = server.pictures(server.run(graph, workflow))
    return Image.open(io.BytesIO(png))


def test_the_pack_loads_and_lists_its_nodes(server: Server) -> None:
    assert "IMPORT FAILED" not in (server.base / "log.txt").read_text()
    info = server.ask("/object_info")
    assert {name for name in info if name.startswith("NegOpt")} == {f"NegOpt{name}" for name in IDS.split()}
    assert "rules" in json.dumps(info["NegOptLoadPolicy"]["input"])


@pytest.mark.parametrize("name", IDS.split())
def test_every_node_has_a_help_page(name: str, server: Server) -> None:
    assert server.read(f"/extensions/negopt/docs/NegOpt{name}.md").startswith(b"# ")


def test_a_scheduled_negative_paints_a_picture(server: Server) -> None:
    graph = {
        **painting(("4", 0), ("2", 0), ("3", 0)),
        "2": encoded("a photo of a red ball"),
        "3": encoded("blurry[, dark:0.5-0:1]"),
        "4": node("NegOptSamplerHook", model=("1", 0), unit="sampler steps", step_offset=0, total_steps=0),
    }
    assert picture(server, graph).size == (64, 64)


def test_one_click_paints_a_picture_that_says_how_it_was_made(server: Server) -> None:
    graph = painting(("2", 0), ("2", 1), ("2", 2))
    graph["2"] = node("NegOptOneClick", model=("1", 0), clip=("1", 1), policy="rules", weighting="comfy", **writing())
    graph["92"] = node("NegOptSaveProvenance", images=("91", 0), filename_prefix="test", record=("2", 6))
    values = ["rules", "comfy", *list(writing().values())[:4], "fixed", False, "", ""]
    workflow = {"nodes": [{"id": 2, "widgets_values": values}], "links": []}
    made = picture(server, graph, workflow)
    told = json.loads(made.text["negopt_comfyui"])
    assert told["df_negative"] and told["policy_hash"] and told["sampling"]["Steps"] == 4
    assert made.text["parameters"].startswith("a photo of a red ball in the snow by day")
    saved = json.loads(made.text["workflow"])["nodes"][0]["widgets_values"]
    assert saved[-3:] == [True, told["df_positive"], told["df_negative"]]
    # opened again, the same picture without its policy
    locked = writing(locked=True, locked_positive=saved[-2], locked_negative=saved[-1])
    graph["2"] = node("NegOptOneClick", model=("1", 0), clip=("1", 1), policy="gone", weighting="comfy", **locked)
    assert picture(server, graph).tobytes() == made.tobytes()


def test_a_missing_policy_is_named_and_the_queue_goes_on(server: Server) -> None:
    graph = {
        **painting(("1", 0), ("4", 0), ("5", 0)),
        "2": node("NegOptLoadPolicy", policy="gone"),
        "3": node("NegOptSuggest", policy=("2", 0), **writing()),
        "4": encoded("a") | {"inputs": {**encoded("a")["inputs"], "df_text": ["3", 0]}},
        "5": encoded("b") | {"inputs": {**encoded("b")["inputs"], "df_text": ["3", 1]}},
    }
    with pytest.raises(Refused, match="the policy 'gone' is not here") as caught:
        server.run(graph)
    assert caught.value.answer[0]["node_type"] == "NegOptLoadPolicy"
    graph["3"] = node("NegOptSuggest", policy=("2", 0), **writing(locked=True, locked_positive="a red ball"))
    assert picture(server, graph).size == (64, 64)


def test_the_stock_loader_feeds_the_hook(server: Server) -> None:
    graph = {
        **painting(("4", 0), ("2", 0), ("3", 0), steps=2),
        "6": node("CheckpointLoaderSimple", ckpt_name="tiny.safetensors"),
        "2": encoded("a red fox", clip=("6", 1)),
        "3": encoded("blurry[, dark:0.5-0:1]", clip=("6", 1)),
        "4": node("NegOptSamplerHook", model=("6", 0), unit="sampler steps", step_offset=0, total_steps=0),
        "5": node("EmptyLatentImage", width=64, height=64, batch_size=1),
    }
    graph["90"]["inputs"]["latent_image"] = ["5", 0]
    graph["91"]["inputs"]["vae"] = ["6", 2]
    assert picture(server, graph).size == (64, 64)


def test_text_of_another_model_is_refused_in_words(server: Server) -> None:
    graph = {
        **painting(("4", 0), ("2", 0), ("3", 0)),
        "6": node("CheckpointLoaderSimple", ckpt_name="tiny.safetensors"),
        "2": encoded("a red fox"),
        "3": encoded("blurry[, dark:0.5-0:1]", clip=("6", 1)),
        "4": node("NegOptSamplerHook", model=("1", 0), unit="sampler steps", step_offset=0, total_steps=0),
    }
    with pytest.raises(Refused, match="CLIP and MODEL belong to different model families"):
        server.run(graph)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_workflows_run(path: Path, server: Server) -> None:
    workflow = json.loads(path.read_text(encoding="utf-8"))
    graph = runnable(workflow, server.ask("/object_info"))
    if any(one["class_type"] == "UNETLoader" for one in graph.values()):
        refused_for_its_files(graph, server)
        return
    for one in graph.values():
        if one["class_type"] == "CheckpointLoaderSimple":
            assert path.stem in OWN_CHECKPOINT
            one["inputs"]["ckpt_name"] = "tiny.safetensors"
        if one["class_type"] == "EmptyLatentImage":
            one["inputs"] |= {"width": 64, "height": 64}
        if path.stem in OWN_CHECKPOINT and "steps" in one["inputs"]:
            one["inputs"]["steps"] = 2
    assert server.pictures(server.run(graph, workflow))


def refused_for_its_files(graph: dict[str, Any], server: Server) -> None:
    """ComfyUI itself says which files are missing, and finds nothing else wrong."""
    with pytest.raises(Refused) as caught:
        server.run(graph)
    faults = caught.value.answer["node_errors"]
    assert {graph[number]["class_type"] for number in faults} >= {"UNETLoader", "VAELoader"}
    for number, told in faults.items():
        assert graph[number]["class_type"].endswith("Loader")
        assert {one["type"] for one in told["errors"]} == {"value_not_in_list"}


def test_every_node_says_which_pack_it_is_of() -> None:
    """So that ComfyUI can offer a missing one."""
    for path in EXAMPLES:
        for one in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
            wanted = "negopt" if one["type"].startswith("NegOpt") else "comfy-core"
            assert one["type"] == "MarkdownNote" or one["properties"]["cnr_id"] == wanted, path.stem


def test_blueprints_are_served(server: Server) -> None:
    try:
        served = server.ask("/global_subgraphs").values()
    except HTTPError:
        pytest.skip("this ComfyUI has no blueprints")
    ours = [one["name"] for one in served if one["info"]["node_pack"] == "custom_nodes.negopt"]
    assert sorted(ours) == sorted(path.stem for path in (REPOSITORY / "subgraphs").glob("*.json")) != []


def test_there_are_example_workflows() -> None:
    assert len(EXAMPLES) >= 16
