"""The nodes that find policies, write prompts and save pictures."""

from __future__ import annotations

import json
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boot
import stage
import torch
from stage import checkpoint, node, run, same, stock

ASK = {"prompt": "a photo of a cat", "negative": "", "mode": "negative and modifiers", "seed": 1}


@contextmanager
def models_folder() -> Any:
    """A `models/negopt` of our own for the time being."""
    import folder_paths

    stage.module("nodes.policy").policy_folders()
    before = folder_paths.folder_names_and_paths["negopt"]
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.folder_names_and_paths["negopt"] = ([folder], set())
        try:
            yield Path(folder)
        finally:
            folder_paths.folder_names_and_paths["negopt"] = before


def write_policy(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir()
    card = {"format_version": 1, "kind": "static", "name": name, "polarity": "negative", "settings": {"negative": text}}
    (folder / name / "policy.json").write_text(json.dumps(card))


def fault(call: Any, *words: str) -> None:
    """The call fails with one of our own errors, and the message holds the words."""
    try:
        call()
    except Exception as error:
        told = f"{type(error).__module__}: {error}"
        assert ".negopt_core.errors" in told, told
        assert all(word in told for word in words), told
    else:
        raise AssertionError("it did not fail")


def check_every_node_has_what_the_page_shows() -> None:
    _, nodes = stage.pack()
    ids = {"DemoModel", "Encode", "LoadPolicy", "OneClick", "SamplerHook", "SaveProvenance", "Suggest", "Timeline"}
    ids |= {"Score", "Compare", "Explain"}
    assert nodes.keys() == {f"NegOpt{name}" for name in ids}
    for node_class in nodes.values():
        node_class.GET_SCHEMA()  # ComfyUI's own validation
        schema = node_class.define_schema()
        help_page = boot.REPOSITORY / "web" / "docs" / f"{schema.node_id}.md"
        assert help_page.is_file(), f"no help page for {schema.node_id}"
        assert schema.description and schema.display_name.startswith("negopt: ") and schema.category == "negopt"


def check_a_node_that_speaks_to_its_place_is_not_shared_between_workflows() -> None:
    """ComfyUI would give a cached node of another workflow, whose id is where warnings and percents would go."""
    _, nodes = stage.pack()
    speaking = {name for name, node in nodes.items() if "unique_id" in node.INPUT_TYPES().get("hidden", {})}
    assert {"NegOptSamplerHook", "NegOptEncode", "NegOptTimeline"} <= speaking
    assert speaking == {name for name, node in nodes.items() if node.NOT_IDEMPOTENT}


def check_the_built_in_rules_write_both_prompts() -> None:
    positive, negative, _, record = node("NegOptSuggest").execute(**ASK).result
    assert positive.startswith("a photo of a cat") and negative
    told = json.loads(record)
    assert told["policy"] and len(told["policy_hash"]) == 64 and told["df_negative"] == negative


def check_the_same_inputs_write_the_same_prompts() -> None:
    assert node("NegOptSuggest").execute(**ASK).result == node("NegOptSuggest").execute(**ASK).result


def check_the_users_own_negative_stays_first() -> None:
    negative = node("NegOptSuggest").execute(**{**ASK, "negative": "my own words"}).result[1]
    assert negative.startswith("my own words, ")


def check_a_mode_leaves_the_other_side_alone() -> None:
    positive = node("NegOptSuggest").execute(**{**ASK, "mode": "negative"}).result[0]
    assert positive == "a photo of a cat"
    negative = node("NegOptSuggest").execute(**{**ASK, "mode": "modifiers"}).result[1]
    assert negative == ""


def check_a_seed_from_a_sampler_is_taken() -> None:
    assert node("NegOptSuggest").execute(**{**ASK, "seed": 2**64 - 1}).result[0]


def check_locked_texts_are_used_as_they_are() -> None:
    class Never:
        def suggest(self, *_: Any) -> Any:
            raise AssertionError("a locked node asked its policy")

    locked = {"locked": True, "locked_positive": "x [y:1-0.5:1]", "locked_negative": "z", "policy": Never()}
    assert node("NegOptSuggest").execute(**ASK, **locked).result[:2] == ("x [y:1-0.5:1]", "z")
    assert node("NegOptSuggest").check_lazy_status(**{**ASK, **locked, "policy": None}) == []
    assert node("NegOptSuggest").check_lazy_status(**ASK, locked=False, policy=None) == ["policy"]
    assert node("NegOptSuggest").check_lazy_status(**ASK, locked=False) == []


def check_a_lock_without_texts_is_said() -> None:
    suggest = node("NegOptSuggest").execute
    told = suggest(**ASK, locked=True).result
    assert told[:2] == ("", "") and "both locked texts are empty" in told[2]
    assert not suggest(**ASK, locked=True, locked_negative="z").result[2]
    assert not suggest(**{**ASK, "prompt": " "}, locked=True).result[2]


def check_a_policy_in_the_models_folder_is_offered_and_loaded() -> None:
    with models_folder() as folder:
        write_policy(folder, "mine", "ugly things")
        assert "mine" in stage.module("nodes.policy").policy_menu().names()
        policy, card = node("NegOptLoadPolicy").execute(policy="mine").result
        assert "name: mine" in card
        assert "ugly things" in node("NegOptSuggest").execute(**ASK, policy=policy).result[1]


def check_a_loader_asks_for_the_family_and_old_names_still_load() -> None:
    load = node("NegOptLoadPolicy").execute
    assert "made for: sdxl" in load(policy="negopt", family="sdxl").result[1]
    assert "made for: any model" in load(policy="negopt").result[1]
    for name in ("negopt:flux", "negopt-scheduled:sdxl", "rules:sdxl"):
        assert f"made for: {name.split(':')[1]}" in load(policy=name, family="any").result[1]
    assert "name: static" in load(policy="static", family="sdxl").result[1]
    offered = stage.module("nodes.policy").policy_choices
    assert offered(False)[0] == "negopt" and not any(name.startswith("negopt:") for name in offered(False))
    assert "negopt:sdxl" in offered(True) and offered(True)[-1].startswith("world")


def check_what_most_people_leave_alone_is_advanced() -> None:
    for kind, shown in (
        ("NegOptOneClick", ["policy", "prompt", "negative"]),
        ("NegOptSuggest", ["prompt", "negative"]),
    ):
        inputs = [one for one in node(kind).define_schema().inputs if hasattr(one, "default")]
        assert [one.id for one in inputs if not one.as_dict().get("advanced")] == shown


def check_a_broken_card_hides_nothing_else() -> None:
    with models_folder() as folder:
        (folder / "broken").mkdir()
        (folder / "broken" / "policy.json").write_text("{")
        assert {"rules", "broken"} <= set(stage.module("nodes.policy").policy_menu().names())
        fault(lambda: node("NegOptLoadPolicy").execute(policy="broken"), "policy.json")


def check_a_missing_policy_is_named_with_its_place() -> None:
    with models_folder() as folder:
        assert node("NegOptLoadPolicy").validate_inputs("gone") is True
        fault(lambda: node("NegOptLoadPolicy").execute(policy="gone"), "'gone'", str(folder), "locked")


def check_pickled_weights_are_refused() -> None:
    with models_folder() as folder:
        write_policy(folder, "pickled", "x")
        (folder / "pickled" / "model.bin").write_bytes(b"")
        fault(lambda: node("NegOptLoadPolicy").execute(policy="pickled"), "model.bin", "safetensors")


def check_a_policy_is_read_again_only_when_its_files_change() -> None:
    state = node("NegOptLoadPolicy").fingerprint_inputs
    with models_folder() as folder:
        write_policy(folder, "mine", "one")
        first = state("mine")
        assert state("mine") == first and state("rules") == state("rules")
        (folder / "mine" / "policy.json").write_text("{ }")
        assert state("mine") != first


def check_one_click_is_the_wired_graph() -> None:
    model, clip = checkpoint()
    click = node("NegOptOneClick").execute(model=model, clip=clip, policy="negopt", weighting="comfy", **ASK).result
    positive, negative = node("NegOptSuggest").execute(**ASK).result[:2]
    wired = run(stage.hooked(), stage.encoded(positive), stage.encoded(negative))
    assert same(run(*click[:3]).latent, wired.latent)
    assert click[3:5] == (positive, negative)
    assert not same(wired.latent, run(model, stock("a photo of a cat"), stock("")).latent)


def check_the_saved_workflow_holds_the_written_texts() -> None:
    lock = stage.module("nodes.workflow").lock_in_workflow
    extra = {"workflow": {"nodes": [{"id": 7, "widgets_values": ["p", "", "m", 1, "fixed", False, "", ""]}]}}
    assert lock(extra, "7", "plus", "minus")
    assert extra["workflow"]["nodes"][0]["widgets_values"] == ["p", "", "m", 1, "fixed", True, "plus", "minus"]
    assert not lock(extra, "8", "plus", "minus") and not lock(None, "7", "", "") and not lock({}, "7", "", "")


def check_pictures_say_how_they_were_made() -> None:
    provenance = stage.module("nodes.provenance")
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x.safetensors"}},
        "2": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 5,
                "steps": 9,
                "cfg": 4.5,
                "sampler_name": "heun",
                "scheduler": "beta",
                "model": ["1", 0],
            },
        },
        "3": {"class_type": "VAEDecode", "inputs": {"samples": ["2", 0], "vae": ["1", 2]}},
        "4": {"class_type": "NegOptSaveProvenance", "inputs": {"images": ["3", 0]}},
    }
    hidden = SimpleNamespace(prompt=graph, extra_pnginfo={"workflow": {}}, unique_id="4")
    record = node("NegOptSuggest").execute(**{**ASK, "negative": "[näh:1-0.5:1]"}).result[3]
    chunks = provenance.make_chunks(record, hidden)
    assert chunks.keys() == {"prompt", "workflow", "negopt_comfyui", "parameters"}
    lines = chunks["parameters"].splitlines()
    assert lines[0].startswith("a photo of a cat") and lines[1].startswith("Negative prompt: näh")
    assert "Steps: 9, Sampler: heun, Schedule type: beta, CFG scale: 4.5, Seed: 5, Model: x.safetensors" in lines[2]
    assert json.loads(chunks["negopt_comfyui"])["df_negative"].startswith("[näh:")
    fault(lambda: provenance.make_chunks("hello", hidden), "record")


