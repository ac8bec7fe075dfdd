"""From the sampler of a ComfyUI graph back to the texts, through what stands between them."""

import json
from typing import Any

import pytest

from negopt_core.errors import OutputError
from negopt_core.provenance.comfy_graph import prompts_of_graph
from negopt_core.text.df_text import format_prompt

Graph = dict[str, Any]


def node(kind: str, **inputs: Any) -> Graph:
    """An input `("3", 0)` is the first output of node 3."""
    return {"class_type": kind, "inputs": {k: list(v) if isinstance(v, tuple) else v for k, v in inputs.items()}}


def text(words: Any) -> Graph:
    return node("CLIPTextEncode", text=words, clip=("1", 1))


def graph(**nodes: Graph) -> Graph:
    """A checkpoint, a KSampler with positive 2 and negative 3, and a saver; nodes are named n2, n3, ..."""
    base = {
        "1": node("CheckpointLoaderSimple", ckpt_name="x.safetensors"),
        "2": text("a (red:1.2) ball, [sea], 8k"),
        "3": text("blurry, ((ugly))"),
        "4": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "5": node(
            "KSampler", seed=1, steps=20, model=("1", 0), positive=("2", 0), negative=("3", 0), latent_image=("4", 0)
        ),
        "6": node("VAEDecode", samples=("5", 0), vae=("1", 2)),
        "7": node("SaveImage", images=("6", 0), filename_prefix="x"),
    }
    return {**base, **{name[1:]: value for name, value in nodes.items()}}


def read(nodes: Graph, workflow: Any = None) -> tuple[str, str]:
    pair = prompts_of_graph(json.dumps(nodes), json.dumps(workflow) if workflow else "")
    return pair.positive.text.strip(" ,"), pair.negative.text.strip(" ,")


PLAIN = ("a red ball, [sea], 8k", "blurry, ugly")


def test_texts_are_read_as_comfyui_reads_them() -> None:
    pair = prompts_of_graph(json.dumps(graph()))
    assert format_prompt(pair.positive) == r"a [red:0-1:1.2] ball, \[sea\], 8k"
    assert [(span.text, round(span.weight, 3)) for span in pair.negative.spans][:2] == [
        ("blurry, ", 1.0),
        ("ugly", 1.21),
    ]


