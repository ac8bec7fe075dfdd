"""Exactness on a real ComfyUI: what a schedule may change, and what it may not."""

from __future__ import annotations

import stage
from stage import checkpoint, encoded, hooked, run, same, stock

GOOD, BAD, OTHER = "a red fox in the snow", "blurry", "low quality, watermark"
SWAP = f"[{BAD}:1-0.5:1][{OTHER}:0.5-0:1]"  # the first half of the run, then the second


def check_a_plain_prompt_is_encoded_as_by_the_stock_node() -> None:
    ours, theirs = encoded(GOOD), stock(GOOD)
    assert len(ours) == len(theirs) == 1
    assert same(ours[0][0], theirs[0][0])
    assert ours[0][1].keys() == theirs[0][1].keys()


def check_the_hook_without_a_schedule_changes_nothing() -> None:
    plain = run(checkpoint()[0], stock(GOOD), stock(BAD))
    assert same(plain.latent, run(hooked(), encoded(GOOD), encoded(BAD)).latent)


def check_words_decide_the_picture() -> None:
    assert not same(run(hooked(), stock(GOOD), stock(BAD)).latent, run(hooked(), stock(GOOD), stock(OTHER)).latent)


def check_a_swap_before_the_first_step_is_the_other_prompt() -> None:
    # at 6 steps a window that ends at progress 0.01 holds no step, so OTHER acts throughout
    swap = f"[{BAD}:1-0.999:1][{OTHER}:0.999-0:1]"
    ours = run(hooked(), stock(GOOD), encoded(f"[{OTHER}:1-0.0001:1][{BAD}:0.0001-0:1]"))
    assert same(ours.latent, run(checkpoint()[0], stock(GOOD), stock(OTHER)).latent)
    assert len(encoded(swap)) == 2


def check_both_halves_of_a_swap_act() -> None:
    ours = run(hooked(), stock(GOOD), encoded(SWAP)).latent
    assert not same(ours, run(hooked(), stock(GOOD), stock(BAD)).latent)
    assert not same(ours, run(hooked(), stock(GOOD), stock(OTHER)).latent)


def check_a_window_changes_nothing_before_its_step() -> None:
    plain = run(checkpoint()[0], stock(GOOD), stock(BAD))
    for step in range(6):
        low, high = 1 - (step + 1) / 6, 1 - step / 6
        changed = run(hooked(), stock(GOOD), encoded(f"{BAD}[, {OTHER}:{high:.9f}-{max(low, 0):.9f}:1]"))
        equal = [same(a, b) for a, b in zip(plain.steps, changed.steps, strict=True)]
        assert equal == [at < step for at in range(6)], (step, equal)


def check_the_positive_side_is_scheduled_alike() -> None:
    plain = run(checkpoint()[0], stock(GOOD), stock(BAD))
    changed = run(hooked(), encoded(f"{GOOD}[, at night:0.5-0:1]"), stock(BAD))
    assert [same(a, b) for a, b in zip(plain.steps, changed.steps, strict=True)] == [True] * 3 + [False] * 3


def check_a_schedule_costs_no_calls() -> None:
    plain = run(checkpoint()[0], stock(GOOD), stock(BAD), steps=12)
    for count in (2, 3, 12):
        text = "".join(f"[w{n}:{1 - n / count:.9f}-{max(0, 1 - (n + 1) / count):.9f}:1]" for n in range(count))
        assert len(encoded(text)) == count
        assert run(hooked(), encoded(text), encoded(text), steps=12).batches == plain.batches == [2] * 12


def check_every_picture_of_a_batch_follows_the_schedule() -> None:
    both = run(hooked(), stock(GOOD), encoded(SWAP), batch=3)
    assert both.batches == [6] * 6
    assert both.latent.shape[0] == 3
    assert not same(both.latent, run(hooked(), stock(GOOD), stock(BAD), batch=3).latent)


def check_denoise_below_one_counts_the_steps_that_run() -> None:
    import torch

    start = torch.randn([1, 4, 8, 8], generator=torch.Generator().manual_seed(1))
    plain = run(checkpoint()[0], stock(GOOD), stock(BAD), denoise=0.5, latent=start)
    changed = run(hooked(), stock(GOOD), encoded(f"{BAD}[, {OTHER}:0.5-0:1]"), denoise=0.5, latent=start)
    assert [same(a, b) for a, b in zip(plain.steps, changed.steps, strict=True)] == [True] * 3 + [False] * 3


def check_a_chain_of_two_samplers_is_one_run() -> None:
    whole = run(hooked(), stock(GOOD), encoded(SWAP))
    first = run(hooked(step_offset=0, total_steps=6), stock(GOOD), encoded(SWAP), stop=4)
    # the second sampler adds no noise, as KSampler (Advanced) with add_noise off
    import comfy.sample
    import torch

    model = hooked(step_offset=4, total_steps=6)
    rest = comfy.sample.sample(
        model,
        torch.zeros([1, 4, 8, 8]),
        6,
        7.0,
        "euler",
        "normal",
        stock(GOOD),
        encoded(SWAP),
        first.latent,
        start_step=4,
        disable_pbar=True,
        seed=3,
    )
    assert torch.allclose(whole.latent, rest, atol=1e-4)
    assert not torch.allclose(whole.latent, first.latent, atol=1e-2)


def check_the_weighting_rule_comfy_is_the_hosts_own() -> None:
    ours = encoded("a fox, [misty:1-0:1.4]")
    assert len(ours) == 1
    assert same(ours[0][0], stock("a fox, (misty:1.4)")[0][0])


def check_the_other_weighting_rules_touch_the_words_they_weigh() -> None:
    plain = stock("a fox, misty")[0][0]
    for rule in ("pae", "pae-raw", "none"):
        result = stage.node("NegOptEncode").execute(
            clip=checkpoint()[1], df_text="a fox, [misty:1-0:1.4]", weighting=rule
        )
        changed = (result.result[0][0][0] != plain).any(dim=-1)[0].nonzero().flatten().tolist()
        wanted = {"none": [], "pae-raw": [4]}.get(rule, changed)
        assert changed == wanted and (rule != "pae" or 4 in changed), (rule, changed)


def check_pieces_are_encoded_at_one_length() -> None:
    long = ", ".join(f"word{n}" for n in range(60))
    pieces = encoded(f"a fox[, {long}:0.5-0:1]")
    lengths = {piece[0].shape[1] for piece in pieces}
    assert len(lengths) == 1 and lengths.pop() in range(154, 770, 77)
    loose = stage.node("NegOptEncode").execute(
        clip=checkpoint()[1], df_text=f"a fox[, {long}:0.5-0:1]", same_length=False
    )
    assert loose.result[0][0][0].shape[1] == 77


def check_each_text_is_encoded_once() -> None:
    clip, counted = checkpoint()[1], []

    class Counting:
        def tokenize(self, text: str) -> object:
            return clip.tokenize(text)

        def encode_from_tokens_scheduled(self, tokens: object) -> object:
            counted.append(tokens)
            return clip.encode_from_tokens_scheduled(tokens)

    stage.node("NegOptEncode").execute(clip=Counting(), df_text="a fox[, misty:0.75-0.5:1][, misty:0.25-0:1]")
    assert len(counted) == 2
