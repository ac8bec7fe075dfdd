"""The guard that keeps the suite off the network holds, in this process and in others; tokens are never told."""

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = "192.0.2.7"  # an address of no machine, by RFC 5737
TOKEN = "hf_" + "SeCrEtSeCrEtSeCrEt"
ASK = {
    "connect": f"import socket; socket.create_connection(('{ELSEWHERE}', 80), timeout=1)",
    "connect_ex": f"import socket\nwith socket.socket() as s: s.connect_ex(('{ELSEWHERE}', 80))",
    "datagram": f"import socket\nwith socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b'x', ('{ELSEWHERE}', 53))",
    "name": "import socket; socket.getaddrinfo('negopt.invalid', 443)",
    "urllib": f"import urllib.request; urllib.request.urlopen('http://{ELSEWHERE}/', timeout=1)",
}


@pytest.mark.parametrize("code", ASK.values(), ids=ASK)
def test_no_process_of_the_suite_reaches_beyond_this_machine(code: str) -> None:
    with pytest.raises(OSError, match="tests use no network"):
        exec(code)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "tests use no network" in done.stderr


def test_what_our_code_tries_is_noted_even_if_it_gets_over_it(tmp_path: Path) -> None:
    (tmp_path / "negopt_core").mkdir()
    (tmp_path / "negopt_core" / "__init__.py").touch()
    (tmp_path / "negopt_core" / "calls_home.py").write_text(
        f"import socket\ntry:\n    socket.create_connection(('{ELSEWHERE}', 80))\nexcept OSError:\n    pass\n"
    )
    log = tmp_path / "log"
    environment = {**os.environ, "NEGOPT_TEST_NETWORK_LOG": str(log)}
    code = "import negopt_core.calls_home"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert ELSEWHERE in log.read_text() and "calls_home.py" in log.read_text()


OUTLIVES_ITS_TEST = """
import os
from pathlib import Path
import pytest

@pytest.fixture(scope="module", autouse=True)
def late():
    yield
    Path(os.environ["NEGOPT_TEST_NETWORK_LOG"]).write_text("it was tried late")

def test_nothing(): pass
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_is_tried_outside_of_a_test_fails_the_run(workers: str, tmp_path: Path) -> None:
    (tmp_path / "test_late.py").write_text(OUTLIVES_ITS_TEST)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-n", workers]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"]))}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "1 passed" in done.stdout, done.stdout + done.stderr
    assert "outside of a test:\nit was tried late" in done.stderr


class Hub(http.server.BaseHTTPRequestHandler):
    """Says no to everybody, and repeats what it was told, as careless servers do."""

    heard: list[str]

    def do_GET(self) -> None:
        told = str(self.headers.get("Authorization", ""))
        self.heard.append(told)
        body = json.dumps({"error": f"bad credentials: {told}"}).encode()
        self.send_response(403)
        for name, value in (
            ("Content-Length", str(len(body))),
            ("X-Error-Code", "GatedRepo"),
            ("X-Error-Message", told),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    heard: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("OneHub", (Hub,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_loopback_is_open(hub: tuple[str, list[str]]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        urllib.request.urlopen(f"{hub[0]}/x", timeout=30)
    caught.value.close()
    one, other = socket.socketpair()
    one.close()
    other.close()


def test_a_token_is_sent_to_the_hub_and_told_nobody_else(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    address, heard = hub
    home = str(tmp_path / "home")
    told = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "HF_HOME": home}
    environment = {**os.environ, **told}
    pull = ["-m", "negopt_core", "policies", "pull", "hf:some/body", "-o", str(tmp_path / "policies")]
    done = subprocess.run(
        [sys.executable, *pull], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and any(TOKEN in told for told in heard)
    assert TOKEN not in done.stdout + done.stderr and "cannot fetch" in done.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
