"""STUB contract: what the network gets at each of its calls, on a stand-in for the hosts (see `webui_stub`)."""

import copy
from typing import Any

import pytest
from webui_stub import CALLS, Call, Processing, Result, StubWebui
from webui_texts import Rows

HALF = "[art:0-0.5:1]"  # the second half of the steps


def on(positive: str = "", negative: str = "", passes: str = "both") -> tuple[Any, ...]:
    return True, "rules", "nothing", positive, negative, passes, 0


def texts(calls: list[Call], side: str = "positive") -> list[str]:
    """What the first picture's first row was at each call."""
    return [getattr(call, side)[0] for call in calls]


def live(calls: list[Call], word: str, side: str = "positive") -> str:
    return "".join("x" if word in text else "." for text in texts(calls, side))


@pytest.mark.parametrize(
    ("window", "calls"),
    [
        ("0-0.5", "....xxxx"),
        ("0.5-1", "xxxx...."),
        ("0.25-0.75", "..xxxx.."),
        ("0-0.875", ".xxxxxxx"),  # from the second call on, which prompt editing cannot say
        ("0-1", "xxxxxxxx"),
        ("0.49-0.51", "....x..."),  # the fifth step begins at 0.5
    ],
)
def test_words_act_in_exactly_their_steps(webui: StubWebui, window: str, calls: str) -> None:
    p = webui.job(*on(f"[art:{window}:1.2]", f"[mud:{window}:1]"))
    (made,) = webui.run(p).passes
    assert live(made, "art") == live(made, "mud", "negative") == calls
    assert set(texts(made)) <= {"a cat", "a cat, (art:1.2)"}
    assert set(texts(made, "negative")) <= {"", "mud"}


