"""What a run leaves in its folder besides numbers, and what is left of it when something breaks."""

import io
import json
import logging
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from toys import actors, language_policy, phrases

from negopt_core.errors import ModelError, NegOptError, OutputError, TrainingError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.jobs.checkpoint import load_checkpoint
from negopt_core.lab.jobs.events import event_files
from negopt_core.lab.jobs.run import CHECKPOINT, METRICS, Listeners, Loop, RunFolder, run_steps
from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.samples import PPOSamples, sft_samples
from negopt_core.lab.train.settings import PPOSettings, SFTSettings
from negopt_core.lab.train.sft import SFT
from negopt_core.measure.draw import Card, draw_cards, to_file
from negopt_core.text.prompt import Span, Window

pytestmark = pytest.mark.slow

PROMPTS = ["a photo of a ball", "a sketch of a star"]
SETTINGS = PPOSettings(prompts=4, group=2, epochs=1, minibatch=8, learning_rate=1e-3, kl=0.1)
STEPS, SAVED = 4, 2
PAIRS = [
    Pair("a photo of a ball", (Span("blurry", 0.5, Window(0.5, 1.0)), Span("noisy"))),
    Pair("a sketch of a star", (Span("too dark"),)),
    Pair("a photo of a ball", (Span("text"),)),
]


def make_ppo(brightness: Callable[[], float] = lambda: 0.0, settings: PPOSettings = SETTINGS) -> PPO:
    return PPO(actors("seq2seq", lambda pair: len(phrases(pair)) + brightness()), PROMPTS, settings)


def ppo_run(folder: Path, ppo: PPO | None = None, each: Callable[[], object] = int, samples: bool = False) -> None:
    """Four steps, saved after the second and the fourth; `each` is called before every step."""
    ppo = ppo or make_ppo()
    kept = PPOSamples(ppo, folder)

    def step() -> dict[str, float]:
        each()
        return kept.step()

    listeners = Listeners(on_save=kept.write) if samples else Listeners()
    run_steps(RunFolder.open(folder, {}), ppo, step, Loop(STEPS, SAVED), "test", listeners)


def at_step(number: int, do: Callable[[], object]) -> Callable[[], None]:
    """Calls `do` before the step of that number."""
    count = 0

    def each() -> None:
        nonlocal count
        count += 1
        if count == number:
            do()

    return each


def test_each_checkpoint_comes_with_a_sheet_of_pictures_and_nothing_else_changes(tmp_path: Path) -> None:
    ppo_run(tmp_path / "with", samples=True)
    ppo_run(tmp_path / "without")
    assert (tmp_path / "with" / METRICS).read_text() == (tmp_path / "without" / METRICS).read_text()
    sheets = sorted((tmp_path / "with" / "samples").iterdir())
    assert [path.name for path in sheets] == ["step-000002.jpg", "step-000004.jpg"]
    with Image.open(sheets[0]) as sheet:
        assert sheet.format == "JPEG" and min(sheet.size) > 300
    assert sheets[0].read_bytes() != sheets[1].read_bytes()


def test_a_sheet_shows_pictures_of_any_size_and_texts_of_any_length() -> None:
    white, red = torch.ones(3, 4, 8), torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 700, 700)
    cards = [Card(white, "a", "", "reward 1"), Card(red, "many words " * 90, "[x:0-0.5:1.2], " * 90, "reward 2")]
    with Image.open(io.BytesIO(to_file(draw_cards("a sheet", cards), "JPEG"))) as sheet:
        assert sheet.getpixel((12 + 80, 42 + 40)) == (255, 255, 255)
        red_pixel = sheet.getpixel((12 + 484 + 80, 42 + 80))
    assert isinstance(red_pixel, tuple) and red_pixel[0] > 240 and max(red_pixel[1:]) < 15


def test_supervised_runs_write_down_what_the_policy_says_by_now(tmp_path: Path) -> None:
    def run(folder: Path, is_sampled: bool) -> str:
        sft = SFT(language_policy("seq2seq"), PAIRS, SFTSettings(steps=4, batch_size=4))
        listeners = Listeners(on_save=sft_samples(sft.policy, PAIRS, folder)) if is_sampled else Listeners()
        run_steps(RunFolder.open(folder, {}), sft, sft.step, Loop(4, 2), "test", listeners)
        return (folder / METRICS).read_text()

    assert run(tmp_path / "with", True) == run(tmp_path / "without", False)
    lines = (tmp_path / "with" / "samples" / "step-000004.txt").read_text().splitlines()
    assert lines[:4] == ["step 4", "", "a photo of a ball", "  people: [blurry:0-0.5:0.5], noisy"]
    assert lines[4].startswith("  policy: ") and lines.count("a photo of a ball") == 1
    assert not (tmp_path / "with" / "samples" / "step-000003.txt").exists()


