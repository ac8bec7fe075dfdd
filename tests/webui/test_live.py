"""Inside a real webui: the same pixels as the same schedule in the webui's own notation, and what travels in pictures.

`make test-host` with NEGOPT_WEBUI_URL set; `docs/a1111.md` says on which hosts and versions this has passed.
"""

import base64
import io
import json
import time
from typing import Any

import pytest
from PIL import Image
from webui_live import HIRES_STEPS, SECOND_ORDER, SIDE, STEPS, Live, Made, Refused, find_live

from negopt_core.provenance.plan import Passes, read_plan
from negopt_core.text.df_text import parse_prompt
from negopt_webui.native import add_schedule

pytestmark = pytest.mark.host

LATE = "[vivid colours:0-0.5:1]"
LONG = ", ".join(f"a red house number {number} by the sea" for number in range(12))  # more than one chunk of tokens

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "late words": (LATE, "", {}),
    "early words": ("[vivid colours:0.5-1:1]", "", {}),
    "words in the middle, weighted": ("[vivid colours:0.25-0.75:1.3]", "", {}),
    "the negative side": ("", "[mud:0-0.5:1.2], [fog:0.5-1:1]", {}),
    "both sides": (LATE, "[mud:0-0.25:0.8]", {}),
    "overlapping windows": ("[one:0-0.5:1], [two:0.25-1:0.7], [three:0.25-0.75:1.2]", "", {}),
    "Euler a": (LATE, "", {"sampler_name": "Euler a"}),
    "DPM++ 2M": (LATE, "", {"sampler_name": "DPM++ 2M"}),
    "DDIM": (LATE, "", {"sampler_name": "DDIM"}),
    "Heun": (LATE, "[mud:0-0.25:1]", {"sampler_name": "Heun"}),
    "DPM++ SDE": (LATE, "", {"sampler_name": "DPM++ SDE"}),
    "a batch of two, twice": (LATE, "[mud:0-0.5:1]", {"batch_size": 2, "n_iter": 2}),
    "CFG 1": (LATE, "[mud:0-0.5:1]", {"cfg_scale": 1.0}),
    "hires, both passes": (LATE, "[mud:0-0.5:1]", {"enable_hr": True}),
    "hires, the first pass only": (LATE, "[mud:0-0.5:1]", {"enable_hr": True, "passes": "first"}),
    "hires, the second pass only": (LATE, "[mud:0-0.5:1]", {"enable_hr": True, "passes": "hires"}),
    "hires, Heun": (LATE, "", {"enable_hr": True, "sampler_name": "Heun"}),
    "AND with weights": (LATE, "", {"prompt": "a red house AND the sea :0.6"}),
    "the user's own editing": (LATE, "", {"prompt": "a [red:blue:3] house, [in the snow:0.6]"}),
    "alternating words": (LATE, "", {"prompt": "a [red|blue] house"}),
    "BREAK": (LATE, "", {"prompt": "a red house BREAK the sea"}),
    "emphasis around it": ("[a (big) dog:0-0.5:1.1]", "", {"prompt": "a (red:1.2) house"}),
    "more than one chunk": (LATE, "[mud:0-0.5:1]", {"prompt": LONG, "negative": LONG.replace("red", "grey")}),
}


@pytest.fixture(scope="module")
def live() -> Live:
    """The webui; the whole module is skipped, loudly, without one."""
    found = find_live()
    if not isinstance(found, Live):
        pytest.skip(found)
    return found


def on(positive: str, negative: str = "", passes: str = "both", writes: str = "nothing") -> list[Any]:
    return [True, "rules", writes, positive, negative, passes, 0]


def both_ways(live: Live, positive: str, negative: str, case: dict[str, Any]) -> tuple[Made, Made]:
    """The same schedule as ours, and as the webui's own prompt editing."""
    settings = {"prompt": "a red house by the sea", "negative": "grey", "passes": "both", **case}
    prompt, own, passes = (settings.pop(name) for name in ("prompt", "negative", "passes"))
    factor = 2 if settings.get("sampler_name") in SECOND_ORDER else 1
    hires = HIRES_STEPS * factor if settings.get("enable_hr") else None
    native = [
        add_schedule(text, parse_prompt(words), is_negative, STEPS * factor, hires, passes)
        for text, words, is_negative in ((prompt, positive, False), (own, negative, True))
    ]
    return live.paint(prompt, own, on(positive, negative, passes), **settings), live.paint(*native, **settings)


