"""The diffusers painter: schedules act at exactly their steps, and nothing else changes."""

from __future__ import annotations

import threading
from dataclasses import replace

import diffusers
import pytest
import torch

from negopt_core import Cancelled, DFPrompt, ModelError, PromptError, PromptPair, Span, Window, compile_schedule
from negopt_core.encode.conditioning import Text, conditioner_for
from negopt_core.paint.base import PRESETS, PaintSettings
from negopt_core.paint.diffusers_painter import DiffusersPainter
from negopt_core.paint.sampler import sampler_for
from negopt_core.text.schedule import segment_at
from tests.fakes.painter import FakePainter
from tests.paint.tiny import LENGTH, PIXELS

# some schedulers of diffusers meet numpy 2 with a warning of their own
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")]

CPU = torch.device("cpu")
FAST = PaintSettings(steps=4, guidance_scale=4.0)
LATE, EARLY, MIDDLE = Window(0.5, 1.0), Window(0.0, 0.5), Window(0.25, 0.75)
PLAIN = PromptPair.plain("a cat", "blurry")
SCHEDULED = PromptPair(
    DFPrompt((Span("a cat"), Span(", red", 1.3, LATE), Span(", dog", 1.0, MIDDLE))),
    DFPrompt((Span("blurry", 0.5, EARLY), Span(", land"))),
)
OTHER = PromptPair(DFPrompt((Span("dog"), Span(", cat", 1.0, EARLY))), DFPrompt((Span("red", 1.0, LATE),)))
LONG = PromptPair(DFPrompt((Span("cat, " * 12), Span("red", 1.0, LATE))), DFPrompt.plain("dog"))


def stock(pipeline, prompts, negatives, seeds, **options):
    """The pipeline's own pictures for the same strings and generators."""
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    settings = {"num_inference_steps": 4, "guidance_scale": 4.0, "output_type": "pt", "generator": generators}
    return pipeline(prompt=prompts, negative_prompt=negatives, **{**settings, **options}).images.float().cpu()


def at_steps(pipeline, pairs, steps, rule="pae"):
    """For each step, the UNet's conditioning that the schedules of `pairs` ask for, encoded one by one."""
    conditioner = conditioner_for(pipeline, rule)
    sides = [[(True, compile_schedule(p.negative, steps)) for p in pairs]]
    sides.append([(False, compile_schedule(p.positive, steps)) for p in pairs])
    expected = []
    for step in range(steps):
        texts = [Text(segment_at(plan, step).parts, neg) for side in sides for neg, plan in side]
        expected.append([conditioner.encode([text], CPU)[text] for text in texts])
    return expected


def close(found, expected):
    return torch.allclose(found, expected, atol=1e-5)


# --- without a schedule


@pytest.mark.parametrize("negative", ["", "blurry"])
@pytest.mark.parametrize(
    ("kind", "sampler"),
    [("sd1", "model"), ("sd1", "unipc"), ("sd1", "euler-a"), ("sd1", "heun"), ("sd2", "model"), ("sdxl", "euler-a")],
)
def test_an_unscheduled_pair_is_the_pipelines_own_picture_bit_for_bit(pipelines, kind, sampler, negative):
    pipeline = pipelines[kind]
    settings = replace(FAST, sampler=sampler)
    found = DiffusersPainter(pipeline, settings).paint([PromptPair.plain("a cat", negative)], [7])
    same = type(pipeline)(**pipeline.components | {"scheduler": sampler_for(pipeline, sampler)}, **extra(pipeline))
    same.set_progress_bar_config(disable=True)
    assert torch.equal(found, stock(same, "a cat", negative or None, [7]))
    assert found.shape == (1, 3, PIXELS, PIXELS) and found.dtype == torch.float32
    assert 0.0 <= float(found.min()) < float(found.max()) <= 1.0


def extra(pipeline):
    is_xl = hasattr(pipeline, "text_encoder_2")
    return {"add_watermarker": False} if is_xl else {"requires_safety_checker": False}


def test_a_batch_of_unscheduled_pairs_is_the_pipelines_own_batch(sd1):
    pairs = [PromptPair.plain("a cat", "blurry"), PromptPair.plain("red dog", "land")]
    found = DiffusersPainter(sd1, FAST).paint(pairs, [1, 2])
    assert torch.equal(found, stock(sd1, ["a cat", "red dog"], ["blurry", "land"], [1, 2]))


