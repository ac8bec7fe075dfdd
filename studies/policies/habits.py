"""What a policy of modifiers writes, and when and how strongly: PAE's policy statistics (P24)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from negopt_core.policy.phrases import phrases_behind
from negopt_core.text.prompt import PromptPair, Span, Window
from studies.world.tables import table

_TOP = 15


def added_spans(prompts: Sequence[str], pairs: Sequence[PromptPair]) -> list[Span]:
    """Every phrase behind the prompts, with its window and weight."""
    return [span for prompt, pair in zip(prompts, pairs, strict=True) for span in phrases_behind(prompt, pair.positive)]


def habit_tables(spans: Sequence[Span], windows: Mapping[str, Window], weights: Sequence[float]) -> list[str]:
    """The most frequent modifiers with the shares of their windows and weights; the most frequent joint settings."""
    names = {window: name for name, window in windows.items()}
    phrases = Counter(span.text for span in spans).most_common(_TOP)
    timed = Counter((span.text, names.get(span.window, "other")) for span in spans)
    weighted = Counter((span.text, span.weight) for span in spans)
    rows = [
        [
            phrase,
            str(count),
            *_shares((timed[phrase, name] for name in windows), count),
            *_shares((weighted[phrase, weight] for weight in weights), count),
        ]
        for phrase, count in phrases
    ]
    head = ["modifier", "times", *windows, *(f"x {weight:g}" for weight in weights)]
    return [table(head, rows), settings_table(spans, windows)]


def settings_table(spans: Sequence[Span], windows: Mapping[str, Window]) -> str:
    """The most frequent pairs of window and weight."""
    names = {window: name for name, window in windows.items()}
    joint = Counter((names.get(span.window, "other"), span.weight) for span in spans).most_common(_TOP)
    rows = [[window, f"{weight:g}", f"{count / len(spans):.2f}"] for (window, weight), count in joint]
    return table(["window", "weight", "share"], rows)


def agreement_table(spans: Sequence[Span], windows: Mapping[str, Window], best: Mapping[str, str]) -> str:
    """For each modifier whose best window is known, by name: how often a policy gives it that window."""
    rows = []
    for word, name in best.items():
        used = [span.window for span in spans if span.text == word]
        share = f"{sum(window == windows[name] for window in used) / len(used):.2f}" if used else "-"
        rows.append([word, name, str(len(used)), share])
    return table(["modifier", "best window", "times", "in that window"], rows)


def _shares(counts: Iterable[int], total: int) -> list[str]:
    return [f"{count / total:.2f}" for count in counts]
