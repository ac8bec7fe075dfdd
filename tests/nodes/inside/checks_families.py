"""The hook on SDXL's, SD3's and Flux's layouts: the same exactness as on SD1.5, the pooled vector included."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

import stage
import tiny_families
import torch
from stage import Watched, hooked, run, same
from tiny_families import Encoder, built
from tiny_table import FAMILIES, Family

GOOD, BAD, OTHER = "a red fox in the snow", "blurry", "low quality, watermark"
SWAP = f"[{BAD}:1-0.5:1][{OTHER}:0.5-0:1]"
ALL_OTHER = f"[{OTHER}:1-0.0001:1][{BAD}:0.0001-0:1]"  # two pieces, of which the second has no step
STEPS = 6
CLOSE = tuple(family for family in FAMILIES if family.name in ("sdxl", "sd3", "flux"))
SEEN = 1e-3  # `distance` of pictures that truly differ; rounding is a hundred times smaller


def paint(family: Family, model: Any, positive: str, negative: str, **settings: Any) -> Watched:
    encoder = Encoder(family)
    return paint_encoded(family, model, encoder.conditioning(positive), encoder.conditioning(negative), **settings)


def paint_encoded(family: Family, model: Any, positive: Any, negative: Any, **settings: Any) -> Watched:
    """One run; its calls are counted where every family passes (SD3's network never calls DIFFUSION_MODEL)."""
    from comfy.patcher_extension import WrappersMP

    calls: list[int] = []

    def note(executor: Any, x: Any, *args: Any, **kw: Any) -> Any:
        calls.append(x.shape[0])
        return executor(x, *args, **kw)

    counted = model.clone()
    counted.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "test", note)
    settings = {"steps": STEPS, "scheduler": "simple", **settings}
    watched = run(counted, positive, negative, latent=torch.zeros(family.latent), **settings)
    assert calls, "no call of the model was seen"
    watched.batches = calls
    return watched


def first_difference(one: Watched, other: Watched) -> int:
    """The step that differs first; all after it must differ too."""
    alike = [same(a, b) for a, b in zip(one.steps, other.steps, strict=True)]
    assert alike == sorted(alike, reverse=True), alike
    return sum(alike)


def distance(one: Watched, other: Watched) -> float:
    """The largest difference, beside the size of the picture."""
    assert torch.isfinite(one.latent).all() and torch.isfinite(other.latent).all()
    return float((one.latent - other.latent).abs().max() / one.latent.abs().max())


def on_every_family(check: Callable[[Family, Any], None]) -> None:
    faults = []
    for family in CLOSE:
        try:
            check(family, built(family))
        except Exception:  # the other families are still worth knowing about
            faults.append(f"on {family.name}: {traceback.format_exc()}")
    assert not faults, "\n".join(faults)


def check_without_a_schedule_nothing_changes() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        assert same(plain.latent, paint(family, hooked(model), GOOD, BAD).latent)
        assert not same(plain.latent, paint(family, model, GOOD, OTHER).latent)
        assert not same(plain.latent, paint(family, model, OTHER, BAD).latent)

    on_every_family(compare)


def check_a_swap_before_the_first_step_is_the_other_prompt() -> None:
    def compare(family: Family, model: Any) -> None:
        wanted = paint(family, model, GOOD, OTHER)
        ours = paint(family, hooked(model), GOOD, ALL_OTHER)
        assert same(ours.latent, wanted.latent) and ours.batches == wanted.batches
        wanted = paint(family, model, OTHER, BAD)
        assert same(paint(family, hooked(model), ALL_OTHER, BAD).latent, wanted.latent)

    on_every_family(compare)


def check_a_window_changes_nothing_before_its_step() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        for positive, negative in ((GOOD, SWAP), (f"{GOOD}[, misty:0.5-0:1]", BAD)):
            assert first_difference(paint(family, hooked(model), positive, negative), plain) == 3
        for step in range(STEPS):
            low, high = max(0, 1 - (step + 1) / STEPS), 1 - step / STEPS
            ours = paint(family, hooked(model), GOOD, f"{BAD}[, {OTHER}:{high:.9f}-{low:.9f}:1]")
            assert first_difference(ours, plain) == step, step

    on_every_family(compare)