@pytest.mark.parametrize(
    "prompt",
    [
        DFPrompt((Span("a cat"), Span(", red", 1.0, Window(0.0, 1.0)))),
        DFPrompt((Span("a cat, red"), Span(", dog", 2.0, Window(0.26, 0.27)))),  # narrower than one step
    ],
)
def test_a_schedule_that_does_nothing_is_no_schedule(sd1, prompt):
    found = DiffusersPainter(sd1, FAST).paint([PromptPair(prompt, DFPrompt.plain("blurry"))], [3])
    assert torch.equal(found, stock(sd1, "a cat, red", "blurry", [3]))


def test_the_rule_none_paints_weighted_words_as_plain_words(sd1):
    pair = PromptPair(DFPrompt((Span("a cat"), Span(", red", 1.5))), DFPrompt())
    found = DiffusersPainter(sd1, replace(FAST, weighting="none")).paint([pair], [3])
    assert torch.equal(found, stock(sd1, "a cat, red", None, [3]))


# --- with a schedule


@pytest.mark.parametrize(
    ("kind", "scheduler", "step_of_call"),
    [
        ("sd1", "DDIMScheduler", (0, 1, 2, 3)),
        ("sd1", "UniPCMultistepScheduler", (0, 1, 2, 3)),
        ("sd1", "PNDMScheduler", (0, 0, 1, 2, 3)),
        ("sd1", "HeunDiscreteScheduler", (0, 0, 1, 1, 2, 2, 3)),
        ("sd2", "DDIMScheduler", (0, 1, 2, 3)),
        ("sdxl", "HeunDiscreteScheduler", (0, 0, 1, 1, 2, 2, 3)),
    ],
)
def test_every_call_sees_exactly_the_segments_of_its_step(pipelines, recorder, kind, scheduler, step_of_call):
    pipeline = pipelines[kind]
    options = {"skip_prk_steps": True} if scheduler == "PNDMScheduler" else {}
    of_kind = getattr(diffusers, scheduler).from_config(pipeline.scheduler.config, **options)
    again = type(pipeline)(**pipeline.components | {"scheduler": of_kind}, **extra(pipeline))
    again.set_progress_bar_config(disable=True)
    pairs = [SCHEDULED, OTHER]
    painter = DiffusersPainter(again, FAST)
    expected = at_steps(pipeline, pairs, 4)
    calls = recorder.watch(pipeline)
    painter.paint(pairs, [1, 2])
    assert len(calls.states) == len(step_of_call)
    for call, step in enumerate(step_of_call):
        for row, one in enumerate(expected[step]):
            assert close(calls.states[call][row], one.states), (call, row)
            if one.pooled is not None:
                assert close(calls.pooled[call][row], one.pooled), (call, row)


def test_the_recorded_segments_really_differ_between_steps(sd1):
    first, *_, last = at_steps(sd1, [SCHEDULED, OTHER], 4)
    assert all(not close(one.states, two.states) for one, two in zip(first, last, strict=True))


def test_a_schedule_costs_no_call_of_the_unet_and_one_of_each_text_encoder(pipeline, recorder):
    painter = DiffusersPainter(pipeline, FAST)
    calls = recorder.watch(pipeline)
    painter.paint([PLAIN, PLAIN], [1, 2])
    plain_calls = len(calls.states)
    calls.encoder_rows.clear()
    painter.paint([SCHEDULED, OTHER], [1, 2])
    assert len(calls.states) == 2 * plain_calls == 8
    assert len(calls.encoder_rows) == (2 if hasattr(pipeline, "text_encoder_2") else 1)


@pytest.mark.parametrize("rule", ["pae-raw", "comfy", "compel"])
def test_the_weighting_rule_of_the_settings_is_used(sd1, recorder, rule):
    expected = at_steps(sd1, [SCHEDULED], 4, rule)
    calls = recorder.watch(sd1)
    DiffusersPainter(sd1, replace(FAST, weighting=rule)).paint([SCHEDULED], [1])
    for call in range(4):
        assert close(calls.states[call], torch.stack([one.states for one in expected[call]]))


def test_without_guidance_the_negative_is_neither_encoded_nor_run(pipeline, recorder):
    painter = DiffusersPainter(pipeline, replace(FAST, guidance_scale=1.0))
    calls = recorder.watch(pipeline)
    found = painter.paint([SCHEDULED], [1])
    assert [len(states) for states in calls.states] == [1, 1, 1, 1]
    assert torch.equal(found, painter.paint([PromptPair(SCHEDULED.positive)], [1]))
    assert torch.equal(painter.paint([PLAIN], [1]), stock(pipeline, "a cat", None, [1], guidance_scale=1.0))


