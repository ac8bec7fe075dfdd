"""The painter over HTTP: in a real ComfyUI the pictures of the diffusers painter, and a killed server loses none."""

import json
from pathlib import Path

import pytest
import torch
from host import Host
from server import Server, running

from negopt_core.cli import main
from negopt_core.errors import ModelError
from negopt_core.paint.base import PaintSettings
from negopt_core.paint.comfy_client import Patience
from negopt_core.paint.comfy_server import ComfyPainter
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.text.df_text import parse_prompt
from negopt_core.text.prompt import PromptPair
from negopt_core.world import world_dir

pytestmark = pytest.mark.host

SCHEDULED = PromptPair(
    parse_prompt("a photo of a red ball in the snow by day[, detailed:1-0.4:1.2]"),
    parse_prompt("blurry[, dark:0.75-0.25:1]"),
)
PLAIN = PromptPair.plain("a photo of a red ball in the snow by day, detailed", "blurry")
SETTINGS = PaintSettings(steps=8, guidance_scale=5.0)
CLOSE = 2e-3 + 0.5 / 255
"""What the two programs differ by (`test_same_as_painter.py`), and the rounding to 8 bits."""


@pytest.fixture
def world(server: Server) -> Server:
    """The server, if it can paint the demo world at its own noise levels."""
    if not server.ask("/object_info/ManualSigmas"):
        pytest.skip("NOT TESTED: this ComfyUI has no node ManualSigmas, which the demo world needs")
    return server


@pytest.fixture(scope="module")
def ours() -> torch.Tensor:
    """The two pairs, painted here."""
    return load_painter(str(world_dir()), SETTINGS, device="cpu").paint([SCHEDULED, PLAIN], [5, 5])


def test_a_server_paints_the_same_pictures(world: Server, ours: torch.Tensor) -> None:
    before = world.ask("/history")
    theirs = ComfyPainter([world.address], settings=SETTINGS).paint([SCHEDULED, PLAIN], [5, 5])
    assert float((ours - theirs).abs().max()) < CLOSE
    assert float((ours[0] - ours[1]).abs().max()) > 2e-2  # the schedule shows, so the equality means something
    assert world.ask("/history") == before  # its user's history stays as it was


def test_a_server_that_is_killed_loses_nothing(world: Server, host: Host, tmp_path: Path) -> None:
    """Killed when the first picture is there and others are in its queue."""
    pairs, seeds = [SCHEDULED, PLAIN] * 4, [1, 2, 3, 4, 5, 6, 7, 8]
    wanted = ComfyPainter([world.address], settings=SETTINGS).paint(pairs, seeds)
    with running(host, tmp_path) as doomed:
        # the doomed one alone first, so that it is sure to paint before it dies
        painter = ComfyPainter([doomed.address, world.address], settings=SETTINGS)
        painter.paint(pairs[:4], seeds[:4])

        def kill(done: int, total: int) -> None:
            doomed.process.kill()

        assert torch.equal(painter.paint(pairs, seeds, on_progress=kill), wanted)
        assert doomed.process.wait(timeout=30) == -9
    with pytest.raises(ModelError, match=r"no ComfyUI server is left, 0 of 8 .*refused"):
        ComfyPainter([doomed.address], settings=SETTINGS, patience=Patience(tries=1)).paint(pairs, seeds)


def test_a_checkpoint_of_the_server_paints_with_the_schedule(server: Server) -> None:
    settings = PaintSettings(steps=2, guidance_scale=5.0, width=64, height=128, sampler="heun", clip_skip=1)
    painter = ComfyPainter([server.address], "tiny.safetensors", settings)
    images = painter.paint([SCHEDULED, PLAIN, PLAIN], [5, 5, 6])
    assert images.shape == (3, 3, 128, 64)
    assert torch.equal(
        images, torch.cat([painter.paint([pair], [seed]) for pair, seed in ((SCHEDULED, 5), (PLAIN, 5), (PLAIN, 6))])
    )
    assert not torch.equal(images[0], images[1]) and not torch.equal(images[1], images[2])


def test_what_the_server_refuses_is_said_in_its_words(server: Server) -> None:
    with pytest.raises(ModelError, match=r"CheckpointLoaderSimple: Value not in list .*missing\.safetensors"):
        ComfyPainter([server.address], "missing.safetensors", SETTINGS).paint([PLAIN], [1])


def test_pictures_painted_there_are_painted_again_from_their_record(
    world: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"comfy:{world.address}"
    out = ("--steps", "4", "--json", "-o", str(tmp_path))
    assert main(["paint", "a photo of a red ball", "--negative", "blurry", "--model", model, "--seed", "3", *out]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["record"]["model"] == model and told["record"]["libraries"]["comfyui"]
    first = Path(told["images"][0])
    assert main(["paint", "--from", str(first), "--json", "-o", str(tmp_path / "again")]) == 0
    again = Path(json.loads(capsys.readouterr().out)["images"][0])
    assert again.read_bytes() == first.read_bytes()


def test_a_policy_is_trained_on_pictures_of_the_server(
    world: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ("--threads", "1", "--json")
    taught = str(tmp_path / "taught")
    sft = ("--pairs", "world", "--stock", "world", "--scheduled", "--steps", "2", "--width", "32", "--layers", "1")
    assert main(["train", "sft", *sft, "--batch", "4", "--run", str(tmp_path / "sft"), "-o", taught, *small]) == 0
    ppo = (
        "--policy",
        taught,
        "--prompts",
        "world",
        "--paint-steps",
        "3",
        "--batch",
        "2",
        "--epochs",
        "1",
        "--steps",
        "1",
    )
    rows = []
    for name, model in (("here", "world"), ("there", f"comfy:{world.address}")):
        assert main(["train", "ppo", *ppo, "--model", model, "--run", str(tmp_path / name), *small]) == 0
        rows.append(json.loads((tmp_path / name / "metrics.jsonl").read_text()))
    assert rows[0]["reward"] == pytest.approx(rows[1]["reward"], abs=0.05)
    capsys.readouterr()
