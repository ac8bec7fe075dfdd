"""Small policies from a recipe and a tiny corpus: what is learned, what is left out, and that a stopped run goes on."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
import torch

from negopt_core.cli import main
from negopt_core.errors import TrainingError
from negopt_core.lab.data.corpus import Modified, Row, Weights
from negopt_core.lab.data.examples import (
    Example,
    artist_names,
    fit_stock,
    modifier_answers,
    modifier_examples,
    names_an_artist,
    negative_examples,
    plain_modifier,
    table_phrases,
)
from negopt_core.lab.data.pairs import Pair
from negopt_core.lab.train.denoise import draw_alike, pad_rows, take_out
from negopt_core.lab.train.mini import Corpus, negative_stock, prepare
from negopt_core.lab.train.phrases import PhraseSettings, PhraseTraining, Task
from negopt_core.lab.train.priors import NEGATIVE_WINDOWS, SCHEDULE_WEIGHTS, schedule_targets
from negopt_core.lab.train.recipe import RECIPES, Recipe, read_recipe
from negopt_core.lab.train.settings import SFTSettings
from negopt_core.lab.train.sft import SFT
from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.language.folder import make_policy
from negopt_core.policy.language.reader import reader_of
from negopt_core.text.prompt import Span

pytestmark = pytest.mark.slow

SUBJECTS = ("a fox", "an old fisherman", "a castle on a hill", "a bowl of soup", "a robot", "mountains at dawn")
LOOKS = {"a photo of": "painting, blurry, bad hands", "an anime picture of": "photo, lowres, text"}
TINY = {
    "name": "tiny",
    "kind": "seq2seq",
    "polarity": "negative",
    "vocabulary": 300,
    "stock": 40,
    "least": 1,
    "width": 32,
    "layers": 1,
    "heads": 2,
    "word_steps": 3,
    "phrase_steps": 6,
    "scheduled": True,
    "batch_size": 4,
}


def row(prompt: str, negative: str, number: int, template: str = "") -> dict[str, str]:
    return {
        "prompt": prompt,
        "negative_prompt": negative,
        "family": "style" if template else "user",
        "source_repo": "me/mine",
        "license": "MIT",
        "group": f"g{number}",
        **({"template": template} if template else {}),
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    pairs = [row(f"{look} {what}", LOOKS[look], n) for n, what in enumerate(SUBJECTS) for look in LOOKS]
    pairs.append(row("in the style of ink", "colorful, photo", 99, "{prompt} in the style of ink"))
    modified = [
        {"prompt": f"{what}, sharp focus, 8 k, by jane roe", "source_repo": "me/mine", "license": "MIT"}
        | {"subject": what, "modifiers": ["sharp focus", "8 k", "by jane roe"]}
        for what in SUBJECTS
    ]
    for name, rows in (("pairs/pairs", pairs), ("modifiers/modifier_prompts", modified)):
        for part in ("train", "val"):
            path = folder / f"{name}_{part}.jsonl.gz"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress("".join(json.dumps(item) + "\n" for item in rows).encode()))
    (folder / "NOTICE.md").write_text("# Notices\n")
    return folder


def recipe_file(folder: Path, **changes: object) -> str:
    path = folder / "recipe.json"
    path.write_text(json.dumps(TINY | changes))
    return str(path)


def train(recipe: str, corpus: Path, run: Path, *more: str) -> int:
    return main(["train", "mini", recipe, "--data", str(corpus), "--run", str(run), "--save-every", "2", *more])


@pytest.mark.parametrize("kind", ["seq2seq", "df"])
def test_a_recipe_becomes_a_policy_that_keeps_its_promises(kind: str, corpus: Path, tmp_path: Path) -> None:
    polarity = {"seq2seq": "negative", "df": "modifiers"}[kind]
    recipe = recipe_file(tmp_path, kind=kind, polarity=polarity, hints=kind == "seq2seq")
    assert train(recipe, corpus, tmp_path / "run", "-o", str(tmp_path / "tiny")) == 0
    policy = load_policy(str(tmp_path / "tiny"))
    assert policy.card.provenance["sources"] == ["me/mine (MIT): 19"]
    assert any("priors" in caveat for caveat in policy.card.caveats)
    assert (tmp_path / "tiny" / "NOTICE.md").read_text() == "# Notices\n"
    for seed in range(3):
        for prompt in ("a photo of a fox", "a painting, a photo, text", "🐟"):
            (answer,) = suggest(policy, [prompt], SuggestOptions(seed=seed))
            said = answer.negative if polarity == "negative" else answer.positive[len(prompt) :]
            assert "jane roe" not in said and not any("contradict" in warning for warning in answer.warnings)
            assert not (polarity == "negative" and "painting" in prompt and "painting" in said)


def test_a_stopped_run_goes_on_to_the_same_policy(corpus: Path, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path)
    assert train(recipe, corpus, tmp_path / "whole", "-o", str(tmp_path / "one" / "tiny")) == 0
    run = tmp_path / "parts"
    assert train(recipe, corpus, run) == 0
    for stage in ("answers",):  # as if it had been stopped after the first stage
        for path in (run / stage).iterdir():
            path.unlink()
    assert train(recipe, corpus, run, "-o", str(tmp_path / "two" / "tiny")) == 0
    one, two = (load_policy(str(tmp_path / name / "tiny")) for name in ("one", "two"))
    assert one.fingerprint == two.fingerprint


def test_a_scheduled_policy_starts_from_another_and_keeps_its_words(corpus: Path, tmp_path: Path) -> None:
    first = recipe_file(tmp_path, scheduled=False)
    assert train(first, corpus, tmp_path / "run", "-o", str(tmp_path / "plain")) == 0
    second = recipe_file(tmp_path, start=str(tmp_path / "plain"), word_steps=0, phrase_steps=0)
    assert train(second, corpus, tmp_path / "more", "-o", str(tmp_path / "timed")) == 0
    plain, timed = (load_policy(str(tmp_path / name)) for name in ("plain", "timed"))
    prompt = "a photo of a fox"
    assert suggest(plain, [prompt])[0].negative == suggest(timed, [prompt])[0].negative
    assert timed.card.windows == NEGATIVE_WINDOWS and plain.card.windows != NEGATIVE_WINDOWS


def test_the_loss_is_the_policys_own_probability(corpus: Path, tmp_path: Path) -> None:
    """Learning and PPO's scoring agree where nothing is banned and the budget does not bind, but for the end: learning
    counts it as a choice after every comma, which costs a fresh network of forty phrases a thousandth."""
    prepared = prepare(Recipe(**TINY), Corpus.read(corpus))
    policy, stock = prepared.policy.eval(), prepared.policy.grammar.phrases  # type: ignore[attr-defined]
    prompt = "zzz fox"  # an animal, so that phrases about bodies may be said
    phrases = tuple(place for place, phrase in enumerate(stock) if phrase in ("photo", "blurry", "lowres"))
    task = Task(policy.reader.read(prompt), phrases, 1.0)
    mine = PhraseTraining(policy, [task], PhraseSettings(1))
    pair = Pair(prompt, tuple(Span(stock[place]) for place in phrases))
    theirs = SFT(policy, [pair], SFTSettings(1))
    with torch.no_grad():
        one, other = mine.loss([task]) * len(phrases), theirs.losses([pair])["words"] * 2 * len(phrases)
    assert float(one) == pytest.approx(float(other), abs=0.01)


def test_a_stock_counts_spellings_together_and_leaves_rare_phrases_out() -> None:
    answers = [(["Bad Hands", "blurry"], 1.0), (["bad hand", "blurry"], 3.0), (["bad hands", "fog"], 1.0)]
    assert fit_stock(answers, 5, 2) == ["bad hands", "blurry"]
    assert fit_stock(answers, 1, 1) == ["bad hands"]


def test_a_stock_smaller_than_the_tables_holds_only_them(corpus: Path, tmp_path: Path) -> None:
    recipe = read_recipe(recipe_file(tmp_path, stock=len(table_phrases()) - 1))
    assert negative_stock(recipe, Corpus.read(corpus)) == table_phrases()


def test_a_phrase_of_a_stock_is_one_line() -> None:
    assert fit_stock([(["bad\nhands"], 1.0)], 5, 1) == ["bad hands"]


def test_examples_leave_out_what_the_prompt_asks_for_and_bodies_where_there_are_none() -> None:
    rows = [
        Row("a photo of a castle", "photo, blurry, bad hands", "user", "", "", "", "", group="g1"),
        Row("text", "text", "user", "", "", "", ""),
    ]
    assert negative_examples(rows, ["bad hands", "blurry", "photo", "text"], Weights()) == [
        Example("a photo of a castle", (1,), 3.0, "g1")
    ]


def test_families_get_votes_for_their_tags_or_a_limit(corpus: Path) -> None:
    policy = prepare(Recipe(**TINY), Corpus.read(corpus)).policy
    stock, settings = policy.grammar.phrases, policy.card.settings  # type: ignore[attr-defined]
    pushes = {}
    for family in ("", "sdxl", "flux", "pony"):
        reader = reader_of(settings, policy.reader.neighbours, stock, family)
        pushes[family] = dict(reader.read("a knight").pushes)
        limit = make_policy(policy.model, policy.tokenizer, policy.card, stock, reader).grammar.max_phrases  # type: ignore[attr-defined]
        assert limit == (4 if family == "flux" else policy.grammar.max_phrases)  # type: ignore[attr-defined]
    assert pushes[""] == pushes["sdxl"] == pushes["flux"]
    tags = [place for place, phrase in enumerate(stock) if phrase.startswith("score_")]
    assert tags and all(pushes["pony"][place] == max(pushes["pony"].values()) > 10 for place in tags)
    assert not set(tags) & set(pushes[""])


def test_artists_are_left_out_and_words_that_only_follow_by_are_not() -> None:
    prompts = ["a, by jane roe", "b, art by jane roe and bob hay", "c, by bob hay", "d, by night", *["night"] * 20]
    artists = artist_names(prompts)
    assert {"jane roe", "bob hay"} <= artists and "night" not in artists
    assert names_an_artist("portrait by roe", artists) and names_an_artist("Jane Roe", artists)
    assert not names_an_artist("night", artists)
    rows = [Modified("", "a cat", ("sharp focus", "jane roe"), "", ""), Modified("", "a cat 2", ("8 k",), "", "")]
    assert modifier_answers(rows, artists) == [(["sharp focus"], 1.0), (["8k"], 1.0)]
    assert modifier_examples(rows, ["8k", "sharp focus"])[0].phrases == (1,)
    assert plain_modifier("( 8 k ).") == "8k"


def test_every_gap_gives_back_what_was_in_it() -> None:
    rng = torch.Generator().manual_seed(0)
    for _ in range(50):
        text = torch.randint(2, 50, (int(torch.randint(4, 30, (1,), generator=rng)),), generator=rng).tolist()
        kept, lost = take_out(text, 0.3, 3, 1, rng)
        assert kept.count(1) == lost.count(1) >= 1
        parts = [list(part) for part in _split(lost)]
        whole: list[int] = []
        for token in kept:
            whole += parts.pop(0) if token == 1 else [token]
        assert whole == text


def _split(lost: list[int]) -> list[list[int]]:
    parts: list[list[int]] = []
    for token in lost:
        if token == 1:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def test_rows_are_drawn_by_their_weight_and_alike_in_length() -> None:
    rng, rows = torch.Generator().manual_seed(0), [[0] * (n % 7 + 1) for n in range(70)]
    weights = torch.tensor([0.0] * 35 + [1.0] * 35)
    drawn = [draw_alike(list(range(70)), weights, 8, rng, [len(r) for r in rows]) for _ in range(200)]
    assert all(place >= 35 for batch in drawn for place in batch)
    counts = torch.bincount(torch.tensor([place for batch in drawn for place in batch]), minlength=70)[35:].float()
    assert float(counts.std() / counts.mean()) < 0.4
    spread = [max(len(rows[p]) for p in batch) - min(len(rows[p]) for p in batch) for batch in drawn]
    assert sum(spread) / len(spread) < 3.0
    assert pad_rows([[1], [2, 3]], 9).tolist() == [[1, 9], [2, 3]]


def test_priors_put_the_usual_time_first_and_leave_room() -> None:
    targets = schedule_targets(["blurry", "watermark", "deformed"], "negative")
    for table in (targets.windows, targets.weights):
        torch.testing.assert_close(table.sum(1), torch.ones(3))
    usual = [NEGATIVE_WINDOWS[place].start for place in targets.windows.argmax(1).tolist()]
    assert usual == [0.2, 0.2, 0.0]
    assert [SCHEDULE_WEIGHTS[place] for place in targets.weights.argmax(1).tolist()] == [1.0] * 3
    assert float(targets.windows.min()) > 0.0 and float(targets.weights.min()) > 0.0
    late = schedule_targets(["highly detailed"], "modifiers")
    assert SCHEDULE_WEIGHTS[int(late.weights.argmax())] == 0.75


@pytest.mark.parametrize("name", [path.stem for path in RECIPES.glob("*.json")])
def test_shipped_recipes_can_be_read(name: str) -> None:
    assert read_recipe(name).name == name


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stepz": 1}, "stepz"),
        ({"width": "wide"}, "width"),
        ({"kind": "rnn"}, "rnn"),
        ({"heads": 0}, "at least 1"),
    ],
)
def test_a_wrong_recipe_is_refused_by_name(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=says):
        read_recipe(recipe_file(tmp_path, **changes))


def test_another_recipe_in_the_same_folder_is_refused(corpus: Path, tmp_path: Path) -> None:
    assert train(recipe_file(tmp_path), corpus, tmp_path / "run") == 0
    assert train(recipe_file(tmp_path, seed=2), corpus, tmp_path / "run") == 1


def test_another_corpus_in_the_same_run_is_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, other = recipe_file(tmp_path), tmp_path / "other"
    shutil.copytree(corpus, other)
    assert train(recipe, other, tmp_path / "run") == 0
    path = other / "pairs" / "pairs_train.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"blurry", b"grainy")))
    assert train(recipe, other, tmp_path / "run") == 1
    assert "another content of: pairs_train.jsonl.gz;" in capsys.readouterr().err
