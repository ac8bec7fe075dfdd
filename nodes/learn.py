"""The audits and tunes of this ComfyUI, and prompts from the user's own pictures. Plain values, no HTTP."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..negopt_core.errors import NegOptError
from ..negopt_core.provenance.comfy_graph import prompts_of_graph
from ..negopt_core.provenance.origin import read_origin
from ..negopt_core.provenance.picture_texts import GRAPH, WORKFLOW, read_texts
from ..negopt_core.text.df_text import format_prompt, parse_prompt
from ..negopt_core.tune.hosted import picture_of
from ..negopt_core.tune.journal import CONFIG
from ..negopt_core.tune.run_folders import NoSuchRun, drop_unused, kept_run, listed, new_folder
from .api_read import Body, RequestError
from .learn_judges import find_judge, judges_for
from .learn_read import as_written, read_id, read_picture, read_run, read_start
from .learn_run import LearnRun

_NEWEST, _LOOKED_AT = 50, 20_000
_PICTURES = (".png", ".webp", ".jpg", ".jpeg")


class LearnRuns:
    """Runs by name; those that are asked for stay open."""

    def __init__(self) -> None:
        self._open: dict[str, LearnRun] = {}

    def begin(self, body: Body) -> dict[str, Any]:
        """A new run in a folder of its own; its state."""
        start = read_start(body)
        judge = find_judge(start.judge, start.family)
        folder = new_folder(runs_folder(), start.kind)
        try:
            run = LearnRun(folder, start, judge)
        except NegOptError:
            drop_unused(folder)
            raise
        self._open[folder.name] = run
        return run.state()

    def state(self, name: Any) -> dict[str, Any]:
        """Of a run that is there, also one of another day."""
        return self._run(name).state()

    def tell(self, body: Body) -> dict[str, Any]:
        """A picture of a run was painted."""
        run = self._run(body.get("run"))
        run.tell(read_id(body.get("id")), picture_path(**read_picture(body)))
        return run.state()

    def click(self, body: Body) -> dict[str, Any]:
        """One of two pictures was preferred, or neither."""
        run = self._run(body.get("run"))
        is_same = body.get("same", False)
        if not isinstance(is_same, bool):
            raise RequestError(400, "bad-value", f"same must be true or false, got {str(is_same)[:40]!r}")
        run.click(read_id(body.get("better")), read_id(body.get("worse")), is_same)
        return run.state()

    def listed(self) -> dict[str, Any]:
        """The runs, the newest first."""
        return {"runs": listed(runs_folder())}

    def _run(self, name: Any) -> LearnRun:
        name = read_run(name)
        if name not in self._open or not (runs_folder() / name / CONFIG).is_file():
            self._open.pop(name, None)
            try:
                start, _ = kept_run(runs_folder(), name)
            except NoSuchRun as error:
                raise RequestError(404, "no-such-run", str(error)) from None
            self._open[name] = LearnRun(runs_folder() / name, start, find_judge(start.judge, start.family))
        return self._open[name]


def small_picture(name: Any, ask_id: Any) -> Path:
    """The small copy of a picture of a run; a wall asks for many at once, so no run is opened for it."""
    path = picture_of(runs_folder() / read_run(name), read_id(ask_id))
    if not path.is_file():
        raise RequestError(404, "no-such-picture", f"{path.name} is not there; it comes when the run goes on")
    return path


def judges(family: Any) -> dict[str, Any]:
    """Who may judge pictures of this family."""
    return {"judges": judges_for(family if isinstance(family, str) else "")}


def runs_folder() -> Path:
    """`user/default/negopt/runs`."""
    import folder_paths

    return Path(folder_paths.get_user_directory()) / "default" / "negopt" / "runs"


def picture_path(filename: str, subfolder: str, type: str) -> Path:
    """A picture that ComfyUI wrote; RequestError for a place outside of its folder, or nothing there."""
    import folder_paths

    base = Path(folder_paths.get_directory_by_type(type)).resolve()
    try:
        path = (base / subfolder / filename).resolve()
    except (OSError, ValueError) as error:
        raise RequestError(400, "bad-value", f"{filename[:60]!r} is no file name: {error}") from None
    if not path.is_relative_to(base) or not path.is_file():
        raise RequestError(
            404, "no-such-picture", f"{filename[:60]!r} is not in ComfyUI's {type} folder; paint it again"
        )
    return path


def own_prompts(notation: Any) -> dict[str, Any]:
    """Positive prompts of the newest pictures in the output folder, each once, as the user's encoder reads them."""
    import folder_paths

    found: dict[str, None] = {}
    for path in heapq.nlargest(_NEWEST, _pictures(Path(folder_paths.get_output_directory())), key=_age):
        if words := re.sub(r"\s+", " ", _prompt_of(path)).strip():
            found[as_written(parse_prompt(words), "comfy" if notation == "comfy" else "df")] = None
    return {"prompts": list(found)}


def _pictures(folder: Path) -> Iterator[Path]:
    count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_PICTURES):
                yield Path(place) / name
                count += 1
            if count >= _LOOKED_AT:
                return


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _prompt_of(path: Path) -> str:
    """DF-Prompt text; "" where a picture does not tell."""
    try:
        texts = read_texts(path)
        if GRAPH in texts:
            return format_prompt(prompts_of_graph(texts[GRAPH], texts.get(WORKFLOW, "")).positive)
        origin = read_origin(path)
        return origin.prompt or origin.df_positive
    except NegOptError:
        return ""
