"""The rules policy: a baseline that people would use. Tables of what it must say, and must not, for whom."""

import subprocess
import sys

import pytest

from negopt_core import Window
from negopt_core.errors import PolicyError
from negopt_core.policy import Suggestion, SuggestOptions, load_policy, suggest
from negopt_core.policy.families import families
from negopt_core.policy.phrase_kinds import MODIFIER_TIMES, NEGATIVE_TIMES, PRIOR_CAVEAT
from negopt_core.policy.phrases import phrase_spans
from negopt_core.policy.rules import RulesPolicy, rules_card


def ask(prompt: str, family: str = "sd15", **options: object) -> Suggestion:
    return suggest(load_policy(f"rules:{family}"), [prompt], SuggestOptions(**options))[0]  # type: ignore[arg-type]


def phrases(text: str) -> list[str]:
    return [phrase for part in text.split(",") if (phrase := part.strip())]


@pytest.mark.parametrize(
    ("family", "prompt", "said", "unsaid"),
    [
        (
            "sd15",
            "a photo of a cat",
            "blurry, low quality, deformed, painting, cartoon, watermark, extra legs",
            "photo",
        ),
        ("sd15", "1girl, anime, garden", "worst quality, lowres, bad hands, photo, 3d render", "anime, cartoon"),
        ("sd15", "a cat", "low quality, blurry", "painting, photo, cartoon"),
        ("sd15", "a blurry photo", "low quality, painting", "blurry, out of focus"),
        ("sd15", "low poly fox", "low quality, photo", "low poly, 3d render, pixelated"),
        ("sd15", "watercolor of a village", "photo, 3d render", "painting, watercolor, illustration"),
        ("sd15", "a monochrome photo", "colorful, painting", "monochrome, grayscale"),
        ("sd15", "a castle at night", "daylight, blurry", "dark, too dark, underexposed, night"),
        ("sd15", "a dark alley", "blurry", "dark, too dark, underexposed"),
        ("sd15", "colorful parrot", "monochrome", "oversaturated"),
        ("sd15", "a poster with the text SALE", "low quality, watermark", "text"),
        ("sd15", "full body photo of a woman", "cropped, close up, bad anatomy, extra fingers", "photo"),
        ("sd15", "zombie portrait", "low quality", "deformed, disfigured, bad anatomy"),
        ("sd15", "photorealistic painting of a leopard", "3d render", "photo, painting, photorealistic"),
        ("sd15", "pixel art knight", "photo", "pixelated, jpeg artifacts, lowres"),
        ("sd2", "a house", "ugly, poorly drawn, out of frame", ""),
        ("sdxl", "a house", "low quality, blurry, deformed", "lowres"),
        ("flux", "a house", "low quality, blurry", "lowres, worst quality"),
        ("pony", "1girl, forest", "score_6, score_5, score_4, worst quality", ""),
        ("anime", "1boy, city", "worst quality, lowres, bad hands, missing fingers", ""),
        ("world", "a photo of a red ball by the sea", "blurry, cropped, painting, watermark, low quality", "photo"),
        ("world", "a cartoon of a heart", "faded, deformed, watermark", "cartoon"),
        ("world", "a sketch of a ring at night", "pixelated, cropped, overexposed", "too dark, underexposed, sketch"),
        ("world", "a painting of a star by day", "noisy, deformed, oversaturated", "painting"),
    ],
)
def test_negatives_fit_the_prompt_and_the_model(family: str, prompt: str, said: str, unsaid: str) -> None:
    found = phrases(ask(prompt, family).negative)
    assert not set(phrases(said)) - set(found)
    assert not set(phrases(unsaid)) & set(found)


@pytest.mark.parametrize(
    ("family", "prompt", "said", "unsaid"),
    [
        ("sd15", "a photo of a cat", "natural lighting, sharp focus, highly detailed", "masterpiece"),
        ("sd15", "a photo of a cat, bokeh", "natural lighting", "sharp focus"),
        ("sd15", "photo at night", "highly detailed", "natural lighting"),
        ("sd15", "oil painting of a ship", "visible brushstrokes", "sharp focus"),
        ("sd15", "anime cat, vibrant", "clean lines", "vibrant colors"),
        ("sd15", "low poly fox", "global illumination", "highly detailed, detailed texture"),
        ("pony", "a fox", "score_9, score_8_up", ""),
        ("world", "a photo of a ball", "masterpiece, best quality, cinematic", "sharp focus"),
    ],
)
def test_modifiers_fit_the_medium(family: str, prompt: str, said: str, unsaid: str) -> None:
    found = phrases(ask(prompt, family).positive.removeprefix(prompt))
    assert not set(phrases(said)) - set(found)
    assert not set(phrases(unsaid)) & set(found)


def test_surface_words_wait_and_structure_words_act_from_the_start() -> None:
    pair = ask("a photo of a cat").pair
    when = {span.text: span.window for span in phrase_spans(pair.negative.spans)}
    assert when["blurry"] == when["watermark"] == Window(0.2, 1.0)
    assert when["deformed"] == when["painting"] == when["low quality"] == Window()


def test_texture_words_come_late_and_light() -> None:
    spans = {span.text: span for span in phrase_spans(ask("a photo of a cat").pair.positive.spans)}
    assert (spans["highly detailed"].window, spans["highly detailed"].weight) == (Window(0.5, 1.0), 0.75)
    assert spans["natural lighting"].is_plain


@pytest.mark.parametrize("family", families())
def test_every_family_answers_within_its_budget_with_words_the_tables_time(family: str) -> None:
    policy = load_policy(f"rules:{family}")
    for prompt in ("a photo of a man and his dog at night", "1girl, anime", "a house", ""):
        suggestion = suggest(policy, [prompt])[0]
        assert suggestion.negative and suggestion.positive.startswith(prompt)
    assert policy.card.families == (family,) and policy.card.max_tokens == families()[family].max_tokens
    kinds = {kind for _, kind in families()[family].negatives} | {kind for _, kind in families()[family].modifiers}
    assert kinds <= set(NEGATIVE_TIMES) | set(MODIFIER_TIMES)


def test_what_flux_and_sd3_cannot_do_is_said() -> None:
    assert any("CFG 1" in warning for warning in ask("a cat", "flux").warnings)
    assert any("no negative prompts in training" in warning for warning in ask("a cat", "sd3").warnings)


@pytest.mark.parametrize("family", families())
def test_the_card_says_that_windows_are_priors_and_suggestions_do_not_repeat_it(family: str) -> None:
    assert rules_card(family).caveats == (PRIOR_CAVEAT, *families()[family].caveats)
    assert PRIOR_CAVEAT not in ask("a cat", family).warnings


def test_the_fingerprint_names_the_tables_and_the_family() -> None:
    prints = {RulesPolicy(rules_card(family)).fingerprint for family in families()}
    assert len(prints) == len(families()) and all(len(item) == 64 for item in prints)
    code = "from negopt_core.policy import load_policy; print(load_policy('rules').fingerprint)"
    done = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert done[0] == done[1] == load_policy("rules").fingerprint + "\n"


@pytest.mark.parametrize("family", ["", "sd9", "SD15"])
def test_an_unknown_family_is_refused_with_the_known_ones(family: str) -> None:
    with pytest.raises(PolicyError, match="sdxl"):
        load_policy(f"rules:{family}")
