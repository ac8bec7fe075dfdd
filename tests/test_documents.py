"""The tools that keep the documents right: links, long sentences, the page of commands."""

import importlib
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
GONE = "/".join(("docs", "gone.md"))
"""In parts, since this file is looked at too."""


@pytest.fixture
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module(request.param)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A page of a repository."""
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "other.md").write_text(
        "# Other page\n\n## When, and `how`?\n\n## Twice\n\n## Twice\n\n```\n# code\n```\n"
    )
    return tmp_path


@pytest.mark.parametrize("tool", ["make_cli_page"], indirect=True)
def test_the_page_of_commands_is_what_the_parser_has(tool: ModuleType) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run `python tools/make_cli_page.py`"


@pytest.mark.parametrize("tool", ["make_cli_page"], indirect=True)
def test_a_flag_is_shown_with_its_value_and_default(tool: ModuleType) -> None:
    page = tool.page()
    assert "| `--steps STEPS` | sampler steps of the run | **needed** |" in page
    assert "| `--policy POLICY` | folder or name of a policy | negopt |" in page
    assert "| [`train ppo`](#train-ppo) |" in page and "\n## train ppo\n" in page


@pytest.mark.parametrize("tool", ["check_links"], indirect=True)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a](part/other.md) [b](part/other.md#when-and-how) [c](part/other.md#twice-1) [d](#here)\n\n# Here", []),
        ("![a](part/none)", ["page.md:1: there is no part/none"]),
        ("\n[a](part/other.md#code)", ["page.md:2: other.md has no heading #code"]),
        ("[a](Part/other.md)", ["page.md:1: there is no Part/other.md"]),
        ('<img src="no.png" width="9">', ["page.md:1: there is no no.png"]),
        ("[a](https://example.org/x) [b](mailto:a@b.c)", []),
        ("`[a](no.md)`\n\n```\n[a](no.md)\n```\n", []),
        (f"see `{GONE}`", [f"page.md:1: there is no {GONE}"]),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tool: ModuleType, pages: Path, text: str, says: list[str]) -> None:
    (pages / "page.md").write_text(text)
    assert list(tool.broken(pages, "page.md")) == says


@pytest.mark.parametrize("tool", ["check_links"], indirect=True)
def test_the_name_of_a_page_is_looked_at_in_code_too(tool: ModuleType, pages: Path) -> None:
    (pages / "code.py").write_text(f'"""{GONE}, https://x.org/{GONE}, web/{GONE}."""\n')
    assert list(tool.broken(pages, "code.py")) == [f"code.py:1: there is no {GONE}"]


@pytest.mark.parametrize("tool", ["check_reading"], indirect=True)
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{'word ' * 40}end.", [1]),
        (f"{'word ' * 39}end. Word {'word ' * 38}end.", []),
        (f"ok\n\n- {'word ' * 30}\n- {'word ' * 30}", []),
        (f"ok\n\n- {'word ' * 30}\n  {'word ' * 30}", [3]),
        (f"```\n{'word ' * 90}\n```", []),
        (f"| a | b |\n|---|---|\n| {'word ' * 30} | {'word ' * 30} |", []),
        (f"| a |\n|---|\n| {'word ' * 41} |", [3]),
        (f"`{'word ' * 41}` [{'word ' * 5}](some/very/long/address)", []),
        ("x" * 161, [1]),
    ],
)
def test_what_cannot_be_read_once_is_found(tool: ModuleType, text: str, lines: list[int]) -> None:
    wrapped = [fault for fault in tool.faults(text) if "words" in fault or "x" * 9 in text]
    assert [int(fault.partition(":")[0]) for fault in wrapped] == lines


@pytest.mark.parametrize("tool", ["check_reading"], indirect=True)
def test_faults_are_printed_with_their_page_and_fail(
    tool: ModuleType, pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "ROOT", pages)
    monkeypatch.setattr(tool, "PAGES", ("part/*.md",))
    assert tool.main() == 0 and "1 pages" in capsys.readouterr().out
    (pages / "part" / "other.md").write_text("word " * 41)
    assert tool.main() == 1 and capsys.readouterr().out.startswith("part/other.md:1: 41 words")


@pytest.mark.parametrize("tool", ["check_links"], indirect=True)
def test_no_link_of_the_repository_leads_nowhere(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    assert tool.main() == 0, capsys.readouterr().out
