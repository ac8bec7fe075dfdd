"""What the example workflows are made of, as sketches: nodes, their places, widgets and links."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BOTH_SHAPES = "a photo of a yellow ball next to a blue cube by the sea by day"
HEART = "a cartoon of a red heart in the forest by day"
BALL = "a photo of a purple ball in the desert by day"
SUNSET = "a photo of a red ball by the sea at sunset"
PYRAMID = "a photo of a green pyramid in the desert at sunset"
WRITER = {"negative": "", "mode": "negative and modifiers", "seed": 1, "control": "fixed", "locked": False}
EMPTY = {"locked_positive": "", "locked_negative": ""}
NEGATIVE = "world-negative"  # trained on the demo world; artists choose a policy for their checkpoint
BOTH = f"{NEGATIVE}+world-modifiers"
NOTES = {
    "basic_negative": "**Write a negative.** *Write prompts* asks a policy for a negative that suits the prompt. Press "
    "Run: its phrases appear under the texts. × removes one, ⟳ replaces it; either keeps the text for the next runs.",
    "scheduled_modifiers": "**Scheduled words.** *[, vivid:1-0.5:1]* acts in the first half of the steps "
    "(1 is the start, 0 the end), *[, detailed:0.5-0:1.2]* in the second half at weight 1.2. The sampler hook makes it "
    "exact.",
    "scheduled_negative": "**Scheduled negatives.** *blurry* is pushed away throughout, *too dark* in the "
    "first half, *noisy* only at the end. Needs CFG above 1.",
    "one_click": "**The whole job in one node.** Press Run: it writes both prompts, encodes them and hooks the model. "
    "The phrases it wrote stand under the texts. Its output *record* tells the last node how the picture was made. The "
    "demo world paints 64 x 64 toy pictures; nothing is downloaded.",
    "img2img_with_hook": "**Again, from a picture.** The second sampler starts from the first one's picture with "
    "denoise 0.6. Windows count the steps that run, so *detailed* acts in the second half of those.",
    "two_pass": "**Two passes.** The first picture is enlarged and painted over with denoise 0.5. Both samplers share "
    "one hooked model, and each counts its own steps.",
    "ksampler_advanced_chain": "**One run cut in two.** Each sampler has its own hook: *step_offset* says where it "
    "starts, *total_steps* how long the whole chain is.",
    "timeline": "**Drawn windows.** Drag a bar's edge for when a phrase acts, drag it up or down for how strongly; the "
    "text above follows, and the bars follow the text. The bars stand on the steps of the sampler at the end.",
    "compare_arms": "**Does it help?** One prompt and one noise, three arms from left to right: no negative, the same "
    "fixed negative for every prompt, and what the policy writes with its windows. One picture proves nothing: change "
    "the seeds.",
    "sdxl": "**SDXL, node by node.** Needs an SDXL checkpoint of yours. **Choose it in the first node**, which shows "
    "the first file of *models/checkpoints*, or nothing if there is none. The policy *negopt-scheduled* with the "
    "family *sdxl* writes for it, with windows; the hook keeps the windows of both prompts exactly.",
    "own_checkpoint": "**Your own checkpoint.** No model comes with negopt. **Choose an SD 1.5 or SDXL file in the "
    "first node**, which shows the first of *models/checkpoints*, or nothing if there is none. The policy *negopt* "
    "writes for the family it finds in the file; for Pony or Illustrious choose theirs, such as *negopt:pony*. For "
    "SDXL set 1024 x 1024. Then write your prompt.",
}
TITLES = {
    "one_click": "01 One click",
    "own_checkpoint": "02 Your own checkpoint",
    "basic_negative": "03 Write a negative",
    "timeline": "04 Draw the timeline",
    "scheduled_modifiers": "05 Scheduled modifiers",
    "scheduled_negative": "06 Scheduled negative",
    "compare_arms": "07 Compare side by side",
    "img2img_with_hook": "08 Image to image",
    "two_pass": "09 Two passes",
    "ksampler_advanced_chain": "10 Two samplers in a row",
    "sdxl": "11 SDXL node by node",
    "tags": "12 Pony and Illustrious",
    "anima": "13 Anima at CFG 4",
    "flux": "14 Flux with NAGuidance",
    "z_image": "15 Z-Image Turbo at CFG 2",
    "qwen_image": "16 Qwen-Image at CFG 2",
}
"""File names: ComfyUI shows a custom node's templates by them, and file systems and its own sorting go by them."""
CAPTIONS = {
    "one_click": "Start here: one node\nwrites both prompts",
    "own_checkpoint": "Needs a file of yours",
    "basic_negative": "A negative that\nsuits the prompt",
    "timeline": "Drag when words act",
    "scheduled_modifiers": "Scheduled words",
    "scheduled_negative": "Scheduled negatives",
    "compare_arms": "Does a negative help?\nThe same noise, three ways",
    "img2img_with_hook": "Again, from a picture",
    "two_pass": "Enlarged and\npainted over",
    "ksampler_advanced_chain": "One run cut in two",
    "sdxl": "Needs a file of yours",
    "tags": "Tags, and a file of yours",
    "anima": "The negative acts at CFG 4",
    "flux": "A negative at CFG 1",
    "z_image": "The negative acts at CFG 2",
    "qwen_image": "The negative acts at CFG 2",
}
"""What stands on the thumbnails; there is no other place for a description."""
CHAINS = {
    "own_checkpoint": ("your checkpoint", "negopt: one click", "your picture"),
    "sdxl": ("your SDXL file", "write, encode, hook", "your picture"),
    "tags": ("Pony, Illustrious", "negopt: one click", "your picture"),
    "anima": ("Anima", "negopt: one click", "your picture"),
    "flux": ("Flux", "one click + NAG", "your picture"),
    "z_image": ("Z-Image Turbo", "negopt: one click", "your picture"),
    "qwen_image": ("Qwen-Image", "negopt: one click", "your picture"),
}
"""Examples that cannot be painted here, and the parts that their thumbnails show."""
APP_FIELDS = {
    "one_click": ([(2, "prompt"), (2, "policy"), (3, "seed")], [5]),
    "own_checkpoint": ([(1, "ckpt_name"), (2, "prompt"), (2, "policy"), (3, "width"), (3, "height"), (4, "seed")], [6]),
    "basic_negative": ([(3, "prompt"), (3, "negative"), (2, "policy"), (7, "seed")], [9]),
}
"""What App mode shows: the fields (node, widget), and the nodes whose pictures are the results."""
HOOK = {"unit": "sampler steps", "step_offset": 0, "total_steps": 0}


