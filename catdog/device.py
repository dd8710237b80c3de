"""Where the network runs: the only module that knows about CUDA, MPS and half precision."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar

import torch
from torch import nn

Call = TypeVar("Call", bound=Callable[..., Any])
Network = TypeVar("Network", bound=nn.Module)

# On a Hugging Face Space with ZeroGPU the package makes torch see a GPU, so it is imported before anything is placed.
spaces = importlib.import_module("spaces") if os.environ.get("SPACES_ZERO_GPU") else None

DEVICES = ("auto", "cpu", "cuda", "mps")
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # of glibc's malloc.h


class DeviceError(ValueError):
    """A device that this machine, or this build of PyTorch, does not have: one sentence with a way out."""


def choose_device(name: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one, else the CPU. `cuda:1` and the like are passed on.

    Raises:
        DeviceError: for a device that is not there.
    """
    if name in ("auto", "cuda") and torch.cuda.is_available():
        processes, there = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
        if processes > there:
            raise DeviceError(
                f"torchrun started {processes} processes on a machine with {there} GPU{'s' if there > 1 else ''}, and "
                f"each needs its own: use --nproc-per-node={there}, or --device cpu."
            )
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))  # torchrun numbers a machine's processes
        torch.cuda.set_device(device)
        return device
    if name == "auto":
        return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")
    kind = name.partition(":")[0]
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(kind, False):
        raise DeviceError(f"This machine has no device {name}: use --device cpu or auto.")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except RuntimeError as error:
        raise DeviceError(f"This machine has no device {name}: use --device cpu or auto.") from error
    return device


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to its device, in the memory layout that is fastest there."""
    return network.to(device).to(memory_format=torch.channels_last)


def repeat_exactly(device: torch.device) -> None:
    """Have CUDA compute the same sums in the same order every time; the CPU does anyway."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS asks for
        torch.use_deterministic_algorithms(True, warn_only=True)


def half_precision(device: torch.device, bfloat16: bool = False) -> AbstractContextManager[Any]:
    """Half precision on CUDA, where it is faster; float32 elsewhere, where it is not.

    With `bfloat16`, that format on the CPU: faster with AVX512-BF16 or AMX instructions, slower without them.
    """
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.float16)
    return torch.autocast("cpu", dtype=torch.bfloat16) if bfloat16 and device.type == "cpu" else nullcontext()


def has_fast_bfloat16() -> bool:
    """Whether the CPU computes in bfloat16 faster than in float32: with AVX512-BF16 or AMX instructions."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # not in the oldest PyTorch that will do
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device's memory, the GPU's or the CPU's, was too small for a computation."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error) or "allocate memory" in str(error)


def release_memory(device: torch.device) -> None:
    """Give back what PyTorch keeps for later, so that a smaller batch finds it in one piece."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def keep_memory() -> None:
    """On Linux, keep what freed tensors leave for the next ones, as long as this process lives.

    glibc gives a large block back to the system at once, and the system clears every page of the next one before it is
    used: on two cores that took a third of a training step. `scripts/benchmark.py --only step` measures it.
    """
    set_malloc(M_MMAP_MAX, 0)  # no block of its own for a large tensor
    set_malloc(M_TRIM_THRESHOLD, 2**31 - 1)


def share_heaps() -> None:
    """On Linux, let threads share two heaps: glibc gives each its own, and each keeps what large pictures leave in it."""
    set_malloc(M_ARENA_MAX, 2)


def give_back_memory() -> None:
    """On Linux, give the system back what freed blocks hold between others: glibc gives back what lies at a heap's end alone."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def set_malloc(option: int, value: int) -> None:
    """Set an option of glibc's allocator; nothing where the C library is another."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(option, value)


def gpu_is_borrowed() -> bool:
    """Whether this is a ZeroGPU Space, where a GPU is lent for the time of a call."""
    return spaces is not None


def on_zero_gpu(call: Call) -> Call:
    """On a ZeroGPU Space, borrow the GPU for the time of each call; elsewhere, the call as it is."""
    return call if spaces is None else spaces.GPU(call)