def test_a_long_prompt_is_painted_with_all_its_words(sd1, recorder):
    calls = recorder.watch(sd1)
    DiffusersPainter(sd1, FAST).paint([LONG], [1])
    assert {states.shape[1] for states in calls.states} == {2 * LENGTH}


@pytest.mark.parametrize("pair", [PLAIN, SCHEDULED])
def test_clip_skip_reaches_the_encoder(pipeline, recorder, pair):
    conditioner = conditioner_for(pipeline, "pae", clip_skip=1)
    text = Text(compile_schedule(pair.positive, 4)[0].parts)
    expected = conditioner.encode([text], CPU)[text].states
    calls = recorder.watch(pipeline)
    DiffusersPainter(pipeline, replace(FAST, clip_skip=1)).paint([pair], [1])
    assert close(calls.states[0][1], expected)
    assert not close(expected, conditioner_for(pipeline, "pae").encode([text], CPU)[text].states)


def test_a_tokenizer_that_names_no_limit_paints_the_same_picture(sd1, monkeypatch):
    expected = DiffusersPainter(sd1, FAST).paint([PLAIN], [1])
    monkeypatch.setattr(sd1.tokenizer, "model_max_length", int(1e30))
    assert close(DiffusersPainter(sd1, FAST).paint([PLAIN], [1]), expected)


# --- batches and seeds