def check_a_saved_picture_reads_back() -> None:
    import folder_paths
    from PIL import Image

    before = folder_paths.get_output_directory()
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.set_output_directory(folder)
        try:
            record = node("NegOptSuggest").execute(**ASK).result[3]
            saved = node("NegOptSaveProvenance").execute(torch.rand(2, 8, 8, 3), "sub/x", record).ui["images"]
            read = [Image.open(Path(folder) / one["subfolder"] / one["filename"]) for one in saved]
        finally:
            folder_paths.set_output_directory(before)
        assert [picture.size for picture in read] == [(8, 8)] * 2
        assert read[0].text["parameters"].startswith("a photo of a cat")


def check_malformed_text_is_literal_and_reported_with_its_place() -> None:
    report = node("NegOptEncode").execute(clip=checkpoint()[1], df_text="a [b:1-2:1] c").result[1]
    assert "character 2" in report and "taken literally" in report
    text, plain, report, *_ = node("NegOptTimeline").execute(df_text="a, [b:1-.5:1]", steps=10).result
    assert text == "a, [b:0.5-1:1]" and plain == "a, b"
    assert report.splitlines() == ["steps 0 to 4: a, b", "steps 5 to 9: a"]
    weighed = node("NegOptTimeline").execute(df_text="a[, b:1-.5:1.2]", steps=10).result[2]
    assert weighed.splitlines() == ["steps 0 to 4: a, (b:1.2)", "steps 5 to 9: a"]


