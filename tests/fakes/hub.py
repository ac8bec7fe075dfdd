"""A hub that is this machine: the three calls that a download makes, for one repository `me/weather`.

`python -m tests.fakes.hub` serves one with larger files, slowly, and prints its address.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from negopt_core.policy.static import static_card

PIECE, PAUSE_SECONDS = 1 << 17, 0.01
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = json.dumps(static_card("fog, rain", "weather").to_json()).encode()
FILES = {"policy.json": CARD, "README.md": b"# weather", "pytorch_model.bin": b"never", "code.py": b"never"}


class Hub(BaseHTTPRequestHandler):
    """The three calls that a download makes: what is in a repository, a file's head, a file."""

    def __init__(self, files: dict[str, bytes], asked: list[str], *args: object) -> None:
        self.files, self.asked = files, asked
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if path.startswith("/api/models/me/weather"):
            siblings = [
                {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
                for name, data in self.files.items()
            ]
            listed = [{"type": "file", "path": name, "size": len(self.files[name]), "oid": "0"} for name in self.files]
            answer = listed if "/tree/" in path else {"id": "me/weather", "sha": COMMIT, "siblings": siblings}
            self.send(json.dumps(answer).encode(), "application/json")
        elif path.startswith("/me/weather/resolve/") and path.rpartition("/")[2] in self.files:
            self.send(self.files[path.rpartition("/")[2]], "application/octet-stream")
        else:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET

    def send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            for start in range(0, len(data), PIECE):
                self.wfile.write(data[start : start + PIECE])
                time.sleep(PAUSE_SECONDS * (len(data) > PIECE))

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    """Serve until killed."""
    large = {f"{name}.txt": name.encode() * 500_000 for name in ("stock", "terms", "merges")}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, {**FILES, **large}, []))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
