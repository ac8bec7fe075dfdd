"""Policies that the page brings in, deletes and pulls: over HTTP, on a real server."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from server import CARD, Server
from test_routes import PREFIX, send

pytestmark = pytest.mark.host

ZIP = {"Content_Type": "application/zip"}


def archive(**files: str) -> bytes:
    """A ZIP; `__` in a name stands for a slash."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("__", "/"), text)
    return packed.getvalue()


@pytest.fixture
def there_before(server: Server) -> set[Path]:
    """The policy folders that are there when a test begins."""
    return set((server.base / "models" / "negopt").iterdir())


def names(server: Server) -> set[str]:
    return {one["name"] for one in send(server, f"{PREFIX}/policies")[1]["policies"]}


def test_a_zip_becomes_a_policy_that_writes_and_can_be_deleted(server: Server, there_before: set[Path]) -> None:
    packed = archive(**{"mine__policy.json": json.dumps(CARD), "mine__README.md": "what it is"})
    assert send(server, f"{PREFIX}/policies/import?name=brought", packed, **ZIP) == (200, {"name": "brought"})
    assert "brought" in names(server)
    asked = {"prompt": "a cat", "policy": "brought", "mode": "negative"}
    assert send(server, f"{PREFIX}/suggest", asked)[1]["df_negative"] == "blurry, dark"
    status, answer = send(server, f"{PREFIX}/policies/import?name=brought", packed, **ZIP)
    assert status == 422 and "exists already" in answer["error"]["message"]
    assert send(server, f"{PREFIX}/policies/delete", {"name": "brought"}) == (200, {"deleted": "brought"})
    assert "brought" not in names(server)
    assert send(server, f"{PREFIX}/suggest", asked)[0] == 404
    assert set((server.base / "models" / "negopt").iterdir()) == there_before


@pytest.mark.parametrize(
    ("name", "packed", "status", "said"),
    [
        ("../out", archive(**{"policy.json": json.dumps(CARD)}), 422, "is called with letters"),
        (".hidden", archive(**{"policy.json": json.dumps(CARD)}), 422, "is called with letters"),
        ("static", archive(**{"policy.json": json.dumps(CARD)}), 409, "comes with negopt"),
        ("bad", archive(**{"policy.json": json.dumps(CARD), "..__up.json": "{}"}), 422, "leads out"),
        ("bad", archive(**{"policy.json": json.dumps(CARD), "model.bin": "x"}), 422, "only JSON, text and safetensors"),
        ("bad", archive(**{"policy.json": json.dumps(CARD), "run.py": "x"}), 422, "only JSON, text and safetensors"),
        ("bad", archive(**{"notes.txt": "x"}), 422, "holds no policy.json"),
        ("bad", archive(**{"policy.json": "{"}), 422, "not JSON"),
        ("bad", archive(**{f"{index}.txt": "x" for index in range(300)}), 422, "at most 200"),
        ("bad", b"PK\x03\x04 and nothing", 422, "cannot be read"),
        ("bad", b"", 422, "cannot be read"),
    ],
)
def test_what_is_no_policy_is_refused_and_leaves_nothing(
    name: str, packed: bytes, status: int, said: str, server: Server, there_before: set[Path]
) -> None:
    got, answer = send(server, f"{PREFIX}/policies/import?name={name}", packed, **ZIP)
    assert got == status
    assert said in answer["error"]["message"]
    assert set((server.base / "models" / "negopt").iterdir()) == there_before
    assert not (server.base / "models" / "out").exists()


def test_import_takes_only_zip_files_from_this_page(server: Server) -> None:
    assert send(server, f"{PREFIX}/policies/import?name=a", b"x", Content_Type="text/plain")[0] == 415
    hostile = {**ZIP, "Origin": "http://evil.example"}
    assert send(server, f"{PREFIX}/policies/import?name=a", b"x", **hostile)[0] == 403


def test_a_link_is_deleted_without_what_it_leads_to(server: Server) -> None:
    target = server.base / "elsewhere"
    target.mkdir()
    (target / "policy.json").write_text(json.dumps(CARD))
    link = server.base / "models" / "negopt" / "linked"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target, target_is_directory=True)
    assert send(server, f"{PREFIX}/policies/delete", {"name": "linked"})[0] == 200
    assert not link.is_symlink() and (target / "policy.json").is_file()


@pytest.mark.parametrize(
    ("name", "status"), [("rules", 409), ("gone", 404), ("../checkpoints", 422), ("", 400), (5, 400), (None, 400)]
)
def test_deleting_what_is_not_a_users_policy_is_refused(name: object, status: int, server: Server) -> None:
    assert send(server, f"{PREFIX}/policies/delete", {"name": name})[0] == status


@pytest.mark.parametrize("name", ["owner/name", "hf:owner", "hf:../x/y", "http://a/b"])
def test_a_pull_needs_a_name_on_the_hub(name: str, server: Server) -> None:
    status, answer = send(server, f"{PREFIX}/policies/pull", {"name": name})
    assert status == 422 and "is written hf:owner/name" in answer["error"]["message"]
