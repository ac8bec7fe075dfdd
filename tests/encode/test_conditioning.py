"""What a UNet is given for a text: the pipeline's own encoding where nothing is weighted, one encoder call for all."""

from __future__ import annotations

import pytest
import torch

from negopt_core import ModelError
from negopt_core.encode.conditioning import Text, conditioner_for
from negopt_core.encode.weighting import RULES, weigh
from tests.paint.tiny import LENGTH

CPU = torch.device("cpu")
SHORT = "a cat, blurry"
LONG = "cat " * 10 + ", " + "dog " * 10  # two rows: 11 and 10 words


def encode(pipeline, *texts, rule="pae", **options):
    found = conditioner_for(pipeline, rule, **options).encode(texts, CPU)
    return [found[text] for text in texts]


def own(pipeline, prompt, negative=None, clip_skip=None):
    """(positive, negative) states and pooled vectors of the pipeline's own encoding."""
    options = {"device": CPU, "num_images_per_prompt": 1, "do_classifier_free_guidance": True, "clip_skip": clip_skip}
    with torch.no_grad():
        found = pipeline.encode_prompt(prompt=prompt, negative_prompt=negative, **options)
    return found if len(found) == 4 else (*found, None, None)


def plain(text):
    return Text(((text, 1.0),) if text else ())


def same(found, states, pooled):
    pools = (found.pooled is None and pooled is None) or torch.equal(found.pooled, pooled[0])
    return torch.equal(found.states, states[0]) and pools


@pytest.mark.parametrize("text", ["a cat", SHORT, "", "  RED\n dog ", "é 12 !?", "cat " * 18])
def test_a_plain_text_is_encoded_bit_for_bit_as_the_pipeline_does(pipeline, text):
    states, _, pooled, _ = own(pipeline, text)
    assert same(encode(pipeline, plain(text))[0], states, pooled)


@pytest.mark.parametrize("rule", RULES)
def test_parts_of_weight_one_are_bit_equal_to_their_joined_text(pipeline, rule):
    states, _, pooled, _ = own(pipeline, SHORT)
    assert same(encode(pipeline, Text((("a cat", 1.0), (", blu", 1.0), ("rry", 1.0))), rule=rule)[0], states, pooled)


def test_a_negative_is_encoded_as_the_pipeline_encodes_negatives(pipeline):
    _, states, _, pooled = own(pipeline, "a cat", SHORT)
    assert same(encode(pipeline, Text(((SHORT, 1.0),), is_negative=True))[0], states, pooled)


def test_no_negative_is_what_the_pipeline_does_without_one(pipeline):
    _, states, _, pooled = own(pipeline, "a cat")
    found = encode(pipeline, Text((), is_negative=True))[0]
    assert same(found, states, pooled)
    assert bool(found.states.any()) == (pooled is None)  # only Stable Diffusion XL puts zeros there


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_clip_skip_leaves_out_what_the_pipeline_leaves_out_on_the_positive_side_only(pipelines, skip):
    # Stable Diffusion XL only: for 1.x the pipeline's own clip_skip fails with transformers 5
    pipeline = pipelines["sdxl"]
    states, negatives, _, _ = own(pipeline, SHORT, "dog", clip_skip=skip)
    found = encode(pipeline, plain(SHORT), Text((("dog", 1.0),), True), clip_skip=skip)
    assert torch.allclose(found[0].states, states[0], atol=1e-6)
    assert torch.allclose(found[1].states, negatives[0], atol=1e-6)


def test_clip_skip_of_one_is_the_layer_before_the_last_with_the_final_norm(sd1):
    row = sd1.tokenizer(SHORT, padding="max_length", max_length=LENGTH, return_tensors="pt").input_ids
    with torch.no_grad():
        layers = sd1.text_encoder(row, output_hidden_states=True).hidden_states
        body = getattr(sd1.text_encoder, "text_model", sd1.text_encoder)
        expected = body.final_layer_norm(layers[-2])
    assert torch.equal(encode(sd1, plain(SHORT), clip_skip=1)[0].states, expected[0])


def test_clip_skip_past_the_last_layer_is_refused(pipeline):
    with pytest.raises(ModelError, match=r"clip_skip needs 0 to [23] for a text encoder of [23] layers, got 9"):
        conditioner_for(pipeline, "pae", clip_skip=9)


@pytest.mark.parametrize("rule", RULES)
def test_all_texts_of_both_sides_take_one_call_and_one_row_each(pipeline, recorder, rule):
    conditioner = conditioner_for(pipeline, rule)
    calls = recorder.watch(pipeline)
    texts = [plain("a cat"), plain("a cat, red"), plain(LONG), plain("a cat"), Text((("a ", 1.0), ("cat", 1.0)))]
    conditioner.encode([*texts, *[Text(text.parts, True) for text in texts]], CPU)
    # a cat; a cat, red; two rows of the long one; and the empty row that makes the short ones as long
    assert calls.encoder_rows == [5] * len(conditioner.towers)


