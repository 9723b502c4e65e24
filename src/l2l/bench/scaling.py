"""The kernels from a thousand to ten million coordinates: measured time, counted memory."""

from __future__ import annotations

from typing import Any

import psutil
import torch
from torch import Tensor

from l2l import kernels
from l2l.bench.timing import Spread, milliseconds
from l2l.bench.workload import KernelWindow
from l2l.progress import Progress

STEPS = 20
REPEATS = 3
LARGE = 500_000  # coordinates whose window takes a CPU seconds: timed once, without a warm-up


def scaling(
    window: KernelWindow, sizes: list[int], device: torch.device
) -> tuple[list[dict[str, Any]], list[str]]:
    """Time both kernels on windows of random inputs.

    Args:
        window: phi is taken from it.
        sizes: numbers of coordinates.
        device: where to compute.

    Returns:
        For each size the median time of a forward and backward step of one coordinate (of LARGE
        ones a single run), and the bytes (counted) that a window of 20 steps keeps of it; and a
        line for each size that does not fit into the free memory.
    """
    rows, skipped = [], []
    progress = Progress("bench: scaling", len(sizes), unit="size")
    for coordinates in sizes:
        per_step, state = _bytes(window)
        needed = coordinates * (state + STEPS * per_step)
        if needed > free_memory(device):
            skipped.append(f"{coordinates:.0e} coordinates need {needed / 2**30:.1f} GiB")
        else:
            rows.append(_measure(window, coordinates, device))
        progress.advance()
    progress.close()
    return rows, skipped


def _bytes(window: KernelWindow) -> tuple[int, int]:
    """What a window keeps of a coordinate: for each step (inputs, cotangent), and its states.

    The states are the window's first, for the backward pass, and the one that goes on; on a GPU
    also the one before, and what goes into the captured step and comes out of it.
    """
    per_step = window.inputs[0, 0].nbytes + window.cotangents[0, 0].nbytes
    one = kernels.zero_state(window.phi, 1)
    states = 5 if window.inputs.is_cuda else 2
    return per_step, states * (one.hidden.nbytes + one.cell.nbytes)


def free_memory(device: torch.device) -> int:
    """Bytes that the device, or the machine, has left."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def _measure(window: KernelWindow, coordinates: int, device: torch.device) -> dict[str, Any]:
    inputs_each = window.inputs.shape[2]
    generator = torch.Generator(device).manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device=device, dtype=window.inputs.dtype)

    case = KernelWindow(
        window.phi,
        draw(STEPS, coordinates, inputs_each),
        kernels.zero_state(window.phi, coordinates),
        draw(STEPS, coordinates),
    )

    def nanoseconds() -> float:
        elapsed = milliseconds(case.forward, device) + milliseconds(case.backward, device)
        return 1e6 * elapsed / (coordinates * STEPS)

    once = coordinates >= LARGE and device.type == "cpu"
    times = [nanoseconds() for _ in range(1 if once else REPEATS + 1)]
    per_step, state = _bytes(window)
    return {
        "coordinates": coordinates,
        "ns_per_coordinate_step": Spread.of(times[-REPEATS:]).median,
        "bytes_per_coordinate": state + STEPS * per_step,
    }
