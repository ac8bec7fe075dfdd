"""Policies on the Hugging Face hub: fetched only when the user asks, and only JSON, text and safetensors."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

from ..errors import OutputError, PolicyError
from ..files import write_text
from ..needs import naming_what_is_missing
from .card import PolicyCard
from .store import CARD_NAME, HUB_PREFIX, ORIGIN_NAME, card_of, read_card

OnProgress = Callable[[int, int], None]
"""Told bytes that are here and bytes in all; 0 in all means that the hub does not say."""

_LOOK_SECONDS = 0.3
"""Between two looks at how much of a download lies in the hub's cache."""

_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)
_TEXTS = ("stock.txt", "terms.txt", "merges.txt", "vocab.txt")
_WANTED = ("*.json", "*.safetensors", "*.model", "SHA256SUMS", "*.md", "LICENSE*", *_TEXTS)


def _nobody(text: str) -> None:
    pass


def pull_policy(
    name: str,
    folder: Path,
    on_progress: OnProgress | None = None,
    *,
    tell: Callable[[str], None] = _nobody,
    offline: bool = False,
    endpoint: str | None = None,
) -> Path:
    """Download `hf:owner/name[@revision]` into a folder of its own under `folder` and return that.

    `tell` hears the size before anything is fetched; `on_progress` is called from another thread while it is. An
    interrupted download goes on from the hub's cache. Offline (or with HF_HUB_OFFLINE) only what the cache holds is
    used. A plain T5 or GPT-2 gets a card that says how little is known. The folder appears whole or not at all.

    Raises PolicyError if the name is malformed, the repository cannot be
    had or holds no policy, OutputError if the folder exists or cannot be written.
    """
    repository, revision = _read_name(name)
    target = folder / repository.split("/")[1]
    if target.exists():
        raise OutputError(f"{target} exists already; remove it first or choose another folder")
    _place(_fetch(repository, revision, tell, on_progress, offline, endpoint), target, name)
    return target


