"""Other programs' notations: what is refused, and with which words."""

import pytest

from negopt_core import DFPrompt, DialectError, NegOptError, PromptError, parse_prompt
from negopt_core.text.dialects import DIALECTS, from_dialect, to_dialect


@pytest.mark.parametrize(
    ("dialect", "df_text", "message"),
    [
        (
            "a1111",
            "a cat, [x:0.5-0.9:1]",
            r"between its first and second step, which 'x' \(0.1 to 0.5\) does in 10 steps",
        ),
        ("a1111", "a cat, [x:0.9-1:1]", "between its first and second step"),
        ("a1111", "cat AND dog", "splits a prompt at 'AND'"),
        ("a1111", "cat BREAK dog", "splits a prompt at 'BREAK'"),
        ("a1111", "BRE[AK:0-0.5:1]", "splits a prompt at 'BREAK'"),
        ("a1111", "the #1 cat", "after '#' on a line"),
        ("prompt-control", "cat AND dog", "acts on 'AND'"),
        ("prompt-control", "cat CAT dog", "acts on 'CAT'"),
        ("prompt-control", "MASK[x:0-1:1.5]", r"acts on 'MASK\('"),
        ("prompt-control", r"\[CUT:a:b\]", "acts on"),
        ("prompt-control", "a\0", "acts on"),
        ("prompt-control", "a, [b|c:0-0.5:1]", r"'\|' inside a schedule"),
        ("prompt-control", "[SEQ:0.5-1:1]", "'SEQ' at the start of a bracket"),
        ("prompt-control", "a\\\\[x:0-1:1.5]", "right after a backslash"),
        ("prompt-control", "a:[9:0-0.5:1]", "as a strength"),
        ("pae", r"a \[cat", r"no escape for '\['"),
        ("pae", r"[a\:b:0-0.5:1]", "no escape for ':'"),
        ("pae", r"[a\]b:0-0.5:1]", r"no escape for '\]'"),
    ],
)
def test_what_a_notation_cannot_say_is_refused(dialect: str, df_text: str, message: str) -> None:
    with pytest.raises(DialectError, match=message):
        to_dialect(parse_prompt(df_text), dialect, 10)