def test_without_tensorboard_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with caplog.at_level(logging.WARNING), event_files(tmp_path) as write:
        write(1, {"loss": 1.0})
    (said,) = [record.message for record in caplog.records]
    assert said.startswith("no event files, but metrics.jsonl has it all: tensorboard is not installed")
    assert said.endswith("-m pip install tensorboard")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore")
def test_event_files_hold_each_step_once_even_after_a_crash(tmp_path: Path) -> None:
    """Steps 3 and 4 of the first try were never saved: the run goes on from step 2 and writes them again."""
    pytest.importorskip("tensorboard", reason="NOT TESTED: tensorboard is not installed here")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for steps in ((1, 2, 3, 4), (3, 4, 5)):
        with event_files(tmp_path) as write:
            for step in steps:
                write(step, {"reward": step + len(steps) / 10, "kl": 0.5})
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    found = [(event.step, event.value) for event in read.Scalars("reward")]
    assert found == [(step, pytest.approx(value)) for step, value in ((1, 1.4), (2, 2.4), (3, 3.3), (4, 4.3), (5, 5.3))]
    assert len(read.Scalars("kl")) == 5


def goes_on_as_if_nothing_happened(folder: Path, whole: Path) -> None:
    """The checkpoint of step 2 is whole and finite, and from there the run is the one that was never disturbed."""
    ppo = make_ppo()
    assert load_checkpoint(folder / CHECKPOINT, ppo.modules(), ppo.optimizer, ppo.rng)["step"] == SAVED
    assert all(bool(torch.isfinite(value).all()) for value in ppo.actors.policy.state_dict().values())
    assert not list(folder.glob("*.partial"))
    ppo_run(folder)
    assert RunFolder(folder).metrics() == RunFolder(whole).metrics()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    ppo_run(folder)
    return folder


def test_a_reward_that_is_no_number_leaves_the_last_checkpoint(tmp_path: Path, whole: Path) -> None:
    trouble = [0.0]
    ppo = make_ppo(lambda: trouble[0])
    with pytest.raises(ModelError, match="brightness gave a score that is not a finite number"):
        ppo_run(tmp_path, ppo, at_step(3, lambda: trouble.__setitem__(0, math.nan)))
    goes_on_as_if_nothing_happened(tmp_path, whole)


def test_a_policy_that_is_no_number_leaves_the_last_checkpoint(tmp_path: Path, whole: Path) -> None:
    ppo = make_ppo()
    head = ppo.actors.policy.heads["windows"].bias
    with pytest.raises(TrainingError, match="not a finite number; the last checkpoint is intact"):
        ppo_run(tmp_path, ppo, at_step(4, lambda: head.data.fill_(math.nan)))
    goes_on_as_if_nothing_happened(tmp_path, whole)


def test_a_gradient_that_is_no_number_changes_no_weight() -> None:
    ppo = make_ppo(settings=replace(SETTINGS, entropy=math.inf))
    before = [value.clone() for value in ppo.actors.policy.parameters()]
    with pytest.raises(TrainingError, match=r"a gradient is not a finite number.*Lower the rate"):
        ppo.step()
    assert all(torch.equal(a, b) for a, b in zip(before, ppo.actors.policy.parameters(), strict=True))
    sft = SFT(language_policy("df"), PAIRS, SFTSettings(steps=4, batch_size=4, learns_schedule=True))
    sft.step()
    sft.policy.heads["windows"].weight.data.fill_(math.inf)
    with pytest.raises(TrainingError, match=r"the gradient is not a finite number.*Lower the rate"):
        sft.step()


@contextmanager
def disk() -> Iterator[Callable[[], None]]:
    """What fills the disk: from the call on no file of this process grows beyond 32 KB, and writing fails."""
    resource = pytest.importorskip("resource", reason="NOT TESTED: limits on files are a matter of Unix")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path: Path, whole: Path) -> None:
    assert (whole / CHECKPOINT).stat().st_size > 100_000
    with disk() as fill, pytest.raises(OutputError, match=r"cannot write .*the last checkpoint is intact") as caught:
        ppo_run(tmp_path, each=at_step(4, fill))
    assert "\n" not in str(caught.value)
    goes_on_as_if_nothing_happened(tmp_path, whole)


def test_metrics_that_do_not_fit_leave_the_last_checkpoint(tmp_path: Path, whole: Path) -> None:
    def fill() -> None:
        (tmp_path / METRICS).rename(tmp_path / "kept")
        (tmp_path / METRICS).symlink_to("/dev/full")

    with pytest.raises(NegOptError, match=r"metrics.jsonl: No space left on device; the last checkpoint is intact"):
        ppo_run(tmp_path, each=at_step(3, fill))
    (tmp_path / METRICS).unlink()
    (tmp_path / "kept").rename(tmp_path / METRICS)
    assert [json.loads(line)["step"] for line in (tmp_path / METRICS).read_text().splitlines()] == [1, 2]
    goes_on_as_if_nothing_happened(tmp_path, whole)
