"""The shipped language policies beside language models of the sizes that people use, on the same threads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .result import ROOT, Result
from .timing import measure, measure_pair

NAME = "negopt-mini"
PROMPTS = [
    "portrait photo of an old fisherman, natural light",
    "a castle on a hill at sunset, fantasy art",
    "isometric low poly house, 3d render",
    "watercolor of a village in spring",
]
_THREADS = 2
_MEMORY = """
import json, resource, sys, torch, transformers
from transformers import AutoTokenizer, T5ForConditionalGeneration, GPT2LMHeadModel
def kept():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
import time
before, start = kept(), time.perf_counter()
from negopt_core.policy import load_policy, suggest
policy = load_policy(sys.argv[1])
loaded = time.perf_counter() - start
suggest(policy, ["portrait photo of an old fisherman, natural light"])
print(json.dumps({"megabytes": kept() - before, "seconds": loaded}))
"""


def language() -> Iterator[Result]:
    """Speed, throughput, memory and loading of the negative policy."""
    import torch

    from negopt_core.policy import load_policy, suggest
    from negopt_core.policy.store import shipped_names

    if NAME not in shipped_names():
        yield Result(f"{NAME}, warm", "not shipped", "150 ms", False)
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(_THREADS)
    try:
        policy = load_policy(NAME)
        alone = measure(lambda: suggest(policy, PROMPTS[:1]), repeats=20, warm_up=3)
        yield Result(f"{NAME}, one prompt, warm, {_THREADS} threads", str(alone), "150 ms", alone.median <= 0.15)
        for label, bar, rival in (
            ("GPT-2 small size (124 M, random weights), 75 tokens", 10.0, _gpt2()),
            ("T5 small size (60 M, random weights), 64 tokens", 4.0, _t5()),
        ):
            theirs, mine, ratio = measure_pair(rival, lambda: suggest(policy, PROMPTS[:1]), repeats=5)
            figure = f"{ratio:.1f} x faster ({theirs} against {mine})"
            yield Result(f"{NAME} against {label}", figure, f"{bar:g} x", ratio >= bar)
        many = PROMPTS * 8
        _, together, ratio = measure_pair(
            lambda: [suggest(policy, [prompt]) for prompt in many], lambda: suggest(policy, many), repeats=5
        )
        yield Result(
            f"{NAME}, 32 prompts in one batch against one by one", f"{ratio:.1f} x ({together})", "4 x", ratio >= 4
        )
    finally:
        torch.set_num_threads(threads)
    done = subprocess.run([sys.executable, "-c", _MEMORY, NAME], cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    yield Result(
        f"{NAME}, memory over torch and transformers", f"{told['megabytes']:.0f} MB", "150 MB", told["megabytes"] <= 150
    )
    yield Result(f"{NAME}, loading", f"{told['seconds']:.2f} s", "0.5 s", told["seconds"] <= 0.5)


def _gpt2() -> Callable[[], object]:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    model: Any = GPT2LMHeadModel(GPT2Config()).eval()
    asked = torch.arange(10, 22)[None]
    return lambda: _generate(model, asked, 75)


def _t5() -> Callable[[], object]:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    # T5 small is transformers' default T5
    model: Any = T5ForConditionalGeneration(T5Config(decoder_start_token_id=0)).eval()
    asked = torch.arange(10, 22)[None]
    return lambda: _generate(model, asked, 64)


def _generate(model: Any, asked: Any, count: int) -> object:
    import torch

    with torch.inference_mode():
        return model.generate(asked, min_new_tokens=count, max_new_tokens=count, do_sample=False, pad_token_id=0)
