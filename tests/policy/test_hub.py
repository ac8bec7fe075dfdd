"""Fetching a policy with huggingface_hub itself, from a small server of our own that speaks the hub's HTTP."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHA = "a" * 40
CARD = {"format_version": 1, "kind": "static", "name": "mine", "settings": {"negative": "blurry"}}
FILES = {
    "policy.json": json.dumps(CARD).encode(),
    "README.md": b"what it is\n" * 1000,
    "run.py": b"print('never fetched')",
}
PULL = """
import sys
from pathlib import Path
from negopt_core.policy.hub import pull_policy
from negopt_core.policy.store import read_origin
told = []
folder = pull_policy(sys.argv[1], Path(sys.argv[2]), lambda done, total: told.append((done, total)))
print(folder.name, read_origin(folder), sorted(path.name for path in folder.iterdir() if path.is_file()), told[-1][1])
"""


class Hub(BaseHTTPRequestHandler):
    """One repository, `someone/mine`."""

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        self._answer(is_head=False)

    def _answer(self, is_head: bool) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/someone/mine/tree/"):
            tree = [{"type": "file", "path": name, "size": len(body), "oid": "0" * 40} for name, body in FILES.items()]
            return self._send(json.dumps(tree).encode(), "application/json", is_head)
        if path.startswith("/api/models/someone/mine"):
            siblings = [{"rfilename": name, "size": len(body)} for name, body in FILES.items()]
            told = {
                "id": "someone/mine",
                "sha": SHA,
                "private": False,
                "siblings": siblings,
                "tags": [],
                "downloads": 0,
            }
            return self._send(json.dumps(told).encode(), "application/json", is_head)
        name = path.rpartition("/")[2]
        if path.startswith("/someone/mine/resolve/") and name in FILES:
            return self._send(FILES[name], "application/octet-stream", is_head)
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: bytes, kind: str, is_head: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", SHA)
        self.end_headers()
        if not is_head:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def pull(hub: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the client reads its environment when it is imported."""
    home = {"HF_ENDPOINT": hub, "HF_HOME": str(folder.parent / "hf"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    # a proxy of this machine must not stand between the test and its own server
    clean = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    command = [sys.executable, "-c", PULL, name, str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env={**clean, **home}, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_policy_is_fetched_whole_with_its_origin_and_its_progress(hub: str, tmp_path: Path) -> None:
    done = pull(hub, "hf:someone/mine", tmp_path / "policies")
    assert done.returncode == 0, done.stderr
    wanted = len(FILES["policy.json"]) + len(FILES["README.md"])
    assert done.stdout.split("\n")[0] == f"mine hf:someone/mine ['README.md', 'origin.json', 'policy.json'] {wanted}"


def test_a_name_that_is_not_there_leaves_nothing(hub: str, tmp_path: Path) -> None:
    done = pull(hub, "hf:someone/other", tmp_path / "policies")
    assert done.returncode != 0
    assert "PolicyError: cannot fetch someone/other" in done.stderr
    assert list((tmp_path / "policies").iterdir()) == []
