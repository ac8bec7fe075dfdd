"""A stand-in for a ComfyUI server: takes graphs over HTTP, "paints" by hashing them, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image

OK, BUSY, REFUSED = 200, 503, 400


def colour(graph: dict[str, Any]) -> tuple[int, int, int]:
    """What this graph's picture is filled with."""
    red, green, blue, *_ = hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).digest()
    return red, green, blue


@dataclass
class FakeComfy:
    """How it behaves, and what was asked of it."""

    seconds: float = 0.0
    """For each picture."""
    dies_after: int = 10**9
    """Pictures; the next graph is taken, and then nothing is answered any more."""
    busy_for: int = 0
    """Requests to /prompt that are answered with an error of the server's own."""
    forgets: int = 0
    """Graphs that are taken and lost, as if it had been started anew."""
    interrupts: int = 0
    """Graphs that somebody at the server stops."""
    fault: str = ""
    """A node's error in every graph."""
    refusal: dict[str, Any] | None = None
    lacks: str = ""
    """A kind of node that is not installed."""
    moved_to: str = ""
    """Redirects everything there."""
    picture: bytes = b""
    """What it sends instead of a picture."""
    graphs: list[dict[str, Any]] = field(default_factory=list)
    painted: int = 0
    dropped: list[str] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)
    queue: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_dead: bool = False

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.work = threading.Condition(self.lock)

    def answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """(status, JSON value or bytes)."""
        with self.lock:
            self.asked.append(path)
            if path.startswith("/object_info/"):
                kind = path.rpartition("/")[2]
                return OK, {} if kind == self.lacks else {kind: {}}
            if path == "/system_stats":
                return OK, {"system": {"comfyui_version": "0.0", "pytorch_version": "0.0"}}
            if path == "/prompt":
                return self._take(body["prompt"])
            if path == "/queue" and body is None:
                waiting = [[0, run_id, {}, {}, []] for run_id in self.queue]
                return OK, {"queue_running": waiting[:1], "queue_pending": waiting[1:]}
            if path.startswith("/history/"):
                run_id = path.rpartition("/")[2]
                return OK, {run_id: self.history[run_id]} if run_id in self.history else {}
            if path == "/view":
                return OK, self.picture or self._png(query["filename"][0])
            if path in ("/queue", "/interrupt"):
                ids = body.get("delete") or [body["prompt_id"]]
                self.dropped += [run_id for run_id in ids if self.queue.pop(run_id, None)]
                return OK, b""
            if path == "/history":
                for run_id in body["delete"]:
                    self.history.pop(run_id, None)
                return OK, b""
        return 404, b"not here"

    def _take(self, graph: dict[str, Any]) -> tuple[int, Any]:
        if self.busy_for > 0:
            self.busy_for -= 1
            return BUSY, b"starting"
        if self.refusal:
            return REFUSED, self.refusal
        run_id = str(uuid.uuid4())
        self.graphs.append(graph)
        if self.forgets > 0:
            self.forgets -= 1
        else:
            self.queue[run_id] = graph
            self.work.notify_all()
        return OK, {"prompt_id": run_id, "number": 1, "node_errors": {}}

    def paint_for_ever(self) -> None:
        """The server's own thread."""
        while not self.is_dead:
            with self.lock:
                if not self.work.wait_for(lambda: self.queue or self.is_dead, timeout=0.05):
                    continue
                if self.queue and self.painted >= self.dies_after:
                    self.is_dead = True
                if self.is_dead:
                    return
                run_id, graph = next(iter(self.queue.items()))
            time.sleep(self.seconds)
            with self.lock:
                if self.queue.pop(run_id, None):
                    self.history[run_id] = self._entry(graph)
                    self.painted += 1

    def _entry(self, graph: dict[str, Any]) -> dict[str, Any]:
        if self.interrupts > 0:
            self.interrupts -= 1
            return {"status": {"status_str": "error", "messages": [["execution_interrupted", {}]]}, "outputs": {}}
        if self.fault:
            told = {"node_type": "SamplerCustom", "exception_message": self.fault}
            return {"status": {"status_str": "error", "messages": [["execution_error", told]]}, "outputs": {}}
        name = "-".join(map(str, colour(graph))) + ".png"
        image = {"filename": name, "subfolder": "", "type": "temp"}
        return {"status": {"status_str": "success", "messages": []}, "outputs": {"picture": {"images": [image]}}}

    @staticmethod
    def _png(name: str) -> bytes:
        fill = tuple(map(int, name.removesuffix(".png").split("-")))
        stream = io.BytesIO()
        Image.new("RGB", (8, 8), fill).save(stream, "PNG")  # type: ignore[arg-type]
        return stream.getvalue()


@contextmanager
def serving(fake: FakeComfy) -> Iterator[str]:
    """The fake on a port of this machine; its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            parts = urlsplit(self.path)
            if fake.is_dead:
                self.close_connection = True  # as a killed process: the connection just ends
                return
            if fake.moved_to:
                self.send_response(302)
                self.send_header("Location", fake.moved_to + self.path)
                self.end_headers()
                return
            status, value = fake.answer(parts.path, parse_qs(parts.query), body)
            if fake.is_dead:
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(value if isinstance(value, bytes) else json.dumps(value).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threads = [threading.Thread(target=target, daemon=True) for target in (server.serve_forever, fake.paint_for_ever)]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        fake.is_dead = True
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()
