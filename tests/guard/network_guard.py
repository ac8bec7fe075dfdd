"""No test, and no Python that a test starts, reaches beyond this machine: an audit hook refuses to connect, to send,
and to ask for the address of a name.

`conftest.py` installs it and puts this folder on PYTHONPATH, where `sitecustomize.py` installs it in every other
Python; it fails the test in which code of ours tried.
"""

import os
import platform
import sys
import traceback

LOG = "NEGOPT_TEST_NETWORK_LOG"
"""Environment variable with the file to which tries of our own code are appended."""
_MARK = "_negopt_network_guard"
_LOCAL = ("127.", "localhost", "::1", "0.0.0.0")
_CONNECTS, _RESOLVES = (
    ("socket.connect", "socket.sendto", "socket.sendmsg"),
    ("socket.getaddrinfo", "socket.gethostbyname"),
)
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - light
_OURS = (
    "/negopt_core/",
    "/negopt_webui/",
    "/negopt/nodes/",
    "/negopt/scripts/",
    f"{_ROOT}/nodes/",
    f"{_ROOT}/scripts/",
)


class Blocked(ConnectionRefusedError):
    """What a library that handles a missing network can handle."""


def _is_local(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "localhost")
    return name.startswith(_LOCAL) or name == platform.node()


def _target(event: str, args: tuple[object, ...]) -> object:
    """The host that is about to be reached; None for sockets that are files, pipes or unconnected."""
    if event in _RESOLVES:
        return args[0]
    address = args[1]
    return address[0] if isinstance(address, tuple) and address else None


def refuse(event: str, args: tuple[object, ...]) -> None:
    """The audit hook."""
    if not (event in _CONNECTS or event in _RESOLVES):
        return
    host = _target(event, args)
    if host is None or _is_local(host):
        return
    stack = traceback.format_stack()
    if any(part in frame for frame in stack for part in _OURS) and LOG in os.environ:
        with open(os.environ[LOG], "a", encoding="utf-8") as file:  # noqa: PTH123 - before anything is imported
            file.write(f"{event} {host!r} from {sys.argv[:3]}:\n{''.join(stack[-6:-1])}\n")
    raise Blocked(f"tests use no network, and something tried to reach {host!r}")


def install() -> None:
    """Refuse from now on; once in a process, and for good."""
    if not hasattr(sys, _MARK):
        setattr(sys, _MARK, True)
        sys.addaudithook(refuse)
