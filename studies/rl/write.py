"""docs/generated/rl.md: three tables, each with its runs."""

from __future__ import annotations

from typing import Any

from negopt_core.files import write_bytes, write_text
from negopt_core.lab.make_world.card import weights_hash
from negopt_core.world import world_dir
from studies.policies.arms import PROMPT_SEED, PolicyArms
from studies.policies.curves import draw_curves
from studies.policies.runs import train_all
from studies.policies.tables import Results
from studies.rl.recipe import ALGORITHMS, KEPT, SCHEDULES, TWO_WORDS, recipe_of, run_name, trainings
from studies.rl.referee import SHOWN, referee_table, sheets
from studies.rl.results import (
    REFEREED,
    STOCK_ROWS,
    Written,
    arms_of,
    best_windows,
    clear_windows,
    curves,
    gains_table,
    share_table,
    windows_table,
)
from studies.rl.settings import PARTS, RLSettings
from studies.rl.stock import TIMED, large_stock, write_stock
from studies.rl.windows import TUNE_PICTURES
from studies.world.runner import Runner, design_of


def run_rl(settings: RLSettings) -> dict[str, Any]:
    """Train what is missing, paint what is not painted, write the tables of the parts that were asked for."""
    folder = settings.folder
    recipe = recipe_of(settings)
    source = PolicyArms.draw(settings.prompts, folder, recipe)
    written = Written(settings, source)
    runner = Runner(
        world_dir(),
        weights_hash(world_dir()),
        settings.cache,
        recipe.paint_steps,
        recipe.cfg,
        settings.jobs,
        settings.paint_dtype,
    )
    tables: dict[str, list[str]] = {}
    for part in settings.only or PARTS:
        if part in ("stock", "windows"):
            write_stock(folder / "stock", settings.seeds)
        train_all(folder, trainings(settings, part, folder / "stock"), settings.jobs)
        tables[part] = _WRITERS[part](settings, runner, written)
    left = [part for part in PARTS if part not in tables]
    lines = [_head(settings, runner), *(line for lines in tables.values() for line in lines)]
    lines += [f"Not run for this page: {', '.join(left)}."] if left else []
    write_text(settings.document, "\n\n".join(lines) + "\n")
    return dict(tables)


def _measured(settings: RLSettings, runner: Runner, source: PolicyArms, pairs: Any, label: str) -> Results:
    design = design_of(source.prompts, arms_of(pairs), settings.noises, PROMPT_SEED)
    return Results(runner.run(design, "eval", label), settings.seeds)


def _algorithms(settings: RLSettings, runner: Runner, written: Written) -> list[str]:
    results = _measured(settings, runner, written.source, written.algorithms(), "algorithms")
    drawn = draw_curves("Reward of rollouts", curves(settings.folder, "algorithms", list(ALGORITHMS), settings.seeds))
    name = f"{settings.document.stem}-algorithms.png"
    write_bytes(settings.document.parent / "images" / name, drawn)
    reference = run_name("algorithms", "group", 0)[:-2]
    return [
        "## Which algorithm",
        "Negatives, from `negative-sft`. `group`: against the mean of the four answers to "
        "a prompt; `grpo`: divided by their spread too; `reinforce`: as `group`, one pass, no ratio, clip or KL.",
        gains_table(results, "algorithms", list(ALGORITHMS), "negative-sft", reference),
        f"![Reward of rollouts by algorithm](images/{name})",
    ]


def _windows(settings: RLSettings, runner: Runner, written: Written) -> list[str]:
    pairs = written.windows(written.tuned())
    results = _measured(settings, runner, written.source, pairs, "windows")
    names = {name: run_name("windows", name, 0)[:-2] for name in SCHEDULES}
    names |= {f"tune, {count:,} pictures": f"windows-tune-{count}" for count in TUNE_PICTURES}
    two_rows = {TWO_WORDS: run_name("windows", TWO_WORDS, 0)[:-2]}
    two = {word: window for word, window in best_windows().items() if word in TIMED}
    return [
        "## Windows",
        "Modifiers, from `modifiers-sft` (`prior`: as docs/generated/results.md has it). The same words with the same "
        "weights at all steps, in random windows and in the published ones are beside them.",
        windows_table(results, names),
        "Share of the uses in the window that the world's sweep shows to be clearly best, and the uses:",
        share_table(written.source.prompts, pairs, names, settings.seeds, clear_windows()),
        f"Only {' and '.join(two)}, the two words whose windows the sweep finds to be worth something, from equally "
        "likely windows:",
        windows_table(results, two_rows),
        share_table(written.source.prompts, pairs, two_rows, settings.seeds, two),
    ]


def _stock(settings: RLSettings, runner: Runner, written: Written) -> list[str]:
    results = _measured(settings, runner, written.source, written.stock(), "stock")
    short, long = settings.brief * 32, settings.long * 32
    return [
        "## What supervised training is for",
        f"A stock of {len(large_stock())} phrases, of which 480 name what no picture here has; people write them out "
        f"of habit. `untrained`: PPO from a policy that knows nothing; `short`: {short:,} pictures, `long`: {long:,}.",
        gains_table(results, "stock", STOCK_ROWS, "stock-sft", "stock-sft"),
    ]


def _referee(settings: RLSettings, runner: Runner, written: Written) -> list[str]:
    pairs = written.referee()
    design = design_of(written.source.prompts, arms_of(pairs), settings.noises, PROMPT_SEED)
    judge, referee = (
        Results(runner.run(design, role, f"referee, {role}"), settings.seeds) for role in ("reward", "eval")
    )
    shown = []
    for what in ("negatives", "modifiers"):
        arm = f"{REFEREED[f'{what}, PPO']}-0"
        for size, sheet in zip(
            ("largest", "smallest"), sheets(runner, design, arm, pairs[arm], judge, referee), strict=True
        ):
            name = f"{settings.document.stem}-{what}-{size}.jpg"
            write_bytes(settings.document.parent / "images" / name, sheet)
            shown.append(f"[{what}, {size} gains](images/{name})")
    return [
        "## The judge that was trained on, and a referee",
        "Gains over none by the `reward` judge, which training saw, and by the `eval` judge, the referee; quality, "
        "alignment and the share of prompts with a lower R by the referee. `alignment kept`: rewarded with quality, "
        f"and 20 times what alignment loses against the plain prompt's picture (`{KEPT}`).",
        referee_table(judge, referee, REFEREED),
        f"Pictures, training seed 0, {SHOWN} prompts each: {', '.join(shown)}.",
    ]


_WRITERS = {"algorithms": _algorithms, "windows": _windows, "stock": _stock, "referee": _referee}


def _head(settings: RLSettings, runner: Runner) -> str:
    return (
        "# What reinforcement learning does on the demo world\n\n"
        f"Command: `python -m negopt_core world rl{''.join(f' --only {part}' for part in settings.only)}"
        f" --training-seeds {settings.seeds}`. World {runner.weights}; {settings.seeds} training seeds, "
        f"{settings.steps} steps of PPO of 32 pictures for windows, {settings.short} for algorithms; "
        f"{settings.prompts} held-out prompts x {settings.noises} noises an arm, {runner.steps} steps in "
        f"{runner.dtype}, guidance {runner.guidance_scale:g}, judged by the `eval` judge; training saw the `reward` "
        "judge. R = quality + 3 alignment; ± is half of a 95 % interval over prompts of the mean of the seeds; "
        "differences are paired."
    )
