"""Language policies: what is drawn is what is scored, rules hold inside sampling, folders survive."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from languages import KINDS, STOCK, WEIGHTS, WINDOWS, language_model, language_policy, tokenizer

from negopt_core.errors import PolicyError
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.language import LanguagePolicy, Responses, Sampling
from negopt_core.policy.language.actions import CHANNELS
from negopt_core.policy.language.folder import make_policy, open_policy, save_policy
from negopt_core.policy.language.grammar import Allowed
from negopt_core.policy.language.model import draw
from negopt_core.policy.language.render import encode_spans, read_spans
from negopt_core.policy.language.spelling import spell_phrase
from negopt_core.policy.suggest import SuggestOptions
from negopt_core.policy.token_estimate import estimate_tokens
from negopt_core.text.prompt import Span

PROMPTS = [
    "a photo of a red ball by the sea",
    "a sketch",
    "a cartoon of a yellow heart next to a blue ring in the snow at night",
    "",
]
SAMPLING = Sampling(temperature=0.8, top_k=5)


def respond(policy: LanguagePolicy, sampling: Sampling = SAMPLING, seed: int = 1) -> Responses:
    return policy.respond(PROMPTS, [seed + k for k in range(len(PROMPTS))], sampling)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stock", [STOCK, ()], ids=["stock", "free"])
def test_logprobs_of_drawn_actions_are_those_of_the_distribution_drawn_from(kind: str, stock: tuple[str, ...]) -> None:
    """Row by row with a cache, and all at once without: the same numbers, whatever the padding (P14)."""
    policy = language_policy(kind, stock)
    responses = respond(policy)
    together = policy.analyze(PROMPTS, responses, SAMPLING)
    for row, prompt in enumerate(PROMPTS):
        length = int(responses.is_action[row].sum())
        alone = policy.respond([prompt], [1 + row], SAMPLING)
        assert alone.words[0, :length].tolist() == responses.words[row, :length].tolist()
        scored = policy.analyze([prompt], alone, SAMPLING)
        for channel in CHANNELS:
            torch.testing.assert_close(
                scored.logprobs[channel][0, :length], together.logprobs[channel][row, :length], atol=1e-4, rtol=1e-4
            )
            assert not together.logprobs[channel][row, length:].any()


@pytest.mark.parametrize("stock", [STOCK, ()], ids=["stock", "free"])
def test_a_short_gpt2_cuts_long_prompts_before_the_comma_and_never_runs_out_of_places(stock: tuple[str, ...]) -> None:
    policy = language_policy("df", stock, places=24, max_tokens=500)
    prompts = ["a photo of a red ball by the sea " * 20, "a sketch"]
    ids, mask = policy.backbone.read(prompts)
    assert ids.shape[1] == 12 and mask.sum(dim=1).tolist() == [12, 3]
    assert tokenizer().decode(ids[0, -1:]).strip() == tokenizer().decode(ids[1, -1:]).strip() == ","
    for seed in range(20):
        drawn = policy.respond(prompts, [seed, seed + 100], Sampling())
        assert drawn.words.shape[1] <= 12
        last = [words[is_action][-1] for words, is_action in zip(drawn.words, drawn.is_action, strict=True)]
        assert last == [policy.spelling.end] * 2
        policy.analyze(prompts, drawn, Sampling())


@pytest.mark.parametrize("kind", KINDS)
def test_frequencies_follow_the_scored_probabilities(kind: str) -> None:
    policy = language_policy(kind, ("blurry", "noisy"), max_tokens=3)
    rows = 2000
    drawn = policy.respond(["a red ball"] * rows, list(range(rows)), Sampling())
    found = policy.analyze(["a red ball"] * rows, drawn, Sampling())
    total = sum(found.logprobs[channel].sum(1) for channel in CHANNELS)
    texts = [str(spans) for spans in read_spans(drawn, policy.tokenizer, policy.card)]
    for text in set(texts):
        share, probability = texts.count(text) / rows, float(total[texts.index(text)].detach().exp())
        assert share == pytest.approx(probability, abs=4 * (probability / rows) ** 0.5 + 0.002)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_changes_nothing(kind: str) -> None:
    policy = language_policy(kind)
    backbone, words = policy.backbone, respond(policy).words
    read = backbone.read(PROMPTS)
    whole, cache, last = backbone.states(read, words), None, None
    for place in range(words.shape[1]):
        states, cache = backbone.step(read, last, cache)
        torch.testing.assert_close(states.logits[:, 0], whole.logits[:, place], atol=1e-4, rtol=1e-4)
        last = words[:, place]


@pytest.mark.parametrize("kind", KINDS)
def test_every_response_obeys_the_rules(kind: str) -> None:
    policy = language_policy(kind)
    for seed in range(20):
        rows = read_spans(respond(policy, Sampling(), seed * 10), tokenizer(), policy.card)
        for prompt, spans in zip(PROMPTS, rows, strict=True):
            said = [span.text for span in spans]
            assert set(said) <= set(STOCK) and len(set(said)) == len(said)
            assert sum(estimate_tokens(text) + 1 for text in said) <= policy.card.max_tokens
            assert all(span.window in WINDOWS and span.weight in WEIGHTS for span in spans)
            if kind == "seq2seq":
                assert not ("red" in said and "red" in prompt)


def test_free_words_end_within_the_budget_and_never_repeat_a_phrase() -> None:
    policy = language_policy("df", ())
    responses = respond(policy, Sampling())
    assert int(responses.is_action.sum(1).max()) <= policy.card.max_tokens + 1
    for spans in read_spans(responses, tokenizer(), policy.card):
        assert len({span.text for span in spans}) == len(spans)


def test_words_that_the_budget_cuts_off_are_no_phrase() -> None:
    policy = language_policy("df", (), max_tokens=3)
    (walk,) = policy.walks(["a photo"])
    (red,) = spell_phrase(tokenizer(), "red")
    taken = [walk.advance(token) for token in (red, policy.spelling.separator, red)]
    assert taken == [False, True, False] and walk.allowed() == Allowed((policy.spelling.end,))
    assert not walk.advance(policy.spelling.end)  # "red", said twice
    spans = [Span("red"), Span("ball")]
    responses, skipped = encode_spans([spans], policy.walks(["a photo"]), tokenizer(), policy.card, len(tokenizer()))
    assert skipped == [1] and [span.text for span in read_spans(responses, tokenizer(), policy.card)[0]] == ["red"]


@pytest.mark.parametrize("kind", KINDS)
def test_different_actions_are_different_texts(kind: str) -> None:
    """P19: fails where the rendered text does not depend on what was chosen."""
    policy = language_policy(kind)
    responses = respond(policy, Sampling(), 3)
    before = read_spans(responses, tokenizer(), policy.card)
    row, place = responses.is_phrase_end.nonzero()[0].tolist()
    for channel, size in (("windows", len(WINDOWS)), ("weights", len(WEIGHTS))):
        changed = getattr(responses, channel).clone()
        changed[row, place] = (changed[row, place] + 1) % size
        other = Responses(**{**{n: getattr(responses, n) for n in Responses.__dataclass_fields__}, channel: changed})
        assert read_spans(other, tokenizer(), policy.card)[row] != before[row]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stock", [STOCK, ()], ids=["stock", "free"])
def test_phrases_become_actions_and_phrases_again(kind: str, stock: tuple[str, ...]) -> None:
    policy = language_policy(kind, stock)
    rows = [
        [Span("blurry", 0.5, WINDOWS[0]), Span("out of focus", 1.5, WINDOWS[1])],
        [],
        [Span("watermark", 1.0, WINDOWS[2])],
        [Span("noisy", 1.0, WINDOWS[1]), Span("noisy", 1.0, WINDOWS[1])],
    ]
    responses, skipped = encode_spans(rows, policy.walks(PROMPTS), tokenizer(), policy.card, len(tokenizer()))
    assert read_spans(responses, tokenizer(), policy.card) == [*rows[:3], rows[3][:1]]
    assert skipped == [0, 0, 0, 1]
    assert torch.isfinite(policy.analyze(PROMPTS, responses, Sampling()).logprobs["words"]).all()


def test_a_phrase_outside_of_the_stock_or_against_the_prompt_is_left_out() -> None:
    policy = language_policy("seq2seq")
    rows = [[Span("red"), Span("a castle"), Span("blurry")]]
    responses, skipped = encode_spans(rows, policy.walks(PROMPTS[:1]), tokenizer(), policy.card, len(tokenizer()))
    assert [span.text for span in read_spans(responses, tokenizer(), policy.card)[0]] == ["blurry"] and skipped == [2]


def test_a_prior_is_a_bias() -> None:
    policy = language_policy("df")
    policy.set_prior("windows", [0.16, 0.68, 0.16])
    rows = 3000
    drawn = policy.respond(["a ball"] * rows, list(range(rows)), Sampling())
    ends = drawn.windows[drawn.is_phrase_end]
    assert float((ends == 1).float().mean()) == pytest.approx(0.68, abs=0.03)


def test_inverting_the_cumulative_distribution() -> None:
    logits = torch.tensor([[0.0, -1e9, 0.0]]).repeat(4, 1)
    assert draw(logits, torch.tensor([0.0, 0.49, 0.51, 1.0]), False).tolist() == [0, 0, 2, 2]
    assert draw(logits + torch.tensor([0.0, 0.0, 0.1]), torch.zeros(4), True).tolist() == [2] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_policy_is_the_same_policy(kind: str, tmp_path: Path) -> None:
    policy = language_policy(kind)
    save_policy(policy, tmp_path / "saved")
    again = open_policy(tmp_path / "saved")
    assert again.card == policy.card
    mine, theirs = respond(policy), respond(again)
    assert torch.equal(mine.words, theirs.words) and torch.equal(mine.windows, theirs.windows)
    assert not list((tmp_path / "saved").rglob("*.bin"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_policy_suggests_through_the_store(kind: str, tmp_path: Path) -> None:
    save_policy(language_policy(kind), tmp_path / "mine")
    policy = load_policy("mine", [tmp_path])
    assert len(policy.fingerprint) == 64
    first, again = (suggest(policy, PROMPTS, SuggestOptions(seed=0)) for _ in range(2))
    assert first == again
    alone = [suggest(policy, [prompt], SuggestOptions(seed=5))[0] for prompt in PROMPTS]
    assert alone == suggest(policy, PROMPTS, SuggestOptions(seed=5))
    assert any(one != other for one, other in zip(first, alone, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_transformers_folder_loads_and_says_that_it_has_no_provenance(kind: str, tmp_path: Path) -> None:
    language_model(kind).save_pretrained(str(tmp_path / "plain"))
    tokenizer().save_pretrained(str(tmp_path / "plain"))
    policy = open_policy(tmp_path / "plain")
    assert policy.card.kind == kind and "no policy.json" in policy.card.provenance["made_by"]
    assert respond(policy).words.shape[0] == len(PROMPTS)


def test_damage_is_said_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    save_policy(language_policy("df"), folder)
    (folder / "SHA256SUMS").unlink()  # with it every change would be noticed: test_damaged_policies.py
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(PolicyError, match=r"model.safetensors is no whole safetensors file.*pull or export it again"):
        open_policy(folder)
    (folder / "model.safetensors").write_bytes(weights)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_layer": 3}))
    with pytest.raises(PolicyError, match="do not fit"):
        open_policy(folder)
    (folder / "config.json").write_text(json.dumps(config))
    card = json.loads((folder / "policy.json").read_text())
    (folder / "policy.json").write_text(json.dumps(card | {"weights": [1.0]}))
    with pytest.raises(PolicyError, match="windows and weights"):
        open_policy(folder)


def test_a_stock_that_cannot_be_written_is_refused() -> None:
    card = language_policy("df").card
    for stock in (("blurry, noisy",), ("<|endoftext|>",)):
        with pytest.raises(PolicyError, match="cannot spell"):
            make_policy(language_model("df"), tokenizer(), card, stock)
    for wrong in ({"temperature": 0.0}, {"temperature": float("nan")}, {"top_k": -1}):
        with pytest.raises(PolicyError, match="sampling needs"):
            Sampling(**wrong)
