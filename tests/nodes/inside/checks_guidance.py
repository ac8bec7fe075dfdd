"""What negopt_core/assets/guidance.json says of each family is what a tiny model of it does in this ComfyUI."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import measure_guidance
from checks_demo import conditioning, world
from checks_families import BAD, GOOD, OTHER, SEEN, SWAP, distance, first_difference, paint, same
from measure_guidance import sharing, with_nag
from stage import hooked, run
from tiny_families import built, known
from tiny_table import FAMILIES, Family

TABLE = json.loads(measure_guidance.ASSET.read_text(encoding="utf-8"))["families"]


def on_every_family(check: Callable[[Family, Any], None]) -> None:
    faults = []
    for family in known():
        try:
            check(family, TABLE[family.name])
        except Exception:  # the other families are still worth knowing about
            faults.append(f"on {family.name}: {traceback.format_exc()}")
    assert not faults, "\n".join(faults)


def check_every_family_of_the_table_has_a_model() -> None:
    assert {family.name: family.config for family in FAMILIES} == {
        name: row["configs"][0] for name, row in TABLE.items()
    }


def check_at_cfg_one_the_negative_is_not_computed_and_above_it_acts() -> None:
    def compare(family: Family, row: Any) -> None:
        bad, other = (measure_guidance.paint(family, built(family), text) for text in (BAD, OTHER))
        assert same(bad.latent, other.latent) and bad.batches == [1] * measure_guidance.STEPS
        bad, other = (measure_guidance.paint(family, built(family), text, cfg=1.5) for text in (BAD, OTHER))
        assert (distance(bad, other) > SEEN) is row["cfg"] and sum(bad.batches) == 2 * measure_guidance.STEPS

    on_every_family(compare)


def check_nag_acts_where_the_table_says_so() -> None:
    """At CFG 1 two negatives differ by rounding even where the guidance does nothing, so sizes are compared."""

    def compare(family: Family, row: Any) -> None:
        patched, calls = with_nag(built(family))
        bad, other = (measure_guidance.paint(family, patched, text) for text in (BAD, OTHER))
        assert (distance(bad, other) > SEEN) is bool(calls) is (row["nag_tokens"] is not None)

    on_every_family(compare)


def check_texts_share_a_batch_up_to_the_tables_length() -> None:
    def compare(family: Family, row: Any) -> None:
        most = row["nag_tokens"]
        if most is None:
            return
        shares = sharing(family, built_for_nag(family))
        assert shares(1) and shares(20, 20)
        assert not shares(max(1, most) + 1)
        assert most == 0 or all(shares(most, max(1, most * part // 4)) for part in (1, 2, 3))

    on_every_family(compare)


def built_for_nag(family: Family) -> Any:
    return with_nag(built(family))[0]


def check_a_window_changes_nothing_before_its_step() -> None:
    def compare(family: Family, row: Any) -> None:
        plain = paint(family, built(family), GOOD, BAD, cfg=2.0)
        swapped = paint(family, hooked(built(family)), GOOD, SWAP, cfg=2.0)
        assert first_difference(swapped, plain) == 3 and swapped.batches == plain.batches

    on_every_family(compare)


def check_the_demo_world_is_as_the_family_it_is_counted_to() -> None:
    assert "world" in TABLE["sd15"]["also"]
    model, start = world()[0], world()[3]["samples"]
    prompt, texts = conditioning("a photo of a red ball"), ("a blue ball, dark", "snow, a night, blurry, watermark")
    for cfg, painter, acts in ((1.0, model, False), (1.5, model, True), (1.0, with_nag(model)[0], True)):
        bad, other = (run(painter, prompt, conditioning(text), steps=3, cfg=cfg, latent=start) for text in texts)
        assert (distance(bad, other) > SEEN) is acts, cfg
