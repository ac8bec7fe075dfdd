"""A schedule means the same in ComfyUI and in the diffusers painter: the same picture of the demo world."""

import json
import subprocess
from pathlib import Path

import pytest
from host import INSIDE, Host

POSITIVE = "a photo of a red ball in the snow by day[, detailed:1-0.4:1]"
NEGATIVE = "blurry[, dark:0.75-0.25:1]"


@pytest.mark.host
@pytest.mark.parametrize("steps", [8, 10])
def test_comfyui_and_the_painter_paint_the_same_picture(steps: int, host: Host, tmp_path: Path) -> None:
    import numpy

    from negopt_core.paint.base import PaintSettings
    from negopt_core.paint.diffusers_painter import load_painter
    from negopt_core.text.df_text import parse_prompt
    from negopt_core.text.prompt import PromptPair
    from negopt_core.world import world_dir

    settings = PaintSettings(steps, 5.0, sampler="euler")
    painter = load_painter(str(world_dir()), settings, device="cpu")
    pair = PromptPair(parse_prompt(POSITIVE), parse_prompt(NEGATIVE))
    plain = PromptPair.plain(pair.positive.text, "blurry")
    ours, other = painter.paint([pair, plain], [5, 5]).movedim(1, -1).numpy()
    wanted = {"positive": POSITIVE, "negative": NEGATIVE, "steps": steps, "cfg": 5.0, "seed": 5}
    out = tmp_path / "out.npy"
    command = [host.python, "paint_demo.py", out, json.dumps(wanted)]
    subprocess.run(command, cwd=INSIDE, env=host.environment, check=True, capture_output=True)
    theirs = numpy.load(out)
    assert numpy.abs(ours - theirs).max() < 2e-3
    assert numpy.abs(other - theirs).max() > 2e-2  # the schedule shows, so the equality means something
