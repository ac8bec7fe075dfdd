"""PAE's noise on training prompts, so that a policy does not depend on case and punctuation."""

from __future__ import annotations

import random


def vary_prompt(prompt: str, rng: random.Random, probability: float = 0.5) -> str:
    """With `probability` change the case, and each comma into a period with the same probability.

    An all-upper prompt becomes lower case, any other is capitalised, which lowers the rest: PAE's code, read for its
    behaviour. Call it once an epoch with that epoch's generator; PAE draws once for the whole training. 0 is off.
    """
    if rng.random() < probability:
        prompt = prompt.lower() if prompt.isupper() else prompt.capitalize()
    return "".join("." if sign == "," and rng.random() < probability else sign for sign in prompt)