def test_an_image_does_not_depend_on_its_batch(pipeline, recorder):
    pairs, seeds = [SCHEDULED, OTHER, PLAIN, LONG, OTHER], [5, 6, 7, 8, 9]
    alone = DiffusersPainter(pipeline, replace(FAST, batch_size=1))
    calls = recorder.watch(pipeline)
    single = torch.cat([alone.paint([pair], [seed]) for pair, seed in zip(pairs, seeds, strict=True)])
    noise = [latents[0] for latents in calls.latents[::4]]
    calls.latents.clear()
    together = DiffusersPainter(pipeline, replace(FAST, batch_size=4)).paint(pairs, seeds)
    assert close(together, single)
    assert len(calls.latents) == 12  # three kinds of batches: scheduled, plain, long
    starts = [latents[row] for latents in calls.latents[::4] for row in range(len(latents) // 2)]
    for one in noise:
        assert any(torch.equal(one, other) for other in starts)


def test_pictures_come_back_in_the_order_of_their_pairs(sd1):
    pairs, seeds = [LONG, SCHEDULED, PLAIN, OTHER], [1, 2, 3, 4]
    painter = DiffusersPainter(sd1, FAST)
    there = painter.paint(pairs, seeds)
    back = painter.paint(pairs[::-1], seeds[::-1])
    assert close(there, back.flip(0))
    assert not close(there[1], there[3])


def test_one_pair_gives_different_pictures_for_different_seeds(sd1):
    first, second = DiffusersPainter(sd1, FAST).paint([SCHEDULED, SCHEDULED], [1, 2])
    assert not close(first, second)


def test_painting_twice_gives_the_same_bytes(sd1):
    painter = DiffusersPainter(sd1, replace(FAST, sampler="euler-a"))
    assert torch.equal(painter.paint([SCHEDULED, OTHER], [1, 2]), painter.paint([SCHEDULED, OTHER], [1, 2]))


def test_each_pair_has_its_own_negative(sd1):
    pairs = [PromptPair.plain("a cat", "blurry"), PromptPair.plain("a cat", "dog")]
    first, second = DiffusersPainter(sd1, FAST).paint(pairs, [1, 1])
    assert not torch.equal(first, second)


# --- size, image to image


def test_the_size_is_the_models_own_unless_it_is_given(sd1):
    assert DiffusersPainter(sd1, FAST).paint([PLAIN], [1]).shape[2:] == (PIXELS, PIXELS)
    assert DiffusersPainter(sd1, replace(FAST, height=24, width=32)).paint([PLAIN], [1]).shape[2:] == (24, 32)


@pytest.mark.parametrize("pair", [PLAIN, SCHEDULED])
@pytest.mark.parametrize(("strength", "steps_run"), [(0.5, 2), (None, 3)])
def test_image_to_image_schedules_over_the_steps_really_run(pipeline, recorder, pair, strength, steps_run):
    image = torch.rand(3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(0))
    painter = DiffusersPainter(pipeline, replace(FAST, init_image=image, strength=strength))
    expected = at_steps(pipeline, [pair], steps_run)
    calls = recorder.watch(pipeline)
    found = painter.paint([pair, pair], [3, 4])
    assert found.shape == (2, 3, PIXELS, PIXELS)
    assert len(calls.states) == steps_run == painter.describe()["steps_run"]
    for call in range(steps_run):
        assert close(calls.states[call][::2], torch.stack([one.states for one in expected[call]]))
    assert type(pipeline).__name__ == painter.describe()["pipeline"].replace("Img2Img", "")


def test_plain_image_to_image_is_the_pipelines_own(sd1):
    image = torch.rand(3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(0))
    found = DiffusersPainter(sd1, replace(FAST, init_image=image, strength=0.5)).paint([PLAIN], [3])
    own = diffusers.StableDiffusionImg2ImgPipeline(**sd1.components, requires_safety_checker=False)
    own.set_progress_bar_config(disable=True)
    assert torch.equal(found, stock(own, "a cat", "blurry", [3], image=image[None], strength=0.5))


def test_image_to_image_begins_at_the_image(sd1):
    images = [torch.full((3, PIXELS, PIXELS), value) for value in (0.0, 1.0)]
    dark, light = (
        DiffusersPainter(sd1, replace(FAST, init_image=image, strength=0.25)).paint([PLAIN], [3]) for image in images
    )
    assert not close(dark, light)


# --- progress, cancel, and what is left behind


def test_progress_counts_sampler_steps_of_all_batches(sd1):
    seen = []
    painter = DiffusersPainter(sd1, replace(FAST, sampler="heun", batch_size=1))
    painter.paint([PLAIN, SCHEDULED], [1, 2], on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 8) for done in range(1, 9)]


@pytest.mark.parametrize("kind", ["event", "function"])
def test_cancel_stops_after_the_step_in_which_it_was_asked_for(sd1, recorder, kind):
    stop = threading.Event()
    calls = recorder.watch(sd1)
    with pytest.raises(Cancelled, match="after 2 of 4 steps"):
        DiffusersPainter(sd1, FAST).paint(
            [SCHEDULED],
            [1],
            on_progress=lambda done, _: stop.set() if done == 2 else None,
            cancel=stop if kind == "event" else stop.is_set,
        )
    assert len(calls.states) == 2
    DiffusersPainter(sd1, FAST).paint([SCHEDULED], [1])  # and the pipeline still works


def test_a_cancel_before_the_start_paints_nothing(sd1, recorder):
    calls = recorder.watch(sd1)
    with pytest.raises(Cancelled, match="after 0 of 4 steps"):
        DiffusersPainter(sd1, FAST).paint([PLAIN], [1], cancel=lambda: True)
    assert calls.states == []


def test_the_pipeline_that_was_passed_in_keeps_its_sampler(sd1):
    before = sd1.scheduler
    DiffusersPainter(sd1, replace(FAST, sampler="unipc")).paint([SCHEDULED], [1])
    assert sd1.scheduler is before and type(before).__name__ == "DDIMScheduler"


def test_the_model_hash_follows_the_weights(sd1, pipelines):
    first, second = DiffusersPainter(sd1, FAST), DiffusersPainter(sd1, replace(FAST, steps=9))
    assert first.model_hash() == second.model_hash() != DiffusersPainter(pipelines["sd2"], FAST).model_hash()
    assert len(first.model_hash()) == 16
    bias = sd1.unet.conv_out.bias
    with torch.no_grad():
        kept = bias.clone()
        bias[0] += 1.0
        changed = DiffusersPainter(sd1, FAST).model_hash()
        bias.copy_(kept)
    assert changed != first.model_hash() == DiffusersPainter(sd1, FAST).model_hash()


def test_describe_is_plain_data(sd1):
    import json

    told = DiffusersPainter(sd1, replace(FAST, sampler="unipc"), source="here").describe()
    assert json.loads(json.dumps(told)) == told
    assert (told["scheduler"], told["steps"], told["source"]) == ("UniPCMultistepScheduler", 4, "here")
    assert (told["height"], told["width"], told["dtype"]) == (PIXELS, PIXELS, "float32")


# --- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps needs a whole number from 1 up, got 0"),
        ({"steps": 2.5}, "steps needs a whole number from 1 up, got 2.5"),
        ({"steps": True}, "steps needs a whole number"),
        ({"batch_size": 0}, "batch_size needs a whole number from 1 up"),
        ({"comma_backtrack": -1}, "comma_backtrack needs"),
        ({"height": 0}, "height needs a whole number from 8 up"),
        ({"guidance_scale": float("nan")}, "guidance_scale needs a number from 0 up"),
        ({"guidance_scale": -1.0}, "guidance_scale needs"),
        ({"sampler": "dream"}, "no sampler is called 'dream'"),
        ({"weighting": "dream"}, "no weighting rule is called 'dream'"),
        ({"strength": 0.5}, "needs an initial image"),
        ({"strength": 0.0, "init_image": torch.zeros(3, 8, 8)}, "0 < strength <= 1"),
        ({"strength": float("nan"), "init_image": torch.zeros(3, 8, 8)}, "0 < strength <= 1"),
        ({"init_image": torch.zeros(4, 8, 8)}, "an initial image is"),
        ({"init_image": torch.zeros(3, 8, 8, dtype=torch.uint8)}, "an initial image is"),
        ({"init_image": torch.full((3, 8, 8), 255.0)}, "divide 8-bit values by 255"),
        ({"init_image": torch.zeros(3, 8, 8), "height": 16}, "resize it"),
    ],
)
def test_bad_settings_are_refused_with_value_and_rule(change, message):
    with pytest.raises(PromptError, match=message):
        PaintSettings(**change)


