"""What Windows does differently, emulated: line ends, the mark that Notepad puts first, separators and names in paths,
the default encoding, and what its Python lacks."""

import ast
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from negopt_core.errors import PolicyError
from negopt_core.lab.compare.settings import read_recipe as read_eval_recipe
from negopt_core.lab.data.pairs import read_pairs
from negopt_core.lab.train.recipe import read_recipe
from negopt_core.lab.train.setup import read_prompts
from negopt_core.policy import load_policy, suggest
from negopt_core.policy.store import CARD_NAME, SHIPPED
from negopt_core.policy.zip_import import check_folder_name, unpack_policy

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted(
    path
    for part in ("negopt_core", "nodes", "negopt_webui", "scripts", "install.py", "__init__.py")
    for path in ((ROOT / part).rglob("*.py") if (ROOT / part).is_dir() else [ROOT / part])
)
CARD = json.dumps(
    {"format_version": 1, "kind": "static", "name": "x", "settings": {"negative": "blurry, dark"}}, indent=1
)
PAIRS = '{"prompt": "a cat", "negative": "blurry"}\n{"prompt": "größe", "negative": "too dark"}\n'


def said(folder: Path, card: str = "") -> list[str]:
    if card:
        (folder / CARD_NAME).write_bytes(card.encode())
    return [one.df_negative for one in suggest(load_policy(str(folder)), ["a photo of a cat", "a forest at night"])]


READERS: dict[str, tuple[str, str, Callable[[Path], Any]]] = {
    "pairs": ("pairs.jsonl", PAIRS, lambda path: read_pairs(path, "negative")),
    "prompts": ("prompts.txt", "a cat\n\na größe\n", read_prompts),
    "prompts with keys": ("prompts.jsonl", PAIRS, read_prompts),
    "card": (CARD_NAME, CARD, lambda path: said(path.parent)),
    "recipe of eval": ("mine.json", '{\n"steps": 5,\n"arms": []\n}\n', lambda path: read_eval_recipe(str(path))),
    "recipe of training": (
        "mine.json",
        '{\n"name": "mine", "kind": "df",\n"polarity": "modifiers"\n}\n',
        lambda path: read_recipe(str(path)),
    ),
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "notepad"])
@pytest.mark.parametrize("name", READERS)
def test_line_ends_and_the_mark_of_notepad_change_nothing(name: str, mark: bytes, tmp_path: Path) -> None:
    file, text, read = READERS[name]
    path = tmp_path / file
    path.write_bytes(text.encode())
    expected = read(path)
    path.write_bytes(mark + text.replace("\n", "\r\n").encode())
    assert read(path) == expected and expected


def test_a_policy_whose_text_files_got_other_line_ends_says_the_same(tmp_path: Path) -> None:
    policy = tmp_path / "nearest"
    shutil.copytree(SHIPPED / "nearest", policy)
    expected = said(policy)
    (policy / "SHA256SUMS").unlink()  # it is there to notice this
    for name in ("stock.txt", "terms.txt", CARD_NAME):
        (policy / name).write_bytes((policy / name).read_bytes().replace(b"\n", b"\r\n"))
    assert said(policy) == expected


def test_git_leaves_the_line_ends_of_what_has_checksums() -> None:
    lines = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "negopt_core/assets/** -text" in lines


@pytest.mark.parametrize("name", ["con", "NUL", "aux.v1", "com1", "a\\b", "C:x", "..\\x", "a.", "a ", "a:b"])
def test_no_folder_gets_a_name_that_windows_reads_otherwise(name: str) -> None:
    with pytest.raises(PolicyError, match="policy folder"):
        check_folder_name(name)


@pytest.mark.parametrize("member", ["..\\policy.json", "C:\\x.json", "C:x.json", "a\\..\\..\\x.json", "sub/nul.json"])
def test_no_file_of_a_zip_leads_out_on_windows(member: str, tmp_path: Path) -> None:
    packed = tmp_path / "policy.zip"
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr(CARD_NAME, CARD)
        opened.writestr(member, "{}")
    with pytest.raises(PolicyError, match=r"leads out|a device"):
        unpack_policy(packed, tmp_path / "home", "mine")
    assert not list((tmp_path / "home").iterdir())


# --- what the sources must not do


def calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def opens_text(node: ast.Call) -> bool:
    """`read_text`, `write_text` and `open` of text; binary modes and what is not a file are left out."""
    values = [one.value for one in (*node.args, *(k.value for k in node.keywords)) if isinstance(one, ast.Constant)]
    if called(node) in ("read_text", "write_text"):
        return True
    modes = [value for value in values if isinstance(value, str) and set(value) <= set("rwaxbt+") and value]
    return called(node) == "open" and bool(modes) and not any("b" in mode for mode in modes)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_file_names_its_encoding(path: Path) -> None:
    """Without one Windows takes that of the country."""
    plain = [
        node.lineno
        for node in calls(path)
        if opens_text(node)
        and not any(keyword.arg == "encoding" for keyword in node.keywords)
        and not (called(node) == "write_text" and isinstance(node.func, ast.Name))  # ours, always UTF-8
    ]
    assert not plain, f"{path}: lines {plain}"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_only_unix_has(path: Path) -> None:
    modules = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
    names = {"fork", "getuid", "geteuid", "chown", "mkfifo", "mknod", "killpg", "setsid", "statvfs", "SIGKILL",
             "SIGHUP", "SIGALRM", "SIGQUIT", "SIGUSR1"}  # fmt: skip
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not modules & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module not in modules
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "signal"):
            assert node.attr not in names


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths_that_are_kept_have_slashes(path: Path) -> None:
    """A relative path that is written or compared goes through `as_posix`, or is of a ZIP, which has slashes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) == "relative_to"]
    posix = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "as_posix"]
    assert path.name == "zip_import.py" or all(node in posix for node in relative)
