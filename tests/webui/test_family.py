"""STUB contract: the words and the checks depend on the loaded checkpoint in the same way as in ComfyUI."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from webui_page import Page
from webui_stub import StubWebui

from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.store import default_policy
from negopt_core.policy.token_estimate import roomy_budget
from negopt_webui.api import suggest as answer_program
from negopt_webui.model_family import family_of

PROMPT = "a photo of a cat"


def named(file: str, **flags: bool) -> Any:
    return SimpleNamespace(sd_checkpoint_info=SimpleNamespace(name=file), **flags)


def load(webui: StubWebui, file: str) -> None:
    """The checkpoint that the webui has in memory from now on."""
    webui.model.sd_checkpoint_info = SimpleNamespace(name=file)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        (None, ""),
        (object(), ""),
        (named("mine.safetensors", is_sd1=True), "sd15"),
        (named("mine.safetensors", is_sdxl=True, is_sd1=False), "sdxl"),
        (type("QwenImage", (), {})(), "qwen-image"),
        (named("folder/ponyDiffusionV6XL.safetensors", is_sdxl=True), "pony"),
    ],
)
def test_a_family_is_told_by_the_files_name_and_else_by_the_host(model: Any, family: str) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize("file", ["mine.safetensors", "ponyDiffusionV6XL.safetensors", "chroma-v1.safetensors"])
def test_a_button_writes_the_words_that_comfyui_writes(webui: StubWebui, page: Page, file: str) -> None:
    load(webui, file)
    family = family_of(webui.model) or None
    options = SuggestOptions(("negative",), max_tokens=roomy_budget(family, PROMPT), model_family=family)
    (wanted,) = suggest(load_policy(default_policy(family or "")), [PROMPT], options)
    page.ours.write_negative.fire("click")
    assert page.negative.value == wanted.negative


def test_a_checkpoint_that_forge_will_load_counts_before_it_is_loaded(webui: StubWebui, page: Page) -> None:
    data = webui.module.sd_models.model_data
    data.forge_loading_parameters = {"checkpoint_info": SimpleNamespace(name="ponyDiffusionV6XL.safetensors")}
    page.ours.write_negative.fire("click")
    assert "score_4" in page.negative.value


def test_a_named_family_goes_before_the_checkpoints(webui: StubWebui, page: Page) -> None:
    page.ours.family.value = "pony"
    page.ours.write_negative.fire("click")
    assert "score_4" in page.negative.value
    made = webui.run(webui.job(True, "negopt", "negative", "", "", "both", 0, "pony"))
    assert "score_4" in made.infotexts[0] and "NegOpt error" not in made.infotexts[0]
    answer = answer_program(
        webui.module.MENU, webui.module.HOST, json.dumps({"prompt": "x", "family": "pony"}).encode()
    )
    assert "score_4" in answer[1]["negative"]
    page.ours.policy.value, page.ours.family.value = "static", "pony"
    page.ours.write_negative.fire("click")
    assert "static cannot be asked for &#x27;pony&#x27;" in page.ours.line.value


def test_the_schedule_follows_the_family_too(webui: StubWebui, page: Page) -> None:
    load(webui, "ponyDiffusionV6XL.safetensors")
    page.ours.fill_schedule.fire("click")
    assert "score_4" in page.ours.negative.value and ":0-" in page.ours.negative.value


def test_a_job_follows_the_checkpoint_it_is_made_with(webui: StubWebui) -> None:
    load(webui, "ponyDiffusionV6XL.safetensors")
    assert "score_4" in webui.run(webui.job(True, "negopt", "negative")).infotexts[0]
    assert "score_4" not in webui.run(webui.job(True, "rules", "negative")).infotexts[0]


def test_the_checks_know_the_checkpoint(webui: StubWebui, page: Page) -> None:
    load(webui, "mine-sdxl.safetensors")
    page.ours.family.value = "pony"
    page.ours.family.fire("change")
    assert "▲ the policy was made for &#x27;pony&#x27;, the model is &#x27;sdxl&#x27;" in page.ours.times.value
    page.ours.family.value = "automatic"
    page.ours.family.fire("change")
    assert page.ours.times.value == ""


def test_the_checks_know_the_embeddings(webui: StubWebui, page: Page, tmp_path: Path) -> None:
    webui.module.shared.cmd_opts.embeddings_dir = str(tmp_path)
    page.ours.negative.value = "EasyNegative"
    page.ours.negative.fire("change")
    assert "no embedding file of that name" in page.ours.times.value
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "EasyNegative.safetensors").write_bytes(b"")
    page.ours.negative.fire("change")
    assert "embedding" not in page.ours.times.value


def test_the_checks_count_tokens_as_comfyui_does(page: Page) -> None:
    page.ours.negative.value = ", ".join(f"phrase {number}" for number in range(40))
    page.ours.negative.fire("change")
    assert "the text encoder takes 75 at once" in page.ours.times.value


def test_a_policy_of_the_longer_list_goes_into_the_box(page: Page) -> None:
    page.ours.others.value = "rules"
    page.ours.others.fire("change")
    assert page.ours.policy.value == "rules"
    page.ours.others.value = None
    page.ours.others.fire("change")
    assert page.ours.policy.value == "rules"


def test_a_grid_of_families_lets_the_policy_write(webui: StubWebui) -> None:
    p = webui.job(False)
    webui.module.axes.setter("family")(p, "pony", [])
    assert "score_4" in webui.run(p).infotexts[0]