@pytest.mark.parametrize(
    ("pairs", "seeds", "message"),
    [
        ([], [], "at least one pair"),
        ([PLAIN], [1, 2], "got 1 and 2"),
        ([PLAIN], [-1], "a seed is a whole number from 0"),
        ([PLAIN], [2**63], "a seed is a whole number from 0"),
        ([PLAIN], [1.5], "got 1.5"),
    ],
)
def test_bad_pairs_and_seeds_are_refused(sd1, pairs, seeds, message):
    with pytest.raises(PromptError, match=message):
        DiffusersPainter(sd1, FAST).paint(pairs, seeds)


def test_a_size_the_model_cannot_paint_is_refused(sd1):
    with pytest.raises(PromptError, match="height needs a multiple of 8 for this model, got 20"):
        DiffusersPainter(sd1, replace(FAST, height=20))


def test_a_pipeline_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="not with object"):
        DiffusersPainter(object(), FAST)


def test_presets_are_the_papers_settings():
    assert (PRESETS["negopt"].steps, PRESETS["negopt"].guidance_scale, PRESETS["negopt"].sampler) == (25, 7.5, "model")
    assert (PRESETS["pae"].steps, PRESETS["pae"].guidance_scale, PRESETS["pae"].sampler) == (10, 7.5, "unipc")


def test_the_fake_painter_keeps_the_painters_promises():
    fake = FakePainter()
    images = fake.paint([PLAIN, SCHEDULED, PLAIN], [1, 1, 2])
    assert torch.equal(images[1], FakePainter().paint([SCHEDULED], [1])[0])
    assert not torch.equal(images[0], images[2])
    assert fake.painted == [(PLAIN, 1), (SCHEDULED, 1), (PLAIN, 2)]


# --- not enough memory


def short_of_memory(pipeline, most):
    """A device that holds the activations of `most` guided pictures from the second step on."""
    calls = []

    def refuse(_, args, kwargs):
        rows = (args[0] if args else kwargs["sample"]).shape[0]
        calls.append(rows // 2)
        if rows // 2 > most and len(calls) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    handle = pipeline.unet.register_forward_pre_hook(refuse, with_kwargs=True)
    return calls, handle


def test_a_batch_that_does_not_fit_is_halved_and_said(sd1, caplog):
    pairs, seeds = [SCHEDULED, OTHER, PLAIN, SCHEDULED, OTHER], [5, 6, 7, 8, 9]
    expected = DiffusersPainter(sd1, replace(FAST, batch_size=4)).paint(pairs, seeds)
    painter, seen = DiffusersPainter(sd1, replace(FAST, batch_size=4)), []
    calls, handle = short_of_memory(sd1, most=1)
    try:
        found = painter.paint(pairs, seeds, on_progress=lambda done, total: seen.append((done, total)))
        assert close(found, expected)
        assert [record.getMessage().partition(" has not ")[2] for record in caplog.records] == [
            "enough memory for 4 pictures at a time; painting 2",
            "enough memory for 2 pictures at a time; painting 1",
        ]
        assert seen[-1] == (20, 20) and [done for done, _ in seen[1:]] == list(range(1, 21))
        calls.clear()
        painter.paint(pairs, seeds)
        assert set(calls) == {1}  # what did not fit is not tried again
    finally:
        handle.remove()


def test_one_picture_that_does_not_fit_is_an_error(sd1):
    _, handle = short_of_memory(sd1, most=0)
    try:
        with pytest.raises(ModelError, match=rf"not enough memory for one picture of {PIXELS}x{PIXELS}; ask for"):
            DiffusersPainter(sd1, FAST).paint([PLAIN], [1])
    finally:
        handle.remove()
    assert DiffusersPainter(sd1, FAST).paint([PLAIN], [1]).shape[0] == 1
