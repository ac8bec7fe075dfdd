"""Several processes do what one does: real ones, over gloo, on this machine's CPU."""

import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parent))

from job import PROMPTS, SAVE_EVERY, SETTINGS, STEPS, go_on, make, weights_after_a_step, work
from languages import tokenizer
from toys import actors

from negopt_core.errors import TrainingError
from negopt_core.lab.jobs.processes import ALONE, Processes, check_alone, joined
from negopt_core.lab.jobs.run import METRICS, RunFolder
from negopt_core.lab.train.ppo import PPO
from tests.fakes.launcher import Ended, launch_together

pytestmark = pytest.mark.slow

LAUNCHER = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def launch(scenario: str, folder: Path, size: int = 2) -> list[Ended]:
    """`size` processes of one scenario; how each ended."""
    return launch_together([partial(work, scenario, folder, tokenizer().name_or_path)] * size)


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes made of the scenario of that name."""
    folder = tmp_path_factory.mktemp("equal")
    go_on(folder / "begun-alone", ALONE, SAVE_EVERY)
    assert launch("equal", folder) == [Ended(0, ""), Ended(0, "")]
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    """The metrics of the same run in one process."""
    folder = tmp_path_factory.mktemp("alone")
    go_on(folder, ALONE, STEPS)
    return RunFolder(folder).metrics()


def close(found: list[dict[str, float]], wanted: list[dict[str, float]]) -> None:
    assert [row.keys() for row in found] == [row.keys() for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one["reward"] == pytest.approx(other["reward"], abs=1e-5)
        assert one == pytest.approx(other, abs=1e-3, rel=1e-2)  # Adam turns a last bit into a small step


@pytest.mark.parametrize("kind", ["df", "seq2seq"])
def test_two_processes_learn_what_one_does(kind: str, equal: Path) -> None:
    """Both kinds of policy and of advantage; shares of five responses, minibatches of four."""
    wanted = weights_after_a_step(kind, ALONE)
    first, second = (load_file(equal / f"{kind}-{rank}.safetensors") for rank in range(2))
    assert wanted.keys() == first.keys() == second.keys()
    before = {f"policy/{name}": value for name, value in make(ALONE, kind).actors.policy.state_dict().items()}
    assert max(float((before[name] - wanted[name]).abs().max()) for name in before) > 1e-4
    assert max(float(value.abs().max()) for name, value in wanted.items() if name.startswith("gradient/")) > 1e-2
    for name, value in wanted.items():
        torch.testing.assert_close(first[name], value, atol=1e-5, rtol=0)
        assert torch.equal(first[name], second[name]), name


def test_the_curves_are_the_same(equal: Path, alone: list[dict[str, float]]) -> None:
    close(RunFolder(equal / "shared").metrics(), alone)
    assert len({row["reward"] for row in alone}) > 1


def test_a_run_goes_on_with_another_number_of_processes(equal: Path, alone: list[dict[str, float]]) -> None:
    close(RunFolder(equal / "begun-alone").metrics(), alone)
    go_on(equal / "begun-shared", ALONE, STEPS)
    close(RunFolder(equal / "begun-shared").metrics(), alone)


def resumes(folder: Path, alone: list[dict[str, float]]) -> None:
    """The checkpoint of step 2 is whole, and the run ends as if nothing had happened."""
    ppo = make(ALONE)
    assert RunFolder(folder).restore(ppo) == SAVE_EVERY
    go_on(folder, ALONE, STEPS)
    close(RunFolder(folder).metrics(), alone)


def test_a_failure_in_one_process_stops_all_with_its_reason(tmp_path: Path, alone: list[dict[str, float]]) -> None:
    leader, failed = launch("painter_fails", tmp_path)
    assert failed == Ended(1, "ValueError: the brush is gone")
    assert (
        leader.code == 1 and "process 1 of 2 failed (the brush is gone); what was saved before is intact" in leader.line
    )
    resumes(tmp_path, alone)


def test_the_others_notice_that_a_process_was_killed(tmp_path: Path, alone: list[dict[str, float]]) -> None:
    leader, killed = launch("one_is_killed", tmp_path)
    assert killed.code == -9
    assert leader.code == 1 and leader.line.startswith("TrainingError: another process has ended")
    resumes(tmp_path, alone)


def test_ctrl_c_in_one_process_stops_all_after_the_same_step(tmp_path: Path, alone: list[dict[str, float]]) -> None:
    ended = launch("one_is_interrupted", tmp_path)
    assert {one.line for one in ended} == {"Cancelled: stopped at step 3 of 4; the same command goes on from there"}
    assert len(RunFolder(tmp_path).metrics()) == 3
    go_on(tmp_path, ALONE, STEPS)
    close(RunFolder(tmp_path).metrics(), alone)


def test_a_full_disk_stops_all(tmp_path: Path, alone: list[dict[str, float]]) -> None:
    leader, other = launch("disk_full", tmp_path)
    assert leader.code == 1 and "No space left on device; the last checkpoint is intact" in leader.line
    assert other.code == 1 and "process 0 of 2 failed (cannot write" in other.line
    (tmp_path / METRICS).unlink()
    (tmp_path / "kept.jsonl").rename(tmp_path / METRICS)
    resumes(tmp_path, alone)


def test_machines_that_do_not_share_the_run_folder_are_told(tmp_path: Path) -> None:
    go_on(tmp_path / "here", ALONE, SAVE_EVERY)
    ended = launch("folders_differ", tmp_path)
    for one in ended:
        assert one.code == 1 and "do not start alike (step 2, weights" in one.line and "step 0, weights" in one.line


def test_rows_are_shared_in_order_and_each_belongs_to_one_process() -> None:
    for size, count in ((1, 5), (2, 5), (3, 10), (4, 4)):
        everyone = [Processes(rank, size) for rank in range(size)]
        shares = [one.own(list(range(count))) for one in everyone]
        assert [row for share in shares for row in share] == list(range(count))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        places = torch.randperm(count, generator=torch.Generator().manual_seed(size))
        owned = [
            share[row] for one, share in zip(everyone, shares, strict=True) for row in one.own_places(places, count)
        ]
        assert sorted(owned) == list(range(count))


def test_a_round_that_is_too_small_to_share_is_refused() -> None:
    count = SETTINGS.prompts * SETTINGS.group
    with pytest.raises(TrainingError, match=f"a round of {count} responses cannot be shared by 11 processes"):
        PPO(actors("df", lambda pair: 0.0), PROMPTS, SETTINGS, Processes(0, 11))


def test_without_a_launcher_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHER:
        monkeypatch.delenv(name, raising=False)
    with joined() as processes:
        assert processes is ALONE
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined() as processes:
        assert processes is ALONE
    check_alone("train sft")


def test_a_launch_that_cannot_be_joined_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHER:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"process 0 of 2 cannot join the others: .*torchrun"), joined():
        pass
    with pytest.raises(TrainingError, match="train sft is work for one process"):
        check_alone("train sft")