@pytest.mark.parametrize("case", CASES)
def test_the_pixels_are_those_of_the_hosts_own_notation(case: str, live: Live) -> None:
    positive, negative, settings = CASES[case]
    ours, native = both_ways(live, positive, negative, settings)
    assert "NegOpt error" not in ours.infotexts[0]
    assert live.are_same(ours, native)


@pytest.mark.parametrize(
    ("ours", "other"),
    [
        (LATE, "[vivid colours:0-0.375:1]"),  # one step later
        (LATE, "[vivid colours:0-0.625:1]"),  # one step earlier
        (LATE, "[vivid colours:0-0.5:1.1]"),
        (LATE, "[vivid tones:0-0.5:1]"),
        (LATE, ""),
    ],
)
def test_a_slip_of_one_step_or_a_tenth_of_weight_would_show(ours: str, other: str, live: Live) -> None:
    """Without this the equalities above would mean nothing."""
    made = live.paint("a red house", ours=on(ours))
    assert not live.are_same(made, live.paint("a red house", ours=on(other)))
    native = add_schedule("a red house", parse_prompt(other), False, STEPS, None, "both")
    assert not live.are_same(made, live.paint(native))


def test_words_for_the_whole_run_are_plain_text(live: Live) -> None:
    ours = live.paint("a red house", "grey", on("vivid", "mud"))
    assert ours.pixels == live.paint("a red house, vivid", "grey, mud").pixels


def test_windows_count_the_steps_that_run_below_denoise_1(live: Live) -> None:
    """8 steps at 0.5 run 5 of them: two fifths are over after the second."""
    again = {"init_images": [live.paint("a red house").encoded[0]], "denoising_strength": 0.5}
    ours = live.paint("a red house", "grey", on("[vivid colours:0-0.6:1]"), **again)
    native = add_schedule("a red house", parse_prompt("[vivid colours:0-0.6:1]"), False, 5, None, "both")
    assert native == "a red house[, vivid colours:1]"
    assert live.are_same(ours, live.paint(native, "grey", **again))
    assert not live.are_same(ours, live.paint(native.replace(":1]", ":2]"), "grey", **again))


def test_off_is_as_if_it_were_not_there_before_and_after(live: Live) -> None:
    plain = live.paint("a red house", "grey")
    off = live.paint("a red house", "grey", [False, "rules", "negative", LATE, LATE])
    live.paint("a red house", "grey", on(LATE, LATE))
    again = live.paint("a red house", "grey")
    assert plain.encoded == off.encoded == again.encoded
    assert plain.infotexts == again.infotexts and "NegOpt" not in plain.infotexts[0]


def plan_in(live: Live, made: Made, index: int = 0) -> str:
    return str(live.parameters(made.encoded[index])["NegOpt plan"])


def test_a_picture_made_by_a_policy_is_made_again_without_it(live: Live) -> None:
    made = live.paint("a photo of a cat", "", on(LATE, writes="negative and modifiers"))
    plan = read_plan(plan_in(live, made))
    record = json.loads(plan.to_json())
    assert plan.policy == "rules" and plan.negative.text
    again = live.paint("a photo of a cat", "", on(record["prompt"], record["negative"], plan.passes))
    assert again.pixels == made.pixels


def test_pictures_of_one_batch_carry_their_own_plans(live: Live) -> None:
    made = live.paint("a photo of a cat", "", on(LATE, writes="negative"), batch_size=2, n_iter=2)
    assert len(made.pictures) >= 4
    plans = {plan_in(live, made, index) for index in range(len(made.pictures))}
    assert all(read_plan(plan).negative.text for plan in plans)


def test_the_hosts_own_paste_gives_the_same_picture(live: Live) -> None:
    made = live.paint("a red house", "grey", on(LATE, "[mud:0-0.5:1]", "both"))
    try:
        answer = live.post("/sdapi/v1/txt2img", {"infotext": made.infotexts[0], "width": 64, "height": 64})
    except Refused as refused:
        if refused.status == 500 and live.is_forge:
            pytest.skip("Forge's API field 'infotext' fails by itself: NOT TESTED HERE")
        raise
    assert answer["images"][0] == made.encoded[0]


def test_a_failure_is_written_in_the_picture(live: Live) -> None:
    made = live.paint("a red house", "", on("[this AND that:0-0.5:1]"))
    assert "NegOpt error" in made.infotexts[0] and "NegOpt plan" not in made.infotexts[0]
    assert made.pixels == live.paint("a red house").pixels


