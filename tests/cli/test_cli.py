"""The command line: exit codes, one-line errors, JSON on stdout and nothing else there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.policy.store import default_policy

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ["prompt", "positive", "negative", "df_positive", "df_negative", "policy", "seed", "warnings"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse's own way out
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_suggest_prints_exactly_the_promised_fields(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "suggest", "a photo of a cat", "--json", "--seed", "3")
    values = json.loads(out)
    assert code == 0 and list(values) == FIELDS
    assert values["seed"] == 3 and values["positive"].startswith("a photo of a cat")
    assert "blurry" in values["negative"]


@pytest.mark.parametrize(
    ("mode", "has_negative", "has_modifiers"),
    [("negative", True, False), ("modifiers", False, True), ("negative,modifiers", True, True)],
)
def test_mode_switches_each_side(
    capsys: pytest.CaptureFixture[str], mode: str, has_negative: bool, has_modifiers: bool
) -> None:
    _, out, _ = run(capsys, "suggest", "a photo of a cat", "--json", "--mode", mode)
    values = json.loads(out)
    assert bool(values["negative"]) == has_negative
    assert (values["positive"] != "a photo of a cat") == has_modifiers


def test_the_same_arguments_give_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, "suggest", "a photo of a cat", "--json", "--negative", "dogs")
    assert first == run(capsys, "suggest", "a photo of a cat", "--json", "--negative", "dogs")
    assert json.loads(first[1])["negative"].startswith("dogs, ")


def test_priors_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    for policy in ("rules", "rules:flux", "nearest-scheduled+rules"):
        _, out, _ = run(capsys, "suggest", "a photo of a cat", "--policy", policy)
        assert out.count("priors from published findings") == 1


def test_prompts_are_read_from_stdin_one_per_line() -> None:
    lines = ["a cat", "", "a [broken bracket", "ein Mädchen \udcff"]
    command = [sys.executable, "-m", "negopt_core", "suggest", "-", "--json"]
    data = "\n".join(lines).encode("utf-8", "surrogateescape")
    done = subprocess.run(command, input=data, capture_output=True, cwd=ROOT, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and done.stderr == b""
    assert [answer["prompt"] for answer in answers[:3]] == lines[:3]
    assert "never closed" in answers[2]["warnings"][0]


def test_schedule_prints_segments_and_every_notation(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "schedule", "a cat, [detailed:0-0.5:0.75]", "--steps", "10", "--json")
    values = json.loads(out)
    assert code == 0
    assert [(part["first"], part["stop"], part["text"]) for part in values["segments"]] == [
        (0, 5, "a cat"),
        (5, 10, "a cat, detailed"),
    ]
    assert values["segments"][1]["parts"][-1] == {"text": "detailed", "weight": 0.75}
    assert values["dialects"]["pae"] == "a cat, [detailed:0-0.5:0.75]"
    assert values["dialects"]["a1111"] == "a cat[, (detailed:0.75):4]"


def test_schedule_reads_other_notations_and_says_what_does_not_fit_in_a_prompt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "[cow|ox] in a field (people:-1)"
    code, out, _ = run(capsys, "schedule", text, "--from", "a1111", "--steps", "4", "--json")
    told = json.loads(out)
    assert code == 0 and told["opposite"] == "people" and "below zero" in told["warnings"][0]
    assert [segment["text"] for segment in told["segments"]] == [f"{one} in a field" for one in ("cow", "ox", "cow")]
    _, out, _ = run(capsys, "schedule", text, "--from", "a1111", "--steps", "4")
    assert out.splitlines()[:2] == [f"DF-Prompt: {told['df']}", "for the other prompt: people"]


def test_schedule_reports_what_cannot_act_and_what_cannot_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "schedule", "a cat, [x:0.95-0.98:1], [y:0-0.9:1]", "--steps", "10", "--json")
    values = json.loads(out)
    assert any("acts in no step" in warning for warning in values["warnings"])
    assert values["dialects"]["a1111"] is None and any("a1111" in warning for warning in values["warnings"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["schedule", "a cat", "--steps", "0"], 2, "at least 1 step, got 0"),
        (["schedule", "a cat", "--steps", "ten"], 2, "ten"),
        (["schedule", "a cat", "--steps", "5", "--dialect", "klingon"], 2, "klingon"),
        (["suggest", "a cat", "--policy", "nope"], 2, "nope"),
        (["suggest", "a cat", "--policy", "rules:nope"], 2, "nope"),
        (["suggest", "a cat", "--mode", "loud"], 2, "loud"),
        (["suggest", "a cat", "--max-tokens", "0"], 2, "at least 1 token"),
        (["explain", "a cat", "--policy", "rules", "--family", "nope", "-o", "/tmp"], 2, "cannot be asked for 'nope'"),
        (["paint"], 2, "either a prompt or --from"),
        (["paint", "a cat", "-n", "0"], 2, "-n"),
        (["paint", "a cat", "--steps", "0"], 2, "steps"),
        (["paint", "a cat", "--size", "big"], 2, "WIDTHxHEIGHT"),
        (["paint", "a cat", "--model", "/no/such/model"], 1, "/no/such/model"),
        (["paint", "a cat", "--weighting", "nope"], 2, "nope"),
        (["paint", "a cat", "--cfg", "nan"], 2, "guidance_scale"),
        (["paint", "--from", "/no/such.png"], 1, "/no/such.png"),
        (["score", "/no/such.png", "--prompt", "a", "--scorers", "nope"], 2, "nope"),
        (["policies", "pull", "owner/name", "-o", "x"], 2, "hf:owner/name"),
        (["policies", "info", "hf:owner/name"], 2, "policies pull"),
        (["nonsense"], 2, "nonsense"),
        (["suggest", "a", "photo", "of", "--json", "cat"], 2, "photo of cat; put the prompt in quotes"),
        (["suggest", "a cat", "--jsn"], 2, "unrecognized arguments: --jsn; `negopt suggest --help`"),
        (["--json", "suggest", "a cat"], 2, "--json stands before the command; write flags behind the command"),
        (["--steps", "3", "paint", "a cat"], 2, "--steps stands before the command"),
    ],
)
def test_bad_input_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    got, out, err = run(capsys, *arguments)
    assert (got, out) == (code, "")
    assert says in err and "Traceback" not in err
    assert sum(line.startswith("negopt") for line in err.splitlines()) == 1


@pytest.mark.parametrize("prompt", ["", " ", "\x00\x07\x1b[31m", "a" * 100_000, "a, " * 30_000, "🐈" * 1000, "[" * 500])
def test_strange_prompts_get_an_answer(capsys: pytest.CaptureFixture[str], prompt: str) -> None:
    code, out, err = run(capsys, "suggest", prompt, "--json")
    assert code == 0 and err == ""
    assert json.loads(out)["prompt"] == prompt


def test_malformed_windows_and_weights_are_warned_of_and_taken_literally(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("a [cat:0-2:1]", "a [cat:0.5-0.5:1]", "a [cat:0-1:nan]", "a [cat:0-1:99999]"):
        _, out, _ = run(capsys, "suggest", text, "--json", "--mode", "modifiers")
        values = json.loads(out)
        assert values["positive"].startswith(text) and "taken literally" in values["warnings"][0]


def test_the_help_that_an_error_names_is_one_that_can_be_called() -> None:
    command = [sys.executable, "-m", "negopt_core", "suggest"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, text=True, check=False)
    assert done.returncode == 2 and "`python -m negopt_core suggest --help`" in done.stderr
    assert (
        "usage: python -m negopt_core"
        in subprocess.run([*command[:-1], "--help"], capture_output=True, cwd=ROOT, text=True, check=False).stdout
    )


def test_policies_can_be_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "policies", "list", "--json")
    assert {"rules", "static"} <= {entry["name"] for entry in json.loads(out)["policies"]}
    _, out, _ = run(capsys, "policies", "info", "rules:sdxl", "--json")
    assert json.loads(out)["families"] == ["sdxl"]


def test_a_reader_that_hangs_up_early_is_no_error() -> None:
    command = f"yes 'a photo of a cat' | head -300 | {sys.executable} -m negopt_core suggest - --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT, text=True, check=False)
    assert json.loads(done.stdout)["policy"] == default_policy()
    assert done.stderr == ""
