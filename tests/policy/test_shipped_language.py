"""The language policies that come with negopt: they load, repeat themselves exactly, and keep every promise."""

import json

import pytest
import torch

from negopt_core.lab.compare.text import contradictions, phrases
from negopt_core.lab.data.corpus import CONTRADICTORY_LICENCES
from negopt_core.paint.diffusers_painter import load_painter
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.language.folder import open_policy
from negopt_core.policy.language.render import encode_spans
from negopt_core.policy.language.suggester import LanguageSuggester
from negopt_core.policy.media import names_a_body
from negopt_core.policy.store import SHIPPED, builtin_names, known_families, read_card, shipped_names, with_family
from negopt_core.policy.words import phrase_key
from negopt_core.text.prompt import Span
from negopt_core.world import world_dir
from studies.policies.recipe import GROUP, Recipe
from studies.policies.recipe import PROMPTS as PROMPTS_A_STEP

LANGUAGE = [name for name in shipped_names() if read_card(SHIPPED / name).kind in ("seq2seq", "df")]
WORLD = [name for name in LANGUAGE if read_card(SHIPPED / name).families == ("world",)]
PEOPLE = [name for name in LANGUAGE if name not in WORLD]
"""Trained on what people wrote, for real models."""
PROMPTS = [
    "portrait photo of an old fisherman, natural light",
    "blurry watercolor of a castle, text on a banner, low quality, grainy",
    "1girl, anime, bad hands, (masterpiece:1.2), <lora:glow:0.8>, embedding:easynegative, [cat:dog:0.5], __animal__",
    "日本語のプロンプト 🐟🌊",
    "",
    "a " * 10_000,
    "isometric low poly house, 3d render",
]


@pytest.mark.parametrize("name", LANGUAGE)
def test_it_is_small_and_holds_no_pickle(name: str) -> None:
    files = list((SHIPPED / name).iterdir())
    assert sum(path.stat().st_size for path in files) < 25e6
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt", ".md", ""}  # "": SHA256SUMS


@pytest.mark.parametrize("name", WORLD)
def test_a_world_policy_names_its_trainings_and_what_went_in(name: str) -> None:
    card = read_card(SHIPPED / name)
    stages = card.provenance["stages"]
    assert card.licence == "Apache-2.0" and "demo world" in (SHIPPED / name / "NOTICE.md").read_text()
    assert [stage["settings"]["what"] for stage in stages] == (["sft"] if name.endswith("-sft") else ["sft", "ppo"])
    assert len(stages[0]["pairs_sha256"]) == 64 and all("seed" in stage["settings"] for stage in stages)
    if len(stages) == 2:
        assert stages[1]["painter"] == load_painter(str(world_dir()), device="cpu").model_hash(), (
            "the demo world has changed since"
        )
        assert (
            stages[1]["pictures"] == Recipe().ppo_steps * PROMPTS_A_STEP * GROUP
            and len(stages[1]["start_sha256"]) == 64
        )
    settings = json.dumps([stage["settings"] for stage in stages])
    assert "/" not in settings, "no folders of the machine it was trained on"


def test_the_shipped_sft_policy_is_where_the_shipped_rl_policy_began() -> None:
    first, learned = (
        read_card(SHIPPED / name).provenance["stages"] for name in ("world-negative-sft", "world-negative")
    )
    assert first == learned[:1]


@pytest.mark.parametrize("name", PEOPLE)
def test_its_card_says_where_it_comes_from(name: str) -> None:
    card = read_card(SHIPPED / name)
    told = json.dumps(card.to_json()["provenance"])
    assert card.licence == "Apache-2.0" and "sources" in told and "data_sha256" in told and "recipe" in told
    assert not any(source in told for source in CONTRADICTORY_LICENCES)
    assert (SHIPPED / name / "NOTICE.md").is_file()
    if len(card.windows) > 1:
        assert any("priors" in caveat for caveat in card.caveats)


