"""Painting on ComfyUI servers: what is asked of them, and what happens when they fail. The servers here are stand-ins;
`tests/nodes/test_comfy_server_painter.py` paints on a real one."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch

from negopt_core.errors import Cancelled, ModelError, PromptError
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.comfy_client import Patience
from negopt_core.paint.comfy_graph import Source, build_graph
from negopt_core.paint.comfy_server import ComfyPainter, parse_model
from negopt_core.paint.open import open_painter
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import PromptPair
from tests.fakes.comfy import FakeComfy, colour, serving

pytestmark = pytest.mark.slow

QUICK = Patience(tries=3, pause_seconds=0.01, answer_seconds=5.0, picture_seconds=20.0, poll_seconds=0.01)
SETTINGS = PaintSettings(steps=4, guidance_scale=5.0)
PAIRS = [PromptPair(parse_prompt(f"picture {number}"), parse_prompt("blurry[, dark:0.5-0:1.2]")) for number in range(9)]
SEEDS = list(range(9))


def painting(stack: ExitStack, *fakes: FakeComfy, checkpoint: str = "sd.safetensors", **changed: Any) -> ComfyPainter:
    addresses = [stack.enter_context(serving(fake)) for fake in fakes]
    return ComfyPainter(addresses, checkpoint, changed.get("settings", SETTINGS), changed.get("patience", QUICK))


def are_right(images: torch.Tensor) -> bool:
    """Every picture is that of its own pair and seed."""
    source = Source("sd.safetensors")
    graphs = [build_graph(source, SETTINGS, pair, seed) for pair, seed in zip(PAIRS, SEEDS, strict=True)]
    wanted = torch.tensor([colour(graph) for graph in graphs])[:, :, None, None] / 255
    return torch.equal(images, wanted.expand(-1, -1, 8, 8))


def test_two_servers_share_the_pictures_and_each_comes_to_its_place() -> None:
    first, second = FakeComfy(seconds=0.05), FakeComfy(seconds=0.05)
    told: list[tuple[int, int]] = []
    with ExitStack() as stack:
        painter = painting(stack, first, second)
        assert are_right(painter.paint(PAIRS, SEEDS, on_progress=lambda done, total: told.append((done, total))))
        assert painter.describe()["comfyui"] == "0.0" and painter.model_hash() == ""
    assert first.painted + second.painted == 9 and min(first.painted, second.painted) > 1
    assert told == [(4 * number, 36) for number in range(1, 10)]
    assert not first.history and not second.history  # the user's own history stays readable


def test_a_server_that_is_not_there_costs_nothing_but_its_tries() -> None:
    with ExitStack() as stack:
        with serving(FakeComfy()) as gone:
            pass
        alive = FakeComfy()
        here = stack.enter_context(serving(alive))
        assert are_right(ComfyPainter([gone, here], "sd.safetensors", SETTINGS, QUICK).paint(PAIRS, SEEDS))
    assert alive.painted == 9


def test_what_a_dying_server_leaves_the_other_paints() -> None:
    dying, other = FakeComfy(seconds=0.02, dies_after=2), FakeComfy(seconds=0.05)
    with ExitStack() as stack:
        painter = painting(stack, dying, other)
        assert are_right(painter.paint(PAIRS, SEEDS))
        assert dying.is_dead and len(dying.graphs) > dying.painted == 2
        assert are_right(painter.paint(PAIRS, SEEDS))  # the next call goes on without it


def test_when_none_is_left_each_ones_reason_is_said() -> None:
    dying, without = FakeComfy(dies_after=3), FakeComfy(lacks="NegOptEncode")
    with ExitStack() as stack:
        painter = painting(stack, dying, without)
        first, second = (server.address for server in painter.servers)
        with pytest.raises(ModelError) as caught:
            painter.paint(PAIRS, SEEDS)
    line = str(caught.value)
    assert "no ComfyUI server is left, " in line and " of 9 pictures are done" in line
    assert f"{first}: Remote end closed connection" in line
    assert f"{second}: it has no node NegOptEncode; put negopt into its custom_nodes" in line
    assert "\n" not in line


@pytest.mark.parametrize("trouble", [{"busy_for": 2}, {"forgets": 1}, {"interrupts": 1}])
def test_what_may_pass_is_tried_again(trouble: dict[str, int]) -> None:
    with ExitStack() as stack:
        assert are_right(painting(stack, FakeComfy(**trouble)).paint(PAIRS, SEEDS))


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"busy_for": 99}, "/prompt: HTTP 503"),
        ({"fault": "out of\nmemory"}, "SamplerCustom: out of memory"),
        ({"picture": b"not a picture"}, "cannot read what it sent as a picture"),
        (
            {
                "refusal": {
                    "error": {"message": "Prompt outputs failed validation"},
                    "node_errors": {
                        "model": {
                            "class_type": "CheckpointLoaderSimple",
                            "errors": [{"message": "Value not in list", "details": "ckpt_name: 'sd.safetensors'"}],
                        }
                    },
                }
            },
            "CheckpointLoaderSimple: Value not in list (ckpt_name: 'sd.safetensors')",
        ),
    ],
)
def test_what_does_not_pass_is_said(trouble: dict[str, Any], reason: str) -> None:
    fake = FakeComfy(**trouble)
    with ExitStack() as stack, pytest.raises(ModelError) as caught:
        painting(stack, fake).paint(PAIRS, SEEDS)
    assert reason in str(caught.value)
    assert len(fake.graphs) <= 2  # a refusal is not asked for again


def test_a_server_that_never_finishes_is_given_up_and_its_queue_cleared() -> None:
    stuck = FakeComfy(seconds=3.0)
    patience = Patience(tries=1, picture_seconds=0.2, poll_seconds=0.01)
    with ExitStack() as stack, pytest.raises(ModelError, match=r"no picture after 0\.2 s"):
        painting(stack, stuck, patience=patience).paint(PAIRS[:2], SEEDS[:2])
    assert len(stuck.dropped) == 2


def test_a_picture_of_another_size_is_not_taken_for_what_was_asked() -> None:
    with ExitStack() as stack, pytest.raises(ModelError, match="512x512 was expected, a server painted 8x8"):
        painting(stack, FakeComfy(), settings=PaintSettings(4, width=512, height=512)).paint(PAIRS, SEEDS)


def test_painting_stops_when_told_to_and_leaves_nothing_in_the_queue() -> None:
    slow, asked = FakeComfy(seconds=0.5), threading.Event()  # long enough that the next one still runs when it is told
    with ExitStack() as stack:
        painter = painting(stack, slow)
        with pytest.raises(Cancelled, match="of 9 pictures"):
            painter.paint(PAIRS, SEEDS, on_progress=lambda done, total: asked.set(), cancel=asked)
        assert slow.dropped and not slow.queue and slow.painted < 9


def test_nobody_but_the_named_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy of the environment nor the target of a redirect."""
    elsewhere = FakeComfy()
    with ExitStack() as stack:
        address = stack.enter_context(serving(elsewhere))
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        named = FakeComfy()
        assert are_right(painting(stack, named).paint(PAIRS, SEEDS))
        with pytest.raises(ModelError, match="HTTP 302"):
            painting(stack, FakeComfy(moved_to=address)).paint(PAIRS, SEEDS)
    assert named.painted == 9 and not elsewhere.asked


