"""Accumulation, checkpointing, bfloat16 and adapters teach what training without them does; devices and full memory."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

from toys import actors, language_policy, phrases

from negopt_core.errors import MissingPackage, TrainingError
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.compute import device_of, merge_adapters, naming_full_memory, prepared
from negopt_core.lab.train.ppo import PPO
from negopt_core.lab.train.settings import Compute, PPORun, PPOSettings, SFTRun, SFTSettings
from negopt_core.lab.train.sft import SFT
from negopt_core.policy.language import LanguagePolicy, Sampling
from negopt_core.policy.language.folder import open_policy, save_policy
from negopt_core.text.prompt import Span, Window
from tests.published.language_models import gpt2, smollm2, t5_small

PAIRS = [
    Pair("a photo of a ball", (Span("blurry", 0.5, Window(0.5, 1.0)), Span("noisy"))),
    Pair("a sketch of a star", (Span("too dark", 1.5),), 2.0),
    Pair("a cartoon of a cube at night", (Span("out of focus"), Span("text"), Span("watermark"))),
    Pair("a painting", ()),
]
CASES = {"t5": (t5_small, "negative"), "gpt2": (gpt2, "modifiers"), "llama": (smollm2, "modifiers")}


def after_a_step(policy: LanguagePolicy, **settings: Any) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Losses of one step of supervised training, and the gradients of its update."""
    sft = SFT(policy, PAIRS, SFTSettings(1, 5, learns_schedule=True, **settings))
    told = sft.step()
    return told, {name: one.grad for name, one in policy.named_parameters() if one.grad is not None}


