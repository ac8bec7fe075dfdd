"""Scorers as they are published: names, files, formats and config fields of the originals, small random numbers.

Sources: the file listings of openai/clip-vit-large-patch14, laion/CLIP-ViT-H-14-laion2B-s32B-b79K,
yuvalkirstain/PickScore_v1 and xswu/HPSv2 on Hugging Face, christophschuhmann/improved-aesthetic-predictor, and
torch-fidelity 0.4 (the names of its Inception's tensors).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from transformers import CLIPConfig, CLIPModel

START, END = "<|startoftext|>", "<|endoftext|>"
SIGHT, WORDS, DIM = 128, 64, 48
"""Widths of the towers and of the embedding; heads have 64 channels as in every ViT-B and ViT-L."""
AESTHETIC_WIDTHS = {0: 64, 2: 8, 4: 4, 6: 2, 7: 1}
"""By the layer's place: 1024, 128, 64, 16 and 1 of the original, most of them a sixteenth."""
INCEPTION_BLOCKS = {
    **dict.fromkeys(("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"), ("",)),
    **dict.fromkeys(
        ("Mixed_5b", "Mixed_5c", "Mixed_5d"),
        ("branch1x1", "branch5x5_1", "branch5x5_2", *(f"branch3x3dbl_{i}" for i in (1, 2, 3)), "branch_pool"),
    ),
    "Mixed_6a": ("branch3x3", *(f"branch3x3dbl_{i}" for i in (1, 2, 3))),
    **dict.fromkeys(
        ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
        (
            "branch1x1",
            *(f"branch7x7_{i}" for i in (1, 2, 3)),
            *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)),
            "branch_pool",
        ),
    ),
    "Mixed_7a": ("branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4))),
    **dict.fromkeys(
        ("Mixed_7b", "Mixed_7c"),
        (
            "branch1x1",
            *("branch3x3_1", "branch3x3_2a", "branch3x3_2b"),
            *("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b"),
            "branch_pool",
        ),
    ),
}
"""Each block and the convolutions in it."""


def clip_l14(folder: Path, seed: int = 0) -> Path:
    """openai/clip-vit-large-patch14: quick GELU, `position_ids` among the weights, the end's number wrongly 2."""
    return _clip(folder, "quick_gelu", {"bos_token_id": 0, "eos_token_id": 2}, seed)


def clip_h14(folder: Path, seed: int = 1) -> Path:
    """laion/CLIP-ViT-H-14-laion2B-s32B-b79K: GELU, and the layout of transformers beside open_clip's files."""
    _clip(folder, "gelu", {"bos_token_id": 0, "eos_token_id": 2}, seed)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"embed_dim": DIM}}))
    return folder


def pickscore(folder: Path) -> Path:
    """yuvalkirstain/PickScore_v1: CLIP-H's layout with other numbers."""
    return _clip(folder, "gelu", {"bos_token_id": 0, "eos_token_id": 2}, seed=2)


def only_pickled(folder: Path) -> Path:
    """A CLIP folder of before safetensors: the same with `pytorch_model.bin` alone."""
    model = CLIPModel.from_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def aesthetic_head(path: Path, width: int = DIM, relu: bool = False) -> Path:
    """`sac+logos+ava1-l14-linearMSE.pth`; with `relu` the layout of `ava+logos-l14-reluMSE.pth`."""
    draw = torch.Generator().manual_seed(3)
    places = (0, 3, 6, 9, 11) if relu else tuple(AESTHETIC_WIDTHS)
    layers: dict[str, Tensor] = {}
    for place, rows in zip(places, AESTHETIC_WIDTHS.values(), strict=True):
        layers[f"layers.{place}.weight"] = torch.randn(rows, width, generator=draw) / width**0.5
        layers[f"layers.{place}.bias"] = torch.randn(rows, generator=draw)
        width = rows
    torch.save(layers, path)
    return path


def inception(path: Path, classes: int = 1008, scale: int = 4) -> Path:
    """`weights-inception-2015-12-05-6726825d.pth`: the real names, convolutions of `scale` channels, the real head."""
    state: dict[str, Tensor] = {}
    for block, parts in INCEPTION_BLOCKS.items():
        for part in parts:
            start = f"{block}.{part}" if part else block
            state[f"{start}.conv.weight"] = torch.full((scale, 3, 1, 1), 0.1)
            for name in ("weight", "bias", "running_mean", "running_var"):
                state[f"{start}.bn.{name}"] = torch.ones(scale)
            state[f"{start}.bn.num_batches_tracked"] = torch.tensor(0)
    state |= {"fc.weight": torch.zeros(classes, 2048), "fc.bias": torch.zeros(classes)}
    torch.save(state, path)
    return path


