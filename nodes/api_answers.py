"""What the page is told: suggestions, findings, policies and their cards; plain JSON values, no HTTP."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..negopt_core import __version__
from ..negopt_core.errors import NegOptError, OutputError
from ..negopt_core.policy import Policy, PolicyCard, SuggestOptions, suggest
from ..negopt_core.policy.phrases import append_phrases, phrases_behind
from ..negopt_core.policy.store import builtin_names
from ..negopt_core.policy.token_estimate import roomy_budget
from ..negopt_core.policy.why import phrase_reasons
from ..negopt_core.text.checks import inspect_setup
from ..negopt_core.text.df_text import Parsed, format_prompt, parse_report
from ..negopt_core.text.guidance import TABLE
from ..negopt_core.text.prompt import DFPrompt, PromptPair
from .api_read import InspectAsk, Like, RequestError, SuggestAsk
from .policy import policy_menu
from .writing import embedding_names

_MAX_LIKES_BYTES = 100_000_000
_SHOWN_PROBLEMS = 100


class PageSuggestions:
    """Suggestions for the page. The policy that was asked last is kept, so that a click loads no weights again."""

    def __init__(self) -> None:
        self._menu = policy_menu()

    def suggest(self, ask: SuggestAsk) -> dict[str, Any]:
        """A suggestion as JSON, with the hash of the policy that wrote it."""
        policy = self.policy(ask.policy)
        options = SuggestOptions(
            modes=ask.modes,
            negative=ask.negative,
            seed=ask.seed,
            max_tokens=ask.max_tokens or roomy_budget(ask.model_family, ask.prompt, ask.negative),
            embeddings=embedding_names(),
            model_family=ask.model_family,
        )
        try:
            on_device(policy, _idle_device() if ask.on_gpu else "cpu")
            (answer,) = suggest(policy, [ask.prompt], options)
        finally:
            on_device(policy, "cpu")  # the card's memory is the sampler's
        return {**answer.to_json(), "policy_hash": policy.fingerprint, "negopt": __version__}

    def why(self, ask: SuggestAsk) -> dict[str, Any]:
        """Why each phrase is written, by side, as codes with values; no phrases where the policy cannot say."""
        sides = phrase_reasons(self.policy(ask.policy), ask.prompt)
        return {side: {phrase: list(map(asdict, told)) for phrase, told in by.items()} for side, by in sides.items()}

    def policy(self, name: str) -> Policy:
        """A policy by the name of the menu; a path, or a name that leads out of the model folders, is not one."""
        check_name(name)
        return self._menu.policy(name)


def on_device(policy: Any, device: Any) -> Any:
    """A policy with its weights on a device; policies without weights stay what they are."""
    for part in (policy, getattr(policy, "negative", None), getattr(policy, "modifiers", None)):
        module = getattr(part, "policy", None)
        if hasattr(module, "parameters"):
            module.to(device)
    return policy


def _idle_device() -> Any:
    """ComfyUI's device, or the CPU while a graph is running: the sampler comes first."""
    from comfy.model_management import get_torch_device
    from server import PromptServer

    return "cpu" if PromptServer.instance.prompt_queue.get_tasks_remaining() else get_torch_device()


def check_name(name: str) -> None:
    """Refuse what is not here; two names may be joined as NEGATIVE+MODIFIERS. Old workflows name what no menu shows."""
    menu = policy_menu()
    if menu.missing(name) is not None:
        names = ", ".join(one for one in menu.names() if ":" not in one)  # the families of each would fill the screen
        raise RequestError(
            404,
            "no-such-policy",
            f"the policy {name[:100]!r} is not here; there are {names}. Others go into models/negopt",
        )


def inspect(ask: InspectAsk) -> dict[str, Any]:
    """Findings of the checks, and the brackets on either side that are taken literally."""
    positive, negative = parse_report(ask.positive), parse_report(ask.negative)
    findings = inspect_setup(PromptPair(positive.prompt, negative.prompt), ask.setup)
    return {
        "findings": [asdict(finding) for finding in findings],
        "problems": {"positive": _problems(positive), "negative": _problems(negative)},
        "tokens": "estimated",
    }


def guidance_table() -> dict[str, Any]:
    """What acts at CFG 1, by family: the measured table as it is."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def list_offered() -> dict[str, Any]:
    """Every policy of the menu with kind, side and families; a broken card is listed with its fault.

    `is_usual`: the default and the user's own; `is_more`: what most people never need.
    """
    menu, ours = policy_menu(), frozenset(builtin_names())
    groups = menu.groups()
    marks = {name: {"is_usual": name in groups.usual, "is_more": name in groups.more} for name in menu.names()}
    return {"policies": [{**_listed(name), **mark, "is_ours": name in ours} for name, mark in marks.items()]}


def keep_like(like: Like, folder: Path) -> dict[str, Any]:
    """Append one line to `likes.jsonl`, in the form that `train` reads; a dislike has keys of its own, so it is not
    learned as an example to follow."""
    path = folder / "likes.jsonl"
    line = json.dumps(like_record(like)) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size + len(line) > _MAX_LIKES_BYTES:
            raise OutputError(f"{path} is full ({_MAX_LIKES_BYTES:,} bytes); move it away")
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return {"kept": like.verdict}


def like_record(like: Like) -> dict[str, Any]:
    """One line of `likes.jsonl`; what was not written, or edited beyond telling apart, is left out."""
    prompt = parse_report(like.prompt).prompt.text
    prefix = "" if like.verdict == "up" else "rejected_"
    added = phrases_behind(prompt, parse_report(like.positive).prompt)
    texts = {"negative": like.negative, "modifiers": format_prompt(append_phrases(DFPrompt(), added))}
    return {
        "prompt": prompt,
        **{prefix + key: text for key, text in texts.items() if text.strip()},
        "verdict": like.verdict,
        "df_positive": like.positive,
        "policy": like.policy,
        "seed": like.seed,
        "time": int(time.time()),
        "negopt": __version__,
    }


def _listed(name: str) -> dict[str, Any]:
    try:
        card = find_card(name)
    except NegOptError as error:
        return {"name": name, "fault": str(error), "from": ""}
    told = {"name": name, "kind": card.kind, "polarity": card.polarity, "families": list(card.families)}
    return {**told, "from": policy_menu().origin(name)}


def find_card(name: str) -> PolicyCard:
    """A policy's card, without its weights."""
    check_name(name)
    return policy_menu().card(name)


def card_answer(name: str) -> dict[str, Any]:
    """What the page shows of one policy."""
    return {"name": name, "card": find_card(name).to_json()}


def _problems(parsed: Parsed) -> list[dict[str, Any]]:
    return [
        {"position": problem.position, "length": len(problem.text), "rule": problem.rule}
        for problem in parsed.problems[:_SHOWN_PROBLEMS]
    ]
