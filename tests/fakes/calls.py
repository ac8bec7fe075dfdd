"""What work costs, without a clock."""

import sys
from collections.abc import Callable

GROWTH, SPARE = 4.4, 200
"""Work that is four times as long may make so many times the calls, and so many more."""


def calls(work: Callable[[], object]) -> int:
    """How many Python and C calls `work` makes: a measure of its cost that no busy machine disturbs."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(tick)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def is_linear(work: Callable[[int], object], size: int) -> bool:
    """True if `work` of 4 x `size` makes about four times the calls of `work` of `size`."""
    return calls(lambda: work(4 * size)) <= GROWTH * calls(lambda: work(size)) + SPARE
