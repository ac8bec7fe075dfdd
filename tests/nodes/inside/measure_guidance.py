"""Which guidance makes a negative act, family by family, on tiny models: by counting calls and comparing pictures.

COMFYUI_PATH=... [NEGOPT_NAG_PACK=/path/to/ComfyUI-NAG-Extended] python measure_guidance.py [FAMILY ...]

Prints one JSON line for each family; with --write puts what was measured into negopt_core/assets/guidance.json.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boot
import torch

ASSET = boot.REPOSITORY / "negopt_core" / "assets" / "guidance.json"
STEPS = 2
STEPS = 2
_MOST_WORDS = 600
_NAG = {"nag_scale": 5.0, "nag_alpha": 0.5, "nag_tau": 1.5}


def measure(family: Any) -> dict[str, Any]:
    """What was seen. `idle`: at CFG 1 the negative changes nothing, not even a bit, and is in no call."""
    from checks_families import BAD, SEEN, distance, same
    from tiny_families import built

    model = built(family)
    plain = [paint(family, model, negative) for negative in (BAD, "")]
    guided = [paint(family, model, negative, cfg=2.0) for negative in (BAD, "")]
    patched, calls = with_nag(model)
    nag = [paint(family, patched, negative) for negative in (BAD, "")]
    acts = distance(*nag) > SEEN
    assert acts == bool(calls), "the patch is called and does nothing, or the other way round"
    return {
        "idle": same(plain[0].latent, plain[1].latent) and plain[0].batches == [1] * STEPS,
        "cfg": distance(*guided) > SEEN and sum(guided[0].batches) == 2 * STEPS,
        "nag_tokens": most_words(family, patched) if acts else None,
    }


def paint(family: Any, model: Any, negative: str, cfg: float = 1.0) -> Any:
    """One run with a negative."""
    from checks_families import GOOD, paint_encoded
    from tiny_families import Encoder

    encoder = Encoder(family)
    sides = encoder.conditioning(GOOD), encoder.conditioning(negative)
    return paint_encoded(family, model, *sides, cfg=cfg, steps=STEPS)


def with_nag(model: Any) -> tuple[Any, list[int]]:
    """The model behind ComfyUI's own NAGuidance, and a list that grows with each call of its patch."""
    from comfy_extras.nodes_nag import NAGuidance

    patched, calls = NAGuidance.execute(model, **_NAG).result[0], []
    patches = patched.model_options["transformer_options"]["patches"]["attn1_output_patch"]
    patches.insert(0, lambda out, extra: (calls.append(1), out)[1])
    return patched, calls


def most_words(family: Any, patched: Any) -> int:
    """The longest text, in one-token words, that shares a batch with one of one word; NAGuidance acts in such only.

    0: already one and two words do not.
    """
    shares = sharing(family, patched)
    low, high = 0, _MOST_WORDS
    if not shares(2):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if shares(middle) else (low, middle)
    return low


def sharing(family: Any, patched: Any) -> Callable[..., bool]:
    """Whether a run with texts of so many words, and so many on the other side, calls the network once for both."""
    from checks_families import BAD, GOOD, paint_encoded
    from tiny_families import Encoder

    count = token_counter(family)

    def shares(words: int, others: int = 1) -> bool:
        sides = Encoder(family, count(words)).conditioning(GOOD), Encoder(family, count(others)).conditioning(BAD)
        return paint_encoded(family, patched, *sides, cfg=1.0, steps=1).batches == [2]

    return shares


def token_counter(family: Any) -> Callable[[int], int]:
    """Words -> length of the sequence that the network reads, by ComfyUI's own tokenizer for the family.

    One token a word where this checkout lacks the tokenizer's file (HunyuanVideo's has 17 MB); its class does not pad.
    """
    import comfy.supported_models
    import comfy.text_encoders.flux

    kind = getattr(comfy.supported_models, family.config)
    if family.name == "flux2":  # it has two text encoders; the other keeps its words in its checkpoint
        tokenizer = comfy.text_encoders.flux.KleinTokenizer()
    else:
        try:
            tokenizer = kind({"hidden_size": 64}).clip_target({}).tokenizer()
        except FileNotFoundError:
            return lambda words: words

    def count(words: int) -> int:
        found = tokenizer.tokenize_with_weights(" ".join(["cat"] * words))
        name = next((name for name in found if name not in ("l", "g", "byt5")), "l")
        return sum(map(len, found[name]))

    return count


def measure_pack(family: Any) -> str:
    """What a pack's own NAG sampler makes of two negatives: "acts", "idle", or what it says where it stops."""
    import comfy.sample
    import comfy.samplers
    from checks_families import BAD, GOOD, SEEN
    from tiny_families import Encoder, built

    encoder, model, latent = Encoder(family), built(family), torch.zeros(family.latent)
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", STEPS)
    good, pictures = encoder.conditioning(GOOD), []
    for negative in (BAD, ""):
        try:
            node = nag_pack()["NAGCFGGuider"]()
            sides = good, good, encoder.conditioning(negative)
            (guider,) = node.get_guider(model, *sides, 1.0, 5.0, 2.5, 0.25, 0.0, {"samples": latent})
            sampler, noise = comfy.samplers.sampler_object("euler"), comfy.sample.prepare_noise(latent, 3)
            pictures.append(guider.sample(noise, latent, sampler, sigmas, disable_pbar=True, seed=3))
        except Exception as error:  # the pack's own, of whatever kind, is what is being measured
            return f"{type(error).__name__}: {error}"
    assert torch.isfinite(pictures[0]).all()
    seen = float((pictures[0] - pictures[1]).abs().max() / pictures[0].abs().max())
    return "acts" if seen > SEEN else "idle"


def nag_pack() -> dict[str, Any]:
    """The node classes of the pack at NEGOPT_NAG_PACK."""
    if "nag_pack" not in sys.modules:
        place = Path(os.environ["NEGOPT_NAG_PACK"])
        spec = importlib.util.spec_from_file_location("nag_pack", place / "__init__.py")
        assert spec is not None and spec.loader is not None
        sys.modules["nag_pack"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["nag_pack"])
    mappings: dict[str, Any] = sys.modules["nag_pack"].NODE_CLASS_MAPPINGS
    return mappings


def main(wanted: list[str], write: bool) -> None:
    from comfyui_version import __version__
    from tiny_families import known

    told = json.loads(ASSET.read_text(encoding="utf-8"))
    for family in known():
        if wanted and family.name not in wanted:
            continue
        cells = measure(family)
        pack = measure_pack(family) if os.environ.get("NEGOPT_NAG_PACK") else None
        sys.stdout.write(json.dumps({"family": family.name, **cells, "pack": pack}) + "\n")
        sys.stdout.flush()
        row = told["families"][family.name]
        row |= {name: cells[name] for name in ("cfg", "nag_tokens")} | ({"pack": pack == "acts"} if pack else {})
    if write:
        told["comfyui"] = __version__
        rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in told.pop("families").items())
        head = json.dumps(told, indent=2)[:-2]
        ASSET.write_text(f'{head},\n  "families": {{\n{rows}\n  }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    boot.start()
    main([word for word in sys.argv[1:] if word != "--write"], "--write" in sys.argv)
