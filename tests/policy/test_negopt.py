"""`negopt`, the default policy: what it promises, how it reads a prompt, when it holds back."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negopt_core.errors import PolicyError
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.contradiction import is_contradicted, is_unwelcome, read_asked
from negopt_core.policy.loglinear import policy as shipped
from negopt_core.policy.loglinear.evidence import Evidence, Learned
from negopt_core.policy.loglinear.knowledge import Knowledge
from negopt_core.policy.loglinear.lexicon import Lexicon
from negopt_core.policy.loglinear.nouns import Nouns
from negopt_core.policy.loglinear.policy import LEARNED_FILE, NegOptPolicy, family_named
from negopt_core.policy.loglinear.reading import read_prompt
from negopt_core.policy.loglinear.tables import WORDS, TablesError
from negopt_core.policy.loglinear.vectors import Vectors
from negopt_core.policy.store import default_policy
from negopt_core.policy.suggest import Suggestion

from .made_prompts import contradictions, make_prompts

TABLES = Knowledge.read()
LEXICON = Lexicon(TABLES)


def ask(prompt: str, family: str = "", **options: object) -> Suggestion:
    policy = load_policy(f"negopt:{family}" if family else "negopt")
    return suggest(policy, [prompt], SuggestOptions(**options))[0]  # type: ignore[arg-type]


def phrases(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def concepts(prompt: str) -> set[str]:
    return {one.concept for one in read_prompt(prompt, LEXICON).found}


def test_the_tables_hold_together() -> None:
    assert not list(TABLES.problems())
    assert 500 <= sum(len(stock) for stock in TABLES.phrases.values()) <= 1500
    for concept in TABLES.concepts.values():
        parts = [TABLES.concepts[name].effects["negative"] for name in TABLES.lineage(concept.name)]
        said = [phrase for phrase in concept.effects["negative"] if sum(part.get(phrase, 0.0) for part in parts) > 0.01]
        assert not concept.never.intersection(said), f"{concept.name} negates what it never negates"


def test_everything_that_ships_fits_four_megabytes() -> None:
    assert sum(path.stat().st_size for path in WORDS.iterdir()) <= 4_000_000


@pytest.mark.parametrize(
    ("prompt", "concept"),
    [
        ("an airship over the sea", "vehicle"),
        ("a goblin merchant", "creature"),
        ("a capybara in a field", "animal"),
        ("ein Hund im Garten", "animal"),
        ("一只猫坐在窗台上", "animal"),
        ("красная машина на дороге", "car"),
        ("雨の東京、ロボット", "robot"),
        ('a wall with "HELLO"', "lettering"),
        ("three women dancing", "group"),
        ('{"subject": "a cat", "style": "photo"}', "photo"),
        ("child's drawing of a house", "child drawing"),
        ("a nova scotia duck tolling retriever", "dog"),
        ("three double decked buses", "vehicle"),
    ],
)
def test_words_of_many_kinds_lead_to_concepts(prompt: str, concept: str) -> None:
    assert concept in concepts(prompt)


@pytest.mark.parametrize(
    ("prompt", "concept"),
    [
        ("a street without people", "person"),
        ("a landscape (people:-1), mountains", "person"),
        ("oil painting of a sea", "photo"),
        ("un gato bajo la luna", "creature"),
        ("a young woman", "child"),
        ("a golden retriever puppy", "herd"),
        ("a couple of chairs", "couple"),
        ("a bottle of hand soap", "hands"),
        ("a small white boat", "insect"),
        ("Sunny Leone in a car", "animal"),
        ("an octopus in an aquarium tank", "vehicle"),
        ("wool cap in faded orange", "fruit"),
        ("a bedroom with fairy lights", "person"),
        ("nets and orange buoys on a wall", "fruit"),
        ("salt flats with a red car, mirror reflection of clouds", "electronics"),
        ("a wooden sailboat model on a shelf", "person"),
        ('a trail sign reading "Bear Lake"', "writer"),
        ("whisky bottle and two glasses on a bar", "eyewear"),
        ("1girl, silver hair, red eyes", "no medium"),
    ],
)
def test_what_only_looks_like_a_concept_is_none(prompt: str, concept: str) -> None:
    assert concept not in concepts(prompt)


@pytest.mark.parametrize(
    ("prompt", "concept"),
    [
        ("terraced tea hills in fog", "drink"),
        ("gas station hot dog", "architecture"),
        ("an octopus shaped sausage", "octopus"),
        ("an origami rhinoceros of a road map", "map"),
        ("a black and white shower curtain", "black and white"),
        ("a door knocker shaped like a lion head", "big cat"),
        ("a bowl of cherries", "pottery"),
        ("a wizard's study", "person"),
        ("1boy, wolf ears, hoodie", "wild canine"),
        ("a messy table with croissants and newspapers", "magazine and newspaper"),
        ("cathedral nave, light through a rose window", "stained glass"),
        ("a logo for a bakery", "eatery"),
        ("a spider dancing on a leaf", "dancer"),
    ],
)
def test_what_only_describes_another_thing_counts_for_less_than_half(prompt: str, concept: str) -> None:
    reading = read_prompt(prompt, Lexicon(TABLES))
    assert 0 < reading.strengths[concept] < 0.5


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("a fox", "extra legs"),
        ("a photo of a bicycle against a wall", "broken frame"),
        ("a cat on a sofa beside a vase and a lamp", "extra legs"),
        ("pixel art of a dragon", "blurry pixels"),
        ('neon sign that says "OPEN" in an alley', "garbled letters"),
    ],
)
def test_what_the_picture_is_of_fails_first(prompt: str, first: str) -> None:
    assert first in phrases(ask(prompt, "flux").negative)[:3]


def test_a_thing_held_takes_no_fault_from_the_animal_that_holds_it() -> None:
    assert {"extra legs", "bad anatomy"} <= set(
        phrases(ask("a wet otter floating on its back holding a clam").negative)
    )


@pytest.mark.parametrize("family", ["pony", "illustrious", "anima"])
def test_families_of_tags_get_no_plain_quality_words(family: str) -> None:
    added = ask("a robot in the rain", family).positive
    assert not {"sharp focus", "cinematic lighting", "highly detailed"} & set(phrases(added))


def test_score_tags_for_more_forbid_those_for_less_and_never_themselves() -> None:
    policy = load_policy("negopt:pony")
    said = [one.phrase for one in policy.why("score_9, score_8_up, score_6_up, anthro fox").negative]  # type: ignore[attr-defined]
    assert {"score_4", "score_5", "low quality"} <= set(said) and "score_6" not in said
    assert "score_4" not in [one.phrase for one in policy.why("score_4, a cat").negative]  # type: ignore[attr-defined]


def test_a_photo_of_a_painting_forbids_neither() -> None:
    assert not {"photo", "painting"} & set(ask("photo of an oil painting on a wall").negative.split(", "))


@pytest.mark.parametrize(
    ("prompt", "wanted", "never"),
    [
        ("1girl, anime, no watermark", "watermark", ""),
        ("a street without people", "people", "hand|finger|face|anatomy|limb"),
        ("portrait, not blurry, no text", "blurry, text", ""),
        ("a landscape (people:-1), mountains", "people", "hand|finger|anatomy"),
        ("x-ray of a flower", "photo", "blurry bones"),
        ("a map of a fantasy kingdom, parchment", "photo, 3d render", ""),
        ('text that says "HELLO WORLD" on a neon sign', "garbled letters, misspelled words", "daylight"),
        ("ein Hund im Garten", "extra legs", ""),
        ("一只猫坐在窗台上", "extra tail", ""),
        ("a bowl of fruit, still life", "plastic food", "cute"),
        ("a crowd of people in Times Square", "merged bodies", "rendering"),
        ("fashion editorial, model in red dress, studio lighting", "bad hands", "photography"),
        ("a hand holding a pen", "extra fingers", ""),
        ("a motorcycle", "warped wheels", "hand"),
        ("ein Garten ohne Menschen", "people", "Menschen"),
    ],
)
def test_failures_of_the_subject_are_named_and_wishes_kept(prompt: str, wanted: str, never: str) -> None:
    found = phrases(ask(prompt).negative)
    assert set(wanted.split(", ")) <= set(found)
    assert not [one for one in found for word in never.split("|") if word and word in one.split()]
    if never in ("Menschen", "photography", "cute"):
        assert never not in ask(prompt).negative


def test_nothing_contradicts_prompts_made_of_the_tables_own_words() -> None:
    for prompt, family, unwanted in make_prompts(400, seed=3):
        answer = ask(prompt, family)
        assert not contradictions(prompt, unwanted, answer.negative), (prompt, answer.negative)
        asked = read_asked(prompt)
        assert not [one for one in phrases(answer.negative) if one != unwanted and is_contradicted(one, asked)]
        assert answer.positive.startswith(prompt) and answer.negative


def test_no_word_of_content_safety_is_said_unasked() -> None:
    safety = {phrase for phrase, known in TABLES.phrases["negative"].items() if known.kind == "safety"}
    for prompt, family, _ in make_prompts(200, seed=5):
        assert not safety.intersection(phrases(ask(prompt, family).negative))


def test_the_users_negative_is_first_and_untouched() -> None:
    own = "  my OWN words, (very:1.2) odd "
    assert ask("a photo of a cat", negative=own).negative.startswith(own)


@pytest.mark.parametrize(
    ("prompt", "most"),
    [
        ("a fox", 4),
        ("a fox " + "in the snow beside an old fence " * 3, 3),
        ("a fox " + "in the snow beside an old fence " * 6, 2),
        ("a fox " + "in the snow beside an old fence " * 12, 0),
    ],
)
def test_the_longer_the_prompt_the_fewer_modifiers(prompt: str, most: int) -> None:
    assert len(phrases(ask(prompt).positive.removeprefix(prompt))) <= most


@pytest.mark.parametrize("prompt", ["x-ray of a hand", "a map of Rome", "logo of a fox", "infographic about bees"])
def test_media_without_light_get_no_light(prompt: str) -> None:
    added = ask(prompt).positive.removeprefix(prompt)
    assert not [one for one in phrases(added) if TABLES.phrases["modifiers"][one].kind == "light"]


def test_a_modifier_never_names_what_the_prompt_does_not_want() -> None:
    prompt = "an oil painting of a harbour, no visible brushstrokes"
    assert "brushstrokes" not in ask(prompt).positive.removeprefix(prompt)


def test_families_speak_their_own_language() -> None:
    prompt = "1girl, library, night"
    assert ask(prompt, "pony").positive.removeprefix(prompt).startswith(", score_9, score_8_up")
    assert {"masterpiece", "best quality"} <= set(phrases(ask(prompt, "illustrious").positive))
    assert "worst quality" in phrases(ask(prompt, "anima").negative)
    sentence = ask("A photo of a red car in the rain.", "flux").positive
    assert sentence.endswith(".") and ". " in sentence and " and " in sentence.rpartition(". ")[2]


@pytest.mark.parametrize("family", TABLES.families)
def test_every_family_answers_within_its_budget_with_sources_and_a_note_where_negatives_are_weak(family: str) -> None:
    row, policy = TABLES.families[family], load_policy(f"negopt:{family}")
    assert row.source and row.cfg and row.language in ("phrases", "tags", "sentences")
    assert (row.reads_negative == "yes") == (policy.card.caveats == ())
    answer = ask("portrait of a knight", family)
    assert answer.negative and policy.card.max_tokens == row.max_tokens


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sd15", "sd15"),
        ("v1-5-pruned-emaonly.safetensors", "sd15"),
        ("models/checkpoints/sd_xl_base_1.0.safetensors", "sdxl"),
        ("C:\\models\\ponyDiffusionV6XL.safetensors", "pony"),
        ("noobai", "illustrious"),
        ("anime", "illustrious"),
        ("flux1-dev.safetensors", "flux"),
        ("qwen_image", "qwen-image"),
        ("lumina2", "z-image"),
        ("wan2.2_t2v_high_noise_14B.safetensors", "wan"),
        ("hunyuan_video", "hunyuan"),
        ("my-own-thing.safetensors", None),
        ("", None),
    ],
)
def test_a_family_is_known_by_name_file_and_type(name: str, family: str | None) -> None:
    found = family_named(name)
    assert (found.name if found else None) == family


def test_windows_are_used_only_where_they_are_asked_for_by_name() -> None:
    prompt = "macro photo of a bee, oil on paper"
    assert ask(prompt).df_negative == ask(prompt).negative and ask(prompt).df_positive == ask(prompt).positive
    timed = suggest(load_policy("negopt-scheduled"), [prompt])[0]
    assert timed.negative == ask(prompt).negative and "[blurry:0-0.8:1]" in timed.df_negative


ODD = {
    "empty": "",
    "long": "a red fox in the snow, " * 2_500,
    "emoji": "🦊🌲❄️",
    "unknown language": "koira juoksee pellolla",
    "control": "a cat\x00\x1b[31m",
    "numbers": "12345 67.8",
    "brackets": "((((([[[[{{{",
}


@pytest.mark.parametrize("prompt", ODD.values(), ids=ODD)
def test_odd_prompts_get_an_ordinary_negative(prompt: str) -> None:
    assert "low quality" in ask(prompt).negative


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=120))
def test_any_text_is_answered(prompt: str) -> None:
    answer = ask(prompt)
    assert answer.negative.strip() and answer.positive.startswith(answer.prompt[:1] if "[" not in prompt else "")


def test_the_seed_changes_nothing_and_a_family_changes_the_fingerprint() -> None:
    assert ask("a cat", seed=1).negative == ask("a cat", seed=2).negative
    assert load_policy("negopt").fingerprint != load_policy("negopt:flux").fingerprint


def test_why_tells_the_parts_of_every_gain() -> None:
    policy = load_policy("negopt")
    assert isinstance(policy, NegOptPolicy)
    found = policy.why("a photo of a dog, no text")
    assert [one.phrase for one in found.negative] == phrases(ask("a photo of a dog, no text").negative)
    for choice in (*found.negative, *found.modifiers):
        assert choice.gain == pytest.approx(sum(part.effect for part in choice.reasons)) and choice.sd >= 0
    sources = {part.source for one in found.negative for part in one.reasons}
    assert {"prompt", "model", "knowledge"} <= sources
    assert "photo" in policy.summary("a photo of a dog")


def test_what_was_learned_lies_over_the_shipped_table(tmp_path: Path) -> None:
    learned = Evidence(
        "pictures", {"negative": {"dog": {"extra legs": Learned(-2.0, 0.1, 40), "plastic look": Learned(1.0, 0.1, 40)}}}
    )
    (tmp_path / LEARNED_FILE).write_text(json.dumps(learned.to_json() | {"modifiers": {}}))
    (tmp_path / "policy.json").write_text(json.dumps({"kind": "loglinear", "name": "mine", "families": ["sdxl"]}))
    found = load_policy(str(tmp_path))
    assert isinstance(found, NegOptPolicy)
    answer = phrases(suggest(found, ["a dog"])[0].negative)
    assert answer[0] == "plastic look" and "extra legs" not in answer
    assert "pictures" in {part.source for one in found.why("a dog").negative for part in one.reasons}


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("phrases.txt", "# version 2\n", "update negopt"),
        ("phrases.txt", "a | b\n", "line 1"),
        ("phrases.txt", "a | sideways | quality | all |\n", "a side is"),
        ("media.txt", "x | medium | nobody | x | | |\n", "is no concept"),
        ("media.txt", "x | medium | | x | blurry | |\n", "no phrase=number"),
        ("media.txt", "x | medium | | x | @nothing=1 | |\n", "of the kind"),
        ("families.txt", "x | x | | 7 | yes | many | phrases | | | |\n", "token budget"),
    ],
)
def test_a_damaged_table_is_one_clear_line(tmp_path: Path, file: str, content: str, says: str) -> None:
    shutil.copytree(WORDS, tmp_path / "words")
    (tmp_path / "words" / file).write_text(content)
    with pytest.raises(TablesError, match=says) as caught:
        Knowledge.read(tmp_path / "words")
    assert "\n" not in str(caught.value)


def test_damaged_nouns_vectors_and_evidence_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "nouns.txt").write_text("5|dog\n")
    with pytest.raises(TablesError, match="line 1"):
        Nouns.read(tmp_path / "nouns.txt")
    (tmp_path / "vectors.txt").write_text("a\nb\n")
    shutil.copy(WORDS / "vectors.safetensors", tmp_path)
    with pytest.raises(TablesError, match="install again"):
        Vectors.read(tmp_path)
    (tmp_path / "people.json").write_text('{"version": 9}')
    with pytest.raises(TablesError, match="update negopt"):
        Evidence.read(tmp_path / "people.json")


def test_without_its_tables_the_rules_write_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise TablesError("cannot read phrases.txt; install negopt again")

    monkeypatch.setattr(shipped, "_shipped", broken)
    answer = suggest(load_policy("negopt"), ["a cat"])[0]
    assert answer.negative and any("install negopt again; `rules` wrote this" in line for line in answer.warnings)


def test_an_unknown_family_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PolicyError, match="sdxl"):
        load_policy("negopt:nope")


def test_it_is_the_default_and_needs_no_torch() -> None:
    code = (
        "import sys; from negopt_core.policy import load_policy, suggest\n"
        "from negopt_core.policy.store import default_policy\n"
        "print(suggest(load_policy(default_policy()), ['gundam in the rain'])[0].policy, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=WORDS.parents[2]
    )
    assert done.stdout.split() == ["negopt", "False"] and default_policy() == "negopt"


def test_modifiers_neither_repeat_the_prompt_nor_work_against_it() -> None:
    for prompt, family, _ in make_prompts(100, seed=9):
        if TABLES.families.get(family) and TABLES.families[family].language == "sentences":
            continue
        added = phrases(ask(prompt, family).positive.removeprefix(prompt))
        assert not [one for one in added if is_unwelcome(one, read_asked(prompt))]


@pytest.mark.parametrize(
    ("prompt", "wrong"),
    [
        ("a kitchen with much counter space", "stars|planets"),
        ("a blender filled with oranges on a counter", "meshes|broken geometry|texture stretching"),
        ("a floral pillow on a sofa", "petal"),
        ("a 1920s silent film still, a clown", "anamorphic|color grade"),
        ("a chalkboard menu in front of a bistro", "(?:^|, )text(?:,|$)"),
    ],
)
def test_words_in_another_sense_bring_nothing_of_the_usual_one(prompt: str, wrong: str) -> None:
    answer = ask(prompt)
    assert not re.search(wrong, answer.negative + " " + answer.positive.removeprefix(prompt))


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat on a bed beside a bicycle, a vase, a lamp and a rose",
        "a kitchen with a table, a kettle, plants and a window",
    ],
)
def test_faults_of_single_things_leave_room_for_the_usual_ones(prompt: str) -> None:
    found = phrases(ask(prompt).negative)
    assert len(found) <= 12
    assert {"low quality", "watermark", "text", "signature"} <= set(found)


@pytest.mark.parametrize(
    "prompt", ["a man playing an electric guitar in a library", "three hairless cats in balaclavas on a radiator"]
)
def test_general_modifiers_alone_are_not_said(prompt: str) -> None:
    assert ask(prompt).positive == prompt
    assert ask("lichen").positive == "lichen, sharp focus, cinematic lighting, highly detailed"


@pytest.mark.parametrize(
    ("prompt", "is_absent"),
    [
        ("a lone surveyor riding a six legged tortoise", "extra legs"),
        ("a four-armed goddess on a lotus", "extra arms"),
        ("a family photo, but the reflection in the mirror shows six people", "mismatched reflection"),
        ("exploded view of a mechanical watch, brass gears floating", "fused parts"),
        ("1970s orange snowplow in a blizzard", "unappetizing"),
        ("brass and walnut pharmacy interior, rolling ladder", "unappetizing"),
        ("product shot of a hand-crank coffee grinder", "bad hands"),
        ("death metal band logo, unreadable roots lettering", "garbled letters"),
    ],
)
def test_what_readers_struck_out_is_gone(prompt: str, is_absent: str) -> None:
    assert is_absent not in phrases(ask(prompt).negative)


@pytest.mark.parametrize(
    ("prompt", "is_absent"),
    [
        ("death metal band logo, unreadable roots lettering", "simple memorable shape"),
        ("autochrome 1911, six ladies in veils, soft pastel", "layered pencil strokes"),
        ("attic red figure vase, hoplites at a bakery", "papyrus fiber texture"),
        ("aerial drone shot of a river, national geographic", "35mm lens"),
        ("a cinema marquee at dusk, wet pavement", "long soft shadows"),
    ],
)
def test_modifiers_that_readers_struck_out_are_gone(prompt: str, is_absent: str) -> None:
    assert is_absent not in ask(prompt).positive
