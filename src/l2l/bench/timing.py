"""Times of several pieces of work, taken in turn so that a machine's drift meets all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from l2l.progress import Progress


class Spread(NamedTuple):
    """Repeated measurements of one thing."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """The median, the smallest and the largest value."""
        return cls(statistics.median(values), min(values), max(values))


def milliseconds(work: Callable[[], object], device: torch.device) -> float:
    """How long one call takes, with all that it started on a GPU."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return 1e3 * (time.perf_counter() - start)


def interleaved(
    work: Mapping[str, Callable[[], object]], rounds: int, device: torch.device, label: str
) -> dict[str, list[float]]:
    """Milliseconds of each piece of work in each round, after one round that does not count."""
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