def hps(path: Path, seed: int = 4) -> dict[str, Tensor]:
    """`HPS_v2_compressed.pt`: open_clip's names under `state_dict`, beside the name of the run; returns the tensors."""
    state = open_clip_state(seed)
    torch.save({"epoch": 1, "name": "hps", "state_dict": state}, path)
    return state


def open_clip_state(seed: int = 4, layers: int = 2) -> dict[str, Tensor]:
    """open_clip's ViT with a text transformer; texts have 77 places."""
    draw = torch.Generator().manual_seed(seed)

    def of(*shape: int, scale: float = 0.05) -> Tensor:
        return torch.randn(*shape, generator=draw) * scale

    state = {
        "positional_embedding": of(77, WORDS),
        "text_projection": of(WORDS, DIM),
        "logit_scale": torch.tensor(4.6052),
        "visual.class_embedding": of(SIGHT),
        "visual.positional_embedding": of(5, SIGHT),
        "visual.proj": of(SIGHT, DIM),
        "visual.conv1.weight": of(SIGHT, 3, 14, 14),
        "token_embedding.weight": of(len(_vocabulary()), WORDS),
    }
    for name, width in (("visual.ln_pre", SIGHT), ("visual.ln_post", SIGHT), ("ln_final", WORDS)):
        state |= {f"{name}.weight": 1 + of(width), f"{name}.bias": of(width)}
    for tower, width in (("visual.", SIGHT), ("", WORDS)):
        for layer in range(layers):
            start = f"{tower}transformer.resblocks.{layer}"
            for norm in ("ln_1", "ln_2"):
                state |= {f"{start}.{norm}.weight": 1 + of(width), f"{start}.{norm}.bias": of(width)}
            state |= {
                f"{start}.attn.in_proj_weight": of(3 * width, width),
                f"{start}.attn.in_proj_bias": of(3 * width),
            }
            for name, rows, columns in (
                ("attn.out_proj", width, width),
                ("mlp.c_fc", 4 * width, width),
                ("mlp.c_proj", width, 4 * width),
            ):
                state |= {f"{start}.{name}.weight": of(rows, columns), f"{start}.{name}.bias": of(rows)}
    return state


def clip_tokenizer(folder: Path) -> None:
    """CLIP's byte-level BPE, without merges, in its five files."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    backend = Tokenizer(
        models.BPE(vocabulary, [], unk_token=END, end_of_word_suffix="</w>", continuing_subword_prefix="")
    )
    backend.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    word = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(word, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    ends = (END, vocabulary[END]), (START, vocabulary[START])
    backend.post_processor = processors.RobertaProcessing(*ends, trim_offsets=False, add_prefix_space=False)
    backend.add_special_tokens([START, END])
    backend.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n")
    names = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    (folder / "special_tokens_map.json").write_text(json.dumps(names))
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _vocabulary() -> dict[str, int]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), START, END]
    return {piece: index for index, piece in enumerate(pieces)}


def _clip(folder: Path, activation: str, ids: dict[str, int], seed: int) -> Path:
    clip_tokenizer(folder)
    common = {"num_hidden_layers": 2, "hidden_act": activation, "projection_dim": DIM}
    words = {"hidden_size": WORDS, "intermediate_size": 4 * WORDS, "num_attention_heads": 1, **common, **ids}
    sight = {"hidden_size": SIGHT, "intermediate_size": 4 * SIGHT, "num_attention_heads": 2, **common}
    config: Any = CLIPConfig(
        text_config={"vocab_size": len(_vocabulary()), "max_position_embeddings": 77, "pad_token_id": 1, **words},
        vision_config={"image_size": 28, "patch_size": 14, **sight},
        projection_dim=DIM,
    )
    torch.manual_seed(seed)
    state = {name: value.detach().clone() for name, value in CLIPModel(config).state_dict().items()}
    state["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    state["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    values = config.to_dict() | {"architectures": ["CLIPModel"]}
    (folder / "config.json").write_text(json.dumps(values, indent=2, default=str))
    pixels = {"crop_size": 28, "size": 28, "resample": 3, "do_center_crop": True, "do_resize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    return folder
