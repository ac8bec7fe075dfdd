"""Fetching from a hub that is this machine: a fake server, and huggingface_hub's own cache layout when offline."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from negopt_core.cli import main
from negopt_core.errors import OutputError, PolicyError
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.hub import prepare_repository, pull_policy
from negopt_core.policy.store import read_origin
from tests.fakes.hub import CARD, FILES, Hub


@pytest.fixture
def files() -> dict[str, bytes]:
    return dict(FILES)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def hub(files: dict[str, bytes], asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, files, asked))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_pulled_policy_loads_and_holds_no_code(hub: str, asked: list[str], tmp_path: Path) -> None:
    told: list[str] = []
    arrived: list[tuple[int, int]] = []
    folder = pull_policy(
        "hf:me/weather", tmp_path / "models", lambda *now: arrived.append(now), tell=told.append, endpoint=hub
    )
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "origin.json", "policy.json"]
    assert read_origin(folder) == "hf:me/weather" and arrived[-1] == (len(CARD) + 9, len(CARD) + 9)
    assert suggest(load_policy("weather", [tmp_path / "models"]), ["a cat"])[0].negative == "fog, rain"
    assert told == [f"me/weather: {(len(CARD) + 9) / 1e6:.1f} MB in 2 files"]
    assert not any("bin" in path or "code" in path for path in asked)


def test_what_was_pulled_once_is_there_offline(hub: str, asked: list[str], tmp_path: Path) -> None:
    pull_policy("hf:me/weather", tmp_path / "one", endpoint=hub)
    before = len(asked)
    folder = pull_policy("hf:me/weather", tmp_path / "two", offline=True, endpoint=hub)
    assert (folder / "policy.json").read_bytes() == CARD and len(asked) == before


@pytest.mark.usefixtures("hub")
def test_offline_without_a_cache_is_one_clear_error_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="not in the hub's cache"):
        pull_policy("hf:me/weather", tmp_path / "models", offline=True)
    assert not (tmp_path / "models").exists()


def test_a_repository_that_is_not_there_and_a_server_that_is_gone(hub: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot fetch me/nothing"):
        pull_policy("hf:me/nothing", tmp_path, endpoint=hub)
    with pytest.raises(PolicyError, match="check the name, the network"):
        pull_policy("hf:me/weather", tmp_path / "x", endpoint="http://127.0.0.1:9")


def test_a_repository_without_a_policy_is_refused(hub: str, files: dict[str, bytes], tmp_path: Path) -> None:
    del files["policy.json"]
    with pytest.raises(PolicyError, match="holds neither"):
        pull_policy("hf:me/weather", tmp_path / "models", endpoint=hub)
    assert not list((tmp_path / "models").iterdir())


def test_a_plain_language_model_gets_a_card_that_says_so(hub: str, files: dict[str, bytes], tmp_path: Path) -> None:
    del files["policy.json"]
    files |= {"config.json": b'{"model_type": "gpt2"}', "model.safetensors": b"weights"}
    folder = pull_policy("hf:me/weather@main", tmp_path, endpoint=hub)
    card = json.loads((folder / "policy.json").read_text())
    assert (card["kind"], card["polarity"], card["name"]) == ("df", "modifiers", "weather")
    assert card["provenance"] == {"pulled": "hf:me/weather@main"}


def test_an_existing_folder_is_left_alone(hub: str, asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "weather").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        pull_policy("hf:me/weather", tmp_path, endpoint=hub)
    assert not asked


def test_a_repository_is_prepared_with_a_readme_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "weather"
    source.mkdir()
    (source / "policy.json").write_bytes(CARD)
    (source / "notes.bin").write_bytes(b"x")
    assert main(["policies", "push", str(source), "-o", str(tmp_path / "repository"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["README.md", "policy.json"]
    readme = (tmp_path / "repository" / "README.md").read_text()
    assert readme.startswith("---\nlicense: ") and "# weather" in readme and "--policy weather" in readme
    with pytest.raises(OutputError, match="exists already"):
        prepare_repository(source, tmp_path / "repository")


def test_an_upload_is_asked_for_by_name_and_says_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "weather"
    source.mkdir()
    (source / "policy.json").write_bytes(CARD)
    done: list[tuple[object, ...]] = []

    class Api:
        def __init__(self, endpoint: str | None = None) -> None:
            pass

        def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> None:
            if repo_id == "you/weather":
                raise OSError("403 Forbidden")
            done.append((repo_id, private, exist_ok))

        def upload_folder(self, *, repo_id: str, folder_path: Path, revision: str | None) -> None:
            readme = (folder_path / "README.md").read_text()
            done.append((repo_id, revision, sorted(path.name for path in folder_path.iterdir()), "hf:me/wea" in readme))

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    push = ["policies", "push", str(source), "-o"]
    assert main([*push, "hf:me/weather"]) == 2 and not done
    assert "--yes" in capsys.readouterr().err
    assert main([*push, "hf:me/weather@try", "--yes", "--json"]) == 0
    assert done == [("me/weather", True, True), ("me/weather", "try", ["README.md", "policy.json"], True)]
    assert json.loads(capsys.readouterr().out)["name"] == "hf:me/weather@try"
    assert main([*push, "hf:you/weather", "--yes"]) == 2 and main([*push, "hf:weather", "--yes"]) == 2
    told = capsys.readouterr().err
    assert "cannot upload to you/weather: 403 Forbidden" in told and "hf:owner/name" in told
