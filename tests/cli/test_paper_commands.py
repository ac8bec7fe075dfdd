"""`train negopt` and `train pae` from data to report on stand-ins of the published files, whole and stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from negopt_core.cli import main
from negopt_core.errors import OutputError
from negopt_core.lab.compare import metrics
from negopt_core.lab.compare.gallery import Gallery
from negopt_core.lab.data.split import normalise
from negopt_core.lab.papers import task
from negopt_core.lab.papers.learn import ppo_run
from negopt_core.lab.papers.pace import Pace
from negopt_core.lab.papers.plan import check_disk, make_plan
from negopt_core.lab.papers.settings import NEGOPT, PAE, PaperRun
from negopt_core.lab.papers.task import make_task
from negopt_core.lab.train.samples import PPOSamples
from negopt_core.lab.train.sft import SFT
from negopt_core.paint.diffusers_painter import DiffusersPainter
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.language.folder import open_policy
from negopt_core.policy.store import read_card
from negopt_core.scorers import features
from tests.published.paper_files import build_home, write_pairs

FEW = (
    "--sft-steps", "80", "--sft-batch", "4", "--sft-rate", "2e-2",
    "--ppo-steps", "4", "--prompts-per-step", "2", "--check-every", "2",
    "--held-out-prompts", "2", "--test-prompts", "3", "--paint-steps", "2", "--threads", "1", "--device", "cpu",
)  # fmt: skip
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_home(tmp_path_factory.mktemp("home"))


def line(home: Path, paper: str, run: Path, *more: str) -> list[str]:
    """The command of a paper; without Inception, whose weights and package are not here."""
    start, pairs = ("t5-base", "negatives") if paper == "negopt" else ("gpt2-medium", "modifiers")
    words = ["train", paper, "--model", str(home / "model"), "--pairs", str(home / f"{pairs}.jsonl")]
    words += ["--start", str(home / start), "--run", str(run), *FEW]
    words += ["--source", f"clip={home / 'clip'}", "--source", f"aesthetic={home / 'head.safetensors'}"]
    if paper == "negopt":
        return [*words, "--reward", "aesthetic:5,clip:1", "--metrics", "clip,aesthetic", *more]
    return [*words, "--source", f"pickscore={home / 'clip'}", "--reference", str(home / "real"), *more]


def run(words: list[str], capsys: Capture, code: int = 0) -> dict[str, Any]:
    assert main([*words, "--json"]) == code, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def paper_run(home: Path, **told: Any) -> PaperRun:
    """A run on the demo world."""
    usual = {"model": "world", "pairs": home / "negatives.jsonl", "start": home / "gpt2-medium"}
    return PaperRun(**{**usual, "folder": home / "nowhere", **told})


def report_of(folder: Path) -> Any:
    """The report without what names the run folder."""
    return json.loads((folder / "report" / "report.json").read_text().replace(str(folder), "RUN"))


@pytest.fixture(scope="module")
def whole(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run of NegOpt that nobody stopped, and what it printed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with redirect_stdout(StringIO()) as out:
        assert main([*line(home, "negopt", folder, "--yes"), "--json"]) == 0
    return folder, json.loads(out.getvalue())


@pytest.mark.slow
def test_negopt_goes_from_pairs_to_a_report_in_one_command(whole: tuple[Path, dict[str, Any]]) -> None:
    folder, told = whole
    assert told["started"] and [part["name"] for part in told["plan"]["stages"]] == ["data", "sft", "ppo", "report"]
    assert told["plan"]["pictures"] == 4 * 4 + 3 * 2 + 4 * 3  # PPO steps, held-out at 0, 2 and 4, four arms
    parts = {name: (folder / "data" / f"{name}.jsonl").read_text() for name in ("sft", "rl", "val", "test")}
    seen = [{normalise(json.loads(row)["prompt"]) for row in text.splitlines()} for text in parts.values()]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 60  # no prompt in two parts
    report = report_of(folder)
    assert [arm["name"] for arm in report["arms"]] == ["none", "people", "sft", "rl"]
    assert {row["metric"] for row in report["results"]} == {"clip", "aesthetic"} and report["reference"] == "none"
    assert set(told["metrics"]["aesthetic"]) == {"none", "people", "sft", "rl"}
    assert all(text["negative"] for arm in report["arms"][1:] for text in arm["texts"])
    rewards = told["held_out_rewards"]
    assert list(rewards) == ["0", "2", "4"] and rewards[str(told["best_step"])] == max(rewards["2"], rewards["4"])
    card = read_card(folder / "policy")
    assert (card.name, card.polarity, card.base_model) == ("negopt-model", "negative", "model")
    assert [stage["settings"]["what"] for stage in card.provenance["stages"]] == ["sft", "ppo"]
    assert "<html" in (folder / "report" / "report.html").read_text()
    (said,) = suggest(load_policy(str(folder / "policy")), ["a cat by the sea"])
    assert said.positive == "a cat by the sea"


@pytest.mark.slow
def test_pae_gives_gpt2_windows_and_weights_and_measures_pickscore_and_cmmd(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "run"
    told = run(line(home, "pae", folder, "--yes"), capsys)
    assert [part["name"] for part in told["plan"]["stages"]] == ["data", "filter", "sft", "ppo", "report"]
    assert told["plan"]["stages"][1]["pictures"] == 4 * 45  # two pictures with the modifiers and two without
    kept = (folder / "data" / "sft-confident.jsonl").read_text().splitlines()
    pairs = (folder / "data" / "sft.jsonl").read_text().splitlines()
    assert told["filter"]["scored"] == len(pairs) > told["filter"]["kept"] == len(kept) > 0 and set(kept) < set(pairs)
    sft = read_card(folder / "policy").provenance["stages"][0]
    assert sft["settings"]["pairs"] == "sft-confident.jsonl"
    policy = open_policy(folder / "policy")
    assert (len(policy.card.windows), len(policy.card.weights), policy.card.polarity) == (3, 5, "modifiers")
    assert set(told["metrics"]) == {"aesthetic", "clip", "pickscore", "cmmd"} and not told["absent"]
    assert "cmmd" not in told["rl_gain_percent"]  # of which less is better
    assert {row["arm"] for row in told["win_rates"]} == {"people", "sft", "rl"}
    report = report_of(folder)
    assert report["settings"]["sampler"] == "unipc" and {one["seed"] for one in report["pictures"]} == {42}
    first = report["arms"][1]["texts"][0]
    assert first["positive"].startswith(report["prompts"][0] + ", ") and not first["negative"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "method", "times"),
    [(SFT, "step", 40), (PPOSamples, "step", 3), (Gallery, "_paint_missing", 1)],
    ids=["in SFT", "in PPO", "in the report"],
)
def test_stopped_in_the_middle_it_goes_on_to_the_same_report(
    owner: Any,
    method: str,
    times: int,
    home: Path,
    whole: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unstopped, halves = whole[0], tmp_path / "run"
    usual: Callable[..., Any] = getattr(owner, method)
    calls = []

    def stopping(self: Any, *arguments: Any) -> Any:
        calls.append(None)
        if len(calls) == times:
            raise KeyboardInterrupt
        return usual(self, *arguments)

    monkeypatch.setattr(owner, method, stopping)
    assert main(line(home, "negopt", halves, "--yes")) == 130
    monkeypatch.setattr(owner, method, usual)
    before = json.loads((halves / "done.json").read_text())
    assert "data" in before and "report" not in before
    stamps = {path: path.stat().st_mtime_ns for path in (halves / "data").iterdir()}
    told = run(line(home, "negopt", halves), capsys)  # nobody is asked a second time
    assert told["plan"] is None and all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert report_of(halves) == report_of(unstopped)
    other = json.loads((unstopped / "summary.json").read_text().replace(str(unstopped), str(halves)))
    assert json.loads((halves / "summary.json").read_text()) == other
    page = (halves / "report" / "report.html").stat().st_mtime_ns
    run(line(home, "negopt", halves), capsys)  # all is done
    assert (halves / "report" / "report.html").stat().st_mtime_ns == page
    assert main(line(home, "negopt", halves, "--ppo-steps", "5")) == 1
    assert "other settings (budget/ppo_steps)" in capsys.readouterr().err


@pytest.mark.slow
def test_the_filter_goes_on_where_it_was_stopped_and_can_be_left_out(
    home: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    words = line(home, "pae", folder, "--yes", "--filter-pairs", "40", "--sft-steps", "1", "--ppo-steps", "1")
    usual, painted = DiffusersPainter.paint, []

    def paint(self: Any, pairs: Any, *arguments: Any, **how: Any) -> Any:
        if (folder / "filter").exists():  # after the plan
            painted.append(len(pairs))
            if len(painted) == 4:
                raise KeyboardInterrupt
        return usual(self, pairs, *arguments, **how)

    monkeypatch.setattr(DiffusersPainter, "paint", paint)
    assert main(words) == 130 and list(json.loads((folder / "done.json").read_text())) == ["data"]
    scores = (folder / "filter" / "scores.jsonl").read_text()
    assert len(scores.splitlines()) == 16 and painted == [32] * 4
    capsys.readouterr()
    told = run(words, capsys)
    assert (folder / "filter" / "scores.jsonl").read_text().startswith(scores)
    assert painted[4:8] == [32, 32, 16, 16] and told["filter"]["scored"] == 40  # nothing is painted twice
    without = make_task(PAE, paper_run(home, budget="paper", filter_pairs=0))
    assert not without.filter_scorers and "budget/filter_pairs" not in without.decided()


@pytest.mark.slow
def test_the_plan_is_shown_before_anything_is_written(home: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "run"
    shown = run(line(home, "negopt", folder, "--plan"), capsys)["plan"]
    assert shown["measured"]["picture"] > 0 and shown["hours"] > 0 and shown["disk_gb"] > 0
    assert shown["measured"]["sft_step"] > 0 and shown["device"] == "cpu" and shown["data"]["distinct"] == 60
    assert main(line(home, "negopt", folder)) == 2  # nobody at a terminal, and no --yes
    said = capsys.readouterr().out
    assert "in all    34 pictures" in said and "nothing was started; add --yes" in said
    assert not folder.exists()


def test_everything_that_is_missing_is_named_in_one_line(home: Path, capsys: Capture) -> None:
    words = ["train", "pae", "--model", str(home / "model"), "--pairs", str(home / "modifiers.jsonl")]
    words += ["--start", str(home / "gpt2-medium"), "--run", str(home / "nowhere"), "--yes"]
    assert main([*words, "--source", f"clip={home / 'gone'}"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for name in (
        "weights of aesthetic",
        "weights of pickscore",
        "gone, given as clip, is not there",
        "--reference DIR",
    ):
        assert name in said
    words[1], words[5] = "negopt", str(home / "negatives.jsonl")
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "weights of inception (for fidelity, is;" in said and "torch-fidelity" in said
    assert main([*words, "--reward", "world-quality:1", "--metrics", "clip"]) == 2
    assert "know nothing of other models" in capsys.readouterr().err
    assert main([*words, "--reward", "beauty:1"]) == 2
    assert "no scorer is called 'beauty'" in capsys.readouterr().err
    assert not (home / "nowhere").exists()


@pytest.mark.slow
def test_what_does_not_fit_is_refused_before_anything_is_written(home: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "run"
    words = line(home, "negopt", folder, "--yes")
    words[words.index("--start") + 1] = str(home / "gpt2-medium")
    assert main(words) == 1
    assert "starts from T5" in capsys.readouterr().err
    few = tmp_path / "few.jsonl"
    few.write_text('{"prompt": "a cat", "negative": "blurry"}\n')
    words = line(home, "negopt", folder, "--yes")
    words[words.index("--pairs") + 1] = str(few)
    assert main(words) == 1
    assert "too few to split" in capsys.readouterr().err
    words[words.index("--pairs") + 1] = str(write_pairs(tmp_path / "side.jsonl", "modifiers"))
    assert main(words) == 1
    assert "holds no pairs of polarity negative" in capsys.readouterr().err
    assert not folder.exists()


def test_the_budgets_are_the_papers_numbers_and_one_night(home: Path) -> None:
    """At 6 sampler steps a second, what people report for a GPU of 12 GB at 512 x 512, painting stays below 8 hours."""
    for paper, start in ((NEGOPT, "t5-base"), (PAE, "gpt2-medium")):
        for name in paper.budgets:  # each is a training that PPO takes
            told = ppo_run(make_task(paper, paper_run(home, start=home / start, budget=name)), home, home, home).ppo
            assert told.responses * told.pictures == paper.budgets[name].step_pictures
        asked = make_task(paper, paper_run(home, start=home / start, budget="small"))
        assert "world" in asked.reward and all(name.startswith("world-") for name in asked.metrics)
        pace = Pace(paper.paint_steps / 6, 0.1, 0.5, 450_000, 900_000_000, "cuda", 9_000_000_000)
        plan = make_plan(asked, pace, {"distinct": 100_000})
        assert plan.seconds < 8 * 3600 and plan.disk_bytes < 20e9
        assert f"{plan.pictures} pictures" in plan.text() and "9.0 GB of GPU memory" in plan.text()
    with pytest.raises(OutputError, match="GB free; make room"):
        check_disk(make_plan(asked, Pace(1, 1, 1, 10**15, 1, "cpu", None), {"distinct": 9}), home)
    pae, negopt = PAE.budgets["paper"], NEGOPT.budgets["paper"]
    assert (pae.sft_steps, pae.sft_batch, pae.ppo_steps, pae.step_pictures) == (50_000, 64, 3000, 64)
    assert PAE.reward == "aesthetic:1,clip:20:0.28,pickscore:1:18" and (PAE.paint_steps, PAE.sampler) == (10, "unipc")
    assert NEGOPT.reward == "aesthetic:5,clip:1,fidelity:1" and (NEGOPT.paint_steps, NEGOPT.cfg) == (25, 7.5)
    assert negopt.test == pae.test == 1000
    assert (pae.filter_pairs, negopt.filter_pairs, PAE.budgets["small"].filter_pairs) == (450_000, 0, 0)
    filtered = make_plan(make_task(PAE, paper_run(home, budget="paper")), pace, {"distinct": 100_000})
    assert [part.pictures for part in filtered.parts if part.name == "filter"] == [4 * 75_000]


@pytest.mark.slow
def test_negopts_own_reward_and_metrics_run_with_a_stand_in_for_inception(
    home: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three classes: how red, green and blue a picture is."""

    def extract(images: torch.Tensor) -> torch.Tensor:
        posteriors = (8.0 * images.mean(dim=(2, 3))).softmax(dim=1)
        return torch.cat([torch.zeros(len(images), features.WIDTH), posteriors], dim=1).double()

    monkeypatch.setattr(features, "load_inception", lambda path, *rest: extract)
    monkeypatch.setattr(task, "find_spec", lambda name: True)
    monkeypatch.setattr(metrics, "_no_package", lambda needs: "")
    (tmp_path / "inception.safetensors").write_bytes(b"weights")
    words = line(
        home, "negopt", tmp_path / "run", "--yes", "--source", f"inception={tmp_path / 'inception.safetensors'}"
    )
    for flag in ("--reward", "--metrics"):
        del words[words.index(flag) : words.index(flag) + 2]
    words[words.index("--sft-steps") + 1] = "2"
    told = run(words, capsys)
    assert set(told["metrics"]) == {"is", "clip", "aesthetic"} and not told["absent"]
    assert set(told["metrics"]["is"]) == set(told["metrics"]["clip"]) == {"none", "people", "sft", "rl"}