def _read_name(name: str) -> tuple[str, str | None]:
    """Repository and revision."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise PolicyError(f"a policy on the hub is written {HUB_PREFIX}owner/name[@revision], got {name!r}")
    return match[1], match[2]


def _place(fetched: Path, target: Path, name: str) -> None:
    """Copy the files of a policy to where it belongs, if it is one; whole or not at all."""
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder, prefix=f".{target.name}."))
    except OSError as error:
        raise OutputError(f"cannot write under {folder}: {error.strerror or error}") from error
    try:
        for path in _kept(fetched):
            shutil.copyfile(path, partial / path.name)
        _check(partial, name)
        write_text(partial / ORIGIN_NAME, json.dumps({"from": name}) + "\n")
        partial.rename(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch(
    repository: str,
    revision: str | None,
    tell: Callable[[str], None],
    on_progress: OnProgress | None,
    offline: bool,
    endpoint: str | None,
) -> Path:
    """The repository's wanted files in the hub's cache."""
    with naming_what_is_missing():
        from huggingface_hub import HfApi, constants, snapshot_download

    offline = offline or constants.HF_HUB_OFFLINE
    try:
        sizes: list[int] = []
        if not offline:
            info = HfApi(endpoint=endpoint).model_info(repository, revision=revision, files_metadata=True)
            sizes = [file.size or 0 for file in info.siblings or [] if _is_wanted(file.rfilename)]
            tell(f"{repository}: {sum(sizes) / 1e6:.1f} MB in {len(sizes)} files")
        cache = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
        with _progress_told(cache, sum(sizes), on_progress):
            fetched = snapshot_download(
                repository,
                revision=revision,
                allow_patterns=list(_WANTED),
                local_files_only=offline,
                endpoint=endpoint,
            )
    except _hub_errors() as error:
        remedy = "it is not in the hub's cache" if offline else "check the name, the network and your access"
        raise PolicyError(f"cannot fetch {repository}: {_first_line(error)}; {remedy}") from error
    return Path(fetched)


@contextmanager
def _progress_told(folder: Path, total: int, tell: OnProgress | None) -> Iterator[None]:
    """Tell a few times a second how many of `total` bytes lie in `folder`, and once more at the end."""
    if tell is None:
        yield
        return
    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_SECONDS):
            tell(min(_bytes_in(folder), total), total)

    watcher = threading.Thread(target=look, name="negopt-pull-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    tell(total, total)


def _bytes_in(folder: Path) -> int:
    """Links do not count: the cache's snapshots are links into its blobs."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() and not path.is_symlink() else 0
        except OSError:  # it was renamed while we looked
            continue
    return total


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _hub_errors() -> tuple[type[Exception], ...]:
    """What the hub's client raises; when no server answers, that depends on its version."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    errors: list[type[Exception]] = [HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError]
    for module, name in (("httpx", "TransportError"), ("requests", "RequestException"), ("httpx2", "TransportError")):
        with suppress(ImportError):
            errors.append(getattr(import_module(module), name))
    return tuple(errors)


def _kept(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file() and _is_wanted(path.name)]


def _is_wanted(name: str) -> bool:
    return "/" not in name and any(fnmatch(name, pattern) for pattern in _WANTED)


def _check(folder: Path, name: str) -> None:
    """A card must be there and readable; a plain language model gets one."""
    if (folder / CARD_NAME).is_file():
        read_card(folder)
        return
    card = card_of(folder)
    plain = PolicyCard(card.kind, name.split("/")[-1].partition("@")[0], card.polarity, provenance={"pulled": name})
    write_text(folder / CARD_NAME, json.dumps(plain.to_json(), indent=2, ensure_ascii=False) + "\n")


def push_policy(source: Path, name: str, *, endpoint: str | None = None) -> list[str]:
    """Upload a policy to `hf:owner/name[@revision]`, as `prepare_repository` makes it; returns the file names.

    huggingface_hub finds the account's token by itself. A repository that is not there yet is made, private.
    Raises PolicyError if the name is malformed, or the hub cannot be reached or refuses.
    """
    repository, revision = _read_name(name)
    with naming_what_is_missing():
        from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint)
    with tempfile.TemporaryDirectory() as folder:
        files = prepare_repository(source, Path(folder) / "repository", name)
        try:
            api.create_repo(repository, private=True, exist_ok=True)
            api.upload_folder(repo_id=repository, folder_path=Path(folder) / "repository", revision=revision)
        except _hub_errors() as error:
            remedy = "check the name and the network, and log in with: hf auth login"
            raise PolicyError(f"cannot upload to {repository}: {_first_line(error)}; {remedy}") from error
    return files


def prepare_repository(source: Path, target: Path, name: str = f"{HUB_PREFIX}OWNER/NAME") -> list[str]:
    """Copy a policy into `target` as a model repository with a README that its card makes; returns the file names.

    `name` is what the README says to pull. Nothing is uploaded. OutputError if the folder exists or cannot be written.
    """
    card = read_card(source)
    if target.exists():
        raise OutputError(f"{target} exists already; remove it first or choose another folder")
    try:
        target.mkdir(parents=True)
        for path in _kept(source):
            if path.name != ORIGIN_NAME:
                shutil.copyfile(path, target / path.name)
        write_text(target / "README.md", readme_of(card, name))
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    return sorted(path.name for path in target.iterdir())


def readme_of(card: PolicyCard, name: str) -> str:
    """The model card of the hub: front matter, what the policy is, how to use it, where it comes from."""
    side = {"negative": "a negative prompt", "modifiers": "modifiers", "both": "a negative prompt and modifiers"}
    lines = [
        "---",
        f"license: {(card.licence or 'other').lower()}",
        "library_name: negopt",
        "tags: [text-to-image, prompt-optimization, negative-prompt]",
        *([f"base_model: {card.base_model}"] if card.base_model else []),
        "---",
        f"# {card.name}",
        "",
        f"A policy of kind `{card.kind}` for negopt: it writes {side[card.polarity]} for a text-to-image prompt.",
        "",
        f"    python -m negopt_core policies pull {name} -o policies",
        f'    python -m negopt_core suggest "a prompt" --policies policies --policy {card.name}',
        "",
        *[f"- {caveat}" for caveat in card.caveats],
        *(["", "## Measured", "", "| what | value |", "|---|---|"] if card.metrics else []),
        *[f"| {name} | {value:.4g} |" for name, value in card.metrics.items()],
        "",
        "## Provenance",
        "",
        "```json",
        json.dumps(card.to_json()["provenance"], indent=2, ensure_ascii=False),
        "```",
    ]
    return "\n".join(lines) + "\n"
