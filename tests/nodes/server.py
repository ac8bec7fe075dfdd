"""A ComfyUI server of our own for the tests, and what is asked of it over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host import INSIDE, Host

REPOSITORY = Path(__file__).resolve().parents[2]
CARD = {"format_version": 1, "kind": "static", "name": "mine", "settings": {"negative": "blurry, dark"}}
"""Of a small policy."""
PATIENCE = 300.0
"""Seconds to wait for the server to start, or for one graph; far above what either takes."""


class Refused(Exception):
    """The server said no; holds its whole answer."""

    def __init__(self, answer: Any) -> None:
        super().__init__(json.dumps(answer)[:4000])
        self.answer = answer


class Server:
    """Asks a running ComfyUI."""

    def __init__(self, port: int, base: Path, process: subprocess.Popen[bytes]) -> None:
        self.base, self.process = base, process
        self.address = f"http://127.0.0.1:{port}"

    def read(self, path: str, **query: str) -> bytes:
        """The body of a page."""
        address = f"{self.address}{path}?{urllib.parse.urlencode(query)}" if query else self.address + path
        with urllib.request.urlopen(address, timeout=30) as answer:
            return bytes(answer.read())

    def ask(self, path: str, **query: str) -> Any:
        """The JSON of a page."""
        return json.loads(self.read(path, **query))

    def queue(self, prompt: dict[str, Any], workflow: dict[str, Any] | None = None) -> str:
        """Put a graph in the queue; its id. Raises Refused if ComfyUI finds it invalid."""
        body = {"prompt": prompt, "extra_data": {"extra_pnginfo": {"workflow": workflow}} if workflow else {}}
        request = urllib.request.Request(
            self.address + "/prompt", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return str(json.loads(answer.read())["prompt_id"])
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(json.loads(error.read())) from None

    def run(self, prompt: dict[str, Any], workflow: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run a graph to its end; its outputs by node. Raises Refused if a node fails."""
        return self.wait(self.queue(prompt, workflow))

    def wait(self, run_id: str) -> dict[str, Any]:
        """The outputs of a graph in the queue, by node, once it is done. Raises Refused if a node fails."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            entry = self.ask(f"/history/{run_id}").get(run_id)
            if entry and entry["status"]["status_str"] == "error":
                raise Refused([message for kind, message in entry["status"]["messages"] if kind == "execution_error"])
            if entry and entry["status"]["completed"]:
                outputs: dict[str, Any] = entry["outputs"]
                return outputs
            time.sleep(0.1)
        raise TimeoutError(f"the graph is not done after {PATIENCE} s")

    def pictures(self, outputs: dict[str, Any]) -> list[bytes]:
        """The PNG files among a graph's outputs."""
        named = [picture for output in outputs.values() for picture in output.get("images", ())]
        return [
            self.read("/view", **{key: picture[key] for key in ("filename", "subfolder", "type")}) for picture in named
        ]


def furnish(base: Path) -> None:
    """One good policy, one broken one and one outside of the policy folders."""
    for folder, text in (("negopt/mine", json.dumps(CARD)), ("negopt/broken", "{"), ("secret", json.dumps(CARD))):
        (base / "models" / folder).mkdir(parents=True)
        (base / "models" / folder / "policy.json").write_text(text)


@contextmanager
def running(host: Host, base: Path, pack: Path = REPOSITORY) -> Iterator[Server]:
    """A server whose only node pack is `pack`; its files all lie under `base`.

    NEGOPT_FRONTEND: the `static` folder of another frontend package than the one that is installed.
    """
    for folder in ("models", "custom_nodes", "input", "output", "temp", "user"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    (base / "custom_nodes" / "negopt").symlink_to(pack, target_is_directory=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = f"sqlite:///{base / 'user' / 'comfyui.db'}"
    command = [host.python, "serve.py", "--port", str(port), "--base-directory", base, "--database-url", database]
    if frontend := os.environ.get("NEGOPT_FRONTEND"):
        command += ["--front-end-root", frontend]
    with (base / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=INSIDE, env=host.environment, stdout=log, stderr=log)
        try:
            yield _wait_until_up(Server(port, base, process))
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_up(server: Server) -> Server:
    end = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < end:
        try:
            server.ask("/system_stats")
            return server
        except OSError:
            time.sleep(0.3)
    raise RuntimeError("ComfyUI did not start:\n" + (server.base / "log.txt").read_text()[-4000:])