def check_a_schedule_costs_no_calls() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        assert plain.batches == [2] * STEPS
        for count in (2, 3, STEPS):
            edges = [1 - n / count for n in range(count)] + [0]
            text = "".join(f"[w{n}:{edges[n]:.9f}-{edges[n + 1]:.9f}:1]" for n in range(count))
            assert paint(family, hooked(model), text, text).batches == plain.batches, count
            assert paint(family, model, GOOD, text).batches == plain.batches, f"{count}, without the hook"

    on_every_family(compare)


def check_the_other_units_read_each_familys_noise() -> None:
    def compare(family: Family, model: Any) -> None:
        plain = paint(family, model, GOOD, BAD)
        by_steps = paint(family, hooked(model), GOOD, SWAP)
        assert same(paint(family, hooked(model, unit="noise level"), GOOD, SWAP).latent, by_steps.latent)
        cut = float(model.get_model_object("model_sampling").percent_to_sigma(0.25))
        wanted = sum(sigma > cut for sigma in stage.sigmas(model, "simple", STEPS)[:-1])
        early = f"[{BAD}:1-0.75:1][{OTHER}:0.75-0:1]"
        by_percent = paint(family, hooked(model, unit="ComfyUI percent"), GOOD, early)
        assert first_difference(by_percent, plain) == wanted

    on_every_family(compare)


def check_the_pooled_vector_follows_the_text() -> None:
    """With the sequence of every text the same, only the vector can tell them apart."""

    def vector_only(self: Encoder, tokens: dict[str, Any]) -> Any:
        entry = Encoder.encode_from_tokens_scheduled(self, tokens)[0]
        return [[torch.ones_like(entry[0]), entry[1]]]

    kind = type("VectorOnly", (Encoder,), {"encode_from_tokens_scheduled": vector_only})

    def compare(family: Family, model: Any) -> None:
        encoder = kind(family)

        def painted(painter: Any, negative: str) -> Watched:
            return paint_encoded(family, painter, encoder.conditioning(GOOD), encoder.conditioning(negative))

        bad, other = painted(model, BAD), painted(model, OTHER)
        assert same(painted(hooked(model), ALL_OTHER).latent, other.latent)
        assert distance(bad, other) > SEEN
        assert first_difference(painted(hooked(model), SWAP), bad) == 3

    on_every_family(compare)


@cache
def sdxl_clip() -> Any:
    return tiny_families.sdxl_clip()


def by_sdxl_clip(df_text: str, **settings: Any) -> Any:
    """Through NegOptEncode, with SDXL's two text encoders."""
    return stage.node("NegOptEncode").execute(clip=sdxl_clip(), df_text=df_text, **settings).result[0]


def stock_by_sdxl_clip(text: str) -> Any:
    return sdxl_clip().encode_from_tokens_scheduled(sdxl_clip().tokenize(text))


def check_sdxls_text_encoders_encode_every_piece_as_the_stock_node_does() -> None:
    for ours, text in ((by_sdxl_clip(GOOD), GOOD), (by_sdxl_clip("a fox, [misty:1-0:1.4]"), "a fox, (misty:1.4)")):
        theirs = stock_by_sdxl_clip(text)
        assert len(ours) == len(theirs) == 1 and ours[0][1].keys() == theirs[0][1].keys()
        assert same(ours[0][0], theirs[0][0]) and same(ours[0][1]["pooled_output"], theirs[0][1]["pooled_output"])
    pieces, texts = by_sdxl_clip(SWAP), (BAD, OTHER)
    for (sequence, extras), text in zip(pieces, texts, strict=True):
        theirs = stock_by_sdxl_clip(text)[0]
        assert same(sequence, theirs[0]) and same(extras["pooled_output"], theirs[1]["pooled_output"])
    assert not same(pieces[0][1]["pooled_output"], pieces[1][1]["pooled_output"])


