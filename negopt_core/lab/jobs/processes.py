"""Several processes as one: who does which rows of a round, and what they tell each other about them.

Started by torchrun, `accelerate launch` or mpirun; alone, every method does nothing or gives back what it got, so that
a trainer is written once. Every process draws the same random numbers for the whole round and works on its own rows;
sums over all of them are those of one process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ...errors import TrainingError
from ...torch_file import hash_tensors

_RANK = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
_SIZE = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_LOCAL = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID")
_PATIENCE = timedelta(hours=1)
"""How long a process waits for another, whose pictures may take longer than its own."""
_KEPT = "what was saved before is intact, and the same command goes on from there"

Rows = TypeVar("Rows", bound="Sequence[Any] | Tensor")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of a job."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Its number on its own machine."""

    @property
    def is_leader(self) -> bool:
        """True for the one process that writes files and speaks to the user."""
        return self.rank == 0

    @property
    def device(self) -> str | None:
        """The GPU of this process where several share a machine; None leaves the choice open."""
        has_choice = self.size > 1 and torch.cuda.is_available()
        return f"cuda:{self.local_rank % torch.cuda.device_count()}" if has_choice else None

    def own(self, rows: Rows) -> Rows:
        """The part of a round that is this process's: rows in order, as evenly as they can be shared."""
        first, stop = self._share(len(rows))
        return rows[first:stop]  # type: ignore[return-value]

    def own_places(self, places: Tensor, count: int) -> Tensor:
        """Of places in a round of `count` rows those that are this process's, as places among its own rows."""
        first, stop = self._share(count)
        return places[(places >= first) & (places < stop)] - first

    def _share(self, count: int) -> tuple[int, int]:
        return self.rank * count // self.size, (self.rank + 1) * count // self.size

    def gather(self, rows: Tensor) -> Tensor:
        """The own rows [b, ...] of all processes in order; a second axis is filled up with 0 to the longest."""
        if self.size == 1:
            return rows
        kind, rows = rows.dtype, rows.to(torch.uint8) if rows.dtype == torch.bool else rows
        shape = torch.tensor([len(rows), *rows.shape[1:2]], device=rows.device)
        shapes = _all_gather(shape, self.size)
        padded = rows.new_zeros([int(most) for most in torch.stack(shapes).amax(dim=0)] + list(rows.shape[2:]))
        padded[tuple(slice(0, length) for length in rows.shape)] = rows
        parts = _all_gather(padded, self.size)
        return torch.cat([part[: int(its_shape[0])] for part, its_shape in zip(parts, shapes, strict=True)]).to(kind)

    def sum(self, values: Mapping[str, float]) -> dict[str, float]:
        """Each value summed over all processes."""
        if self.size == 1:
            return dict(values)
        total = torch.tensor(list(values.values()), dtype=torch.float64)
        _call(dist.all_reduce, total)
        return dict(zip(values, total.tolist(), strict=True))

    def shares(self, masks: Mapping[str, Tensor]) -> dict[str, float]:
        """This process's part of the places of each mask: means over the own places, times this, add up to the mean."""
        counts = {name: float(mask.sum()) for name, mask in masks.items()}
        totals = self.sum(counts)
        return {name: count / max(totals[name], 1.0) for name, count in counts.items()}

    def any(self, flag: bool) -> bool:
        """True if it is for any process."""
        return self.sum({"flag": float(flag)})["flag"] > 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every process the sum of all gradients; a gradient that nobody has stays None."""
        if self.size == 1:
            return
        learning = [parameter for parameter in parameters if parameter.requires_grad]
        has_one = torch.tensor([float(parameter.grad is not None) for parameter in learning])
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
        flat = torch.cat([*(grad.float().flatten() for grad in grads), has_one.to(grads[0].device)])
        _call(dist.all_reduce, flat)
        *sums, owners = torch.split(flat, [*(grad.numel() for grad in grads), len(learning)])
        for parameter, total, count in zip(learning, sums, owners.tolist(), strict=True):
            parameter.grad = total.view_as(parameter).to(parameter.dtype) if count else None

    def tell(self, text: str) -> list[str]:
        """What every process has to say, in their order."""
        letters = torch.tensor([list(text.encode() or b"\0")], dtype=torch.uint8)
        return [bytes(row.tolist()).rstrip(b"\0").decode() for row in self.gather(letters)]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work after which all go on or all stop: nobody waits for a process that has failed.

        What stands inside must not talk to the other processes itself.
        """
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        reasons = self.tell(" ".join(f"{failure or ''}".split()) or ("an error" if failure else ""))
        if failure is not None:
            raise failure
        for rank, reason in enumerate(reasons):
            if reason:
                raise TrainingError(f"process {rank} of {self.size} failed ({reason}); {_KEPT}")

    def check_same(self, step: int, modules: Mapping[str, nn.Module]) -> None:
        """TrainingError unless all processes stand at the same step with the same weights."""
        if self.size == 1:
            return
        states = self.tell(f"step {step}, weights {_fingerprint(modules)}")
        if len(set(states)) > 1:
            raise TrainingError(
                f"the processes do not start alike ({'; '.join(states)}); the run folder and the policy have to be the "
                "same files on every machine, on a disk that they share"
            )


ALONE = Processes()


def world_size() -> int:
    """How many processes this one was started with."""
    return _number(_SIZE, 1)


def check_alone(command: str) -> None:
    """TrainingError if a launcher started several processes of something that one process does."""
    if world_size() > 1:
        raise TrainingError(f"{command} is work for one process, this is one of {world_size()}; start it by itself")


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that this one was started with, as its launcher's environment says; alone without one."""
    size = world_size()
    if size == 1:
        yield ALONE
        return
    processes = Processes(_number(_RANK, 0), size, _number(_LOCAL, 0))
    has_cuda = torch.cuda.is_available()
    if has_cuda:
        torch.cuda.set_device(str(processes.device))
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if has_cuda else "gloo",
            init_method="env://",
            timeout=_PATIENCE,
            rank=processes.rank,
            world_size=size,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise TrainingError(
            f"process {processes.rank} of {size} cannot join the others: {_first_line(error)}; start all of them with "
            "torchrun or accelerate launch"
        ) from error
    try:
        yield processes
    finally:
        dist.destroy_process_group()


def _number(names: Sequence[str], otherwise: int) -> int:
    for name in names:
        if os.environ.get(name, "").isdecimal():
            return int(os.environ[name])
    return otherwise


def _all_gather(value: Tensor, size: int) -> list[Tensor]:
    parts = [torch.empty_like(value) for _ in range(size)]
    _call(dist.all_gather, parts, value)
    return parts


def _call(collective: Callable[..., Any], *values: Any) -> None:
    """A collective; a peer that is gone shows as a RuntimeError of whatever wording the backend has."""
    try:
        collective(*values)
    except RuntimeError as error:
        raise TrainingError(f"another process has ended ({_first_line(error)}); {_KEPT}") from error


def _fingerprint(modules: Mapping[str, nn.Module]) -> str:
    tensors = {f"{part}.{name}": value for part, one in modules.items() for name, value in one.state_dict().items()}
    return hash_tensors(tensors)[:12]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
