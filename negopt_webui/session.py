"""One job of the webui from its start to the mark in the picture: plans, records, warnings, failures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from negopt_core.errors import NegOptError
from negopt_core.policy import Policy
from negopt_core.policy.menu import PolicyMenu
from negopt_core.provenance.plan import PLAN_KEY, Plan

from .check import WITHOUT_HIRES, setup_of, warnings_for
from .host import Webui
from .injection import ATTRIBUTE, Job, job_of, slice_side
from .model_family import judged_families, name_for
from .request import PICTURE_SEED, Request, read_request
from .writing import UserPrompts, ask, joined

log = logging.getLogger("negopt")

ERROR_KEY = "NegOpt error"
AXES = "_negopt_axes"
"""Where a grid's values for one cell hang on the processing object."""
_EMPTY = "both boxes of scheduled words are empty and no policy writes; press 'Fill the schedule', or write into them"
_LONGEST_ERROR = 300


@contextmanager
def marked(p: Any) -> Iterator[None]:
    """Whatever goes wrong inside is written on the picture: the host would print it and make a picture without us."""
    try:
        yield
    except NegOptError as error:
        fail(p, str(error))
    except Exception as error:  # the host swallows it otherwise
        log.exception("negopt failed")
        fail(p, f"{type(error).__name__}: {error}")


def fail(p: Any, message: str) -> None:
    """Give up for the rest of this job, and say so in the infotext and under the picture."""
    line = " ".join(message.split())[:_LONGEST_ERROR]
    job = job_of(p)
    if job:
        job.current = None
        job.has_failed = True
    p.extra_generation_params.pop(PLAN_KEY, None)
    p.extra_generation_params[ERROR_KEY] = line
    say(p, f"this picture was made without its scheduled words, or only with some of them: {line}")


def begin(p: Any, values: Sequence[Any], menu: PolicyMenu, host: Webui) -> None:
    """Read what the user wants for a job and hang the plans on it. Where negopt is off, nothing is touched."""
    forget(p)
    request = read_request(values, getattr(p, AXES, None))
    if not request.enabled:
        return
    model = getattr(p, "sd_model", None)
    families, embeddings = judged_families(request.policy, request.family, model), host.embeddings()
    prompts = UserPrompts("", "", modes=request.modes, model_family=families[0], embeddings=embeddings)
    plans = _plans(p, request, prompts, lambda: menu.policy(name_for(request.policy, request.family, model)))
    if all(plan.is_empty for plan in plans):
        say(p, f"is on and has nothing to add: {_EMPTY}")
        return
    slice_side([plan.positive for plan in plans])  # refuses reserved words before anything is made
    slice_side([plan.negative for plan in plans])
    setattr(p, ATTRIBUTE, Job(p, plans))
    p.extra_generation_params[PLAN_KEY] = _record(plans)
    for warning in _warnings(p, plans[0], families if request.modes else (families[0], None), embeddings):
        say(p, warning)


def forget(p: Any) -> None:
    """Take away what a job before it, or the job it was copied from, left on the processing object."""
    if hasattr(p, ATTRIBUTE):
        delattr(p, ATTRIBUTE)
    for key in (PLAN_KEY, ERROR_KEY):
        p.extra_generation_params.pop(key, None)


def check_batch(p: Any) -> None:
    """After a batch was sampled and before its infotext is written: did the words get in?"""
    job = job_of(p)
    if job is None or job.has_failed:
        return
    if job.current is not None and job.current.acts and not job.calls:
        fail(p, "the sampler never asked for conditioning; this webui or sampler has no denoiser callback")
    if job.missed_negative:
        say(p, "the negative's scheduled words did nothing: at CFG 1 the webui does not evaluate the negative")


def say(p: Any, message: str) -> None:
    """A line under the picture, and in the log."""
    log.warning("negopt: %s", message)
    p.comment(f"negopt: {message}")


def _plans(p: Any, request: Request, known: UserPrompts, load: Callable[[], Policy]) -> list[Plan]:
    """A plan for each picture of the job; `known` is what is the same for all of them."""
    own = request.plan()
    if not request.modes:
        return [own] * len(p.all_prompts)
    policy = load()
    done: dict[UserPrompts, Plan] = {}
    plans = []
    for prompt, negative, seed in zip(p.all_prompts, p.all_negative_prompts, p.all_seeds, strict=True):
        chosen = int(seed) if request.seed == PICTURE_SEED else request.seed
        prompts = replace(
            known,
            prompt=prompt,
            negative=negative,
            scheduled_prompt=own.positive,
            scheduled_negative=own.negative,
            seed=chosen,
        )
        if prompts not in done:
            written = ask(policy, prompts)
            done[prompts] = Plan(
                joined(own.positive, request.place(written.positive)),
                joined(own.negative, request.place(written.negative)),
                own.passes,
                policy=written.policy,
                policy_hash=written.fingerprint,
                policy_seed=chosen,
                writes=request.writes,
            )
        plans.append(done[prompts])
    return plans


def _record(plans: list[Plan]) -> Any:
    """The plan for the infotext; where pictures differ, a function that the host calls for each."""
    lines = [plan.to_json() for plan in plans]
    if len(set(lines)) == 1:
        return lines[0]

    def line(p: Any, index: int, all_prompts: Sequence[str], **_: Any) -> str:
        # hosts count from the job's first picture in one place and from the batch's first in another
        is_of_job = len(all_prompts) == len(lines)
        return lines[index if is_of_job else p.iteration * p.batch_size + index]

    return line


def _warnings(
    p: Any, plan: Plan, families: tuple[str | None, str | None], embeddings: frozenset[str] | None
) -> list[str]:
    """What the checks say of the first picture, and what they cannot know."""
    setup = setup_of(p.steps, float(p.cfg_scale), families, embeddings)
    warnings = warnings_for(p.all_prompts[0], p.all_negative_prompts[0], plan.positive, plan.negative, setup)
    if plan.passes == "hires" and not getattr(p, "enable_hr", False):
        warnings.append(WITHOUT_HIRES)
    return warnings
