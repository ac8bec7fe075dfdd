"""Scorers' files as they are published are read or converted; what is damaged or something else is one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPModel, T5Config

from negopt_core.cli import main
from negopt_core.errors import ModelError
from negopt_core.scorers.aesthetic import AestheticScorer, convert_head
from negopt_core.scorers.clip import ClipScorer, HpsScorer, PickScorer
from negopt_core.scorers.clip_folder import convert_clip, open_clip_config
from negopt_core.scorers.embed import Embedder, prepare
from negopt_core.scorers.features import convert_inception
from tests.published import scorers as published

PROMPTS = ["a red ball", "a blue cube by the sea"]


def pictures() -> Tensor:
    return torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("published")
    published.clip_l14(place / "clip-l")
    published.clip_h14(place / "clip-h")
    published.pickscore(place / "pickscore")
    published.aesthetic_head(place / "head.pth")
    published.inception(place / "inception.pth")
    published.hps(place / "hps.pt")
    return place


@pytest.mark.parametrize("name", ["clip-l", "clip-h", "pickscore"])
def test_clip_folders_as_published_give_what_transformers_says(home: Path, name: str) -> None:
    embedder = Embedder.load(str(home / name))
    model = CLIPModel.from_pretrained(str(home / name)).eval()
    tokens = embedder.tokenizer(PROMPTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**tokens, pixel_values=prepare(pictures(), 28)).logits_per_image.diagonal()
    torch.testing.assert_close(PickScorer(embedder)(pictures(), PROMPTS), logits, atol=1e-3, rtol=1e-3)


def test_a_pickled_clip_is_refused_with_what_to_do_and_converts_to_the_same_scores(home: Path, tmp_path: Path) -> None:
    folder = published.only_pickled(published.clip_l14(tmp_path / "old"))
    with pytest.raises(ModelError, match=r"pytorch_model\.bin\), which can hold code; .* `convert clip DIR`"):
        Embedder.load(str(folder))
    convert_clip(folder, tmp_path / "new")
    new, original = Embedder.load(str(tmp_path / "new")), Embedder.load(str(home / "clip-l"))
    assert torch.equal(ClipScorer(new)(pictures(), PROMPTS), ClipScorer(original)(pictures(), PROMPTS))
    torch.save({"x": Path("code")}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="nothing in it was run"):
        convert_clip(folder, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def tower(state: dict[str, Tensor], prefix: str, x: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """open_clip's residual blocks on [B, L, D], with torch's own attention."""
    width = x.shape[-1]
    layers = sum(name.startswith(f"{prefix}transformer") and name.endswith("ln_1.bias") for name in state)
    for layer in range(layers):
        part = {
            name.removeprefix(f"{prefix}transformer.resblocks.{layer}."): value
            for name, value in state.items()
            if name.startswith(f"{prefix}transformer.resblocks.{layer}.")
        }
        attention = nn.MultiheadAttention(width, heads, batch_first=True)
        attention.load_state_dict(
            {name.removeprefix("attn."): value for name, value in part.items() if name.startswith("attn.")}
        )
        normed = functional.layer_norm(x, (width,), part["ln_1.weight"], part["ln_1.bias"])
        x = x + attention(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        normed = functional.layer_norm(x, (width,), part["ln_2.weight"], part["ln_2.bias"])
        inner = functional.gelu(functional.linear(normed, part["mlp.c_fc.weight"], part["mlp.c_fc.bias"]))
        x = x + functional.linear(inner, part["mlp.c_proj.weight"], part["mlp.c_proj.bias"])
    return x


@torch.no_grad()
def cosines_by_hand(state: dict[str, Tensor], images: Tensor, ids: Tensor) -> Tensor:
    def norm(name: str, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])

    patches = functional.conv2d(images, state["visual.conv1.weight"], stride=14).flatten(2).transpose(1, 2)
    first = state["visual.class_embedding"].expand(len(images), 1, -1)
    x = torch.cat([first, patches], dim=1) + state["visual.positional_embedding"]
    x = tower(state, "visual.", norm("visual.ln_pre", x), 2, None)
    seen = norm("visual.ln_post", x[:, 0]) @ state["visual.proj"]
    length = ids.shape[1]
    later = torch.full((length, length), -torch.inf).triu(1)
    y = state["token_embedding.weight"][ids] + state["positional_embedding"][:length]
    y = norm("ln_final", tower(state, "", y, 1, later))
    told = y[torch.arange(len(ids)), ids.argmax(dim=1)] @ state["text_projection"]
    return functional.cosine_similarity(seen, told)


def test_hps_as_published_becomes_a_folder_that_computes_what_open_clip_computes(home: Path, tmp_path: Path) -> None:
    convert_clip(home / "hps.pt", tmp_path / "hps", tokenizer=home / "clip-l")
    embedder = Embedder.load(str(tmp_path / "hps"))
    ids = embedder.tokenizer(PROMPTS, padding=True, return_tensors="pt").input_ids
    expected = cosines_by_hand(published.open_clip_state(), prepare(pictures(), 28), ids)
    torch.testing.assert_close(HpsScorer(embedder)(pictures(), PROMPTS), expected, atol=1e-4, rtol=1e-3)


def test_the_heads_of_open_clips_largest_models_are_wider() -> None:
    """ViT-H/14: 1280 channels of a picture in 16 heads, 1024 of a text in 16."""
    state = {name: value.to("meta") for name, value in published.open_clip_state(layers=1).items()}
    wide = {"visual.conv1.weight": (1280, 3, 14, 14), "visual.positional_embedding": (257, 1280)}
    wide |= {"token_embedding.weight": (49408, 1024), "visual.proj": (1280, 1024)}
    config = open_clip_config(state | {name: torch.empty(shape, device="meta") for name, shape in wide.items()})
    assert config["vision_config"]["num_attention_heads"] == config["text_config"]["num_attention_heads"] == 16
    assert (config["vision_config"]["image_size"], config["projection_dim"]) == (224, 1024)


def test_the_published_head_is_converted_and_others_are_refused(home: Path, tmp_path: Path) -> None:
    assert main(["convert", "aesthetic", str(home / "head.pth"), "-o", str(tmp_path / "h.safetensors")]) == 0
    embedder = Embedder.load(str(home / "clip-l"))
    hidden, layers = embedder.pictures(pictures()), torch.load(home / "head.pth", weights_only=True)
    for place in published.AESTHETIC_WIDTHS:
        hidden = functional.linear(hidden, layers[f"layers.{place}.weight"], layers[f"layers.{place}.bias"])
    scores = AestheticScorer.load(tmp_path / "h.safetensors", embedder)(pictures(), PROMPTS)
    torch.testing.assert_close(scores, hidden[:, 0], atol=1e-4, rtol=1e-3)
    with pytest.raises(ModelError, match="ReLU"):
        convert_head(published.aesthetic_head(tmp_path / "relu.pth", relu=True), tmp_path / "x.safetensors")
    convert_head(published.aesthetic_head(tmp_path / "b32.pth", width=24), tmp_path / "b32.safetensors")
    with pytest.raises(ModelError, match="24 channels, this CLIP has 48"):
        AestheticScorer.load(tmp_path / "b32.safetensors", embedder)
    with pytest.raises(ModelError, match="`convert aesthetic FILE`"):
        AestheticScorer.load(home / "head.pth", embedder)


def test_the_published_inception_is_converted_and_torchvisions_is_refused(home: Path, tmp_path: Path) -> None:
    assert main(["convert", "inception", str(home / "inception.pth"), "-o", str(tmp_path / "i.safetensors")]) == 0
    assert load_file(tmp_path / "i.safetensors").keys() == torch.load(home / "inception.pth", weights_only=True).keys()
    published.inception(tmp_path / "torchvision.pth", classes=1000)
    with pytest.raises(ModelError, match=r"its last layer is \[1000, 2048\], not \[1008, 2048\]"):
        convert_inception(tmp_path / "torchvision.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose(path: Path) -> None:
    state = load_file(path)
    state.pop("visual_projection.weight")
    save_file(state, path, metadata={"format": "pt"})


def widen(path: Path) -> None:
    state = load_file(path)
    state["visual_projection.weight"] = torch.zeros(48, 96)
    save_file(state, path, metadata={"format": "pt"})


def deepen(path: Path) -> None:
    state = load_file(path)
    more = {
        name.replace("layers.1.", "layers.2."): value.clone() for name, value in state.items() if "layers.1." in name
    }
    save_file(state | more, path, metadata={"format": "pt"})


def swap(path: Path) -> None:
    T5Config().save_pretrained(str(path.parent))


def strip_tokenizer(path: Path) -> None:
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        (path.parent / name).unlink()


def change_config(path: Path) -> None:
    values = json.loads((path.parent / "config.json").read_text())
    values["text_config"]["vocab_size"] = 400
    (path.parent / "config.json").write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (cut, ""),
        (lose, "lacks 1 tensors, first visual_projection.weight"),
        (widen, ""),
        (deepen, r"has no place for 32 tensors"),
        (swap, "a model of type 't5'"),
        (strip_tokenizer, "has no tokenizer; copy tokenizer.json"),
        (change_config, ""),
    ],
)
def test_a_clip_folder_that_is_not_whole_is_refused_in_one_line(
    tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(published.clip_l14(tmp_path / "clip") / "model.safetensors")
    with pytest.raises(ModelError, match=f"^cannot load a CLIP model from .*: .*{told}") as caught:
        Embedder.load(str(tmp_path / "clip"))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["head.pth", "inception.pth", "hps.pt"])
def test_a_file_that_is_cut_short_is_refused_in_one_line(
    home: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes((home / name).read_bytes())
    cut(tmp_path / name)
    if name == "hps.pt":
        with pytest.raises(ModelError, match="damaged"):
            convert_clip(tmp_path / name, tmp_path / "x", tokenizer=home / "clip-l")
        return
    kind = "aesthetic" if name == "head.pth" else "inception"
    assert main(["convert", kind, str(tmp_path / name), "-o", str(tmp_path / "x")]) == 1
    error = capsys.readouterr().err
    assert "it is damaged" in error and len(error.splitlines()) == 1


def test_an_open_clip_file_that_is_something_else_is_refused(home: Path, tmp_path: Path) -> None:
    for change, told in (
        ({"visual.trunk.blocks.0.weight": torch.zeros(1)}, "has no place"),
        ({"visual.proj": torch.zeros(0)}, "not the tensors"),
    ):
        torch.save({"state_dict": published.open_clip_state() | change}, tmp_path / "x.pt")
        with pytest.raises(ModelError, match=told):
            convert_clip(tmp_path / "x.pt", tmp_path / "x", tokenizer=home / "clip-l")
    with pytest.raises(ModelError, match="--tokenizer"):
        convert_clip(home / "hps.pt", tmp_path / "x")
    assert not (tmp_path / "x").exists()
