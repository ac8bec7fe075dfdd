"""The example workflows for today's models: they need files of the user's, which ComfyUI itself asks for."""

from __future__ import annotations

from dataclasses import replace

from examples import EMPTY, WRITER, Sketch, sampler, saved

HUB = "https://huggingface.co/"
_HERE = "It runs where the files are; **ComfyUI names those that are missing** in the first nodes."
NOTES = {
    "tags": "**Pony, Illustrious, NoobAI.** These read tags. **Choose your file in the first node**, which shows the "
    "first of *models/checkpoints*, or nothing if there is none. The class of such a file is that of SDXL, so choose "
    "the policy yourself: *negopt:illustrious* (NoobAI too) or *negopt:pony*. Usual CFG: 5 to 7.",
    "anima": f"**Anima.** Reads tags; at CFG 4 the negative acts. {_HERE} With its turbo LoRA at CFG 1 a negative does "
    "nothing: raise CFG to 1.5 to 2.",
    "flux": "**Flux.1 dev.** At CFG 1 ComfyUI does not compute the negative. The node *Normalized Attention Guidance* "
    f"makes it act, for texts up to 255 tokens, and doubles the work of a step. {_HERE} Without that node raise CFG to "
    "1.5 to 2.",
    "z_image": "**Z-Image Turbo.** Made for CFG 1, where a negative does nothing; NAGuidance is never called for it. "
    f"At CFG 2 the negative acts, and a step takes twice as long. {_HERE} If the picture is too hard, try 1.5.",
    "qwen_image": "**Qwen-Image.** At CFG 2 the negative acts; users report 5 as too much. NAGuidance is never called "
    f"for it. {_HERE} With a Lightning LoRA take 8 steps and CFG 1.5 to 2.",
}
FOX = "a photo of a fox in the snow, early morning, by a frozen lake"
TAGS = "1girl, fox ears, fox tail, snow, frozen lake, morning, winter clothes"


def models() -> dict[str, dict[int, Sketch]]:
    """Name -> nodes by id."""
    z_image = f"{HUB}Comfy-Org/z_image_turbo/resolve/main/split_files"
    qwen = f"{HUB}Comfy-Org/Qwen-Image_ComfyUI/resolve/main/split_files"
    anima = f"{HUB}circlestone-labs/Anima/resolve/main/split_files"
    return {
        "tags": _tags(),
        "anima": _apart(
            f"{anima}/diffusion_models/anima-base-v1.0.safetensors",
            (f"{anima}/text_encoders/qwen_3_06b_base.safetensors", "stable_diffusion"),
            f"{anima}/vae/qwen_image_vae.safetensors",
            ("negopt:anima", TAGS),
            {"cfg": 4.0, "steps": 30, "sampler_name": "euler"},
        ),
        "flux": _flux(),
        "z_image": _apart(
            f"{z_image}/diffusion_models/z_image_turbo_bf16.safetensors",
            (f"{z_image}/text_encoders/qwen_3_4b.safetensors", "lumina2"),
            f"{z_image}/vae/ae.safetensors",
            ("negopt:z-image", FOX),
            {"cfg": 2.0, "steps": 8, "sampler_name": "res_multistep"},
            shift=3.0,
        ),
        "qwen_image": _apart(
            f"{qwen}/diffusion_models/qwen_image_fp8_e4m3fn.safetensors",
            (f"{qwen}/text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors", "qwen_image"),
            f"{qwen}/vae/qwen_image_vae.safetensors",
            ("negopt:qwen-image", FOX),
            {"cfg": 2.0, "steps": 20, "sampler_name": "euler"},
            shift=3.1,
            side=1328,
        ),
    }


def _one_click(policy: str, prompt: str, model: tuple[int, int], clip: tuple[int, int]) -> Sketch:
    widgets = {"policy": policy, "weighting": "comfy", "prompt": prompt, **WRITER, **EMPTY}
    return Sketch("NegOptOneClick", 1, widgets, {"model": model, "clip": clip})


def _tags() -> dict[int, Sketch]:
    size = {"width": 1024, "height": 1024, "batch_size": 1}
    return {
        1: Sketch("CheckpointLoaderSimple", 0, {"ckpt_name": ""}, takes_first=True),
        2: _one_click("negopt:illustrious", TAGS, (1, 0), (1, 1)),
        3: Sketch("EmptyLatentImage", 0, size),
        4: sampler(
            2, (2, 0), (2, 1), (2, 2), (3, 0), cfg=5.5, steps=28, sampler_name="euler_ancestral", scheduler="normal"
        ),
        **saved(5, 2, 4, (2, 6)),
    }


def _loaded(kind: str, widgets: dict[str, object], *files: str) -> Sketch:
    return Sketch(kind, 0, widgets, files=files)


def _file(address: str) -> str:
    return address.rpartition("/")[2]


def _apart(
    model: str,
    encoder: tuple[str, str],
    vae: str,
    writes: tuple[str, str],
    sampling: dict[str, object],
    shift: float = 0.0,
    side: int = 1024,
) -> dict[int, Sketch]:
    """Model, text encoder and VAE in files of their own; `shift` adds the node that sets it."""
    address, kind = encoder
    latent = "EmptySD3LatentImage" if shift else "EmptyLatentImage"
    nodes = {
        1: _loaded("UNETLoader", {"unet_name": _file(model), "weight_dtype": "default"}, model),
        2: _loaded("CLIPLoader", {"clip_name": _file(address), "type": kind, "device": "default"}, address),
        3: _loaded("VAELoader", {"vae_name": _file(vae)}, vae),
        4: Sketch(latent, 0, {"width": side, "height": side, "batch_size": 1}),
        5: _one_click(*writes, (9, 0) if shift else (1, 0), (2, 0)),
        6: sampler(2, (5, 0), (5, 1), (5, 2), (4, 0), scheduler="simple", **sampling),
        **saved(7, 2, 6, (5, 6), vae=(3, 0)),
    }
    if shift:
        nodes[9] = Sketch("ModelSamplingAuraFlow", 0, {"shift": shift}, {"model": (1, 0)})
    return nodes


def _flux() -> dict[int, Sketch]:
    """Flux.1 dev at CFG 1; its guidance is 3.5 where no node says another."""
    encoders = [
        f"{HUB}comfyanonymous/flux_text_encoders/resolve/main/{name}.safetensors" for name in ("clip_l", "t5xxl_fp16")
    ]
    nodes = _apart(
        f"{HUB}Comfy-Org/flux1-dev/resolve/main/flux1-dev.safetensors",
        (encoders[0], "flux"),
        f"{HUB}Comfy-Org/Lumina_Image_2.0_Repackaged/resolve/main/split_files/vae/ae.safetensors",
        ("negopt:flux", FOX),
        {"cfg": 1.0, "steps": 20, "sampler_name": "euler"},
    )
    names = {"clip_name1": _file(encoders[0]), "clip_name2": _file(encoders[1]), "type": "flux", "device": "default"}
    nodes[2] = _loaded("DualCLIPLoader", names, *encoders)
    nodes[4] = replace(nodes[4], kind="EmptySD3LatentImage")
    nodes[9] = Sketch("NAGuidance", 2, {"nag_scale": 5.0, "nag_alpha": 0.5, "nag_tau": 1.5}, {"model": (5, 0)})
    nodes[6] = replace(nodes[6], links={**nodes[6].links, "model": (9, 0)})
    return {key: nodes[key] for key in (1, 2, 3, 4, 5, 9, 6, 7, 8)}
