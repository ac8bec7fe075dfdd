"""PAE's released actor: a file of its layout with random numbers, beside the computation that the layout means."""

import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from languages import tokenizer
from torch.nn import functional as F

from negopt_core.cli import main
from negopt_core.errors import ModelError
from negopt_core.policy.language.folder import open_policy
from negopt_core.policy.language.pae_weights import PAE_WEIGHTS, PAE_WINDOWS, actor_policy, read_actor
from tests.published.pae import LAYERS, WIDTH, save_actor
from tests.published.pae import actor_state as published_state


def actor_state() -> dict[str, torch.Tensor]:
    return published_state(len(tokenizer()))


def by_hand(state: dict[str, torch.Tensor], ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A pre-norm transformer with 64-channel heads; logits, weight logits and range logits at every place."""

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"])

    length = len(ids)
    x = state["transformer.token_embedding_layer.weight"][ids]
    x = x + state["transformer.position_embedding_layer.weight"][:length]
    later = torch.ones(length, length).triu(1).bool()
    for block in range(LAYERS):
        start = f"transformer.decoder_blocks.{block}"
        q, k, v = linear(norm(x, f"{start}.ln1"), f"{start}.mmsa.qkv_projection").split(WIDTH, dim=-1)
        heads = []
        for head in range(WIDTH // 64):
            part = slice(64 * head, 64 * head + 64)
            attention = (q[:, part] @ k[:, part].T / 8.0).masked_fill(later, -math.inf).softmax(-1)
            heads.append(attention @ v[:, part])
        x = x + linear(torch.cat(heads, dim=-1), f"{start}.mmsa.output_projection")
        inner = F.gelu(linear(norm(x, f"{start}.ln2"), f"{start}.ffn.fc1"), approximate="tanh")
        x = x + linear(inner, f"{start}.ffn.fc2")
    x = norm(x, "transformer.ln")
    heads_of = ("lm_head", "predict_weight_token", "predict_diffstep_token")
    words, weights, ranges = (x @ state[f"{name}.weight"].T for name in heads_of)
    return words, weights, ranges


def test_the_converted_actor_computes_what_the_file_means(tmp_path: Path) -> None:
    state = actor_state()
    tokenizer().save_pretrained(str(tmp_path / "words"))
    source = save_actor(tmp_path / "actor.pt", state)
    assert (
        main(["convert", "pae", str(source), "--tokenizer", str(tmp_path / "words"), "-o", str(tmp_path / "pae")]) == 0
    )
    policy = open_policy(tmp_path / "pae")
    ids = torch.tensor([5, 9, 3, 7, 11])
    with torch.inference_mode():
        out = policy.model(input_ids=ids[None], output_hidden_states=True)
        found = [out.logits[0], *(policy.heads[name](out.hidden_states[-1])[0] for name in ("weights", "windows"))]
    for mine, theirs in zip(found, by_hand(state, ids), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)
    assert policy.card.windows == PAE_WINDOWS and policy.card.weights == PAE_WEIGHTS
    assert policy.card.provenance["source"] == "actor.pt" and not list((tmp_path / "pae").glob("*.pt"))


def test_a_compiled_actors_names_are_understood(tmp_path: Path) -> None:
    state = {f"_orig_mod.{name}": value for name, value in actor_state().items()}
    assert actor_policy(read_actor(save_actor(tmp_path / "a.pt", state)), tokenizer(), "pae").card.kind == "df"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("lm_head.weight"), "do not fit"),
        (lambda state: state.pop("predict_weight_token.weight"), "do not fit"),
        (lambda state: state.update({"transformer.extra.weight": torch.zeros(2)}), "no place"),
        (lambda state: state.update({"transformer.decoder_blocks.0.ffn.fc1.lora_A": torch.zeros(1, 2)}), "LoRA"),
        (lambda state: state.pop("transformer.token_embedding_layer.weight"), "not the tensors"),
        (lambda state: state.update({"lm_head.weight": torch.zeros(3, WIDTH)}), "do not fit"),
    ],
)
def test_another_layout_is_refused(change: object, says: str, tmp_path: Path) -> None:
    state = actor_state()
    change(state)  # type: ignore[operator]
    with pytest.raises(ModelError, match=says):
        actor_policy(read_actor(save_actor(tmp_path / "a.pt", state)), tokenizer(), "pae")


def test_a_file_that_is_no_actor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04 not really")
    torch.save({"weights": {}}, tmp_path / "other.pt")
    torch.save({"model_state_dict": Path("x")}, tmp_path / "code.pt")
    for name in ("torn", "other", "code", "missing"):
        with pytest.raises(ModelError, match=f"{name}.pt"):
            read_actor(tmp_path / f"{name}.pt")


def test_an_actor_cut_short_or_of_another_width_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer().save_pretrained(str(tmp_path / "words"))
    whole = save_actor(tmp_path / "whole.pt", actor_state()).read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    save_actor(tmp_path / "wide.pt", published_state(len(tokenizer()) + 5))
    odd = actor_state()
    odd["transformer.decoder_blocks.1.ffn.fc1.weight"] = torch.zeros(4 * WIDTH, WIDTH + 1)
    save_actor(tmp_path / "odd.pt", odd)
    torch.save({"model_state_dict": {"transformer.h.0.ln_1.weight": torch.zeros(2)}}, tmp_path / "gpt2.pt")
    for name, told in (("cut", "damaged"), ("wide", "GPT-2's own"), ("odd", "do not fit"), ("gpt2", "no place")):
        line = ["convert", "pae", str(tmp_path / f"{name}.pt"), "--tokenizer", str(tmp_path / "words")]
        assert main([*line, "-o", str(tmp_path / "out")]) == 1
        error = capsys.readouterr().err
        assert told in error and len(error.splitlines()) == 1, error
    assert not (tmp_path / "out").exists()