@dataclass
class Sketch:
    """One node: its kind, its column on the canvas (below the earlier ones there), its widgets in order, its links."""

    kind: str
    column: int
    widgets: dict[str, Any] = field(default_factory=dict)
    links: dict[str, tuple[int, int]] = field(default_factory=dict)
    takes_first: bool = False
    """Whether the file leaves its widgets to the page, which takes the first of each menu."""
    files: tuple[str, ...] = ()
    """Addresses of the files it loads; a file's folder under `models` stands before its name. ComfyUI offers them."""


def encode(column: int, text: str = "", source: tuple[int, int] | None = None, clip: int = 1) -> Sketch:
    links = {"clip": (clip, 1), **({"df_text": source} if source else {})}
    return Sketch("NegOptEncode", column, {"df_text": text, "weighting": "comfy", "same_length": True}, links)


def sampler(column: int, model: Any, positive: Any, negative: Any, latent: Any, **changed: Any) -> Sketch:
    widgets = {"seed": 2, "control": "fixed", "steps": 20, "cfg": 2.5, "sampler_name": "dpmpp_2m"}
    widgets |= {"scheduler": "sgm_uniform", "denoise": 1.0, **changed}
    links = {"model": model, "positive": positive, "negative": negative, "latent_image": latent}
    return Sketch("KSampler", column, widgets, links)


def part(column: int, links: dict[str, tuple[int, int]], start: int, stop: int, is_first: bool) -> Sketch:
    widgets = {"add_noise": "enable" if is_first else "disable", "noise_seed": 6, "control": "fixed", "steps": 20}
    widgets |= {"cfg": 2.5, "sampler_name": "euler", "scheduler": "sgm_uniform", "start_at_step": start}
    widgets |= {"end_at_step": stop, "return_with_leftover_noise": "enable" if is_first else "disable"}
    return Sketch("KSamplerAdvanced", column, widgets, links)


