"""`convert clip`: HPS's published file to a folder, in one command."""

from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.scorers.embed import Embedder
from tests.published import scorers as published


def test_hps_is_converted_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published.hps(tmp_path / "HPS_v2_compressed.pt")
    published.clip_h14(tmp_path / "clip")
    line = ["convert", "clip", str(tmp_path / "HPS_v2_compressed.pt"), "-o", str(tmp_path / "hps")]
    assert main(line) == 1
    assert "--tokenizer" in capsys.readouterr().err
    assert main([*line, "--tokenizer", str(tmp_path / "clip")]) == 0
    assert Embedder.load(str(tmp_path / "hps")).scale == pytest.approx(100.0, abs=0.1)
