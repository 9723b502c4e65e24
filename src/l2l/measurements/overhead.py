"""What an optimizer's step costs: time and state against the number of coordinates (claim C14).

One problem at a time (B = 1), with random gradients. A step is the update and its addition to
theta, equations (3) and (1); the gradient itself is timed apart, on the problems that have one. All
optimizers take turns within a repeat, so that a drift of the machine meets them alike.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from l2l import kernels
from l2l.bench.scaling import free_memory
from l2l.bench.timing import interleaved, milliseconds
from l2l.config.measurements import GRADIENT, GRID, IMPLEMENTATIONS
from l2l.kernels import implementation
from l2l.optimizers import CoordinatewiseLSTM, Grouped, Optimizer, bind
from l2l.problems import Family, Problem
from l2l.rng import stream

DEFAULT, REFERENCE = IMPLEMENTATIONS
SECONDS = 0.02  # a timing repeats steps until it takes about so long
MOST_STEPS = 1000
SLOWEST = 5.0  # seconds a step; what is expected to take longer is left out
LARGE = 2_000_000  # coordinates, from which on a size has so few repeats:
REPEATS_OF_LARGE = 2
STATES_OF_COMPILED, STATES_OF_OTHERS = 1.5, 8.0
"""Memory of a step, in sizes of the state: compiled kernels overwrite it, others keep the old one
and intermediate results."""
OTHER_BYTES = 32  # of a coordinate: theta before and after, gradient, step, some more
MINIBATCHES = 8  # that the gradients of a problem are timed on, in turn


@dataclass(frozen=True)
class Timed:
    """An optimizer as it is timed.

    Attributes:
        name: its key in the table.
        implementation: "default" or "reference".
        optimizer: bound to no problem yet.
        compiled: whether kernels serve it.
    """

    name: str
    implementation: str
    optimizer: Optimizer
    compiled: bool = False

    def memory(self, state_bytes: float) -> float:
        """Bytes of a coordinate that steps may need, for a state of so many."""
        states = STATES_OF_COMPILED if self.compiled else STATES_OF_OTHERS
        return states * state_bytes + OTHER_BYTES


def both_implementations(name: str, optimizer: Optimizer) -> list[Timed]:
    """The optimizer as it is used, and an LSTM that kernels serve in plain PyTorch too.

    Where they cannot be compiled both are the same, and timed all the same: claims name them.
    """
    if not isinstance(optimizer, CoordinatewiseLSTM | Grouped) or optimizer.settings.averaged_cells:
        return [Timed(name, DEFAULT, optimizer)]
    compiled = implementation(next(iter(optimizer.phi.values()))) is not kernels.reference
    return [Timed(name, DEFAULT, optimizer, compiled), Timed(name, REFERENCE, optimizer)]


def overhead(
    subjects: list[Timed],
    families: Mapping[str, Family],
    sizes: list[int],
    repeats: int,
    seed: int,
    device: torch.device,
) -> pd.DataFrame:
    """Time every optimizer at every size, and the gradient of every family's problems.

    Args:
        subjects: what is timed.
        families: name -> problems, whose numbers of coordinates are sizes too. At all other sizes
            theta is laid out like that of the first one.
        sizes: numbers of coordinates.
        repeats: timings of each; 2 of large sizes.
        seed: of the problems and the gradients.
        device: where to compute.

    Returns:
        A tidy row for each timing: timed (an optimizer's key, or "gradient"), implementation,
        problem (name, or "grid" at a size that is not a problem's), coordinates, repeat, seconds
        (of a step, or of a loss and its gradient), state_bytes (of a coordinate). What would need
        too much memory or time is left out, and said.
    """
    problems = {
        name: family.sample(("measure", name), range(1), MINIBATCHES)
        for name, family in families.items()
    }
    layout = next(iter(problems.values())).places()
    cases = [(GRID, size, _scaled(layout, size)) for size in sorted(sizes)]
    cases += [(name, one.coordinates, one.places()) for name, one in problems.items()]
    rows: list[dict[str, Any]] = []
    before: dict[tuple[str, str], dict[str, Any]] = {}  # a timing at the size before
    for problem, size, places in sorted(cases, key=lambda case: case[1]):
        label = f"measure overhead: {size:,} coordinates"
        left = float(free_memory(device))
        pieces: dict[tuple[str, str], _Piece] = {}
        for subject in subjects:
            key = (subject.name, subject.implementation)
            if last := before.get(key):
                seconds = size * last["seconds"] / last["coordinates"]
                needed = size * subject.memory(last["state_bytes"])
                if seconds > SLOWEST or needed > left:
                    print(
                        f"{label}: {' '.join(key)} is left out: it may take {seconds:.1f} s a step "
                        f"and {needed / 2**30:.1f} GiB",
                        file=sys.stderr,
                    )
                    continue
                left -= needed
            pieces[key] = _Steps(subject, places, size, seed, device)
        if problem in problems:
            pieces[GRADIENT, DEFAULT] = _Gradients(problems[problem])
        rounds = repeats if size < LARGE else min(repeats, REPEATS_OF_LARGE)
        for timing in _timings(pieces, rounds, label, device):
            row = {**timing, "problem": problem, "coordinates": size}
            rows.append(row)
            before[row["timed"], row["implementation"]] = row
    columns = ["timed", "implementation", "problem", "coordinates", "repeat", "seconds"]
    return pd.DataFrame(rows)[[*columns, "state_bytes"]]


def _scaled(layout: Mapping[str, Tensor], size: int) -> dict[str, Tensor]:
    """The places of a theta of another size; each named parameter keeps its share, 1 at least."""
    names = list(layout)[:size]
    total = sum(len(layout[name]) for name in names)
    ends: list[int] = []
    for number, end in enumerate(itertools.accumulate(len(layout[name]) for name in names), 1):
        least = ends[-1] + 1 if ends else 1
        ends.append(min(max(size * end // total, least), size - (len(names) - number)))
    everything = torch.arange(size, device=layout[names[0]].device)
    return dict(zip(names, everything.tensor_split(ends[:-1]), strict=True))


class _Piece:
    """Work that can be repeated `times` over.

    Attributes:
        state_bytes: of a coordinate.
        times: how often a call does it.
    """

    state_bytes = 0.0
    times = 1

    def __call__(self) -> None:
        with torch.no_grad():
            for _ in range(self.times):
                self.once()

    def once(self) -> None:
        """The work."""
        raise NotImplementedError


class _Steps(_Piece):
    """Steps of an optimizer on gradients drawn at random."""

    def __init__(
        self,
        subject: Timed,
        places: Mapping[str, Tensor],
        size: int,
        seed: int,
        device: torch.device,
    ) -> None:
        generator = stream(seed, "measure", "overhead", size)
        self._gradient = torch.randn(1, size, generator=generator).mul_(0.01).to(device)
        self._theta = torch.zeros_like(self._gradient)
        self._environment = (
            _reference if subject.implementation == REFERENCE else contextlib.nullcontext
        )
        self._optimizer = bind(subject.optimizer, places)
        with self._environment():
            self._state = self._optimizer.init(self._theta)
        self.state_bytes = count_bytes(self._state) / size

    def __call__(self) -> None:
        with self._environment():
            super().__call__()

    def once(self) -> None:
        """A step, and its addition to theta."""
        step, self._state = self._optimizer.update(self._gradient, self._state, reuse=True)
        self._theta = self._theta + step


class _Gradients(_Piece):
    """Losses and gradients of a problem at its start, minibatch after minibatch."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._theta = problem, problem.initial()
        self._steps = itertools.cycle(range(MINIBATCHES))

    def once(self) -> None:
        """Loss and gradient."""
        self._problem.loss_and_gradient(self._theta, next(self._steps))


def _timings(
    pieces: Mapping[tuple[str, str], _Piece], rounds: int, label: str, device: torch.device
) -> Iterator[dict[str, Any]]:
    """Seconds of each piece of work in each round."""
    for piece in pieces.values():
        piece()
        once = milliseconds(piece, device) / 1e3
        piece.times = min(max(math.ceil(SECONDS / once), 1), MOST_STEPS)
    work: dict[str, Callable[[], object]] = {"/".join(key): one for key, one in pieces.items()}
    times = interleaved(work, rounds, device, label)
    for (name, kind), piece in pieces.items():
        for repeat, elapsed in enumerate(times[f"{name}/{kind}"]):
            seconds = elapsed / 1e3 / piece.times
            row = {"timed": name, "implementation": kind, "repeat": repeat, "seconds": seconds}
            yield {**row, "state_bytes": piece.state_bytes}


def count_bytes(state: Any) -> int:
    """The memory of all tensors of a state; counters are not counted."""
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(map(count_bytes, state.values()))
    return sum(map(count_bytes, state)) if isinstance(state, tuple | list) else 0


@contextlib.contextmanager
def _reference() -> Iterator[None]:
    """Within this context the LSTM runs in plain PyTorch."""
    chosen = os.environ.get("L2L_KERNEL")
    os.environ["L2L_KERNEL"] = "reference"
    try:
        yield
    finally:
        if chosen is None:
            del os.environ["L2L_KERNEL"]
        else:
            os.environ["L2L_KERNEL"] = chosen
