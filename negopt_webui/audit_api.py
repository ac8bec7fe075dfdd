"""`/negopt/v1/audit/...` for programs: start, stop and look at an audit.

They paint and write files, so they are there only where the webui's own API is (`--api`), with its passwords
(`--api-auth`). A page of another site can send no JSON here: that needs a permission that the webui does not give.
"""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negopt_core.errors import NegOptError

from .painting import Painter

if TYPE_CHECKING:
    from .audit import Audits

PREFIX = "/negopt/v1/audit"
ROUTES = {
    f"{PREFIX}/{name}": method
    for method, names in {"GET": "state runs report picture", "POST": "start stop click"}.items()
    for name in names.split()
}
MAX_BODY = 4_000_000
"""Bytes of a request that are read at all."""

Content = dict[str, Any] | str | bytes
"""JSON, HTML, or a JPEG."""
Answer = tuple[int, Content]


@dataclass(eq=False)
class AuditApi:
    """Answers by path. The engine is imported when somebody asks for it: the webui must start fast."""

    runs: Callable[[], Path]
    """Where the folders of the runs are."""
    scorers: Callable[[], Path]
    """Where weights of scorers are."""
    painter: Painter
    options: Any
    """The webui's command line options."""
    _audits: Audits | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def audits(self) -> Audits:
        """The audits of this webui."""
        from .audit import Audits

        with self._lock:
            if self._audits is None:
                self._audits = Audits(self.runs, self.scorers, self.painter)
            return self._audits

    @property
    def is_open(self) -> bool:
        """Whether the webui offers its API at all."""
        return bool(getattr(self.options, "api", False) or getattr(self.options, "nowebui", False))

    def close(self) -> None:
        """Stop, because the webui loads its scripts anew."""
        if self._audits is not None:
            self._audits.close()

    def answer(self, path: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """HTTP status and content."""
        if refusal := self._refusal(ROUTES[path], headers):
            return refusal
        if len(body) > MAX_BODY:
            return 413, {"error": f"a request may have {MAX_BODY:,} bytes; send fewer prompts"}
        try:
            return 200, self._content(path.rpartition("/")[2], query, body)
        except NegOptError as error:
            return _status(error), {"error": " ".join(str(error).split())}

    def _content(self, name: str, query: Mapping[str, str], body: bytes) -> Content:
        from .audit_read import read_object

        audits, run = self.audits(), query.get("run")
        if name == "runs":
            return {"runs": audits.listed(), "judges": audits.judges()}
        if name == "report":
            return audits.page(run)
        if name == "picture":
            return audits.picture(run, query.get("id"))
        if name == "state":
            return _with_addresses(audits.state(run))
        values = read_object(body)
        if name == "stop":
            return _with_addresses(audits.stop(values.get("run")))
        return _with_addresses(audits.start(values) if name == "start" else audits.click(values))

    def _refusal(self, method: str, headers: Mapping[str, str]) -> Answer | None:
        options = self.options
        if not self.is_open:
            return 403, {"error": "the webui runs without its API; start it with --api"}
        if method == "POST" and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, {"error": "send JSON with Content-Type: application/json"}
        known = [pair.strip() for pair in (getattr(options, "api_auth", None) or "").split(",") if pair.strip()]
        if known and not _may(headers.get("authorization", ""), known):
            return 401, {"error": "the webui's API has a password; send one of --api-auth as HTTP Basic"}
        return None


def _status(error: NegOptError) -> int:
    from negopt_core.tune.run_folders import NoSuchRun

    from .audit import Busy

    return 404 if isinstance(error, NoSuchRun) else 409 if isinstance(error, Busy) else 400


def _may(authorization: str, known: list[str]) -> bool:
    kind, _, given = authorization.partition(" ")
    try:
        said = base64.b64decode(given, validate=True)
    except ValueError:
        return False
    return kind.lower() == "basic" and any([hmac.compare_digest(said, one.encode()) for one in known])


def _with_addresses(state: dict[str, Any]) -> dict[str, Any]:
    """With the addresses of the report so far, and of pictures (a picture's id goes behind)."""
    run = state["run"]
    return state | {"report_url": f"{PREFIX}/report?run={run}", "picture_url": f"{PREFIX}/picture?run={run}&id="}