def saved(
    first: int, column: int, samples: int, record: tuple[int, int] | None = None, vae: Any = (1, 2)
) -> dict[int, Sketch]:
    """Decode and save, as nodes `first` and `first + 1`."""
    links = {"images": (first, 0), **({"record": record} if record else {})}
    return {
        first: Sketch("VAEDecode", column, {}, {"samples": (samples, 0), "vae": vae}),
        first + 1: Sketch("NegOptSaveProvenance", column, {"filename_prefix": "negopt", "format": "png"}, links),
    }


DEMO = {1: Sketch("NegOptDemoModel", 0, {"batch_size": 1})}


def hook(model: tuple[int, int] = (1, 0), **changed: Any) -> Sketch:
    return Sketch("NegOptSamplerHook", 0, {**HOOK, **changed}, {"model": model})


def scheduled(positive: str, negative: str, seed: int = 2) -> dict[int, Sketch]:
    return {
        **DEMO,
        2: encode(1, positive),
        3: encode(1, negative),
        4: hook(),
        5: sampler(2, (4, 0), (2, 0), (3, 0), (1, 3), seed=seed),
        **saved(6, 2, 5),
    }


def examples() -> dict[str, dict[int, Sketch]]:
    """Name -> nodes by id."""
    basic = {
        **DEMO,
        2: Sketch("NegOptLoadPolicy", 0, {"policy": NEGATIVE, "family": "any"}),
        3: Sketch("NegOptSuggest", 1, {"prompt": HEART, **WRITER, "mode": "negative", **EMPTY}, {"policy": (2, 0)}),
        4: encode(2, source=(3, 0)),
        5: encode(2, source=(3, 1)),
        6: hook(),
        7: sampler(3, (6, 0), (4, 0), (5, 0), (1, 3), seed=6),
        **saved(8, 3, 7, (3, 3)),
    }
    click = {"policy": BOTH, "weighting": "comfy", "prompt": BOTH_SHAPES, **WRITER, **EMPTY}
    one_click = {
        **DEMO,
        2: Sketch("NegOptOneClick", 1, click, {"model": (1, 0), "clip": (1, 1)}),
        3: sampler(2, (2, 0), (2, 1), (2, 2), (1, 3), seed=5),
        **saved(4, 2, 3, (2, 6)),
    }
    own = {
        1: Sketch("CheckpointLoaderSimple", 0, {"ckpt_name": ""}, takes_first=True),
        2: Sketch(
            "NegOptOneClick",
            1,
            {**click, "policy": "negopt", "prompt": "a photo of a fox in the snow"},
            {"model": (1, 0), "clip": (1, 1)},
        ),
        3: Sketch("EmptyLatentImage", 0, {"width": 512, "height": 512, "batch_size": 1}),
        4: sampler(2, (2, 0), (2, 1), (2, 2), (3, 0), cfg=7.0, scheduler="karras"),
        **saved(5, 2, 4, (2, 6)),
    }
    again = scheduled(HEART, "blurry[, too dark:0.5-0:1]", 7)
    img2img = {
        **{key: again[key] for key in (1, 2, 3, 4, 5)},
        8: encode(1, "a cartoon of a yellow heart in the forest by day[, detailed:0.5-0:1]"),
        9: sampler(3, (4, 0), (8, 0), (3, 0), (5, 0), denoise=0.6, seed=4),
        **saved(10, 3, 9),
    }
    two_pass = {
        **{key: again[key] for key in (1, 2, 3, 4, 5)},
        8: Sketch("LatentUpscaleBy", 2, {"upscale_method": "bilinear", "scale_by": 1.5}, {"samples": (5, 0)}),
        9: sampler(3, (4, 0), (2, 0), (3, 0), (8, 0), denoise=0.5, seed=4),
        **saved(10, 3, 9),
    }
    first = {"model": (4, 0), "positive": (2, 0), "negative": (3, 0), "latent_image": (1, 3)}
    chain = {
        **{key: again[key] for key in (1, 2, 3)},
        4: hook(step_offset=0, total_steps=20),
        5: hook(step_offset=8, total_steps=20),
        6: part(2, first, 0, 8, is_first=True),
        7: part(3, {**first, "model": (5, 0), "latent_image": (6, 0)}, 8, 20, is_first=False),
        **saved(8, 3, 7),
    }
    drawn = {
        "df_text": f"{SUNSET}[, vivid:1-0.5:1][, detailed:0.5-0:1.2]",
        "steps": 20,
        "df_negative": "blurry[, noisy:0.4-0:1.2]",
    }
    timeline = {
        **DEMO,
        2: Sketch("NegOptTimeline", 1, drawn),
        3: encode(2, source=(2, 0)),
        4: encode(2, source=(2, 3)),
        5: hook(),
        6: sampler(3, (5, 0), (3, 0), (4, 0), (1, 3)),
        **saved(7, 3, 6),
    }
    return {
        "timeline": timeline,
        "compare_arms": compare_arms(),
        "sdxl": sdxl(),
        "basic_negative": basic,
        "scheduled_modifiers": scheduled(f"{BALL}[, vivid:1-0.5:1][, detailed:0.5-0:1.2]", "blurry"),
        "scheduled_negative": scheduled(PYRAMID, "blurry[, too dark:1-0.5:1][, noisy:0.4-0:1.2]", 8),
        "one_click": one_click,
        "img2img_with_hook": img2img,
        "two_pass": two_pass,
        "ksampler_advanced_chain": chain,
        "own_checkpoint": own,
    }


