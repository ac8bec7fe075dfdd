"""`suggest`: a prompt in, an optimised prompt pair out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import PromptError
from ..policy import Policy, Suggestion, SuggestOptions, load_policy, suggest
from ..policy.phrase_kinds import PRIOR_CAVEAT
from ..policy.store import default_policy, with_family
from .models import MODEL_HELP, WORLD, Choice, add_model_arguments, choose, policy_name
from .output import add_json, emit, emit_json
from .scorers import add_sources, load_named, refuse_toys, reward_names

_REWARD = "world-quality:1,world-alignment:3"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser("suggest", help="write a negative prompt and modifiers for a prompt")
    parser.add_argument("prompt", help="ordinary or DF-Prompt text; - reads one per line from stdin and prints JSON")
    add_policy_arguments(parser, default=default_policy())
    parser.add_argument("--seed", type=int, default=0, help="seed for policies that sample (default 0)")
    _add_best(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def _add_best(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--best-of", type=int, default=0, metavar="N", help="paint N suggestions and take the best")
    parser.add_argument("--model", default=WORLD, help=f"painter for --best-of: {MODEL_HELP} (default {WORLD})")
    parser.add_argument("--reward", default=_REWARD, help="what is best (default %(default)s)")
    parser.add_argument("--pictures", type=int, default=2, help="pictures of each suggestion (default 2)")
    add_model_arguments(parser)
    add_sources(parser)


def add_policy_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """What `suggest` and `paint` share."""
    parser.add_argument("--policy", default=default, help=f"folder or name of a policy (default {default or 'none'})")
    parser.add_argument("--family", metavar="NAME", help="family of the painting model: sd15, sdxl, flux, pony, ...")
    parser.add_argument("--policies", type=Path, action="append", default=[], metavar="DIR", help="folder to look in")
    parser.add_argument("--mode", default="negative,modifiers", help="what to suggest (default negative,modifiers)")
    parser.add_argument("--negative", default="", metavar="TEXT", help="your own negative, kept untouched and first")
    parser.add_argument("--max-tokens", type=int, help="token budget of either side (default: the policy's own)")


def options_from(args: argparse.Namespace) -> SuggestOptions:
    """The suggestion options that the arguments ask for."""
    modes = tuple(part.strip() for part in args.mode.split(",") if part.strip())
    return SuggestOptions(modes, negative=args.negative, seed=args.seed, max_tokens=args.max_tokens)


def policy_for(args: argparse.Namespace, choice: Choice) -> str:
    """The name of the policy that `paint` and `explain` are asked for."""
    return with_family(args.policy, args.family, args.policies) if args.family else policy_name(args.policy, choice)


def _name(args: argparse.Namespace) -> str:
    if not args.family:
        return str(args.policy)
    if args.policy == default_policy():
        return default_policy(args.family)
    return with_family(args.policy, args.family, args.policies)


def run(args: argparse.Namespace) -> int:
    """Suggest for one prompt, or for each line of stdin as it arrives."""
    policy = load_policy(_name(args), args.policies)
    options = options_from(args)
    if args.prompt == "-":
        if args.best_of:
            raise PromptError("--best-of paints for one prompt; give it on the command line instead of -")
        return _stream(policy, options)
    if args.best_of:
        return _best(args, policy, options)
    (suggestion,) = suggest(policy, [args.prompt], options)
    emit(args, suggestion.to_json(), describe(suggestion, policy))
    return 0


def _best(args: argparse.Namespace, policy: Policy, options: SuggestOptions) -> int:
    """The best by pictures; the others with their scores in JSON."""
    from ..lab.train.setup import build_reward
    from ..measure.best import best_of
    from ..paint.base import PaintSettings
    from ..paint.open import open_painter

    choice = choose(args.model, args.steps, args.cfg)
    refuse_toys(args.model, reward_names(args.reward), "--reward")
    reward = build_reward(args.reward, lambda name: load_named(name, args.source, role="reward"))
    painter = open_painter(choice.path, PaintSettings(steps=choice.steps, guidance_scale=choice.cfg))
    seeds = range(args.seed, args.seed + args.pictures)
    found = best_of(policy, args.prompt, options, args.best_of, painter, reward, seeds)
    best = found[0]
    rows = [{"seed": one.suggestion.seed, "negative": one.suggestion.negative, "score": one.score} for one in found]
    told = f"best of   {len(found)} different suggestions, reward {best.score:.3f} (worst {found[-1].score:.3f})"
    if len(found) == 1 < args.best_of:
        told += f"; {policy.card.name} wrote the same for every seed: name one that draws, as --policy world-negative"
    emit(args, {**best.suggestion.to_json(), "candidates": rows}, f"{describe(best.suggestion, policy)}\n{told}")
    return 0


def _stream(policy: Policy, options: SuggestOptions) -> int:
    """One JSON object for each line, in order; a prompt that cannot be read gives an object with `error`."""
    code = 0
    for line in sys.stdin:
        prompt = line.rstrip("\r\n")
        try:
            (suggestion,) = suggest(policy, [prompt], options)
        except PromptError as error:
            emit_json({"prompt": prompt, "error": str(error)})
            code = 1
        else:
            emit_json(suggestion.to_json())
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