BETWEEN: dict[str, Graph] = {
    "reroutes": graph(n5=node("KSampler", positive=("8", 0), negative=("9", 0)), n8=node("Reroute", **{"": ("2", 0)}),
                      n9=node("Reroute", **{"": ("8x", 0)}), n8x=node("Reroute", **{"": ("3", 0)})),
    "controlnet": graph(n5=node("KSampler", positive=("8", 0), negative=("8", 1)),
                        n8=node("ControlNetApplyAdvanced", positive=("2", 0), negative=("3", 0), image=("4", 0))),
    "one-sided nodes": graph(n5=node("KSampler", positive=("8", 0), negative=("3", 0)),
                             n8=node("ControlNetApply", conditioning=("9", 0), control_net=("1", 0), strength=1.0),
                             n9=node("FluxGuidance", conditioning=("2", 0), guidance=3.5)),
    "the same text twice": graph(n5=node("KSampler", positive=("8", 0), negative=("3", 0)),
                                 n8=node("ConditioningCombine", conditioning_1=("2", 0), conditioning_2=("2", 0))),
    "a custom sampler": graph(n5=node("SamplerCustomAdvanced", guider=("8", 0), sampler=("4", 0)),
                              n8=node("CFGGuider", model=("1", 0), positive=("2", 0), negative=("3", 0), cfg=7.0)),
    "a pipe": graph(n5=node("ImpactKSamplerBasicPipe", basic_pipe=("8", 0)),
                    n8=node("ToBasicPipe", model=("1", 0), positive=("2", 0), negative=("3", 0))),
    "a second pass": graph(n6=node("VAEDecode", samples=("9", 0)),
                           n9=node("KSampler", positive=("2", 0), negative=("3", 0), latent_image=("5", 0)),
                           n5=node("KSampler", positive=("8", 0), negative=("8", 0)), n8=text("first pass")),
    "text from elsewhere": graph(n2=text(("8", 0)), n8=node("PrimitiveString", value="a (red:1.2) ball, [sea], 8k"),
                                 n3=text(("9", 0)), n9=node("ShowText", text=("9x", 0)),
                                 n9x=node("StringConcatenate", string_a="blurry", string_b="((ugly))", delimiter=", ")),
    "both sides in one node": graph(n5=node("KSampler", positive=("8", 1), negative=("8", 2)),
                                    n8=node("Efficient Loader", positive="a (red:1.2) ball, [sea], 8k",
                                            negative="blurry, ((ugly))", ckpt_name="x")),
    "two encoders": graph(n2=node("CLIPTextEncodeSDXL", text_g="a (red:1.2) ball, [sea], 8k", text_l="a ball"),
                          n3=node("CLIPTextEncodeFlux", clip_l="blurry", t5xxl="blurry, ((ugly))")),
    "a guider behind a controlnet": graph(
        n5=node("SamplerCustomAdvanced", guider=("8", 0), sampler=("4", 0)),
        n8=node("CFGGuider", model=("1", 0), positive=("9", 0), negative=("9", 1), cfg=7.0),
        n9=node("ControlNetApplyAdvanced", positive=("9x", 0), negative=("3", 0), image=("4", 0)),
        n9x=node("ControlNetApply", conditioning=("2", 0), control_net=("1", 0), strength=1.0)),
    "two guiders' sides": graph(n5=node("SamplerCustomAdvanced", guider=("8", 0)),
                                n8=node("DualCFGGuider", cond1=("2", 0), cond2=("9", 0), negative=("3", 0)),
                                n9=text("another prompt")),
    "wildcards that were filled in": graph(
        n2=node("ImpactWildcardEncode", wildcard_text="a __color__ ball, and much more than that was written here",
                populated_text="a (red:1.2) ball, [sea], 8k", text="a longer text than the one that was filled in"),
        n3=text(("8", 0)), n8=node("ImpactWildcardProcessor", wildcard_text="__bad__, __worse__, and so on",
                                   populated_text="blurry, ((ugly))", mode="populate")),
    "a preview of something else": graph(n0=node("PreviewImage", images=("0x", 0)), n0x=node("LoadImage", image="a")),
}  # fmt: skip


@pytest.mark.parametrize("nodes", BETWEEN.values(), ids=BETWEEN.keys())
def test_whatever_stands_between_is_passed(nodes: Graph) -> None:
    assert read(nodes) == PLAIN


def test_several_texts_are_joined_and_nothing_is_nothing() -> None:
    both = graph(
        n5=node("KSampler", positive=("8", 0), negative=("9", 0)),
        n8=node("ConditioningConcat", conditioning_to=("2", 0), conditioning_from=("3", 0)),
        n9=node("ConditioningZeroOut", conditioning=("2", 0)),
    )
    positive, negative = read(both)
    assert [part.strip() for part in positive.split(",") if part.strip()] == [
        "a red ball",
        "[sea]",
        "8k",
        "blurry",
        "ugly",
    ]
    assert negative == ""
    flux = graph(n5=node("SamplerCustomAdvanced", guider=("8", 0)), n8=node("BasicGuider", conditioning=("2", 0)))
    assert read(flux) == (PLAIN[0], "")
    assert read(graph(n3=text(""))) == (PLAIN[0], "")


def test_our_own_nodes_speak_df_text() -> None:
    encode = graph(n2=node("NegOptEncode", clip=("1", 1), df_text=("8", 0)),
                   n8=node("NegOptTimeline", df_text="a ball, [misty:0-0.5:0.75]", steps=20))  # fmt: skip
    assert format_prompt(prompts_of_graph(json.dumps(encode)).positive) == "a ball, [misty:0-0.5:0.75]"
    locked = node(
        "NegOptOneClick", locked=True, locked_positive="a ball", locked_negative="[blurry:0-0.5:1]", prompt="p"
    )
    one = graph(n5=node("KSampler", model=("8", 0), positive=("8", 1), negative=("8", 2)), n8=locked)
    assert format_prompt(prompts_of_graph(json.dumps(one)).negative) == "[blurry:0-0.5:1]"
    assert read(graph(n5=node("KSampler", positive=("9", 0), negative=("9x", 0)), n8=locked,
                      n9=node("NegOptEncode", df_text=("8", 3)), n9x=node("NegOptEncode", df_text=("8", 4)))
                ) == ("a ball", "blurry")  # fmt: skip