def check_a_missing_text_encoder_is_said_in_words() -> None:
    fault(lambda: node("NegOptEncode").execute(clip=None, df_text="a"), "CLIP")


def check_sigmas_that_do_not_fall_are_refused() -> None:
    encode = node("NegOptEncode").execute
    fault(lambda: encode(clip=checkpoint()[1], df_text="a[b:1-0.5:1]", sigmas=torch.tensor([1.0])), "sigmas")


def check_long_and_crowded_prompts_are_encoded() -> None:
    words = " ".join(f"word{n % 50}" for n in range(5000))
    assert stage.encoded(words)[0][0].shape[1] > 5000
    crowded = "a" + "".join(f"[, w{n}:{1 - n / 50:.3f}-{1 - (n + 1) / 50:.3f}:1]" for n in range(50))
    assert len(stage.encoded(crowded)) == 50
    assert len(run(stage.hooked(), stock("a"), stage.encoded(crowded), steps=3).batches) == 3


def check_brackets_do_not_swallow_weights() -> None:
    host_text = stage.module("nodes.encode").host_text
    cases = [
        ((("a :( cat, ", 1.0), ("misty", 0.75)), r"a :\( cat, (misty:0.75)"),
        ((("a (red) cat, ", 1.0), ("misty) x", 0.75)), r"a (red) cat, (misty\) x:0.75)"),
        ((("(a cat, ", 1.0), ("misty", 0.5), (":1.2)", 1.0)), "(a cat, (misty:0.5):1.2)"),
        (((r"a \( b", 1.0), ("c", 2.0)), r"a \( b(c:2)"),
        ((("a :( cat", 1.0),), "a :( cat"),
        ((("a\\", 1.0), (", misty", 0.75)), r"a\ (, misty:0.75)"),
        ((("(a\\\\", 1.0), ("misty", 0.75), (":1.2)", 1.0)), r"(a\\ (misty:0.75):1.2)"),
    ]
    for parts, wanted in cases:
        assert host_text(parts) == wanted, (host_text(parts), wanted)


