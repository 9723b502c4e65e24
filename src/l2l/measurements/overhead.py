"""What an optimizer's step costs: time and state against the number of coordinates (claim C14).

There is one problem at a time (B = 1), with random gradients. A step is the update and its addition
to theta, equations (3) and (1). The gradient itself is timed on its own, on the problems that have
one. A whole inner step takes the sum of both, so an optimizer's overhead is its sum divided by that
of another optimizer. Within a repeat all take turns, so that a drift of the machine affects them
alike.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from l2l import kernels
from l2l.compute import free_memory, interleaved, milliseconds
from l2l.config.measurements import GRADIENT, GRID, IMPLEMENTATIONS, Overhead
from l2l.kernels import implementation
from l2l.optimizers import (
    CoordinatewiseLSTM,
    Grouped,
    NormalisedLSTM,
    Optimizer,
    bind,
    make_baseline,
)
from l2l.optimizers.weights import initial_phi, make_optimizer
from l2l.problems import Family, Problem
from l2l.rng import stream

if TYPE_CHECKING:
    from l2l.run import Run

DEFAULT, REFERENCE = IMPLEMENTATIONS
SECONDS = 0.02  # a timing repeats steps until it takes about this long
MOST_STEPS = 1000
SLOWEST = 5.0  # seconds a step; what is expected to take longer is left out
LARGE = 2_000_000  # sizes from here on have fewer repeats:
REPEATS_OF_LARGE = 2
STATES_OF_COMPILED, STATES_OF_OTHERS = 1.5, 8.0
"""Memory of a step, in sizes of the state: compiled kernels overwrite the state, other optimizers
keep the old one and intermediate results."""
OTHER_BYTES = 32  # of a coordinate: theta before and after, gradient, step, and a reserve
MINIBATCHES = 8  # on which the gradients of a problem are timed, in turn


def measure(run: Run) -> pd.DataFrame:
    """The table of `overhead` for a run's optimizers, with untrained weights, and its problems.

    Nothing else should run meanwhile.
    """
    config = run.config
    settings: Overhead = config.measurements.overhead
    families, device = run.open_problems(settings.problems, "measure")
    subjects = []
    for name in settings.recipes:
        optimizer = config.recipes[name].optimizer
        phi = initial_phi(optimizer, stream(config.seed, "measure", "overhead", name))
        phi = {key: weight.to(device) for key, weight in phi.items()}
        subjects += both_implementations(name, make_optimizer(optimizer, phi))
    for name in settings.baselines:
        subjects += both_implementations(name, make_baseline(name, 1e-3))
    sizes = list(settings.coordinates)
    return overhead(subjects, families, sizes, settings.repeats, config.seed, device)


@dataclass(frozen=True)
class Timed:
    """An optimizer that is timed.

    Attributes:
        name: its key in the table.
        implementation: "default", or "reference" for plain PyTorch.
        optimizer: bound to no problem yet.
        compiled: whether compiled kernels serve it.
    """

    name: str
    implementation: str
    optimizer: Optimizer
    compiled: bool = False

    def memory(self, state_bytes: float) -> float:
        """Bytes of a coordinate that a step may need, for a state of `state_bytes` a coordinate."""
        states = STATES_OF_COMPILED if self.compiled else STATES_OF_OTHERS
        return states * state_bytes + OTHER_BYTES


def both_implementations(name: str, optimizer: Optimizer) -> list[Timed]:
    """The optimizer as it is used, and in plain PyTorch too if kernels serve it.

    Where kernels cannot be compiled both are the same. Both are timed even so, because claims name
    both.
    """
    if (
        not isinstance(optimizer, CoordinatewiseLSTM | NormalisedLSTM | Grouped)
        or optimizer.settings.couples
    ):
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
            theta has the layout of the first family's, scaled.
        sizes: numbers of coordinates.
        repeats: timings of each optimizer and size; large sizes have 2 at most.
        seed: of the problems and the gradients.
        device: where to compute.

    Returns:
        A tidy row for each timing: timed (an optimizer's key, or "gradient"), implementation,
        problem (name, or "grid" at a size that is not a problem's), coordinates, repeat, seconds
        (of a step, or of a loss and its gradient), seconds_with_gradient (of a step and of the
        problem's gradient in the same repeat; empty for the gradient and the grid), state_bytes (of
        a coordinate). Steps that would need too much memory or time are left out, with a line on
        stderr.
    """
    problems = {
        name: family.sample(("measure", name), range(1), MINIBATCHES)
        for name, family in families.items()
    }
    layout = next(iter(problems.values())).places()
    cases = [(GRID, size, _scaled(layout, size)) for size in sorted(sizes)]
    cases += [(name, one.coordinates, one.places()) for name, one in problems.items()]
    rows: list[dict[str, Any]] = []
    before: dict[tuple[str, str], dict[str, Any]] = {}  # the last timing at the size before
    for problem, size, places in sorted(cases, key=lambda case: case[1]):
        label = f"measure overhead: {size:,} coordinates"
        left = float(free_memory(device))
        works: dict[tuple[str, str], _Work] = {}
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
            works[key] = _steps(subject, places, size, seed, device)
        if problem in problems:
            works[GRADIENT, DEFAULT] = _gradients(problems[problem])
        rounds = repeats if size < LARGE else min(repeats, REPEATS_OF_LARGE)
        for timing in _timings(works, rounds, label, device):
            row = {**timing, "problem": problem, "coordinates": size}
            rows.append(row)
            before[row["timed"], row["implementation"]] = row
    return _with_gradient(pd.DataFrame(rows))


