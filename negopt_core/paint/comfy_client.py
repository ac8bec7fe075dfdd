"""One ComfyUI server over HTTP: queue a graph, wait for it, fetch the picture. Nobody but the named server is asked."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from ..errors import Cancelled, ModelError
from ..json_text import read_json

Graph = dict[str, dict[str, Any]]


class ServerGone(ModelError):
    """A server that cannot be reached, or has lost the work: worth another try."""


class ServerRefused(ModelError):
    """A server that said no; asking again would not help."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for."""

    tries: int = 3
    """For each picture, before the server counts as gone."""
    pause_seconds: float = 1.0
    """Before the second try; twice as long before each further one."""
    answer_seconds: float = 15.0
    """For the answer to one request."""
    picture_seconds: float = 900.0
    """From queueing to the picture, other people's work in the queue included."""
    poll_seconds: float = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A running ComfyUI."""

    address: str
    """http://host:port, without a slash at the end."""
    patience: Patience = field(default_factory=Patience)
    client: str = field(default_factory=lambda: f"negopt-{uuid.uuid4().hex}")
    """Without a name of our own, every open page of that ComfyUI would show our progress."""

    def knows(self, kind: str) -> bool:
        """True if the server has this kind of node."""
        return kind in self.ask(f"/object_info/{kind}")

    def about(self) -> dict[str, str]:
        """Versions of what runs there."""
        system = self.ask("/system_stats").get("system", {})
        return {"comfyui": str(system.get("comfyui_version", "")), "torch": str(system.get("pytorch_version", ""))}

    def queue(self, graph: Graph) -> str:
        """Put a graph in the queue; its id. ServerRefused if the server finds something wrong with it."""
        answer = self.ask("/prompt", {"prompt": graph, "client_id": self.client})
        return str(answer["prompt_id"])

    def wait(self, run_id: str, is_stopped: Callable[[], bool]) -> dict[str, Any]:
        """The outputs of a graph by node, when it is done. Cancelled, and off the queue, if `is_stopped` says so."""
        end = time.monotonic() + self.patience.picture_seconds
        while True:
            is_queued = self._is_queued(run_id)  # asked first: what is not there now is in the history, or lost
            entry = self.ask(f"/history/{run_id}").get(run_id)
            if entry is not None:
                return _outputs(entry)
            if not is_queued:
                raise ServerGone("the server has forgotten the work; was it started anew?")
            if is_stopped():
                self.drop(run_id)
                raise Cancelled("painting was stopped")
            if time.monotonic() > end:
                self.drop(run_id)
                raise ServerRefused(f"no picture after {self.patience.picture_seconds:g} s")
            time.sleep(self.patience.poll_seconds)

    def fetch(self, outputs: dict[str, Any]) -> bytes:
        """The one picture among a graph's outputs, as the server's PNG."""
        pictures = [picture for output in outputs.values() for picture in output.get("images", ())]
        if len(pictures) != 1:
            raise ServerRefused(f"the graph made {len(pictures)} pictures instead of one")
        where = {key: pictures[0][key] for key in ("filename", "subfolder", "type")}
        return self._read(f"/view?{urllib.parse.urlencode(where)}")

    def forget(self, run_id: str) -> None:
        """Take a finished graph out of the server's history, which is its user's."""
        self.tell("/history", {"delete": [run_id]})

    def drop(self, run_id: str) -> None:
        """Take a graph off the queue, and stop it if it runs; other people's work goes on."""
        self.tell("/queue", {"delete": [run_id]})
        self.tell("/interrupt", {"prompt_id": run_id})

    def tell(self, path: str, body: dict[str, Any]) -> None:
        """Post something whose failure changes nothing for us."""
        try:
            self._read(path, body)
        except ModelError:
            return

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON answer to a question, or to something posted."""
        answer = self._read(path, body)
        try:
            values = read_json(answer)
        except ValueError as error:
            raise ServerRefused(f"{path} is not answered in JSON; is this a ComfyUI?") from error
        if not isinstance(values, dict):
            raise ServerRefused(f"{path} is answered by a {type(values).__name__}; is this a ComfyUI?")
        return values

    def _is_queued(self, run_id: str) -> bool:
        queue = self.ask("/queue")
        return any(item[1] == run_id for name in ("queue_running", "queue_pending") for item in queue.get(name, ()))

    def _read(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, content, {"Content-Type": "application/json"})
        try:
            with _opener().open(request, timeout=self.patience.answer_seconds) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if error.code >= 500:
                    raise ServerGone(f"{path}: HTTP {error.code}") from None
                raise ServerRefused(_refusal(path, error.code, error.read())) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ServerGone(f"{reason or type(error).__name__}") from None


def _opener() -> urllib.request.OpenerDirector:
    """No proxy and no redirect: what the user named is asked, and nobody else."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **kw: Any) -> None:
            return None

    return urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())


def _outputs(entry: dict[str, Any]) -> dict[str, Any]:
    """A finished graph's outputs; the reason if it failed."""
    status = entry.get("status") or {}
    messages = {kind: message for kind, message in status.get("messages", ())}
    if "execution_interrupted" in messages:
        raise ServerGone("somebody stopped the work at the server")
    if status.get("status_str") != "success":
        message = messages.get("execution_error", {})
        raise ServerRefused(
            f"{message.get('node_type', 'the graph')}: {_line(message.get('exception_message', 'failed'))}"
        )
    outputs: dict[str, Any] = entry.get("outputs", {})
    return outputs


def _refusal(path: str, code: int, body: bytes) -> str:
    """ComfyUI's own words for what is wrong with a graph, in one line."""
    try:
        answer = read_json(body)
        about_nodes = [
            f"{node['class_type']}: {error['message']} ({error['details']})"
            for node in answer["node_errors"].values()
            for error in node["errors"]
        ]
        return _line("; ".join(about_nodes) or answer["error"]["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{path}: HTTP {code}"


def _line(text: object) -> str:
    return " ".join(str(text).split())[:400]