@pytest.mark.parametrize(("rule", "rows"), [("none", 1), ("pae", 1), ("pae-raw", 1), ("comfy", 2), ("compel", 3)])
def test_weights_need_no_more_rows_than_their_rule(sd1, recorder, rule, rows):
    calls = recorder.watch(sd1)
    encode(sd1, Text((("a cat, ", 1.0), ("blurry", 0.5), (" dog", 1.5))), rule=rule)
    assert calls.encoder_rows == [rows]


@pytest.mark.parametrize("rule", ["pae", "pae-raw", "comfy"])
def test_weights_act_on_each_encoder_by_the_rule(pipeline, rule):
    text = Text((("a cat, ", 1.0), ("blurry", 0.5), (", red dog", 1.0)))
    states, _, _, _ = own(pipeline, "a cat, blurry, red dog")
    empty, _, _, _ = own(pipeline, "")
    weights = [1.0] * LENGTH
    weights[4:7] = [0.5] * 3  # BOS, a, cat, comma, then blur-r-y
    widths = [16, 24] if hasattr(pipeline, "text_encoder_2") else [states.shape[-1]]
    expected = torch.cat(
        [
            weigh(rule, part, weights, blank)
            for part, blank in zip(states[0].split(widths, -1), empty[0].split(widths, -1), strict=True)
        ],
        dim=-1,
    )
    found = encode(pipeline, text, rule=rule)[0].states
    assert torch.allclose(found, expected, atol=1e-6)
    if rule != "pae":
        kept = [place for place in range(LENGTH) if weights[place] == 1.0]
        assert torch.allclose(found[kept], states[0][kept], atol=1e-6)
    assert not torch.allclose(found[4:7], states[0][4:7], atol=1e-3)


def test_compel_blends_with_the_row_whose_phrase_is_hidden(sd1):
    words = sd1.tokenizer("a cat, blurry", padding="max_length", max_length=LENGTH, return_tensors="pt").input_ids
    mask = torch.ones_like(words)
    mask[0, 4:7] = 0
    with torch.no_grad():
        full, hidden = sd1.text_encoder(words)[0][0], sd1.text_encoder(words, attention_mask=mask)[0][0]
    empty, _, _, _ = own(sd1, "")
    weights = torch.ones(LENGTH, 1)
    weights[4:7] = 0.5
    moved = [empty[0] + (row - empty[0]) * weights for row in (full, hidden)]
    found = encode(sd1, Text((("a cat, ", 1.0), ("blurry", 0.5))), rule="compel")[0].states
    assert torch.allclose(found, (moved[0] + moved[1]) / 2, atol=1e-5)
    assert torch.allclose(found[:4], full[:4], atol=1e-6)  # a causal encoder: earlier words cannot see the phrase


def test_long_texts_are_rows_one_after_another_and_short_ones_are_filled_with_empty_rows(pipeline):
    long, short = encode(pipeline, plain(LONG), plain("a cat"))
    (first, _, pooled, _), (second, *_), (empty, *_) = (own(pipeline, t) for t in ("cat " * 10 + ",", "dog " * 10, ""))
    (cat, _, cat_pooled, _) = own(pipeline, "a cat")
    assert torch.allclose(long.states, torch.cat([first[0], second[0]]), atol=1e-6)
    assert torch.allclose(short.states, torch.cat([cat[0], empty[0]]), atol=1e-6)
    if pooled is not None:
        assert torch.allclose(long.pooled, pooled[0], atol=1e-6)
        assert torch.allclose(short.pooled, cat_pooled[0], atol=1e-6)


def test_a_weight_in_the_second_row_leaves_the_first_row_alone(sd1):
    unweighted = encode(sd1, Text((("cat " * 10 + ", ", 1.0), ("dog " * 10, 1.0))))[0].states
    weighted = encode(sd1, Text((("cat " * 10 + ", ", 1.0), ("dog " * 10, 0.5))))[0].states
    assert torch.equal(weighted[:LENGTH], unweighted[:LENGTH])
    assert not torch.equal(weighted[LENGTH:], unweighted[LENGTH:])


def test_the_row_length_is_the_smaller_of_what_tokenizer_and_encoder_allow(sd1, monkeypatch):
    monkeypatch.setattr(sd1.tokenizer, "model_max_length", int(1e30))
    assert conditioner_for(sd1, "pae").towers[0].tokens.limit == LENGTH


def test_a_pipeline_without_text_encoder_is_refused():
    class Bare:
        pass

    with pytest.raises(ModelError, match="Bare has no text encoder"):
        conditioner_for(Bare(), "pae")
