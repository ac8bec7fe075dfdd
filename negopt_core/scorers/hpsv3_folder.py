"""HPSv3 as it is published: one safetensors file, beside which the files of Qwen2-VL-7B-Instruct are needed.

HPSv3.safetensors of `MizzenAI/HPSv3` has the names that Qwen2-VL's tensors had before transformers 4.52 (`visual.`,
`model.layers.`), and the layers of its own head (`rm_head.0`, `.3`, `.5`). A folder that holds everything, sharded or
under newer names, is read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..torch_file import read_torch_file, save_tensors
from .clip_folder import TOKENIZER_FILES
from .embed import HUB_PREFIX

if TYPE_CHECKING:
    from torch import Tensor

FILE = "HPSv3.safetensors"
BASE = "Qwen/Qwen2-VL-7B-Instruct"
HEAD = "rm_head."
HEAD_LAYERS = (0, 3, 5)
"""Places of the linear layers of the head; ReLU and dropout are between them."""
WORDS = "model.embed_tokens.weight"
_OUT = "lm_head.weight"
_PICKLES = ("*.pth", "*.pt", "*.bin")
_OLDER = {"model.visual.": "visual.", "model.language_model.": "model."}
"""Beginnings of names as of transformers 4.52, and what they were before."""


def find_folders(source: str) -> tuple[Path, Path]:
    """The folder with the weights and the one with Qwen2-VL's config and tokenizer; `hf:owner/name` is fetched.

    ValueError for one that is not whole. Only on the hub the two may differ: what a repository of weights alone lacks
    comes from `BASE`.
    """
    if not source.startswith(HUB_PREFIX):
        folder = Path(source).expanduser()
        if wrong := _check_weights(folder) or _check_words(folder):
            raise ValueError(wrong)
        return folder, folder
    from huggingface_hub import snapshot_download

    small = ["*.json", "merges.txt"]
    weights = Path(snapshot_download(source.removeprefix(HUB_PREFIX), allow_patterns=["*.safetensors", *small]))
    if wrong := _check_weights(weights):
        raise ValueError(wrong)
    words = weights if (weights / "config.json").is_file() else Path(snapshot_download(BASE, allow_patterns=small))
    if wrong := _check_words(words):
        raise ValueError(wrong)
    return weights, words


def _check_weights(folder: Path) -> str:
    if folder.is_file():
        return f"it is a file; name the folder that has it, with config.json and the tokenizer of {BASE} beside it"
    if not folder.is_dir():
        return "there is no such folder"
    if any(folder.glob("*.safetensors")):
        return ""
    if pickle := next((path for pattern in _PICKLES for path in sorted(folder.glob(pattern))), None):
        how = f"`convert hpsv3 {pickle.name} -o {FILE}`"
        return f"its weights are a pickle ({pickle.name}), which can hold code; make safetensors of them: {how}"
    return f"it has no {FILE}; it is in MizzenAI/HPSv3 on Hugging Face"


def _check_words(folder: Path) -> str:
    lacks = f"; copy config.json, tokenizer.json and tokenizer_config.json of {BASE} into it"
    if not (folder / "config.json").is_file():
        return f"it has no config.json{lacks}"
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = values.get("model_type") if isinstance(values, dict) else None
    except (OSError, ValueError) as error:
        return f"its config.json cannot be read: {str(error)[:100]}"
    if kind != "qwen2_vl":
        return f"its config.json is of type {kind!r}, HPSv3 is a 'qwen2_vl'{lacks}"
    whole = (folder / "tokenizer.json").is_file() or all((folder / name).is_file() for name in TOKENIZER_FILES[1:3])
    return "" if whole else f"it has no tokenizer{lacks}"


def read_weights(folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors of the model under their older names, and those of the head; ValueError if there is no head."""
    from safetensors.torch import load_file

    files = [folder / FILE] if (folder / FILE).is_file() else sorted(folder.glob("*.safetensors"))
    state = {_older(name): value for path in files for name, value in load_file(path).items()}
    head = {name: state.pop(name) for name in list(state) if name.startswith(HEAD)}
    wanted = {f"{HEAD}{place}.{part}" for place in HEAD_LAYERS for part in ("weight", "bias")}
    if set(head) != wanted:
        found = f"the layers {', '.join(sorted(head))[:100]}" if head else "no head (rm_head)"
        raise ValueError(f"it has {found} where HPSv3 has rm_head.0, .3 and .5; is it another model?")
    if WORDS not in state:
        raise ValueError(f"it has no {WORDS}; is it a part of HPSv3, or an adapter that was not merged?")
    state.setdefault(_OUT, state[WORDS])  # nothing is written, so that may be absent
    return state, head


def _older(name: str) -> str:
    start = next((one for one in _OLDER if name.startswith(one)), "")
    return _OLDER.get(start, "") + name.removeprefix(start)


def place_tensors(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` under the names that this transformers gives them; ValueError unless each has its place and its shape."""
    places = {_older(name): name for name in expected}
    _refuse("lacks", set(places) - set(state))
    _refuse("has no place for", set(state) - set(places))
    for name, value in state.items():
        if value.shape != (wanted := expected[places[name]].shape):
            raise ValueError(f"its {name} is {list(value.shape)}, its config.json says {list(wanted)}")
    return {places[name]: value for name, value in state.items()}


def _refuse(told: str, names: Iterable[str]) -> None:
    if found := sorted(names):
        raise ValueError(f"this HPSv3 {told} {len(found)} tensors, first {found[0]}; is it another size of Qwen2-VL?")


def convert_hpsv3(source: Path, target: Path) -> None:
    """A pickled state of HPSv3's training, alone or under `model` or `state_dict`, to safetensors; no code is run.

    The layer that writes words is left out. ModelError for a file that is damaged, holds code or has no such head.
    """
    values: Any = read_torch_file(source)
    for key in ("model", "state_dict"):
        values = values.get(key, values) if isinstance(values, dict) else values
    pairs = values.items() if isinstance(values, dict) else ()
    state = {str(name).removeprefix("module."): value for name, value in pairs if hasattr(value, "shape")}
    if f"{HEAD}0.weight" not in state:
        raise ModelError(f"{source} holds no tensors of HPSv3: none is called {HEAD}0.weight")
    state.pop(_OUT, None)
    save_tensors(target, state, {"format": "pt", "source": source.name})