def test_the_arguments_are_listed_and_may_be_few_or_many(live: Live) -> None:
    scripts = live.get("/sdapi/v1/script-info")
    (ours,) = [script for script in scripts if script["name"] == "negopt" and not script["is_img2img"]]
    assert [argument["value"] for argument in ours["args"]] == [
        False,
        "negopt",
        "nothing",
        "",
        "",
        "both",
        0,
        "automatic",
    ]
    plain = live.paint("a red house")
    assert live.paint("a red house", ours=[]).pixels == plain.pixels
    few, many = live.paint("a red house", ours=on(LATE)[:4]), live.paint("a red house", ours=[*on(LATE), 1, "x"])
    assert few.pixels == many.pixels != plain.pixels


def test_programs_can_ask_the_policies(live: Live) -> None:
    answer = live.post("/negopt/v1/suggest", {"prompt": "a photo of a (cat:1.2)", "mode": "negative"})
    assert answer["policy"] == "negopt" and answer["negative"] and answer["prompt"] == "a photo of a (cat:1.2)"
    assert "rules" in live.get("/negopt/v1/policies")["policies"]
    for body, status in ((b"{", 400), (b'{"prompt": 1}', 400), (b"x" * 100_000, 413)):
        with pytest.raises(Refused) as refused:
            live.post("/negopt/v1/suggest", body)
        assert refused.value.status == status


def test_an_audit_paints_the_webuis_own_pictures(live: Live) -> None:
    settings = {"steps": STEPS, "width": SIDE, "height": SIDE, "sampler_name": "Euler", "cfg_scale": 5}
    asked = {"prompts": ["a red house", "a cat AND a dog :0.5"], "negative": "(mud:1.2), fog, blurry", "pictures": 32}
    state = live.post("/negopt/v1/audit/start", {**asked, **settings, "seed": 5})
    first, run = state["asks"][0], state["run"]
    with pytest.raises(Refused) as refused:
        live.post("/negopt/v1/audit/start", {**asked, **settings})
    assert refused.value.status == 409
    texts = {"prompt": first["positive"], "negative_prompt": first["negative"], "seed": first["seed"]}
    made = live.post("/sdapi/v1/txt2img", {**texts, **settings, "scheduler": "Automatic"})  # gets its turn
    while not state["pairs"]:
        time.sleep(0.2)
        state = live.get(f"/negopt/v1/audit/state?run={run}")
        assert not state["problem"]
    stream = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(made["images"][0]))).convert("RGB").save(stream, "JPEG", quality=88)
    assert live.read(f"/negopt/v1/audit/picture?run={run}&id={first['id']}") == stream.getvalue()
    better, worse = state["pairs"][0]
    assert live.post("/negopt/v1/audit/click", {"run": run, "better": better, "worse": worse})["clicks"] == 1
    while live.post("/negopt/v1/audit/stop", {"run": run})["status"] == "stopping":
        time.sleep(0.2)
    assert live.read(f"/negopt/v1/audit/report?run={run}").startswith(b"<!doctype html>")
    page = live.press("negopt_audit_refresh", "click")
    assert f"{run}: " in page["negopt_audit_shown"]


def test_the_page_starts_an_audit_and_takes_a_click(live: Live) -> None:
    given = ["a red house\na lake", "", "mud, fog", 32, "clicks", STEPS, 5, "Euler", "Automatic", SIDE, SIDE]
    shown = live.press("negopt_audit_start", "click", *given)["negopt_audit_shown"]
    while "data:image/jpeg" not in shown:
        assert "of at most" in shown and "▲" not in shown, shown
        time.sleep(0.2)
        shown = live.press("negopt_audit_refresh", "click")["negopt_audit_shown"]
    assert live.get("/negopt/v1/audit/state")["clicks"] == 0
    live.press("negopt_audit_left", "click")
    assert live.get("/negopt/v1/audit/state")["clicks"] == 1
    live.press("negopt_audit_stop", "click")


