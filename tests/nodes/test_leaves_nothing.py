"""Taking the pack's folder away takes the pack away: what its work leaves elsewhere is the user's own."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from graphs import runnable
from host import Host
from server import CARD, REPOSITORY, Server, running
from test_policies_routes import ZIP, archive
from test_routes import PREFIX, send

pytestmark = pytest.mark.host

OF_THE_SUITE = ("__pycache__", " out/shots/", " .hypothesis/", " .pytest_cache/")
OF_THE_USER = ("output/", "temp/", "user/negopt/likes.jsonl", "models/negopt/mine/")
"""Pictures, likes and the policies that were brought in; `custom_nodes/negopt` is the pack."""
OF_COMFYUI = ("user/comfyui.", "user/default/", "user/__manager/", "log.txt")


def files(folder: Path) -> set[str]:
    """Every file below, links not followed."""
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return {path.relative_to(folder).as_posix() for path in found}


def changed_in_the_pack() -> str:
    """What git sees in the pack's folder, files that it ignores included; bytecode is Python's; other workers of the
    suite write their own caches and pictures meanwhile."""
    command = ["git", "status", "--porcelain", "--ignored", "--untracked-files=all"]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in told.splitlines() if not any(place in line for place in OF_THE_SUITE))


def work(server: Server) -> None:
    """A picture with its record, a suggestion, a like, a policy that is brought in."""
    workflow = json.loads((REPOSITORY / "example_workflows" / "01 One click.json").read_text(encoding="utf-8"))
    server.run(runnable(workflow, server.ask("/object_info")), workflow)
    assert send(server, f"{PREFIX}/suggest", {"prompt": "a cat", "policy": "negopt-mini"})[0] == 200
    liked = {
        "verdict": "up",
        "prompt": "a cat",
        "positive": "a cat",
        "negative": "blurry",
        "policy": "rules",
        "seed": 3,
    }
    assert send(server, f"{PREFIX}/likes", liked)[0] == 200
    packed = archive(**{"policy.json": json.dumps(CARD)})
    assert send(server, f"{PREFIX}/policies/import?name=mine", packed, **ZIP)[0] == 200


def test_nothing_is_left_but_the_users_own(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, home, scratch = (tmp_path / name for name in ("comfyui", "home", "scratch"))
    for folder in (home, scratch):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    before = changed_in_the_pack()
    with running(host, base) as server:
        work(server)
    left = files(base)
    assert {"user/negopt/likes.jsonl", "models/negopt/mine/policy.json"} <= left
    assert any(name.startswith("output/") for name in left)
    assert not {name for name in left if not name.startswith((*OF_THE_USER, *OF_COMFYUI))}
    assert not {name for place in (home, scratch) for name in files(place) if "negopt" in name.lower()}
    assert changed_in_the_pack() == before