def check_sdxls_pieces_are_padded_to_one_length_in_both_encoders() -> None:
    long = ", ".join(f"word{n}" for n in range(60))
    df_text = f"a fox[, {long}:0.5-0:1]"
    (short, extras), (full, _) = by_sdxl_clip(df_text)
    assert short.shape == full.shape and full.shape[1] in range(154, 770, 77)
    alone = stock_by_sdxl_clip("a fox")[0]
    assert torch.allclose(short[:, :77], alone[0], atol=1e-4)
    assert torch.allclose(extras["pooled_output"], alone[1]["pooled_output"], atol=1e-4)
    assert by_sdxl_clip(df_text, same_length=False)[0][0].shape[1] == 77


def check_sdxls_text_encoders_and_model_together() -> None:
    family = CLOSE[0]
    model, good = built(family), by_sdxl_clip(GOOD)
    bad, other = (paint_encoded(family, model, good, stock_by_sdxl_clip(text)) for text in (BAD, OTHER))
    assert same(paint_encoded(family, hooked(model), good, by_sdxl_clip(ALL_OTHER)).latent, other.latent)
    assert first_difference(paint_encoded(family, hooked(model), good, by_sdxl_clip(SWAP)), bad) == 3


def check_fluxs_guidance_acts_on_every_piece() -> None:
    import node_helpers

    family = next(family for family in CLOSE if family.name == "flux")
    model, encoder = built(family), Encoder(family)

    def guided(painter: Any, negative: str, guidance: float) -> Watched:
        sides = [
            node_helpers.conditioning_set_values(encoder.conditioning(text), {"guidance": guidance})
            for text in (GOOD, negative)
        ]
        return paint_encoded(family, painter, *sides)

    wanted = guided(model, OTHER, 8.0)
    assert same(guided(hooked(model), ALL_OTHER, 8.0).latent, wanted.latent)
    assert distance(wanted, guided(model, OTHER, 1.0)) > SEEN
    assert first_difference(guided(hooked(model), SWAP, 8.0), guided(model, BAD, 8.0)) == 3


def check_samplers_with_several_calls_a_step() -> None:
    def compare(family: Family, model: Any) -> None:
        for sampler in ("heun", "dpmpp_2m", "dpmpp_sde"):
            wanted = paint(family, model, GOOD, OTHER, sampler=sampler)
            assert same(paint(family, hooked(model), GOOD, ALL_OTHER, sampler=sampler).latent, wanted.latent)

    on_every_family(compare)


def check_normalized_attention_guidance_uses_the_active_negative() -> None:
    """NAGuidance gives a negative to models that run at CFG 1; its negative is the active piece.

    At CFG 1 two negatives differ by rounding even where the guidance does nothing, so sizes are compared. ComfyUI's
    SD3 network has no place for this guidance (0.33): there it does nothing, schedule or not, and nothing is checked.
    """
    try:
        from comfy_extras.nodes_nag import NAGuidance
    except ImportError:  # ComfyUI before February 2026
        return

    def compare(family: Family, model: Any) -> None:
        if family.name == "sd3":
            return
        guided = NAGuidance.execute(model, 5.0, 0.5, 1.5).result[0]
        bad, other = (paint(family, guided, GOOD, text, cfg=1.0) for text in (BAD, OTHER))
        assert distance(bad, other) > SEEN
        ours = paint(family, hooked(guided), GOOD, ALL_OTHER, cfg=1.0)
        assert same(ours.latent, other.latent) and ours.batches == other.batches == [2] * STEPS
        assert first_difference(paint(family, hooked(guided), GOOD, SWAP, cfg=1.0), bad) == 3
        assert distance(paint(family, hooked(guided), GOOD, SWAP, cfg=1.0), bad) > SEEN

    on_every_family(compare)