def test_texts_written_at_run_time_are_taken_from_the_pages_copy_or_missed() -> None:
    unlocked = node("NegOptOneClick", locked=False, locked_positive="", locked_negative="", prompt="p")
    free = graph(n5=node("KSampler", positive=("8", 1), negative=("8", 2)), n8=unlocked)
    widgets = ["p", "", "negative", 0, "fixed", True, "a ball, sharp", "blurry"]
    page = {"nodes": [{"id": 8, "type": "NegOptOneClick", "widgets_values": widgets}, {"id": 9}]}
    assert read(free, page) == ("a ball, sharp", "blurry")
    for workflow in (None, {"nodes": []}, {"nodes": [{"id": 8, "type": "NegOptOneClick", "widgets_values": None}]}):
        with pytest.raises(OutputError, match="at run time"):
            read(free, workflow)


BROKEN: dict[str, Any] = {
    "no graph": [],
    "no nodes": {},
    "no inputs": {"1": {"class_type": "KSampler"}},
    "no sampler": {"1": node("SaveImage", images=("2", 0))},
    "a missing node": graph(n5=node("KSampler", positive=("99", 0), negative=("3", 0))),
    "a circle": graph(n2=node("Reroute", a=("8", 0)), n8=node("Reroute", a=("2", 0))),
    "no text": graph(n2=node("Mystery", a=("1", 0), b=("4", 0))),
    "too long": graph(n2=text(("100", 0)), n100=node("PrimitiveString", value="x" * 600_000),
                      **{"n3": text(("101", 0)), "n101": node("Join", text_a=("100", 0), text_b=("100", 0))}),
}  # fmt: skip


@pytest.mark.parametrize("nodes", BROKEN.values(), ids=BROKEN.keys())
def test_a_graph_that_does_not_tell_is_one_error(nodes: Any) -> None:
    with pytest.raises(OutputError, match="graph"):
        read(nodes)


def test_a_graph_made_to_hurt_is_refused_in_time() -> None:
    wide = graph(n2=node("ConditioningCombine", conditioning_1=("a0", 0), conditioning_2=("b0", 0)))
    for level in range(60):
        below = {"conditioning_1": (f"a{level + 1}", 0), "conditioning_2": (f"b{level + 1}", 0)}
        wide |= {f"{side}{level}": node("ConditioningCombine", **below) for side in "ab"}
    wide |= {"a60": text("a ball"), "b60": text("a ball")}
    assert read(wide)[0] == "a ball"
    deep = graph(n2=node("Reroute", a=("r0", 0)))
    deep |= {f"r{level}": node("Reroute", a=(f"r{level + 1}", 0)) for level in range(5000)}
    with pytest.raises(OutputError, match="too deeply"):
        read(deep)
    with pytest.raises(OutputError):
        prompts_of_graph("[" * 100_000)


def one_text(kind: str, inputs: object, output: int = 0) -> str:
    sampler = {"class_type": "KSampler", "inputs": {"positive": ["1", output], "negative": ["1", output]}}
    return json.dumps({"1": {"class_type": kind, "inputs": inputs}, "2": sampler})


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        (one_text("CLIPTextEncode", [[1, 2]]), "inputs of a node are an object"),
        (one_text("NegOptSuggest", {"locked": True, "locked_positive": "a", "locked_negative": "b"}, -9), "run time"),
        ("[" * 5000 + "]" * 5000, "nested more than 100 levels"),
        (
            one_text("Join", {"separator": "x" * 300_000, **{f"text_{letter}": "a" for letter in "abcdef"}}),
            "add up to more than a prompt",
        ),
    ],
)
def test_a_graph_of_odd_values_is_refused(graph: str, says: str) -> None:
    with pytest.raises(OutputError, match=says):
        prompts_of_graph(graph)
