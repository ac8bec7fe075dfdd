"""The world's tokenizer: one token a word, the same ids in every process, kept by a run that goes on."""

from pathlib import Path

from negopt_core.lab.make_world.models import build_networks, save_pipeline
from negopt_core.lab.make_world.tokenizer import byte_pair_merges, open_tokenizer, world_words, write_tokenizer


def test_every_word_is_one_token_of_its_own(tmp_path: Path) -> None:
    tokenizer = write_tokenizer(tmp_path, world_words())
    ids = tokenizer(world_words(), add_special_tokens=False).input_ids
    assert all(len(word) == 1 for word in ids)
    assert len({word[0] for word in ids}) == len(world_words())


def test_of_equally_common_pairs_the_first_in_the_alphabet_is_merged() -> None:
    assert byte_pair_merges(["ab", "cd"]) == ["a b</w>", "c d</w>"]
    assert byte_pair_merges(["cd", "ab"]) == ["a b</w>", "c d</w>"]
    assert byte_pair_merges(["aaa"]) == ["a a", "aa a</w>"]


def test_a_run_keeps_its_token_ids_and_so_does_what_it_exports(tmp_path: Path) -> None:
    first = write_tokenizer(tmp_path / "run" / "tokenizer", ["star", "ball"])
    networks = build_networks(tmp_path / "run", seed=0)
    assert networks.tokenizer.get_vocab() == first.get_vocab()
    save_pipeline(networks, tmp_path / "out")
    exported = open_tokenizer(tmp_path / "out" / "tokenizer", world_words())
    assert exported.get_vocab() == first.get_vocab()
    assert not (tmp_path / "out" / "tokenizer" / "tokenizer.json").exists()