def _with_gradient(times: pd.DataFrame) -> pd.DataFrame:
    """The table with `seconds_with_gradient`."""
    own = times["timed"] == GRADIENT
    gradients = times[own].set_index(["problem", "repeat"])["seconds"]
    places = pd.MultiIndex.from_frame(times[["problem", "repeat"]])
    sums = times["seconds"] + gradients.reindex(places).to_numpy()
    columns = ["timed", "implementation", "problem", "coordinates", "repeat", "seconds"]
    filled = times.assign(seconds_with_gradient=sums.mask(own))
    return filled[[*columns, "seconds_with_gradient", "state_bytes"]]


def _scaled(layout: Mapping[str, Tensor], size: int) -> dict[str, Tensor]:
    """The places in a theta of another size; each parameter keeps its share, 1 at least."""
    names = list(layout)[:size]
    total = sum(len(layout[name]) for name in names)
    ends: list[int] = []
    for number, end in enumerate(itertools.accumulate(len(layout[name]) for name in names), 1):
        least = ends[-1] + 1 if ends else 1
        ends.append(min(max(size * end // total, least), size - (len(names) - number)))
    everything = torch.arange(size, device=layout[names[0]].device)
    return dict(zip(names, everything.tensor_split(ends[:-1]), strict=True))


@dataclass
class _Work:
    """Work that is timed.

    Attributes:
        once: does it once.
        state_bytes: of a coordinate.
        environment: the context that it is done in.
        times: how often a call does it.
    """

    once: Callable[[], object]
    state_bytes: float = 0.0
    environment: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    times: int = 1

    def __call__(self) -> None:
        with torch.no_grad(), self.environment():
            for _ in range(self.times):
                self.once()


def _steps(
    subject: Timed, places: Mapping[str, Tensor], size: int, seed: int, device: torch.device
) -> _Work:
    generator = stream(seed, "measure", "overhead", size)
    gradient = torch.randn(1, size, generator=generator).mul_(0.01).to(device)
    theta = torch.zeros_like(gradient)
    environment = _reference if subject.implementation == REFERENCE else contextlib.nullcontext
    optimizer = bind(subject.optimizer, places)
    with environment():
        state = optimizer.init(theta)

    def once() -> None:
        nonlocal theta, state
        step, state = optimizer.update(gradient, state, reuse=True)
        theta = theta + step

    return _Work(once, count_bytes(state) / size, environment)


def _gradients(problem: Problem) -> _Work:
    theta, steps = problem.initial(), itertools.cycle(range(MINIBATCHES))
    return _Work(lambda: problem.loss_and_gradient(theta, next(steps)))


def _timings(
    works: Mapping[tuple[str, str], _Work], rounds: int, label: str, device: torch.device
) -> Iterator[dict[str, Any]]:
    for work in works.values():
        work()
        once = milliseconds(work, device) / 1e3
        work.times = min(max(math.ceil(SECONDS / once), 1), MOST_STEPS)
    named: dict[str, Callable[[], object]] = {"/".join(key): one for key, one in works.items()}
    times = interleaved(named, rounds, device, label)
    for (name, kind), work in works.items():
        for repeat, elapsed in enumerate(times[f"{name}/{kind}"]):
            seconds = elapsed / 1e3 / work.times
            row = {"timed": name, "implementation": kind, "repeat": repeat, "seconds": seconds}
            yield {**row, "state_bytes": work.state_bytes}


def count_bytes(state: Any) -> int:
    """Bytes of all tensors of a state; other values count as none."""
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