def check_comfyui_reads_the_words_and_weights_that_were_meant() -> None:
    from comfy.sd1_clip import escape_important, token_weights, unescape_important

    host_text = stage.module("nodes.encode").host_text
    draw = random.Random(0)
    for _ in range(3000):
        letters = "ab1 .,:\\\\" + draw.choice("()")  # one kind of bracket: loose, so that it is a character
        parts = tuple(
            ("".join(draw.choices(letters, k=draw.randint(1, 5))), draw.choice([1.0, 0.75, 1.25]))
            for _ in range(draw.randint(1, 4))
        )
        read = token_weights(escape_important(host_text(parts)), 1.0)
        found = read_runs((unescape_important(words), weight) for words, weight in read)
        meant = read_runs((words, weight) for words, weight in read_parts(parts))
        assert found == meant, (parts, host_text(parts))


def read_parts(parts: Any) -> list[tuple[str, float]]:
    """Plain neighbours are one text; a backslash in front of a bracket is ComfyUI's escape, and goes."""
    joined: list[tuple[str, float]] = []
    for words, weight in parts:
        if joined and weight == joined[-1][1] == 1.0:
            words = joined.pop()[0] + words
        joined.append((words, weight))
    return [(words.replace("\\(", "(").replace("\\)", ")"), weight) for words, weight in joined]


def read_runs(parts: Any) -> list[tuple[str, float]]:
    """Neighbours of one weight as one, without spaces at their ends, which no tokenizer sees."""
    runs: list[tuple[str, float]] = []
    for words, weight in parts:
        if runs and runs[-1][1] == weight:
            words = runs.pop()[0] + words
        runs.append((words, weight))
    return [(words.strip(), weight) for words, weight in runs if words.strip()]