def without_dropout(policy: LanguagePolicy) -> LanguagePolicy:
    for module in policy.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for name in ("dropout_rate", "attn_pdrop", "embd_pdrop", "resid_pdrop", "attention_dropout"):
        if hasattr(policy.model.config, name):
            setattr(policy.model.config, name, 0.0)
    return policy


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
def test_pairs_a_few_at_a_time_teach_the_same(kind: str) -> None:
    told, whole = after_a_step(without_dropout(language_policy(kind)))
    in_parts, parts = after_a_step(without_dropout(language_policy(kind)), at_once=2)
    assert in_parts == pytest.approx(told, rel=1e-4)
    assert whole.keys() == parts.keys()
    for name, grad in whole.items():
        torch.testing.assert_close(parts[name], grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("advantage", ["group", "grpo"])
def test_responses_a_few_at_a_time_teach_the_same(advantage: str) -> None:
    settings = PPOSettings(
        prompts=3, group=2, epochs=2, minibatch=5, kl=0.1, entropy=0.01, advantage=advantage, seed=3, learning_rate=1e-3
    )

    def trained(at_once: int) -> tuple[dict[str, float], PPO]:
        ppo = PPO(
            actors("df", lambda pair: float(len(phrases(pair)))),
            ["a ball", "a sketch of a star by the sea"],
            replace(settings, at_once=at_once),
        )
        return ppo.step()[0], ppo

    (told, whole), (in_parts, parts) = trained(0), trained(2)
    assert in_parts == pytest.approx(told, rel=1e-3, abs=1e-5)
    for one, other in zip(whole.actors.policy.parameters(), parts.actors.policy.parameters(), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("kind", CASES)
def test_checkpointing_changes_no_gradient(kind: str, tmp_path: Path) -> None:
    build, _ = CASES[kind]
    build(tmp_path)
    _, plain = after_a_step(open_policy(tmp_path))
    _, saved = after_a_step(prepared(open_policy(tmp_path), Compute(checkpointing=True), "cpu", 0))
    assert plain.keys() == saved.keys()
    for name, grad in plain.items():
        torch.testing.assert_close(saved[name], grad, rtol=1e-4, atol=1e-6)


def test_ppo_checkpoints_without_dropout() -> None:
    computed: list[int] = []

    def trained(compute: Compute) -> list[Tensor]:
        everybody = actors("df", lambda pair: float(len(phrases(pair))))
        prepared(everybody.policy, compute, "cpu", 0)
        ppo = PPO(everybody, ["a ball", "a star"], PPOSettings(prompts=2, epochs=1, seed=1))
        attention = everybody.policy.model.transformer.h[0].attn
        attention.register_forward_hook(lambda *_: computed.append(1))
        ppo.step()
        computed.append(0)
        assert not any(module.training for module in everybody.policy.modules())
        return [one.grad for one in everybody.policy.parameters() if one.grad is not None]

    for one, other in zip(trained(Compute()), trained(Compute(checkpointing=True)), strict=True):
        torch.testing.assert_close(one, other)
    plain = computed.index(0)
    assert len(computed) - plain - 2 == plain + 1  # once more, on the way back


@pytest.mark.parametrize("kind", CASES)
def test_bfloat16_is_near_and_weights_stay_float32(kind: str, tmp_path: Path) -> None:
    build, _ = CASES[kind]
    build(tmp_path)
    exact, policy = open_policy(tmp_path), prepared(open_policy(tmp_path), Compute(precision="bfloat16"), "cpu", 0)
    said = policy.respond(["a cat"], [0], Sampling())
    rounded = policy.analyze(["a cat"], said, Sampling()).logprobs["words"]
    right = exact.analyze(["a cat"], said, Sampling()).logprobs["words"]
    assert not torch.equal(rounded, right)
    torch.testing.assert_close(rounded, right, atol=0.2, rtol=0.1)
    told, grads = after_a_step(policy)
    assert told["loss"] > 0 and all(grad.dtype == torch.float32 for grad in grads.values())
    assert all(one.dtype == torch.float32 for one in policy.parameters())
    assert prepared(exact, Compute(), "cpu", 0).precision == torch.float32  # auto, on the CPU


def test_ppo_in_bfloat16_starts_at_ratio_one() -> None:
    """Drawing and learning see one precision: nothing is clipped in the first update."""
    everybody = actors("df", lambda pair: float(len(phrases(pair))))
    prepared(everybody.policy, Compute(precision="bfloat16"), "cpu", 0)
    prepared(everybody.reference, Compute(precision="bfloat16"), "cpu", 0)
    told, _ = PPO(everybody, ["a ball", "a star"], PPOSettings(prompts=2, epochs=1, seed=1)).step()
    assert told["clipped"] == 0.0 and abs(told["kl"]) < 1e-4


class FakeAdapter(nn.Module):
    """What peft puts in place of a linear layer, in as few words as the test needs."""

    def __init__(self, base: nn.Module, rank: int, is_transposed: bool) -> None:
        super().__init__()
        wide, high = reversed(base.weight.shape) if is_transposed else base.weight.shape
        self.base_layer, self.is_transposed = base, is_transposed
        self.lora_A = nn.Parameter(torch.randn(rank, high) * 0.1)
        self.lora_B = nn.Parameter(torch.zeros(wide, rank))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base_layer(x) + x @ (self.lora_B @ self.lora_A).T
        return out

    def merge(self) -> None:
        added = self.lora_B @ self.lora_A
        with torch.no_grad():
            self.base_layer.weight += added.T if self.is_transposed else added

    def get_base_layer(self) -> nn.Module:
        return self.base_layer


def fake_peft() -> ModuleType:
    peft = ModuleType("peft")

    def inject(config: SimpleNamespace, model: nn.Module) -> None:
        modules = dict(model.named_modules())
        for name, module in modules.items():
            parent, _, own = name.rpartition(".")
            if own in config.target_modules:
                setattr(modules[parent], own, FakeAdapter(module, config.r, config.fan_in_fan_out))

    peft.LoraConfig, peft.inject_adapter_in_model = SimpleNamespace, inject  # type: ignore[attr-defined]
    return peft


@pytest.mark.parametrize("kind", CASES)
def test_adapters_learn_alone_and_are_merged_on_export(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        import peft  # noqa: F401
    except ImportError:
        monkeypatch.setitem(sys.modules, "peft", fake_peft())
    CASES[kind][0](tmp_path / "start")
    before = open_policy(tmp_path / "start")
    policy = prepared(open_policy(tmp_path / "start"), Compute(lora=2), "cpu", 0)
    learning = {name for name, one in policy.named_parameters() if one.requires_grad}
    assert all("lora_" in name or name.startswith("heads.") for name in learning) and any(
        "lora_" in n for n in learning
    )
    answers = before.respond(["a cat"], [0], Sampling())
    same = policy.eval().analyze(["a cat"], answers, Sampling()).logprobs["words"]
    torch.testing.assert_close(same, before.analyze(["a cat"], answers, Sampling()).logprobs["words"])
    sft = SFT(policy, PAIRS, SFTSettings(4, 4, learning_rate=0.05, warmup_steps=1))
    for _ in range(4):
        sft.step()
    taught = policy.eval().analyze(["a cat"], answers, Sampling()).logprobs["words"]
    assert not torch.allclose(taught, same, atol=1e-3)
    merge_adapters(policy)
    save_policy(policy, tmp_path / "taught")
    again = open_policy(tmp_path / "taught")
    assert again.model.state_dict().keys() == before.model.state_dict().keys()
    torch.testing.assert_close(
        again.analyze(["a cat"], answers, Sampling()).logprobs["words"], taught, atol=1e-4, rtol=0
    )


def test_adapters_without_peft_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingPackage, match=r"peft .*--lora; install it with: .*pip install"):
        prepared(language_policy("df"), Compute(lora=4), "cpu", 0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: Compute(precision="half"), "precision is one of auto, float32, bfloat16"),
        (lambda: Compute(lora=-1), "rank of LoRA"),
        (lambda: SFTSettings(at_once=-1), "--minibatch"),
        (lambda: PPOSettings(at_once=-1), "--minibatch"),
    ],
)
def test_settings_without_meaning_are_refused(wrong: Callable[[], object], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        wrong()


def test_the_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_of("cuda:1") == "cuda:1"
    for has_gpu, usual in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda has_gpu=has_gpu: has_gpu)
        assert device_of(SFTRun(folder=Path(), pairs="").device) == usual
        assert device_of(PPORun(folder=Path(), policy=Path(), prompts="").policy_device) == usual


def test_full_memory_is_one_line_that_says_what_takes_less() -> None:
    with pytest.raises(TrainingError, match=r"no room left; .*--minibatch") as told, naming_full_memory():
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")
    assert "\n" not in str(told.value)
