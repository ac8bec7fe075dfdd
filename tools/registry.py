"""Writes the folder that is published in ComfyUI's registry.

`python tools/registry.py FOLDER --publisher ID --repository ADDRESS`

It holds what `.comfyignore` leaves, a pyproject.toml with the publisher and the addresses, and the demo world's
weights in 8 bits, which keeps the archive below the limit. Nothing is sent: `comfy node publish` does that.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IGNORED = ".comfyignore"
PROJECT = "pyproject.toml"
LIMIT_BYTES = 15_000_000
"""Of the archive."""
WORLD = "negopt_core/assets/world"
ICON, BANNER, GUIDE = "web/icon.svg", "docs/images/banner.jpg", "docs/comfyui.md"
_ADDRESS = re.compile(r"https://[\w.-]+/[\w./-]+")
_PUBLISHER = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, and where the repository is."""

    name: str
    """The id of a publisher on registry.comfy.org."""
    repository: str
    """The address of the repository, such as `https://github.com/OWNER/negopt`."""

    def __post_init__(self) -> None:
        if not _PUBLISHER.fullmatch(self.name):
            raise ValueError(f"--publisher {self.name!r}: small letters, digits, - and _, as the registry shows it")
        if not _ADDRESS.fullmatch(self.repository) or self.repository.endswith((".git", "/")):
            raise ValueError(
                f"--repository {self.repository!r}: the page's address, as https://github.com/OWNER/negopt"
            )


def archive_files(root: Path = ROOT) -> list[str]:
    """The files of the archive, as paths below `root`: what git tracks, without what `.comfyignore` names."""
    left_out = set(_git(root, "-i", f"--exclude-from={root / IGNORED}"))
    return [name for name in _git(root) if name not in left_out]


def _git(root: Path, *args: str) -> list[str]:
    command = ["git", "ls-files", "-z", "-c", *args]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")[:-1]


def complete(project: str, publisher: Publisher) -> str:
    """The text of pyproject.toml with everything that the registry reads; `project` is the one in this repository."""
    at, files = publisher.repository, f"{publisher.repository}/raw/HEAD"
    places = f'Repository = "{at}"\nDocumentation = "{at}/blob/HEAD/{GUIDE}"\n"Bug Tracker" = "{at}/issues"'
    urls = f"[project.urls]\n{places}\n\n"
    comfy = f'PublisherId = "{publisher.name}"\nIcon = "{files}/{ICON}"\nBanner = "{files}/{BANNER}"\n'
    for heading, before, behind in (("[project.scripts]\n", urls, ""), ("[tool.comfy]\n", "", comfy)):
        if project.count(heading) != 1:
            raise ValueError(f"{PROJECT} needs one {heading.strip()}")
        project = project.replace(heading, before + heading + behind)
    return project


def write_folder(folder: Path, publisher: Publisher, root: Path = ROOT) -> None:
    """Fill `folder`, which must be empty or new."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty")
    for name in archive_files(root):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
    for path in sorted((folder / WORLD).glob("*/*.safetensors")):
        _shrink(path)
    project = (root / PROJECT).read_text(encoding="utf-8")
    (folder / PROJECT).write_text(complete(project, publisher), encoding="utf-8")


def _shrink(path: Path) -> None:
    """Store a safetensors file's matrices in 8 bits; readers of the world compute in float32 as before."""
    sys.path.insert(0, str(ROOT))
    from safetensors import safe_open
    from safetensors.torch import save_file

    from negopt_core.world.small import shrink

    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    save_file(shrink(tensors), path, header)


def archive_bytes(folder: Path) -> int:
    """What a ZIP of the folder takes."""
    packed = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))
    size = packed.stat().st_size
    packed.unlink()
    return size


def main() -> int:
    """Write the folder and say how large its archive is; the exit status is 1 above the limit, 2 for bad flags."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--publisher", required=True)
    parser.add_argument("--repository", required=True)
    flags = parser.parse_args()
    try:
        write_folder(flags.folder, Publisher(flags.publisher, flags.repository))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    size = archive_bytes(flags.folder)
    print(f"wrote {flags.folder}: {size / 1e6:.1f} MB as a ZIP; look at it, then run `comfy node publish` in it")
    return int(size > LIMIT_BYTES)


if __name__ == "__main__":
    sys.exit(main())