def test_the_buttons_on_the_page_write_text(live: Live) -> None:
    asked = ("a photo of a cat AND a dog", "", "", "", "rules", 0)
    made = live.press("negopt_txt2img_write_negative", "click", *asked)
    assert made["txt2img_neg_prompt"].startswith("low quality") and "[" not in made["txt2img_neg_prompt"]
    assert "written by rules" in made["negopt_txt2img_line"]
    made = live.press("negopt_img2img_add_modifiers", "click", *asked)
    assert made["img2img_prompt"].count("sharp focus") == 2
    made = live.press("negopt_txt2img_fill_schedule", "click", *asked)
    assert "[sharp focus:0-0.5:0.75]" in made["negopt_txt2img_positive"]
    assert "[blurry:0-0.8:1]" in made["negopt_txt2img_negative"]
    page = ("both", 20, "Heun", True, 0)  # passes, steps, sampler, hires fix and its steps: all found on the page
    made = live.press("negopt_txt2img_to_native", "click", "a cat", "", "[art:0-0.5:1]", "", *page)
    assert made["txt2img_prompt"] == "a cat[[, art:19]:[, art:59]:40]"
    made = live.press("negopt_txt2img_positive", "change", "[art:0-0.5:1], <b>", "", "a cat", "", 20, 7, False)
    assert "steps 11 to 20 of 20: art, &lt;b&gt;" in made["negopt_txt2img_times"]
    assert "is not ticked" in made["negopt_txt2img_times"]


def test_the_pages_own_paste_button_restores_the_plan(live: Live) -> None:
    infotext = live.paint("a red house", "grey", on(LATE, "mud", "first")).infotexts[0]
    pasted = live.press("paste", "click", infotext)
    given = {name.removeprefix("negopt_txt2img_"): answer.get("value") for name, answer in pasted.items()}
    assert (given["enabled"], given["passes"], given["writes"]) == (True, "first", "nothing")
    assert (given["positive"], given["negative"]) == (LATE, "mud")
    foreign = live.press("paste", "click", infotext.replace("NegOpt plan", "Other plan"))
    assert foreign["negopt_txt2img_enabled"]["value"] is False and "value" not in foreign["negopt_txt2img_positive"]


def test_a_lora_tag_stays_alive(live: Live) -> None:
    loras = live.get("/sdapi/v1/loras")
    if not loras:
        pytest.skip("NOT TESTED WITH A LORA: this webui has none in models/Lora")
    tag = f"<lora:{loras[0]['name']}:1>"
    ours, native = both_ways(live, LATE, "[mud:0-0.5:1]", {"prompt": f"a red house {tag}"})
    assert live.are_same(ours, native)
    assert not live.are_same(ours, both_ways(live, LATE, "[mud:0-0.5:1]", {"prompt": "a red house"})[0])


def grid_arguments(live: Live, label: str, values: str) -> list[Any]:
    """The grid's own arguments, with one axis of ours and nothing drawn around the pictures."""
    scripts = live.get("/sdapi/v1/script-info")
    (grid,) = [script for script in scripts if script["name"] == "x/y/z plot" and not script["is_img2img"]]
    arguments = [argument.get("value") for argument in grid["args"]]
    labels = [argument["label"] for argument in grid["args"]]
    choices = grid["args"][labels.index("X type")]["choices"]
    arguments[labels.index("X type")] = choices.index(label)
    arguments[labels.index("X values")] = values
    for axis in "YZ":
        arguments[labels.index(f"{axis} type")] = 0
    arguments[labels.index("Include Sub Images")] = True
    arguments[labels.index("Draw legend")] = False
    return arguments


@pytest.mark.parametrize("label", ["[negopt] df_text", "[negopt] scheduled words, prompt"])
def test_each_cell_of_a_grid_has_its_own_words(label: str, live: Live) -> None:
    arguments = grid_arguments(live, label, '"[vivid:0-0.5:1]",fog')
    made = live.paint("a red house", script_name="x/y/z plot", script_args=arguments)
    wanted = [live.paint("a red house", ours=on(words)).pixels[0] for words in ("[vivid:0-0.5:1]", "fog")]
    assert wanted[0] != wanted[1]
    assert [pixels for pixels in made.pixels if pixels in wanted] == wanted


PASSES: tuple[Passes, ...] = ("both", "first", "hires")


@pytest.mark.parametrize("passes", PASSES)
def test_a_second_picture_with_the_same_words_is_no_other(passes: Passes, live: Live) -> None:
    """What was kept from the first job must be what would have been encoded for the second."""
    first = live.paint("a red house", "grey", on(LATE, LATE, passes), enable_hr=True)
    live.paint("a blue house", "grey", on(LATE, LATE, passes), override_settings={"CLIP_stop_at_last_layers": 2})
    assert live.paint("a red house", "grey", on(LATE, LATE, passes), enable_hr=True).pixels == first.pixels
