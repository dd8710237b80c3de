"""What the processes of a training run are told, and what they tell each other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

STOPPING = b"\nStopping: the best epoch is kept and measured; once more leaves at once.\n"


def rank_and_world() -> tuple[int, int]:
    """This process's number, and how many there are: (0, 1) without torchrun."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


@contextmanager
def first_process_first() -> Iterator[None]:
    """Under torchrun, the other processes wait until the first one is through: what it downloads, they find."""
    rank, world = rank_and_world()
    if rank > 0:
        dist.barrier()
    yield
    if rank == 0 and world > 1:
        dist.barrier()


@contextmanager
def stop_signals(first: bool) -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a polite kill set a flag that the loop reads between two steps; a second Ctrl-C is immediate."""
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        if first:
            os.write(2, STOPPING)  # print may not be called while a print is under way

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread, where Python takes no signals
        before = {}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupt(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends Ctrl-C to workers too; the main process decides


def any_process(holds: bool, device: torch.device) -> bool:
    """Whether it holds in any process: once one is asked to stop, all must leave the loop at the same step."""
    if not dist.is_initialized():
        return holds
    flag = torch.tensor(float(holds), device=device)
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag.item())


def broadcast(figures: dict[str, float]) -> dict[str, float]:
    """The first process's figures, in every process."""
    if not dist.is_initialized():
        return figures
    box = [figures]
    dist.broadcast_object_list(box)
    return box[0]
