"""The table of what acts at CFG 1: every row is whole, and what is offered for a family is what acts on it."""

from pathlib import Path

import pytest

from negopt_core import PromptPair
from negopt_core.json_text import read_json
from negopt_core.text.checks import Finding, Setup, inspect_setup
from negopt_core.text.guidance import TABLE, advice, guidance_of, guidance_of_config

ROWS = read_json(TABLE.read_text(encoding="utf-8"))["families"]
PLAIN = PromptPair.plain("a cat in a garden", "blurry, grain")


def found(**setup: object) -> tuple[Finding, ...]:
    return inspect_setup(PLAIN, Setup(cfg=1.0, **setup))  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ROWS)
def test_every_row_is_measured_whole(family: str) -> None:
    row = ROWS[family]
    assert set(row) == {"also", "configs", "cfg", "nag_tokens", "pack"}
    assert isinstance(row["cfg"], bool) and isinstance(row["pack"], bool)
    assert row["nag_tokens"] is None or row["nag_tokens"] >= 0
    assert row["configs"] and all(guidance_of_config(config) == guidance_of(family) for config in row["configs"])


def test_no_name_means_two_families() -> None:
    names = [name for family, row in ROWS.items() for name in (family, *row["also"])]
    configs = [config for row in ROWS.values() for config in row["configs"]]
    assert len(set(names)) == len(names) and len(set(configs)) == len(configs)


@pytest.mark.parametrize(
    ("family", "remedies"),
    [
        ("sdxl", ("nag", "raise-cfg", "positive")),
        ("Pony", ("nag", "raise-cfg", "positive")),
        ("flux", ("nag", "raise-cfg", "positive")),
        ("klein", ("nag", "raise-cfg", "positive")),
        ("z-image", ("raise-cfg", "nag-pack", "positive")),
        ("qwen-image", ("raise-cfg", "positive")),
        ("chroma", ("raise-cfg", "nag-pack", "positive")),
        ("krea2", ("raise-cfg", "positive")),
    ],
)
def test_what_is_offered_acts_on_the_family(family: str, remedies: tuple[str, ...]) -> None:
    guidance = guidance_of(family)
    assert guidance is not None and guidance.remedies == remedies


@pytest.mark.parametrize(
    ("family", "says", "hides"),
    [
        ("flux", "put NAGuidance before the sampler", "never called"),
        ("z-image", "NAGuidance is never called by z-image", "put NAGuidance"),
        ("z-image", "ComfyUI-NAG-Extended", "put NAGuidance"),
        ("qwen-image", "say in the positive", "ComfyUI-NAG-Extended"),
        ("chroma", "same number of tokens", "put NAGuidance"),
        ("a model of tomorrow", "the model family, which is not known", "put NAGuidance"),
        (None, "raise CFG to 1.5 to 2", "put NAGuidance"),
    ],
)
def test_the_advice_names_what_acts_and_nothing_else(family: str | None, says: str, hides: str) -> None:
    text = advice(guidance_of(family))
    assert says in text and hides not in text


@pytest.mark.parametrize(
    ("family", "says"),
    [("flux", "raise CFG"), ("z-image", "raise CFG"), ("wan", "say in the positive"), (None, "raise CFG")],
)
def test_elsewhere_the_advice_names_nothing_of_comfyui(family: str | None, says: str) -> None:
    text = advice(guidance_of(family), in_comfyui=False)
    assert says in text and "NAG" not in text and text.endswith("say in the positive what you want instead")


@pytest.mark.parametrize(
    ("family", "code", "says"),
    [
        ("flux", None, ""),
        ("flux2", None, ""),
        ("z-image", "cfg-one", "never called by z-image"),
        ("wan", "cfg-one", "say in the positive"),
        ("chroma", "nag-unsure", "same number of tokens"),
        (None, "nag-unsure", "not known"),
    ],
)
def test_nag_quiets_the_meter_only_where_it_acts(family: str | None, code: str | None, says: str) -> None:
    findings = found(nag=True, model_family=family)
    assert [finding.code for finding in findings] == ([code] if code else [])
    assert all(says in str(finding) for finding in findings)


def test_without_nag_cfg_one_is_a_warning_in_every_family() -> None:
    for family in (*ROWS, None):
        assert [(finding.code, finding.severity) for finding in found(model_family=family)] == [("cfg-one", "warning")]


def test_the_page_of_the_docs_says_what_the_table_says() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "guidance.md").read_text(encoding="utf-8")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "| no |" in line]
    said = {cells[1].strip("`"): cells[3:] for cells in lines}
    assert said.keys() == ROWS.keys()
    for family, row in ROWS.items():
        tokens = row["nag_tokens"]
        nag = "never called" if tokens is None else f"up to {tokens} tokens" if tokens else "same number of tokens"
        cfg, core, pack = said[family]
        assert (cfg == "yes") is row["cfg"] and nag in core and (pack == "acts") is row["pack"], family
