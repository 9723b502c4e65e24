"""The machine: its device and threads, arithmetic with the same bits each time, memory, timings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

import psutil
import torch

from l2l.config.schema import Compute, Stage
from l2l.errors import UserError
from l2l.progress import Progress


def prepare(settings: Compute, stage: Stage | None = None) -> torch.device:
    """Set threads and deterministic algorithms, and choose the device of a stage.

    Args:
        settings: `compute` of the configuration.
        stage: the stage that is about to compute; None: none of those with a device of their own.

    Raises:
        UserError: the configuration asks for cuda, and PyTorch sees no GPU.
    """
    torch.set_num_threads(settings.threads)
    device = settings.device_of(stage)
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        key = f"devices.{stage}" if stage in settings.devices else "device"
        raise UserError(f"compute.{key} = cuda, but PyTorch sees no GPU; set it to auto or cpu")
    if not cuda or device == "cpu":
        return torch.device("cpu")  # everything used here is deterministic on a CPU
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Otherwise each empty tensor costs a kernel.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.allow_tf32 = False  # cuDNN would round its inputs to 10 bits
    return torch.device("cuda")


def free_memory(device: torch.device) -> int:
    """Free memory of a GPU, or of the machine for the CPU, in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def milliseconds(work: Callable[[], object], device: torch.device) -> float:
    """The time of one call, with all work that it starts on a GPU."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return 1e3 * (time.perf_counter() - start)


def interleaved(
    work: Mapping[str, Callable[[], object]], rounds: int, device: torch.device, label: str
) -> dict[str, list[float]]:
    """Time several pieces of work in turn, so that a drift of the machine meets all alike.

    Args:
        work: name -> what is timed.
        rounds: how often; one more round before them does not count.
        device: where the work computes.
        label: for progress.

    Returns:
        Name -> milliseconds of each round.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    progress = Progress(label, rounds + 1, unit="round")
    for number in range(rounds + 1):
        for name, piece in work.items():
            elapsed = milliseconds(piece, device)
            if number:
                times[name].append(elapsed)
        progress.advance()
    progress.close()
    return times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
