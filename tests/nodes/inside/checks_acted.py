"""The hook says after a run whether the negative changed anything, from the calls that the run made anyway."""

from __future__ import annotations

import logging
from typing import Any

import torch
from checks_families import BAD, GOOD, OTHER, SWAP, distance, paint, paint_encoded, same
from measure_guidance import with_nag
from stage import Watched, hooked
from tiny_families import Encoder, built
from tiny_table import FAMILIES, Family

BY_NAME = {family.name: family for family in FAMILIES}


class Heard(logging.Handler):
    """Lines of the pack's log while it is listened to."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))

    def __enter__(self) -> Heard:
        log = logging.getLogger("negopt")
        self.level = log.level
        log.setLevel(logging.INFO)
        log.addHandler(self)
        return self

    def __exit__(self, *error: object) -> None:
        logging.getLogger("negopt").removeHandler(self)
        logging.getLogger("negopt").setLevel(self.level)


def said(family: Family, model: Any, negative: str, tokens: int = 0, **settings: Any) -> tuple[str, str, Watched]:
    """Level and words of the one line that the run says."""
    sides = Encoder(family).conditioning(GOOD), Encoder(family, tokens).conditioning(negative)
    with Heard() as heard:
        watched = paint_encoded(family, model, *sides, **settings)
    ((level, line),) = heard.lines
    return level, line, watched


def check_above_cfg_one_it_counts_the_calls_in_which_the_negative_acted() -> None:
    for name in ("sd15", "flux", "z-image", "wan"):
        model = hooked(built(BY_NAME[name]))
        for negative in (BAD, SWAP):
            level, line, _ = said(BY_NAME[name], model, negative, cfg=2.0)
            assert (level, line) == ("INFO", "negopt: the negative acted in 6 of 6 model calls"), (name, line)


def check_the_same_text_on_both_sides_changes_nothing() -> None:
    family = BY_NAME["sdxl"]
    text = Encoder(family).conditioning(GOOD)
    with Heard() as heard:
        watched = paint_encoded(family, hooked(built(family)), text, text, cfg=3.0)
    assert "both sides gave the same in all 6" in heard.lines[-1][1]
    alone = paint_encoded(family, built(family), text, Encoder(family).conditioning(BAD), cfg=1.0)
    assert distance(watched, alone) < 1e-5  # it is true


def check_at_cfg_one_it_says_that_nothing_was_evaluated_and_what_acts_on_the_family() -> None:
    for name, remedy in (("flux", "put NAGuidance"), ("z-image", "never called by z-image"), ("chroma", "same number")):
        level, line, _ = said(BY_NAME[name], hooked(built(BY_NAME[name])), BAD, cfg=1.0)
        assert level == "INFO" and "not evaluated in any of 6 model calls" in line and remedy in line, line
        level, line, _ = said(BY_NAME[name], hooked(built(BY_NAME[name])), SWAP, cfg=1.0)
        assert level == "WARNING" and "its schedule has no effect" in line and remedy in line, line


def check_with_nag_it_is_measured_whether_its_patch_was_called_with_both_sides() -> None:
    cases = (("flux", 0, "acted through"), ("flux", 300, "77 and 300 tokens"), ("z-image", 0, "never calls the patch"))
    for name, tokens, words in cases:
        family = BY_NAME[name]
        model, calls = with_nag(built(family))
        level, line, watched = said(family, hooked(model), SWAP, tokens, cfg=1.0)
        assert words in line and level == ("INFO" if "acted" in words else "WARNING"), line
        other = said(family, hooked(model), OTHER, tokens, cfg=1.0)[2]
        assert (distance(watched, other) > 1e-3) is ("acted" in words) and bool(calls) is (name == "flux")  # it is true


def check_a_guider_of_another_node_is_not_judged() -> None:
    family = BY_NAME["sd15"]
    model = built(family).clone()
    model.disable_model_cfg1_optimization()
    model.set_model_sampler_cfg_function(lambda asked: asked["cond"] - 0.1 * asked["uncond"])
    with Heard() as heard:
        paint(family, hooked(model), GOOD, BAD, cfg=1.0)
    assert heard.lines == []


def check_watching_changes_no_bit_and_costs_no_call() -> None:
    for name, cfg in (("flux", 1.0), ("flux", 2.0), ("krea2", 1.0)):
        family = BY_NAME[name]
        model = with_nag(built(family))[0] if cfg == 1.0 else built(family)
        plain, watched = (paint(family, one, GOOD, BAD, cfg=cfg) for one in (model, hooked(model)))
        assert same(plain.latent, watched.latent) and plain.batches == watched.batches
        assert torch.isfinite(plain.latent).all()
