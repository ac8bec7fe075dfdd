"""NegOpt's "Negative Prompts DB" (arXiv 2403.07605): public posts with prompt, negative prompt and likes, in parquet.

The file is not shipped and not fetched; the data set's card states no licence. Reading it needs pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...errors import TrainingError
from ...needs import naming_what_is_missing
from ...provenance.host_text import read_written
from ...text.prompt import DFPrompt
from .pairs import Pair
from .written import all_words, pair_of_sides

_BATCH = 4096
_KINDS = {"str": "text", "int": "whole numbers", "float": "numbers"}


@dataclass(frozen=True, slots=True)
class Post:
    """One row, its fields named and typed as the 13 columns. Empty cells are "" or 0."""

    id: str
    created_at: str
    prompt: str
    negative_prompt: str
    likes: int
    height: int
    width: int
    steps: int
    cursor: int
    sampler: str
    url: str
    model: str
    cfg_scale: float


def read_posts(path: Path) -> Iterator[Post]:
    """The rows of a parquet file, in order, a few thousand in memory at a time.

    Raises MissingPackage without pyarrow, TrainingError if the file is not parquet, lacks columns or holds something
    else.
    """
    parquet, arrow = _arrow()
    try:
        file = parquet.ParquetFile(path)
    except (OSError, arrow.ArrowException) as error:
        raise TrainingError(f"cannot read {path} as parquet: {error}") from error
    with file:
        names = [item.name for item in fields(Post)]
        missing = [name for name in names if name not in file.schema_arrow.names]
        if missing:
            raise TrainingError(
                f"{path} lacks {', '.join(missing)}; the Negative Prompts DB has 13 columns: {', '.join(names)}"
            )
        try:
            for batch in file.iter_batches(_BATCH, columns=names):
                columns = [_column(batch.column(item.name), item, path, arrow) for item in fields(Post)]
                yield from (Post(*row) for row in zip(*columns, strict=True))
        except (OSError, arrow.ArrowException) as error:
            raise TrainingError(f"cannot read {path} as parquet: {error}; fetch the file again") from error


def pairs_of_posts(posts: Iterable[Post], polarity: str, min_likes: int, counts: dict[str, int]) -> Iterator[Pair]:
    """Pairs of the posts with at least `min_likes` likes (the paper asks for one); `counts` follows.

    Words only: what brackets and numbers meant to the site's painter is not known, so every weight is 1.
    """
    counts |= {"rows": 0, "liked": 0}
    for post in posts:
        counts["rows"] += 1
        if post.likes >= min_likes:
            counts["liked"] += 1
            yield pair_of_sides(_words(post.prompt), _words(post.negative_prompt), polarity)


def _words(text: str) -> DFPrompt:
    return DFPrompt.plain(all_words(read_written(text, "a1111")))


def _column(column: Any, item: Any, path: Path, arrow: Any) -> list[Any]:
    wanted = {"str": arrow.string(), "int": arrow.int64(), "float": arrow.float64()}[item.type]
    empty = {"str": "", "int": 0, "float": 0.0}[item.type]
    try:
        values = column.cast(wanted).to_pylist()
    except arrow.ArrowException as error:
        raise TrainingError(
            f"{path}: the column {item.name} should hold {_KINDS[item.type]}, it holds {column.type}"
        ) from error
    return [empty if value is None else value for value in values]


def _arrow() -> tuple[Any, Any]:
    with naming_what_is_missing():
        import pyarrow
        import pyarrow.parquet
    return pyarrow.parquet, pyarrow