@pytest.mark.parametrize("sampler", sorted(CALLS))
def test_progress_is_the_hosts_own_count_of_calls(webui: StubWebui, sampler: str) -> None:
    """Second-order samplers have twice the total; an adaptive one runs past it and stays in the last slice."""
    (made,) = webui.run(webui.job(*on(HALF), sampler_name=sampler)).passes
    total = 8 * CALLS[sampler][1]
    assert live(made, "art") == "".join("x" if call >= total // 2 else "." for call in range(len(made)))


def as_encoded(call: Call) -> list[str]:
    """Both sides without what no encoder sees: spaces at the ends, and a bracket of weight 1 around a last number."""
    return [text.strip().replace(r"(\:9:1)", r"\:9") for text in (*call.positive, *call.negative)]


NATIVE = [
    ("[art:0-0.5:1]", "a cat"),
    ("[art:0.5-1:0.75]", "a cat"),
    ("[art:0.25-0.75:1.3], detailed", "a cat"),
    ("[art:0-0.5:1][, oil:0-0.25:1]", "a cat"),
    ("[one:0-0.5:1], [two:0.5-1:1], [three:0.25-0.75:0.5]", "a cat,"),
    ("[art:0-0.5:1]", ""),
    ("[art:0-0.5:1]", "a [cat:dog:3], [in a hat:0.5]"),
    ("[art:0-0.5:1]", "a cat AND a dog :0.7 AND sea"),
    ("[ratio 16:9:0-0.5:1]", "a cat BREAK"),
    ("(round) brackets, [art:0-0.5:1]", "a (cat:1.2)"),
]


@pytest.mark.parametrize("sampler", ["Euler", "Heun"])
@pytest.mark.parametrize("passes", ["both", "first", "hires"])
@pytest.mark.parametrize(("words", "prompt"), NATIVE)
def test_the_network_gets_what_prompt_editing_gives_it(
    webui: StubWebui, words: str, prompt: str, passes: str, sampler: str
) -> None:
    """The oracle of the live tests, on the stub: the same schedule once as ours, once as the host's own notation."""
    settings = {"enable_hr": True, "hr_second_pass_steps": 12, "sampler_name": sampler}
    ours = webui.run(webui.job(*on(words, words, passes), prompt=prompt, negative_prompt=prompt, **settings))
    new_prompt, new_negative, *_ = webui.module.BUTTONS.to_native(
        prompt, prompt, words, words, passes, 8, sampler, True, 12
    )
    native = webui.run(webui.job(prompt=new_prompt, negative_prompt=new_negative, **settings))
    for made, wanted in zip(ours.passes, native.passes, strict=True):
        assert [as_encoded(call) for call in made] == [as_encoded(call) for call in wanted]


def test_and_parts_each_get_the_words_before_their_weight(webui: StubWebui) -> None:
    (made,) = webui.run(webui.job(*on("art"), prompt="a cat AND a dog :0.7")).passes
    assert list(made[0].positive) == ["a cat, art", " a dog, art"]


def test_the_users_own_editing_goes_on_inside(webui: StubWebui) -> None:
    (made,) = webui.run(webui.job(*on(HALF), prompt="a [cat:dog:2]")).passes
    assert texts(made) == ["a cat"] * 3 + ["a dog"] + ["a dog, art"] * 4


def test_lora_tags_are_left_to_the_host(webui: StubWebui) -> None:
    (made,) = webui.run(webui.job(*on("art"), prompt="a cat <lora:x:1>")).passes
    assert texts(made)[0] == "a cat, art"


def test_every_picture_of_a_batch_keeps_its_own_prompt(webui: StubWebui) -> None:
    prompts = ["cat", "dog", "cow", "hen"]
    p = webui.job(*on(HALF), batch_size=2, n_iter=2, prompts_by_picture=prompts)
    first, second = webui.run(p).passes
    assert [list(calls[-1].positive) for calls in (first, second)] == [
        ["cat, art", "dog, art"],
        ["cow, art", "hen, art"],
    ]


def test_a_pooled_vector_follows_the_schedule(webui: StubWebui) -> None:
    webui.model.is_xl = True
    (made,) = webui.run(webui.job(*on(HALF, HALF))).passes
    assert made[0].positive == {"crossattn": ["a cat"], "vector": ["pooled a cat"]}
    assert made[-1].positive == {"crossattn": ["a cat, art"], "vector": ["pooled a cat, art"]}
    assert hasattr(made[-1].negative, "advanced_indexing")  # the host's own class, which Forge goes on to index


@pytest.mark.parametrize(
    ("passes", "first", "second"),
    [("both", "....xxxx", "......xxxxxx"), ("first", "....xxxx", "." * 12), ("hires", "." * 8, "......xxxxxx")],
)
def test_windows_start_anew_in_the_hires_pass(webui: StubWebui, passes: str, first: str, second: str) -> None:
    p = webui.job(*on(HALF, "", passes), enable_hr=True, hr_second_pass_steps=12, hr_prompt="a big cat")
    made = webui.run(p).passes
    assert [live(calls, "art") for calls in made] == [first, second]
    assert {text.replace(", art", "") for text in texts(made[1])} == {"a big cat"}


def test_words_for_a_hires_pass_that_is_off_are_named(webui: StubWebui) -> None:
    p = webui.job(*on(HALF, "", "hires"))
    (made,) = webui.run(p).passes
    assert live(made, "art") == "........" and "hires fix is off" in " ".join(p.comments)


def test_cfg_1_is_handled_and_said(webui: StubWebui) -> None:
    p = webui.job(*on("art", "mud"), cfg_scale=1.0)
    (made,) = webui.run(p).passes
    assert not webui.printed and live(made, "art") == "xxxxxxxx"
    assert (made[0].negative is None) == (webui.kind == "forge")
    assert "CFG is 1" in " ".join(p.comments)


def test_cfg_1_of_the_hires_pass_alone_is_said_where_it_happens(webui: StubWebui) -> None:
    p = webui.job(*on("", "mud"), enable_hr=True, hr_cfg=1.0)
    webui.run(p)
    assert ("at CFG 1" in " ".join(p.comments)) == (webui.kind == "forge")


def test_a_second_job_with_the_same_words_encodes_nothing(webui: StubWebui) -> None:
    args = on("[art:0-0.5:1], [oil:0-0.2:1]", "[mud:0-0.5:1]")
    webui.run(webui.job(*args, enable_hr=True))
    ours = [text for text in webui.model.encoded if "art" in text or "oil" in text or "mud" in text]
    assert len(ours) == len(set(ours)) * 2 == 6  # three texts, once for each pass, however often it is prepared
    webui.model.encoded.clear()
    webui.run(webui.job(*args, enable_hr=True, seed=5))
    assert not [text for text in webui.model.encoded if "art" in text or "mud" in text]


def test_a_host_that_keeps_no_cache_is_obeyed(webui: StubWebui) -> None:
    webui.options["persistent_cond_cache"] = False
    webui.run(webui.job(*on("art")))
    webui.model.encoded.clear()
    webui.run(webui.job(*on("art")))
    assert "a cat, art" in webui.model.encoded


def untouched(p: Processing) -> dict[str, Any]:
    return {name: value for name, value in vars(p).items() if "negopt" in name.lower()}


def test_off_leaves_everything_as_it_is(webui: StubWebui) -> None:
    p, plain = webui.job(False, "rules", "negative", HALF), webui.job()
    made, wanted = webui.run(p), webui.run(plain)
    assert [[vars(call) for call in calls] for calls in made.passes] == [
        [vars(call) for call in calls] for calls in wanted.passes
    ]
    assert made.infotexts == wanted.infotexts
    assert not untouched(p) and not p.comments and not p.extra_generation_params and not webui.printed


def test_outside_its_window_the_hosts_own_object_stays(webui: StubWebui) -> None:
    seen: list[tuple[Any, Any]] = []
    ours = webui.callbacks["on_cfg_denoiser"][0]

    def watched(params: Any) -> None:
        before = params.text_cond
        ours(params)
        seen.append((before, params.text_cond))

    webui.callbacks["on_cfg_denoiser"] = [watched]
    webui.run(webui.job(*on(HALF)))
    assert [before is after for before, after in seen] == [True] * 4 + [False] * 4
    assert all(list(before) == ["a cat"] for before, _ in seen)  # nor was it changed in place


def test_an_inner_job_does_not_inherit_the_plan(webui: StubWebui) -> None:
    """A detailer copies the processing object and samples without calling our `process`."""
    outer = webui.job(*on("art"))
    webui.run(outer)
    inner = copy.copy(outer)
    webui.script.process = lambda *_: None
    assert live(webui.run(inner).passes[0], "art") == "........"
    assert live(webui.run(outer).passes[0], "art") == "xxxxxxxx"


def test_the_next_job_does_not_either(webui: StubWebui) -> None:
    p = webui.job(*on("art"))
    webui.run(p)
    p.script_args = (False,)
    again = webui.run(p)
    assert live(again.passes[0], "art") == "........" and "NegOpt" not in again.infotexts[0] and not untouched(p)


def failed(p: Processing, result: Result) -> str:
    assert "NegOpt plan" not in result.infotexts[-1]
    assert any("made without" in comment for comment in p.comments)
    return str(p.extra_generation_params["NegOpt error"])


def test_a_failure_while_encoding_is_marked(webui: StubWebui) -> None:
    def encode(text: str) -> str:
        if "art" in text:
            raise RuntimeError("out of memory")
        return text

    webui.model.encode = encode
    p = webui.job(*on("art"))
    assert failed(p, webui.run(p)) == "RuntimeError: out of memory"
    assert not webui.printed  # it never reaches the host, which would only print it


def test_a_failure_while_swapping_is_marked_once(webui: StubWebui) -> None:
    p = webui.job(*on("art"), prompt="a cat AND a dog")
    ours = webui.callbacks["on_cfg_denoiser"][0]

    def other_extension(params: Any) -> None:
        params.text_cond = Rows(params.text_cond[:1])  # as one that drops AND parts would
        ours(params)

    webui.callbacks["on_cfg_denoiser"] = [other_extension]
    assert "another extension" in failed(p, webui.run(p))
    assert len(p.comments) == 1


@pytest.mark.parametrize("words", ["cats AND dogs", "a BREAK", "number #1"])
def test_words_that_the_host_reserves_are_marked_before_anything_is_made(webui: StubWebui, words: str) -> None:
    p = webui.job(*on(f"[{words}:0-0.5:1]"))
    assert "write it otherwise" in failed(p, webui.run(p)) or "leave '#' out" in failed(p, webui.run(p))


def test_a_sampler_that_never_asks_is_marked(webui: StubWebui) -> None:
    webui.callbacks["on_cfg_denoiser"] = []
    p = webui.job(*on("art"))
    assert "no denoiser callback" in failed(p, webui.run(p))


def test_a_batch_that_another_extension_made_longer_is_marked(webui: StubWebui) -> None:
    p = webui.job(*on("art"))
    process = webui.script.process

    def longer(p: Processing, *args: Any) -> None:
        process(p, *args)
        p.batch_size, p.all_prompts, p.all_negative_prompts = 2, ["cat", "dog"], ["", ""]

    webui.script.process = longer
    assert "changed the batch" in failed(p, webui.run(p))


def test_a_refiner_brings_its_own_encoder(webui: StubWebui) -> None:
    """Half-way the host loads another checkpoint: what the first one encoded must not reach it."""
    p = webui.job(*on("art"))
    first, ours = webui.model, webui.callbacks["on_cfg_denoiser"][0]
    second = type(first)(is_xl=True)

    def switching(params: Any) -> None:
        if params.denoiser.step == 4:
            webui.model = second
            webui.module.CACHE.clear()  # a real host sees by itself that the checkpoint is another
        ours(params)

    webui.callbacks["on_cfg_denoiser"] = [switching]
    (made,) = webui.run(p).passes
    assert made[3].positive == ["a cat, art"] and made[4].positive["crossattn"] == ["a cat, art"]
