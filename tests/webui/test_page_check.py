"""STUB contract: what the page says about the words in the boxes, and what a button's doing leaves on it."""

import pytest
from webui_page import Page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("[art:0-0.5:1]", "prompt, steps 6 to 10 of 10: art"),
        ("[art:0.9-1:1]", "prompt, step 1 of 10: art"),
        ("[art:0-2:1]", "a range needs 0 &lt;= low &lt; high &lt;= 1"),
        ("[art:0.51-0.52:1]", "holds none of the 10 steps"),
        ("(art:1.2)", "a weight is written [words:0-1:weight]"),
        ("<lora:art:1>", "networks go into the prompt box"),
        ("[this AND that:0-0.5:1]", "splits a prompt at &#x27;AND&#x27;"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("", ""),
    ],
)
def test_the_live_check_says_what_will_happen(page: Page, words: str, said: str) -> None:
    page.ours.positive.value = words
    page.ours.positive.fire("change")
    assert said in page.ours.times.value and "<img" not in page.ours.times.value


def test_the_live_check_knows_the_rest_of_the_page(page: Page) -> None:
    page.cfg.value, page.ours.negative.value = 1, "cat"
    page.ours.negative.fire("change")
    assert "CFG is 1" in page.ours.times.value and "raise CFG to 1.5 to 2" in page.ours.times.value
    assert "NAG" not in page.ours.times.value  # ComfyUI's node
    page.cfg.value = 7
    page.cfg.fire("change")
    assert "CFG is 1" not in page.ours.times.value and "steps 1 to 10 of 10: cat" in page.ours.times.value
    page.steps.value = 20
    page.steps.fire("change")
    assert "steps 1 to 20 of 20: cat" in page.ours.times.value


def test_words_for_a_pass_that_is_off_are_called_so(page: Page) -> None:
    page.ours.positive.value, page.ours.passes.value = "fog", "hires"
    page.ours.passes.fire("change")
    assert "hires fix is off" in page.ours.times.value
    page.hires.value = True
    page.hires.fire("change")
    assert "hires fix is off" not in page.ours.times.value


def test_words_that_wait_for_the_tick_are_called_so(page: Page) -> None:
    page.ours.fill_schedule.fire("click")
    assert "is not ticked" in page.ours.times.value
    page.ours.enabled.value = True
    page.ours.enabled.fire("change")
    assert "is not ticked" not in page.ours.times.value and "steps 6 to 10 of 10" in page.ours.times.value


def test_what_a_button_says_stays_when_the_boxes_it_fills_are_checked(page: Page) -> None:
    page.ours.fill_schedule.fire("click")
    assert (
        page.ours.line.value == "negopt-scheduled has filled the schedule" and "steps 6 to 10" in page.ours.times.value
    )
    page.ours.to_native.fire("click")
    assert "for 10 steps" in page.ours.line.value and page.ours.times.value == ""


def test_the_host_counts_tokens_again_after_a_button_wrote(page: Page) -> None:
    for button in (page.ours.write_negative, page.ours.add_modifiers, page.ours.to_native):
        assert button.after["click"].script == "function(){update_txt2img_tokens();}"