def compare_arms() -> dict[int, Sketch]:
    """No negative, a fixed one, and the policy's, from the same noise, stitched into one picture."""
    arms = {11: ((1, 0), (5, 0), (6, 0)), 12: ((1, 0), (5, 0), (7, 0)), 13: ((4, 0), (8, 0), (9, 0))}
    stitch = {"direction": "right", "match_image_size": True, "spacing_width": 2, "spacing_color": "white"}
    return {
        **DEMO,
        2: Sketch("NegOptLoadPolicy", 0, {"policy": BOTH, "family": "any"}),
        3: Sketch("NegOptSuggest", 1, {"prompt": BOTH_SHAPES, **WRITER, **EMPTY}, {"policy": (2, 0)}),
        4: hook(),
        5: encode(2, BOTH_SHAPES),
        6: encode(2, ""),
        7: encode(2, "blurry, low quality, worst quality"),
        8: encode(2, source=(3, 0)),
        9: encode(2, source=(3, 1)),
        **{key: sampler(3, *links, (1, 3), seed=5) for key, links in arms.items()},
        **{key + 10: Sketch("VAEDecode", 4, {}, {"samples": (key, 0), "vae": (1, 2)}) for key in arms},
        31: Sketch("ImageStitch", 4, stitch, {"image1": (21, 0), "image2": (22, 0)}),
        32: Sketch("ImageStitch", 4, stitch, {"image1": (31, 0), "image2": (23, 0)}),
        33: Sketch(
            "NegOptSaveProvenance",
            4,
            {"filename_prefix": "negopt", "format": "png"},
            {"images": (32, 0), "record": (3, 3)},
        ),
    }


def sdxl() -> dict[int, Sketch]:
    """The parts apart, with an SDXL checkpoint of the user's."""
    writer = {"prompt": "a photo of a fox in the snow", **WRITER, **EMPTY}
    return {
        1: Sketch("CheckpointLoaderSimple", 0, {"ckpt_name": ""}, takes_first=True),
        2: Sketch("NegOptLoadPolicy", 0, {"policy": "negopt-scheduled", "family": "sdxl"}),
        3: Sketch("NegOptSuggest", 1, writer, {"policy": (2, 0)}),
        4: encode(2, source=(3, 0)),
        5: encode(2, source=(3, 1)),
        6: hook(),
        7: Sketch("EmptyLatentImage", 0, {"width": 1024, "height": 1024, "batch_size": 1}),
        8: sampler(3, (6, 0), (4, 0), (5, 0), (7, 0), cfg=6.0, steps=25, scheduler="karras"),
        **saved(9, 3, 8, (3, 3)),
    }
