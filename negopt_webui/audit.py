"""The audits of a webui: one is at work at a time, in a thread of its own; what was judged is in its folder."""

from __future__ import annotations

import base64
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from negopt_core.errors import NegOptError, PromptError
from negopt_core.files import write_text
from negopt_core.tune.hosted import HostedRun, audit_plan, id_of, picture_of
from negopt_core.tune.journal import CONFIG
from negopt_core.tune.judges import Judge, find_judge, judges_for, places_in
from negopt_core.tune.page import write_page
from negopt_core.tune.run_folders import NoSuchRun, drop_unused, kept_run, listed, new_folder
from negopt_core.tune.start import Start

from .audit_read import Values, WebuiNotation, check_id, check_name, read_click, read_sampling, read_start, words_of
from .model_family import family_of
from .painting import Painter, Sampling

log = logging.getLogger("negopt")

PAGE = "report.html"
_SAMPLING, _SURROUNDINGS = "sampler_settings", "webui_settings"
_PAUSE = 0.02
"""Seconds between two pictures, in which somebody who waits for the webui's queue gets it."""
_TIMED, _FIRST_ROUND = 2, 16
"""Pictures from which a time can be told, as the first warms up; and of the round after which the log says it."""
_LONGEST_PROBLEM = 500


class Busy(NegOptError):
    """Another audit is at work."""


class _Stopped(Exception):
    """It was stopped while it waited for the webui's queue."""


@dataclass(eq=False)
class _Work:
    """A run that was opened, and how it is with painting for it."""

    run: HostedRun
    sampling: Sampling
    surroundings: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    """For the run; it is not held while a picture is painted."""
    stopped: threading.Event = field(default_factory=threading.Event)
    is_busy: bool = False
    """Whether a thread paints, or will look once more for something to paint."""
    problem: str = ""
    seconds: list[float] = field(default_factory=list)
    """Of each picture since the run was opened, with its judging."""


