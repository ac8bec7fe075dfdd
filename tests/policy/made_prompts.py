"""Prompts made from the tables' own words, and what contradicts them, by a rule that shares no code with the policy.

python -m tests.policy.made_prompts 20000 [SEED]    asks `negopt` for each and prints every contradiction
"""

import random
import re
import sys
from collections.abc import Iterator

from negopt_core.policy import SuggestOptions, load_policy, suggest
from negopt_core.policy.loglinear.knowledge import Knowledge
from negopt_core.text.word_tables import word_set

TEMPLATES = (
    "{medium} of {subject}",
    "{subject}, {scene}, {medium}",
    "{medium}, {subject} and {other}, {scene}",
    "{subject} {scene}",
    "a {scene} {medium} of {subject} with {other}",
    "{subject}, no {other}",
    "1girl, {subject}, {scene}",
    'a sign that says "{other}" beside {subject}, {medium}',
)
FAMILIES = ("", "sdxl", "pony", "illustrious", "flux", "qwen-image")


def make_prompts(count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Prompt, family and what the prompt does not want ("" for nothing)."""
    rng = random.Random(seed)
    concepts = list(Knowledge.read().concepts.values())
    words: dict[str, list[str]] = {
        "medium": [word for one in concepts if one.kind in ("medium", "style") for word in one.words],
        "subject": [word for one in concepts if one.kind in ("subject", "people") for word in one.words],
        "scene": [
            word for one in concepts if one.kind not in ("medium", "style", "subject", "people") for word in one.words
        ],
    }
    words = {
        name: [word for word in listed if not word.startswith(("no ", "without "))] for name, listed in words.items()
    }
    words["other"] = words["subject"]
    for _ in range(count):
        template = rng.choice(TEMPLATES)
        chosen = {name: rng.choice(listed) for name, listed in words.items()}
        yield template.format(**chosen), rng.choice(FAMILIES), chosen["other"] if ", no " in template else ""


def contradictions(prompt: str, unwanted: str, negative: str) -> list[str]:
    """Phrases of the negative that name, and not as a fault, something that the prompt asks for."""
    wanted = re.sub(r"\"[^\"]*\"", " ", prompt.lower())
    wanted = wanted.replace(f"no {unwanted.lower()}", " ") if unwanted else wanted
    wanted = re.sub(r"\b(?:no|without) \w+", " ", wanted)  # some scenes are called so
    asked = {_stem(word) for word in re.findall(r"[a-z0-9]+", wanted)}
    found = []
    for phrase in (part.strip() for part in negative.split(",")):
        words = re.findall(r"[a-z0-9]+", phrase.lower())
        empty = word_set("fillers") | word_set("neutral") | word_set("qualifiers")
        content = [word for word in words if word not in empty and _stem(word) not in empty]
        is_fault = len(words) > 1 and any(
            word in word_set("faults") or _stem(word) in word_set("faults") or word in word_set("qualifiers")
            for word in words
        )
        if (
            phrase.lower() != unwanted.lower()
            and content
            and not is_fault
            and {_stem(word) for word in content} <= asked
        ):
            found.append(phrase)
    return found


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def main() -> None:
    """Ask, print, count."""
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    policies = {family: load_policy(f"negopt:{family}" if family else "negopt") for family in FAMILIES}
    wrong = empty = 0
    for prompt, family, unwanted in make_prompts(count, seed):
        (answer,) = suggest(policies[family], [prompt], SuggestOptions())
        empty += not answer.negative
        if found := contradictions(prompt, unwanted, answer.negative):
            wrong += 1
            sys.stdout.write(f"{prompt!r} ({family}): {', '.join(found)}\n")
    sys.stdout.write(f"{count} prompts, {wrong} with a contradiction, {empty} without a negative\n")


if __name__ == "__main__":
    main()