@pytest.mark.parametrize(
    ("dialect", "text", "position", "rule"),
    [
        ("a1111", "a cat AND dog", 6, "split the prompt"),
        ("a1111", "a <lora:x:1>", 2, "extra networks"),
        ("a1111", "a # b", 2, "comment"),
        ("a1111", "a cat :1.5", 6, "the prompt's weight"),
        ("a1111", "a | [b:c:3]", 2, "undoes the whole schedule"),
        ("a1111", "[(a|b):c:2]", 3, "undoes the whole schedule"),
        ("a1111", "[a:b|c:2]", 0, "has | or :, not both"),
        ("a1111", "[" + "a" * 90_000 + "|b]", 0, "too often"),
        ("a1111", "a [b", 2, "never closed"),
        ("a1111", "a (b", 2, "never closed"),
        ("a1111", "a b]", 3, "closes nothing"),
        ("a1111", "(a]", 2, "closes nothing"),
        ("a1111", "a [b:c]", 2, "ends in a step or fraction, got 'c'"),
        ("a1111", "[a:b:c:3]", 0, "ends in a step or fraction"),
        ("a1111", "[a:1e999]", 0, "at most 1,000,000,000"),
        ("a1111", "(a:b)", 0, "one colon and a number, got 'b'"),
        ("a1111", "(a:b:2)", 0, "one colon and a number"),
        ("a1111", "(a:1.2.3)", 0, "one colon and a number"),
        ("a1111", r"(16\:9)", 0, "the number before )"),
        ("a1111", "(a:-1)", 1, "0 <= weight <= 10, got -1"),
        ("a1111", "(a:11)", 1, "0 <= weight <= 10, got 11"),
        ("a1111", "a\\", 1, "needs a character after it"),
        ("a1111", "a\\ ", 1, "needs a character after it"),
        ("a1111", "a\\\nb", 1, "needs a character after it"),
        ("a1111", "(" * 40 + "a" + ")" * 40, 30, "nested more than 30 deep"),
        ("prompt-control", "a AND b", 2, "instruction"),
        ("prompt-control", "MASK(0 1) a", 0, "instruction"),
        ("prompt-control", "<lora:x:1> a", 0, "LoRA"),
        ("prompt-control", "<emb:x>", 0, "embedding tags"),
        ("prompt-control", "a # b", 0, "comment"),
        ("prompt-control", "[(a|b):0.2]", 3, "directly inside [ ] only"),
        ("prompt-control", "[a|b:c:0.2]", 0, "one colon at most"),
        ("prompt-control", "[a|b:0.1,0.2]", 0, "one fraction"),
        ("prompt-control", "[a|:0.2]", 0, "words on both sides"),
        ("prompt-control", "[a|b:0]", 0, "a hundredth of the run at least"),
        ("prompt-control", "[a|b:3]", 0, "0 to 1, got 3"),
        ("prompt-control", "[a:b:HR]", 0, "ends in fractions, got 'HR'"),
        ("prompt-control", "[a:b:c:d:0.5]", 0, "ends in fractions"),
        ("prompt-control", "[a:7]", 0, "0 to 1, got 7"),
        ("prompt-control", "[a:0.6,0.4]", 0, "start < end, got 0.6,0.4"),
        ("prompt-control", "[SEQ:a:0.5]", 0, "sequence"),
        ("prompt-control", "(a:b)", 0, "one colon and a number"),
        ("prompt-control", "(:1.2)", 0, "needs words"),
        ("prompt-control", r"(16\:9)", 0, "the number before )"),
        ("prompt-control", r"[a\b:0.5]", 2, "a second one"),
        ("prompt-control", r"a\\(b:1.2)", 1, "a bracket after a backslash"),
        ("prompt-control", "a cat:2", 7, "strength"),
        ("prompt-control", r"16\:9[, x:0.5]", 14, "strength"),  # before 0.5 the text ends in :9
        ("pae", "a [x:0-0.5:1", 2, "never closed"),
        ("pae", "a [foo] b", 2, "[words:low-high:weight]"),
        ("pae", "[a:b:0-0.5:1]", 0, "[words:low-high:weight]"),
        ("pae", "[:0-0.5:1]", 0, "[words:low-high:weight]"),
        ("pae", "[x:1-0.5:1]", 0, "0 <= low < high <= 1, got '1-0.5'"),
        ("pae", "[x:0.5|->0:1]", 0, "0 <= low < high <= 1"),
        ("pae", "[x:0-2:1]", 0, "0 <= low < high <= 1"),
        ("pae", "[x:0-1:heavy]", 0, "0 <= weight <= 10, got 'heavy'"),
        ("pae", "[x:0-1:99]", 0, "0 <= weight <= 10"),
    ],
)
def test_text_without_a_counterpart_is_refused_with_its_position(
    dialect: str, text: str, position: int, rule: str
) -> None:
    with pytest.raises(DialectError) as caught:
        from_dialect(text, dialect, 10)
    assert str(caught.value).startswith(f"character {position}: ")
    assert rule in str(caught.value)


@pytest.mark.parametrize("dialect", ["compel", "A1111", ""])
def test_an_unknown_dialect_is_refused_with_the_known_ones(dialect: str) -> None:
    message = f"no dialect '{dialect}'; choose one of pae, a1111, prompt-control"
    with pytest.raises(DialectError, match=message):
        to_dialect(DFPrompt(), dialect, 10)
    with pytest.raises(DialectError, match=message):
        from_dialect("", dialect, 10)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_bad_runs_and_texts_are_refused_everywhere(dialect: str) -> None:
    with pytest.raises(PromptError, match="at least 1 step"):
        to_dialect(DFPrompt.plain("a"), dialect, 0)
    with pytest.raises(PromptError, match="at least 1 step"):
        from_dialect("a", dialect, 0)
    with pytest.raises(NegOptError, match="shorten it"):
        from_dialect("a" * 1_000_001, dialect, 10)
    with pytest.raises(NegOptError, match="shorten it"):
        to_dialect(DFPrompt.plain("a" * 1_000_001), dialect, 10)