@dataclass(eq=False)
class Audits:
    """What the routes and the page do."""

    runs: Callable[[], Path]
    """Where the folders of the runs are."""
    scorers: Callable[[], Path]
    """Where weights of scorers are."""
    painter: Painter
    _open: dict[str, _Work] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judges(self) -> list[str]:
        """Who may judge pictures of the loaded checkpoint, the best first."""
        return judges_for(family_of(self.painter.host.loaded()), places_in(self.scorers()))

    def start(self, values: Values) -> dict[str, Any]:
        """A new audit, or with `run` alone one that goes on; its state. Busy while another one paints."""
        with self._lock:
            for work in self._open.values():
                if work.is_busy and values.get("run") != work.run.folder.name:
                    how = "stops after the picture at work; try again then"
                    how = how if work.stopped.is_set() else "is at work; stop it first, or wait for its end"
                    raise Busy(f"{work.run.folder.name} {how}")
            work = self._work(check_name(values["run"])) if "run" in values else self._begin(values)
            self._go_on(work)
        return self._state(work)

    def stop(self, name: Any = None) -> dict[str, Any]:
        """No picture after the one at work."""
        work = self._named(name)
        work.stopped.set()
        return self._state(work)

    def state(self, name: Any = None) -> dict[str, Any]:
        """Of a run that is there, also one of another day; without a name, of the one that was opened last."""
        return self._state(self._named(name))

    def click(self, values: Values) -> dict[str, Any]:
        """One of two pictures was preferred, or neither; what can be painted now is painted if no other audit is."""
        better, worse, is_same = read_click(values)
        work = self._named(values.get("run"))
        with work.lock:
            was_waiting = not work.run.asks()
            work.run.click(better, worse, is_same)
        with self._lock:
            if was_waiting and not any(one.is_busy for one in self._open.values()):
                self._go_on(work)
        return self._state(work)

    def listed(self) -> list[dict[str, Any]]:
        """The runs, the newest first."""
        return listed(self.runs())

    def picture(self, name: Any, ask_id: Any) -> bytes:
        """The small copy of a picture, a JPEG; NoSuchRun if it is not there."""
        path = picture_of(self.runs() / check_name(name), check_id(ask_id))
        if not path.is_file():
            raise NoSuchRun(f"{path.name} is not there; it comes when the run goes on")
        return path.read_bytes()

    def page(self, name: Any) -> str:
        """The report so far, a page that opens without a network."""
        work = self._named(name)
        with work.lock:
            return _page(work.run)

    def close(self) -> None:
        """Stop, because the webui loads its scripts anew."""
        for work in list(self._open.values()):
            work.stopped.set()

    def _named(self, name: Any) -> _Work:
        with self._lock:
            if name is None and not self._open:
                raise NoSuchRun(
                    f"no audit was opened since the webui started; start one, or go on with one of {self.runs()}"
                )
            return self._work(check_name(next(reversed(self._open)) if name is None else name))

    def _work(self, name: str) -> _Work:
        work = self._open.pop(name, None)
        if work is None or not (work.run.folder / CONFIG).is_file():
            start, values = kept_run(self.runs(), name)
            work = self._made(
                self.runs() / name, start, read_sampling(values.get(_SAMPLING, {})), str(values.get(_SURROUNDINGS, ""))
            )
        self._open[name] = work
        return work

    def _begin(self, values: Values) -> _Work:
        model, surroundings = self.painter.model(), self.painter.surroundings()
        start, sampling = read_start(values, family_of(self.painter.host.loaded()), model, surroundings)
        self.painter.check(sampling)
        judge = self._judge(start)
        audit_plan(start, judge)  # refuses what cannot be audited before there is a folder
        folder = new_folder(self.runs(), start.kind)
        try:
            work = self._made(folder, start, sampling, surroundings)
        except NegOptError:
            drop_unused(folder)
            raise
        self._open[folder.name] = work
        return work

    def _made(self, folder: Path, start: Start, sampling: Sampling, surroundings: str) -> _Work:
        judge = self._judge(start)
        more = {_SAMPLING: _plain(sampling), _SURROUNDINGS: surroundings}
        return _Work(
            HostedRun(folder, start, judge, audit_plan(start, judge), WebuiNotation(), more), sampling, surroundings
        )

    def _judge(self, start: Start) -> Judge:
        return find_judge(start.judge, start.family, places_in(self.scorers()), self.scorers(), words_of)

    def _go_on(self, work: _Work) -> None:
        with work.lock:
            work.stopped.clear()
            if work.is_busy:  # it was to stop, and has not yet
                return
            work.problem, work.is_busy = "", True
        threading.Thread(target=self._paint_all, args=(work,), name="negopt-audit", daemon=True).start()

    def _paint_all(self, work: _Work) -> None:
        """Until the run asks for nothing more, somebody stops it, or something fails."""
        try:
            while self._paint_next(work):
                work.stopped.wait(_PAUSE)
            return
        except NegOptError as error:
            problem = str(error)
        except Exception as error:  # whatever the webui raises: out of memory, NaN in a picture
            log.exception("negopt: the audit stopped")
            problem = f"{type(error).__name__}: {error}"
        with work.lock:
            work.problem, work.is_busy = " ".join(problem.split())[:_LONGEST_PROBLEM], False

    def _paint_next(self, work: _Work) -> bool:
        """False, and the thread is done, if there is nothing to paint now."""
        with work.lock:
            asks = [] if work.stopped.is_set() else work.run.asks()
            if not asks:
                if work.run.result is not None:
                    write_text(work.run.folder / PAGE, _page(work.run))
                work.is_busy = False
                return False
        with contextlib.suppress(_Stopped):
            self._paint(work, asks[0])
        return True

    def _paint(self, work: _Work, ask: dict[str, Any]) -> None:
        def may_begin() -> None:
            if work.stopped.is_set():
                raise _Stopped
            self._check_unchanged(work)

        texts = ask["positive"], ask["negative"]
        image, seconds = self.painter.paint(*texts, ask["seed"], work.sampling, may_begin)
        path, begun = work.run.folder / "now.png", time.monotonic()
        try:
            image.save(path, compress_level=1)
            with work.lock:
                work.run.tell(ask["id"], path)
        finally:
            path.unlink(missing_ok=True)
        work.seconds.append(seconds + time.monotonic() - begun)
        if len(work.seconds) == _FIRST_ROUND:
            log.info("negopt: %s", _cost_line(work))

    def _check_unchanged(self, work: _Work) -> None:
        """Pictures of two checkpoints say nothing of either."""
        wanted = work.run.start.model, work.surroundings
        if (now := (self.painter.model(), self.painter.surroundings())) != wanted:
            raise PromptError(
                f"the webui is set to {', '.join(now)} and this audit is of {', '.join(wanted)}; "
                "set it back, then press 'Go on'"
            )

    def _state(self, work: _Work) -> dict[str, Any]:
        with work.lock:
            state = work.run.state()
        page = work.run.folder / PAGE
        return state | {
            "status": _status(work, state),
            "problem": work.problem,
            "cost": _cost(work, state["most"]),
            "report": str(page) if page.is_file() else None,
        }


def _status(work: _Work, state: dict[str, Any]) -> str:
    if work.is_busy:
        return "stopping" if work.stopped.is_set() else "painting"
    if state["result"] is not None:
        return "done"
    return "waiting for clicks" if state["pairs"] and not state["asks"] else "stopped"


def _cost(work: _Work, most: int) -> dict[str, Any] | None:
    """Pictures at most times measured seconds; None until pictures were timed."""
    if len(work.seconds) < _TIMED:
        return None
    timed = work.seconds[1:]
    each = sum(timed) / len(timed)
    left = most - len(work.run.journal.scores)
    return {
        "pictures": most,
        "seconds_a_picture": round(each, 3),
        "minutes": round(most * each / 60, 1),
        "minutes_left": round(left * each / 60, 1),
    }


def _cost_line(work: _Work) -> str:
    cost = _cost(work, work.run.state()["most"]) or {}
    return "{pictures} pictures at most, {seconds_a_picture} s each: {minutes} minutes".format(**cost)


def _plain(sampling: Sampling) -> dict[str, Any]:
    return {name: getattr(sampling, name) for name in Sampling.__dataclass_fields__}


def _page(run: HostedRun) -> str:
    def show(key: tuple[str, tuple[int, ...]]) -> str | None:
        path = run.picture(id_of(key))
        return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else None

    return write_page(run.report(), show, f"negopt audit: {run.start.model}")
