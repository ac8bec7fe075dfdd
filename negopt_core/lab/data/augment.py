"""PAE's noise on training prompts, so that a policy does not depend on case and punctuation."""

from __future__ import annotations

import random
from dataclasses import replace

from .pairs import Pair


def vary_prompt(prompt: str, rng: random.Random, probability: float = 0.5) -> str:
    """With `probability` change the case, and each comma into a period with the same probability.

    An all-upper prompt becomes lower case, any other is capitalised, which lowers the rest: PAE's code, read for its
    behaviour. Call it once an epoch with that epoch's generator; PAE draws once for the whole training. 0 is off.
    """
    if rng.random() < probability:
        prompt = prompt.lower() if prompt.isupper() else prompt.capitalize()
    return "".join("." if sign == "," and rng.random() < probability else sign for sign in prompt)


def vary_pair(pair: Pair, seed: int, epoch: int, index: int, probability: float = 0.5) -> Pair:
    """The pair as this epoch sees it. `index` is its place among the pairs.

    Its noise is drawn anew from the three numbers, so that it is the same whatever came before: nothing to save.
    Only the prompt is varied. In the answer a comma is what ends a phrase.
    """
    rng = random.Random(f"{seed}/{epoch}/{index}")
    return replace(pair, prompt=vary_prompt(pair.prompt, rng, probability))