def test_the_graph_schedules_both_sides_and_hooks_the_model() -> None:
    pair = PromptPair(parse_prompt("a cat[, detailed:0.5-0:1.2]"), parse_prompt("blurry"))
    settings = PaintSettings(12, 6.5, 768, 512, sampler="dpm++2m", clip_skip=1)
    graph = build_graph(Source("sub/sd.safetensors"), settings, pair, 2**62)
    text = {side: graph[side]["inputs"] for side in ("positive", "negative")}
    assert text["positive"]["df_text"] == "a cat[, detailed:0-0.5:1.2]" and text["negative"]["df_text"] == "blurry"
    assert all(inputs["weighting"] == "pae" and inputs["clip"] == ["clip", 0] for inputs in text.values())
    assert graph["paint"]["inputs"]["model"] == ["hook", 0] and graph["hook"]["inputs"]["model"] == ["model", 0]
    assert graph["paint"]["inputs"]["noise_seed"] == 2**62 and graph["paint"]["inputs"]["cfg"] == 6.5
    assert graph["latent"]["inputs"] == {"width": 512, "height": 768, "batch_size": 1}
    assert graph["sampler"]["inputs"]["sampler_name"] == "dpmpp_2m" and graph["sigmas"]["inputs"]["steps"] == 12
    assert graph["clip"]["inputs"]["stop_at_clip_layer"] == -2
    world = build_graph(Source(), PaintSettings(8), pair, 1)
    assert world["model"]["class_type"] == "NegOptDemoModel" and world["paint"]["inputs"]["latent_image"] == [
        "model",
        3,
    ]
    levels = [float(level) for level in world["sigmas"]["inputs"]["sigmas"].split(",")]
    assert len(levels) == 9 and levels == sorted(levels, reverse=True) and levels[-1] == 0.0


@pytest.mark.parametrize(
    ("model", "checkpoint", "addresses"),
    [
        ("comfy:http://127.0.0.1:8188", "", ["http://127.0.0.1:8188"]),
        ("comfy:http://a:1/,https://b/comfy/ ", "", ["http://a:1", "https://b/comfy"]),
        ("comfy:sub/my sd, v1.safetensors@http://a:1", "sub/my sd, v1.safetensors", ["http://a:1"]),
    ],
)
def test_models_on_servers_are_written_in_one_line(model: str, checkpoint: str, addresses: list[str]) -> None:
    assert parse_model(model) == (checkpoint, addresses)


@pytest.mark.parametrize(
    "model",
    ["comfy:", "comfy:127.0.0.1:8188", "comfy:sd.safetensors,http://a:1", "comfy:@http://a:1", "comfy:ftp://a",
     "comfy:http://", "comfy:http://a:x", "comfy:http://me:secret@a:1", "comfy:http://a:1?x=1"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_before_anything_is_painted(model: str) -> None:
    with pytest.raises(ModelError, match="http://"):
        open_painter(model)


def test_what_a_server_cannot_do_is_refused_before_anything_is_painted(tmp_path: Path) -> None:
    image = torch.zeros(3, 64, 64)
    for settings in (PaintSettings(init_image=image), PaintSettings(weighting="compel")):
        with pytest.raises(PromptError):
            open_painter("comfy:http://127.0.0.1:9", settings)
    with pytest.raises(ModelError, match="leave out --device"):
        open_painter("comfy:http://127.0.0.1:9", device="cpu")
    with pytest.raises(ModelError, match="--paint-dtype"):
        open_painter("comfy:http://127.0.0.1:9", dtype="bfloat16")
    with pytest.raises(PromptError, match="seed"):
        open_painter("comfy:http://127.0.0.1:9").paint(PAIRS[:1], [-1])
