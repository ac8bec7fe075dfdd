"""HPSv3 on a small random Qwen2-VL with the published file's names; what is damaged or something else is one line."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from transformers import Qwen2VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil, smart_resize

from negopt_core.cli import main
from negopt_core.errors import ModelError, PromptError
from negopt_core.paint.pictures import read_image
from negopt_core.scorers import hpsv3_folder
from negopt_core.scorers import table as scorers
from negopt_core.scorers.embed import DEVIATION
from negopt_core.scorers.hpsv3 import PIXELS, Hpsv3Scorer, cut, fit
from negopt_core.scorers.hpsv3_text import IMAGE_TOKEN, INSTRUCTION, QUESTION, REWARD_TOKEN, full_text
from tests.published import hpsv3 as published

PROMPTS = ["a red ball", "a blue cube by the sea {text_prompt}", "cube"]


def pictures(count: int = 3, height: int = 64, width: int = 40) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.save_hpsv3(tmp_path_factory.mktemp("hpsv3"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> Hpsv3Scorer:
    return Hpsv3Scorer.load(str(folder), "cpu")


@torch.no_grad()
def score_by_hand(folder: Path, picture: Tensor, prompt: str) -> float:
    """As HPSv3's own code goes: the whole chat, pictures put among the words, places counted one by one, its head."""
    state = load_file(folder / "HPSv3.safetensors")
    config = Qwen2VLForConditionalGeneration.config_class.from_pretrained(str(folder))
    config.text_config.vocab_size = published.WORDS
    model: Any = Qwen2VLForConditionalGeneration(config).float().eval()
    newer = {name.replace("visual.", "model.visual.", 1): value for name, value in state.items() if name[0] == "v"}
    newer |= {name.replace("model.", "model.language_model.", 1): v for name, v in state.items() if name[0] == "m"}
    model.load_state_dict(newer | {"lm_head.weight": state["lm_head.weight"]})
    patches, grid = cut(picture[None], 14, 2, 2)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    tokenizer.add_tokens([REWARD_TOKEN], special_tokens=True)
    text = full_text(prompt, grid[0] * grid[1] // 4) + "\n\nEND\n<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer(text, return_tensors="pt").input_ids
    words = model.model.language_model.embed_tokens(ids)
    seen = model.model.visual(patches[0], grid_thw=torch.tensor([[1, *grid]])).pooler_output
    words[ids == config.image_token_id] = torch.cat(list(seen)) if isinstance(seen, tuple) else seen
    hidden = model.model.language_model(inputs_embeds=words, attention_mask=torch.ones_like(ids)).last_hidden_state
    x = hidden[ids == published.WORDS - 1]
    for place in (0, 3, 5):
        x = functional.linear(x, state[f"rm_head.{place}.weight"], state[f"rm_head.{place}.bias"])
        x = x.relu() if place != 5 else x
    assert x.shape == (1, 2)
    return float(x[0, 0])


def test_scores_are_those_of_hpsv3s_own_way(folder: Path, scorer: Hpsv3Scorer) -> None:
    expected = [score_by_hand(folder, pictures()[i], PROMPTS[i]) for i in range(2)]
    torch.testing.assert_close(scorer(pictures()[:2], PROMPTS[:2]), torch.tensor(expected), atol=1e-4, rtol=1e-4)


def test_a_batch_scores_as_one_by_one_and_pictures_and_prompts_both_count(scorer: Hpsv3Scorer) -> None:
    together = scorer(pictures(), PROMPTS)
    alone = torch.cat([scorer(pictures()[[i]], [PROMPTS[i]]) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert together.shape == (3,) and not together.requires_grad and together.device.type == "cpu"
    assert not any(value.requires_grad for net in (scorer.model, scorer.head) for value in net.parameters())
    others = scorer(pictures()[[0, 1]], [PROMPTS[0], PROMPTS[0]]), scorer(pictures()[[0, 0]], PROMPTS[:2])
    assert all(float((row[0] - row[1]).abs()) > 1e-3 for row in others)
    assert scorer(pictures()[:0], []).shape == (0,)


def test_more_pictures_than_go_at_once(scorer: Hpsv3Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("negopt_core.scorers.hpsv3._AT_ONCE", 2)
    parts = scorer(pictures(), PROMPTS)
    monkeypatch.undo()
    torch.testing.assert_close(parts, scorer(pictures(), PROMPTS), atol=1e-4, rtol=1e-4)


def test_the_model_stays_in_bfloat16_and_the_head_in_float32(scorer: Hpsv3Scorer, tmp_path: Path) -> None:
    half = Hpsv3Scorer.load(str(published.save_hpsv3(tmp_path / "half", torch.bfloat16)), "cpu")
    assert half.model.dtype == torch.bfloat16 and next(half.head.parameters()).dtype == torch.float32
    scores = half(pictures(), PROMPTS)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, scorer(pictures(), PROMPTS), atol=0.3, rtol=0.05)


@pytest.mark.parametrize("size", [(64, 40), (448, 448), (512, 768), (1024, 1024), (1216, 832), (300, 300), (90, 17)])
def test_pictures_are_cut_as_qwen2_vl_cuts_them(size: tuple[int, int]) -> None:
    assert fit(*size, 28) == smart_resize(*size, 28, PIXELS, PIXELS)
    grey = torch.nn.functional.interpolate(pictures(1, 9, 9), size, mode="bicubic").clamp(0, 1).mul(255).round()
    image = Image.fromarray(grey[0].permute(1, 2, 0).numpy().astype(np.uint8))
    cutter = Qwen2VLImageProcessorPil(size={"shortest_edge": PIXELS, "longest_edge": PIXELS})
    theirs = cutter(images=[image], return_tensors="pt")
    patches, grid = cut(grey / 255, 14, 2, 2)
    assert theirs["image_grid_thw"].tolist() == [[1, *grid]]
    level = 1 / 255 / min(DEVIATION)
    torch.testing.assert_close(
        patches[0], theirs["pixel_values"], atol=4.01 * level, rtol=0
    )  # PIL rounds between its two passes
    assert float((patches[0] - theirs["pixel_values"]).abs().mean()) < 0.3 * level


def test_what_is_no_picture_is_refused(scorer: Hpsv3Scorer) -> None:
    for shape in ((1, 3, 0, 40), (1, 3, 40, 0), (1, 3, 2, 500), (1, 1, 40, 40), (3, 40, 40)):
        with pytest.raises(ModelError, match="HPSv3 takes") as caught:
            scorer(torch.zeros(shape), ["a"] * shape[0])
        assert len(str(caught.value).splitlines()) == 1


def test_the_text_is_the_published_one_and_a_prompt_cannot_hold_special_tokens(scorer: Hpsv3Scorer) -> None:
    assert hashlib.sha256(INSTRUCTION.encode()).hexdigest()[:16] == "0393599dad45a971"
    assert QUESTION == "\nPlease provide the overall ratings of this image: <|Reward|>"
    text = full_text(f"a {REWARD_TOKEN} {IMAGE_TOKEN}", 3)
    assert text.count(REWARD_TOKEN) == 1 and text.count(IMAGE_TOKEN) == 3
    assert torch.isfinite(scorer(pictures(1), [f"a {REWARD_TOKEN} {IMAGE_TOKEN}"])).all()


def test_newer_names_and_shards_and_no_layer_for_words_give_the_same_scores(
    scorer: Hpsv3Scorer, tmp_path: Path
) -> None:
    published.qwen2_vl_words(tmp_path)
    state = published.published_state()
    del state["lm_head.weight"]
    new = {
        ("model." + name if name.startswith("visual.") else name.replace("model.", "model.language_model.")): value
        for name, value in state.items()
    }
    names = sorted(new)
    for number, part in enumerate((names[::2], names[1::2]), 1):
        save_file({name: new[name] for name in part}, tmp_path / f"model-0000{number}-of-00002.safetensors")
    assert torch.equal(Hpsv3Scorer.load(str(tmp_path), "cpu")(pictures(), PROMPTS), scorer(pictures(), PROMPTS))


def test_a_pickle_is_refused_with_what_to_do_and_converts_to_the_same_scores(
    scorer: Hpsv3Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published.qwen2_vl_words(tmp_path)
    torch.save({"model": published.published_state()}, tmp_path / "final_model.pth")
    with pytest.raises(ModelError, match=r"can hold code; .*`convert hpsv3 final_model\.pth -o HPSv3\.safetensors`"):
        Hpsv3Scorer.load(str(tmp_path), "cpu")
    assert main(["convert", "hpsv3", str(tmp_path / "final_model.pth"), "-o", str(tmp_path / "HPSv3.safetensors")]) == 0
    assert torch.equal(Hpsv3Scorer.load(str(tmp_path), "cpu")(pictures(), PROMPTS), scorer(pictures(), PROMPTS))
    torch.save({"rm_head.0.weight": Path("code")}, tmp_path / "evil.pth")
    torch.save({"weight": torch.ones(1)}, tmp_path / "other.pth")
    for name, told in {"evil.pth": "nothing in it was run", "other.pth": "holds no tensors of HPSv3"}.items():
        assert main(["convert", "hpsv3", str(tmp_path / name), "-o", str(tmp_path / "x.safetensors")]) == 1
        assert told in capsys.readouterr().err
    assert not (tmp_path / "x.safetensors").exists()


def change(name: str, value: Tensor | None) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        state = load_file(place / "HPSv3.safetensors")
        state.pop(name, None)
        save_file(state | ({} if value is None else {name: value}), place / "HPSv3.safetensors")

    return apply


def lose(*names: str) -> Callable[[Path], None]:
    return lambda place: [(place / name).unlink() for name in names] and None


def cut_file(place: Path) -> None:
    path = place / "HPSv3.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def reconfigure(**fields: Any) -> Callable[[Path], None]:
    def apply(place: Path) -> None:
        values = json.loads((place / "config.json").read_text())
        (place / "config.json").write_text(json.dumps(values | fields))

    return apply


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (cut_file, ""),
        (lose("HPSv3.safetensors"), r"it has no HPSv3\.safetensors"),
        (lose("config.json"), r"it has no config\.json; copy config\.json, tokenizer\.json"),
        (lose("tokenizer.json"), "it has no tokenizer; copy"),
        (reconfigure(model_type="qwen2"), "is of type 'qwen2', HPSv3 is a 'qwen2_vl'"),
        (reconfigure(num_hidden_layers=1), "has no place for 12 tensors"),
        (reconfigure(image_token_id=7), r"has no <\|image_pad\|> at 7"),
        (change("model.norm.weight", None), r"lacks 1 tensors, first model\.norm\.weight"),
        (change("model.norm.weight", torch.ones(8)), r"its model\.norm\.weight is \[8\], its config\.json says \[32\]"),
        (change("rm_head.0.weight", torch.ones(8, 8)), r"its rm_head\.0\.weight is \[8, 8\], not \[8, 32\]"),
        (change("rm_head.5.weight", torch.ones(1, 4)), r"its rm_head\.5\.weight is \[1, 4\], not \[2, 4\]"),
        (change("rm_head.3.bias", None), "has the layers .* where HPSv3 has"),
        (change("model.embed_tokens.weight", torch.ones(260, 32)), "271 entries with .*, its model 260"),
        (change("model.embed_tokens.weight", None), "an adapter that was not merged"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_in_one_line(
    folder: Path, tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damage(tmp_path)
    with pytest.raises(ModelError, match=f"^cannot load HPSv3 from .*: .*{told}") as caught:
        Hpsv3Scorer.load(str(tmp_path), "cpu")
    assert len(str(caught.value).splitlines()) == 1


def test_places_that_are_no_folder_and_a_plain_qwen2_vl_are_refused(folder: Path, tmp_path: Path) -> None:
    published.qwen2_vl_words(tmp_path)
    state = {name: value for name, value in published.published_state().items() if "rm_head" not in name}
    save_file(state, tmp_path / "model.safetensors")
    for place, told in {
        folder / "HPSv3.safetensors": "it is a file; name the folder",
        tmp_path / "nowhere": "there is no such folder",
        tmp_path: r"no head \(rm_head\)",
    }.items():
        with pytest.raises(ModelError, match=told):
            Hpsv3Scorer.load(str(place), "cpu")
    with pytest.raises(
        PromptError, match="weights of hpsv3 are not here; say where they are with --source hpsv3=PLACE"
    ):
        scorers.load_named("hpsv3", {}, "eval")
    with pytest.raises(ModelError, match="nothing can be put on 'cuda:77'"):
        scorers.load_named("hpsv3", {"hpsv3": str(folder)}, "eval", "cuda:77")


def test_a_transformers_without_qwen2_vl_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.Qwen2VLForConditionalGeneration", None)
    monkeypatch.setattr("transformers.__version__", "4.30.2")
    with pytest.raises(ModelError, match=r"Qwen2-VL needs transformers 4\.45 or newer, this Python has 4\.30\.2"):
        Hpsv3Scorer.load(str(folder), "cpu")


def test_one_network_judges_and_does_the_last_check(folder: Path) -> None:
    loader = scorers.Loader({"hpsv3": str(folder)}, "reward", "cpu")
    assert replace(loader, role="eval").scorer("hpsv3") is loader.scorer("hpsv3")


def test_on_the_hub_the_file_and_what_stands_beside_it_are_fetched(
    folder: Path, scorer: Hpsv3Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "HPSv3.safetensors").write_bytes((folder / "HPSv3.safetensors").read_bytes())
    published.qwen2_vl_words(tmp_path / "words")

    def fetch(name: str, allow_patterns: list[str]) -> str:
        asked.append(name)
        return str(tmp_path / ("words" if name == hpsv3_folder.BASE else "weights"))

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    found = Hpsv3Scorer.load("hf:MizzenAI/HPSv3", "cpu")
    assert asked == ["MizzenAI/HPSv3", "Qwen/Qwen2-VL-7B-Instruct"]
    assert torch.equal(found(pictures(), PROMPTS), scorer(pictures(), PROMPTS))


def test_pictures_in_files_are_scored_by_the_command(
    folder: Path, scorer: Hpsv3Scorer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path, picture in zip(paths, pictures(2), strict=True):
        Image.fromarray((picture.permute(1, 2, 0).numpy() * 255).astype(np.uint8)).save(path)
    line = ["score", *map(str, paths), "--prompt", "a red ball", "--scorers", "hpsv3", "--json"]
    assert main([*line, "--source", f"hpsv3={folder}"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    expected = [round(float(scorer(read_image(path)[None], ["a red ball"])[0]), 4) for path in paths]
    assert [row["hpsv3"] for row in rows] == pytest.approx(expected, abs=1e-3)
    assert scorers.identify("hpsv3", {"hpsv3": str(folder)}, "eval").startswith("hpsv3 ")