@pytest.mark.parametrize("name", LANGUAGE)
def test_the_same_seed_says_the_same_and_a_prompt_does_not_depend_on_its_neighbours(name: str) -> None:
    policy = load_policy(name)
    for seed in (0, 5):
        options = SuggestOptions(seed=seed)
        together = suggest(policy, PROMPTS[:3], options)
        assert together == suggest(policy, PROMPTS[:3], options)
        assert together == [suggest(policy, [prompt], options)[0] for prompt in PROMPTS[:3]]


def test_a_phrase_is_spelled_as_in_the_stock() -> None:
    """The world's tokenizer reads `8k` back as `8 k`, which a rule for `8k` would not know."""
    policy = open_policy(SHIPPED / "world-modifiers")
    rows = [[Span("8k")], [Span("vivid"), Span("8k")]]
    prompts = ["a photo of a red ball", "a sketch of a blue star"]
    written, _ = encode_spans(
        rows, policy.walks(prompts), policy.tokenizer, policy.card, int(policy.model.config.vocab_size)
    )
    texts = [[span.text for span in spans] for spans in policy.spans(written)]
    assert texts == [["8k"], ["vivid", "8k"]]


@pytest.mark.parametrize("name", LANGUAGE)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nothing_is_contradicted_or_said_twice_or_echoed(name: str, seed: int) -> None:
    policy = load_policy(name)
    assert isinstance(policy, LanguageSuggester)
    stock = set(policy.policy.grammar.phrases)  # type: ignore[attr-defined]
    for prompt, answer in zip(PROMPTS, suggest(policy, PROMPTS, SuggestOptions(seed=seed)), strict=True):
        written = answer.negative if policy.card.polarity == "negative" else answer.positive[len(prompt) :]
        said = phrases(written)
        assert set(said) <= stock and len({phrase_key(phrase) for phrase in said}) == len(said)
        assert answer.positive.startswith(prompt)
        if policy.card.polarity == "negative":
            assert contradictions(prompt, answer.negative) == 0 and answer.positive == prompt
            assert not any("contradict" in warning for warning in answer.warnings)


@pytest.mark.parametrize("name", [name for name in PEOPLE if read_card(SHIPPED / name).polarity == "negative"])
def test_a_negative_is_never_empty_and_knows_families(name: str) -> None:
    card = read_card(SHIPPED / name)
    assert all(answer.negative for answer in suggest(load_policy(name), PROMPTS))
    families = known_families(card)
    assert {"sd15", "sdxl", "sd3", "flux", "pony", "anime"} == set(families)
    answers = {family: suggest(load_policy(with_family(name, family)), PROMPTS[:1])[0] for family in families}
    assert "score_" in answers["pony"].negative and "score_" not in answers["sdxl"].negative
    assert len(phrases(answers["flux"].negative)) < len(phrases(answers["pony"].negative))
    assert f"{name}:flux" in builtin_names()


@pytest.mark.parametrize("name", [name for name in PEOPLE if read_card(SHIPPED / name).polarity == "negative"])
def test_hands_are_not_negated_in_a_landscape(name: str) -> None:
    for seed in range(5):
        (answer,) = suggest(load_policy(name), ["a photo of mountains at dawn"], SuggestOptions(seed=seed))
        assert not any(names_a_body(phrase) for phrase in phrases(answer.negative))


@pytest.mark.parametrize("name", LANGUAGE)
def test_what_is_drawn_is_scored_alike(name: str) -> None:
    """PPO's two sides agree on a shipped policy: the neighbours' votes are in both."""
    from negopt_core.policy.language.actions import Sampling

    policy = load_policy(name).policy  # type: ignore[attr-defined]
    rows = 100
    drawn = policy.respond(PROMPTS[:1] * rows, list(range(rows)), Sampling())
    with torch.no_grad():
        logs = policy.analyze(PROMPTS[:1] * rows, drawn, Sampling()).logprobs["words"]
    words, probability = drawn.words[:, 0], logs[:, 0].exp()
    share = torch.stack([(words == word).float().mean() for word in words])
    assert bool(((share - probability).abs() <= 4 * (probability / rows) ** 0.5 + 0.02).all())
