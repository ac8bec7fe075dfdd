"""What a policy folder may not hold, one fault at a time; two hundred at random are in tests/hardening."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from languages import language_policy

from negopt_core.errors import PolicyError
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.folder_check import SUMS, check_policy_folder, folder_hash, read_header
from negopt_core.policy.language.folder import open_policy, save_policy

Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "df"
    save_policy(language_policy("df"), folder)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy without checksums, so that what is changed is what is refused."""
    copy = tmp_path / "policy"
    copy.mkdir()
    for path in sound.iterdir():
        if path.name != SUMS:
            (copy / path.name).write_bytes(path.read_bytes())
    return copy


def with_values(name: str, **values: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def with_tensor(values: bytes) -> Change:
    """The policy's first weights, filled."""

    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        path.write_bytes(content[: 8 + length] + values + content[8 + length + len(values) :])

    return change


def with_type(kind: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes().replace(b'"F32"', f'"{kind}"'.encode()))

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_values("config.json", n_layer=10**6), "asks for 1000000 layers"),
        (with_values("config.json", n_embd=10**6), "do not fit the configuration"),
        (with_values("config.json", vocab_size=10**9), "do not fit the configuration"),
        (with_values("config.json", n_positions=10**6), "do not fit the configuration"),
        (with_values("config.json", auto_map={"AutoConfig": "x.y"}), "code of its own"),
        (with_values("tokenizer_config.json", auto_map={"AutoTokenizer": ["x.y", None]}), "code of its own"),
        (with_values("tokenizer_config.json", vocab_file="/etc/passwd"), "leads out of the folder"),
        (with_values("tokenizer_config.json", tokenizer_file="../x.json"), "leads out of the folder"),
        (with_values("policy.json", settings={"temperature": "hot"}), "temperature is a number, got 'hot'"),
        (with_values("policy.json", settings={"max_phrases": 1.5}), "max_phrases is a whole number"),
        (with_values("policy.json", settings={"top_k": True}), "top_k is a number"),
        (with_tensor(b"\x00\x00\xc0\x7f"), "not finite numbers"),
        (with_type("I32"), "not a float"),
        (with_type("U32"), "weights are F64"),
        (lambda folder: (folder / "heads.safetensors").write_bytes(b"\x00" * 64), "no whole safetensors file"),
        (lambda folder: (folder / "x.json").write_text("[" * 200 + "]" * 200), "nested"),
        (lambda folder: (folder / "x.txt").symlink_to("/etc/passwd"), "leads out of the policy's folder"),
    ],
)
def test_one_fault_is_one_clear_refusal(change: Change, says: str, folder: Path) -> None:
    assert suggest(load_policy(str(folder)), ["a cat"])
    change(folder)
    with pytest.raises(PolicyError, match=says) as caught:
        load_policy(str(folder))
    assert "\n" not in str(caught.value)


def test_a_change_is_noticed_and_may_be_meant(sound: Path, folder: Path) -> None:
    (folder / SUMS).write_bytes((sound / SUMS).read_bytes())
    assert suggest(load_policy(str(folder)), ["a cat"]) == suggest(load_policy(str(sound)), ["a cat"])
    with (folder / "stock.txt").open("a") as file:
        file.write("dark\n")
    with pytest.raises(PolicyError, match=r"stock\.txt is not the file that was exported .*delete SHA256SUMS if you"):
        load_policy(str(folder))
    (folder / SUMS).unlink()
    assert load_policy(str(folder))


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: sha256sum is a program of Linux")
def test_the_checksums_are_those_of_sha256sum(sound: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=sound, capture_output=True, text=True)
    assert done.returncode == 0 and "model.safetensors: OK" in done.stdout and "stock.txt: OK" in done.stdout


def test_the_hubs_cache_of_links_is_followed(sound: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(sound.iterdir())):
        (blobs / str(number)).write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(Path("../../blobs") / str(number))
    assert open_policy(snapshot).card.kind == "df"
    (snapshot / "more.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PolicyError, match="leads out"):
        check_policy_folder(snapshot)


def test_a_header_is_read_without_the_tensors(sound: Path) -> None:
    header = read_header(sound / "model.safetensors")
    assert header["transformer.wpe.weight"] == ("F32", (128, 32))


def test_weights_are_read_once_for_looking_and_hashing(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header, then every byte once; the tensors themselves come from a memory map."""
    opened: list[str] = []
    original = Path.open

    def counting(self: Path, *args: Any, **kw: Any) -> Any:
        opened.append(self.name)
        return original(self, *args, **kw)

    monkeypatch.setattr(Path, "open", counting)
    policy = load_policy(str(sound))
    assert opened.count("model.safetensors") == 2
    assert policy.fingerprint == folder_hash(sound)
