"""`suggest`: a prompt in, an optimised prompt pair out."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from ..errors import PromptError
from ..flags import flag, word
from ..paint.choice import MODEL_HELP, WORLD, Sampled
from ..policy import Policy, Suggestion, SuggestOptions, load_policy, suggest
from ..policy.phrase_kinds import PRIOR_CAVEAT
from ..policy.store import default_policy
from ..scorers.table import REWARD_HELP, WORLD_REWARD, Loader, Sources, refuse_toys, reward_names
from . import Command, Result, print_json
from .shared import Asked


@dataclass(frozen=True, kw_only=True)
class Settings(Asked, Sampled, Sources):
    """What `suggest` takes."""

    prompt: str = word(help="ordinary or DF-Prompt text; - reads one per line from stdin and prints JSON")
    policy: str = flag(default_policy(), "folder or name of a policy")
    seed: int = flag(0, "seed for policies that sample")
    best_of: int = flag(0, "paint N suggestions and take the best; 0 paints nothing", metavar="N")
    model: str = flag(WORLD, f"painter for --best-of: {MODEL_HELP}")
    reward: str = flag(WORLD_REWARD, f"what is best: {REWARD_HELP}")
    pictures: int = flag(2, "pictures of each suggestion")


def run(settings: Settings) -> Result | None:
    """Suggest for one prompt, or for each line of stdin as it arrives."""
    policy = load_policy(settings.policy_to_read(), settings.policies)
    options = settings.options(settings.seed)
    if settings.prompt == "-":
        if settings.best_of:
            raise PromptError("--best-of paints for one prompt; give it on the command line instead of -")
        return Result({}, "", _stream(policy, options), is_said=True)
    if settings.best_of:
        return _best(settings, policy, options)
    (suggestion,) = suggest(policy, [settings.prompt], options)
    return Result(suggestion.to_json(), describe(suggestion, policy))


def _best(settings: Settings, policy: Policy, options: SuggestOptions) -> Result:
    """The best by pictures; the others with their scores in JSON."""
    from ..lab.train.setup import build_reward
    from ..measure.best import best_of
    from ..paint.open import open_painter

    choice = settings.choice(settings.model)
    refuse_toys(settings.model, reward_names(settings.reward), "--reward")
    reward = build_reward(settings.reward, Loader(settings.places, "reward").scorer)
    painter = open_painter(choice.path, choice.settings())
    seeds = range(settings.seed, settings.seed + settings.pictures)
    found = best_of(policy, settings.prompt, options, settings.best_of, painter, reward, seeds)
    best = found[0]
    rows = [{"seed": one.suggestion.seed, "negative": one.suggestion.negative, "score": one.score} for one in found]
    told = f"best of   {len(found)} different suggestions, reward {best.score:.3f} (worst {found[-1].score:.3f})"
    if len(found) == 1 < settings.best_of:
        told += f"; {policy.card.name} wrote the same for every seed: name one that draws, as --policy world-negative"
    return Result({**best.suggestion.to_json(), "candidates": rows}, f"{describe(best.suggestion, policy)}\n{told}")


def _stream(policy: Policy, options: SuggestOptions) -> int:
    """One JSON object for each line, in order; a prompt that cannot be read gives an object with `error`."""
    code = 0
    for line in sys.stdin:
        prompt = line.rstrip("\r\n")
        try:
            (suggestion,) = suggest(policy, [prompt], options)
        except PromptError as error:
            print_json({"prompt": prompt, "error": str(error)})
            code = 1
        else:
            print_json(suggestion.to_json())
    return code


def describe(suggestion: Suggestion, policy: Policy) -> str:
    """A suggestion for a person to read."""
    lines = [
        f"positive  {suggestion.df_positive}",
        f"negative  {suggestion.df_negative}",
        f"policy    {suggestion.policy} ({policy.card.kind}), seed {suggestion.seed}",
    ]
    notes = [*(caveat for caveat in policy.card.caveats if caveat == PRIOR_CAVEAT), *suggestion.warnings]
    return "\n".join([*lines, *(f"note      {note}" for note in notes)])


COMMANDS = (Command("", "", Settings, run),)
