"""The update that is proposed for a gradient, in the course of a run (the paper's appendix).

An optimizer runs on a test problem. At some of its steps it is asked, with its state as it is
there, which update it would make of a coordinate if that coordinate's gradient were another: its
gradient alone is replaced, value after value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2l.config.measurements import Gradients
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import Optimizer, UpdateRule, bind
from l2l.problems import Family, Problem
from l2l.rng import stream


def gradient_values(settings: Gradients) -> list[float]:
    """A log grid of both signs from -high to high, and zero, ascending."""
    decades = math.log10(settings.high / settings.low)
    count = max(round(decades * settings.points_per_decade), 1) + 1
    positive = np.geomspace(settings.low, settings.high, count).tolist()
    return [*(-value for value in reversed(positive)), 0.0, *positive]


def updates(
    experiment: str,
    optimizers: Mapping[str, Optimizer],
    name: str,
    family: Family,
    steps: Sequence[int],
    count: int,
    values: Sequence[float],
    seed: int,
) -> pd.DataFrame:
    """Ask every optimizer along its own run on the family's first test problem.

    Args:
        experiment: its name.
        optimizers: key -> trained or tuned optimizer.
        name: of the family.
        family: where the test problem comes from.
        steps: which updates; 1 is the first, from the state h[0].
        count: of coordinates, see `chosen_coordinates`; the same for every optimizer.
        values: what the gradient of a coordinate is replaced by.
        seed: of the problem and of the coordinates.

    Returns:
        A tidy row for each (optimizer, step, coordinate, value): experiment, family, optimizer,
        step, coordinate, parameter (the name of the tensor that it is in), gradient (the value),
        update (proposed for it), actual_gradient and actual_update (there, in the run).
    """
    problem = family.sample(("test", name), [0], max(steps))
    chosen = chosen_coordinates(problem, count, seed, name)
    where = torch.tensor(list(chosen), device=problem.initial().device)
    tables = []
    for key, unbound in optimizers.items():
        optimizer = bind(unbound, problem.places())
        couples = isinstance(unbound, UpdateRule) and unbound.settings.couples
        carry = begin(problem, optimizer)
        for step in sorted(set(steps)):
            carry = rollout(problem, optimizer, carry, step - 1 - carry.step)
            proposed = _proposed(optimizer, carry.gradient, carry.state, where, values, couples)
            taken, _ = optimizer.update(carry.gradient, carry.state)
            tables.append(
                pd.DataFrame(
                    {
                        "experiment": experiment,
                        "family": name,
                        "optimizer": key,
                        "step": step,
                        "coordinate": np.repeat(list(chosen), len(values)),
                        "parameter": np.repeat(list(chosen.values()), len(values)),
                        "gradient": np.tile(values, len(chosen)),
                        "update": proposed.flatten().cpu().numpy(),
                        "actual_gradient": _each(carry.gradient, where, len(values)),
                        "actual_update": _each(taken, where, len(values)),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def chosen_coordinates(problem: Problem, count: int, seed: int, name: str) -> dict[int, str]:
    """Coordinates drawn at random from those that matter, from one parameter after the other.

    Args:
        problem: one.
        count: of coordinates, fewer where there are not as many.
        seed: of the stream.
        name: of the family, likewise.

    Returns:
        Coordinate -> the name of its parameter. The first ones are in different parameters, so
        that small tensors (biases, scales) are seen and not only the largest.
    """
    generator = stream(seed, "measure", "updates", name)
    live = problem.live(train_loss=False).cpu()
    shuffled = []
    for parameter, place in problem.places().items():
        own = place.cpu()[live[place.cpu()]]
        order = own[torch.randperm(len(own), generator=generator)].tolist()
        shuffled.append([(coordinate, parameter) for coordinate in order])
    turns = torch.randperm(len(shuffled), generator=generator).tolist()
    rounds = itertools.zip_longest(*(shuffled[turn] for turn in turns))
    found = [one for each in rounds for one in each if one is not None]
    return dict(found[:count])


@torch.no_grad()
def _proposed(
    optimizer: Optimizer,
    gradient: Tensor,
    state: object,
    where: Tensor,
    values: Sequence[float],
    couples: bool,
) -> Tensor:
    """The update of each coordinate in `where` for each value, [coordinates, values].

    Where coordinates do not see each other all of them are asked at once.
    """
    together = where[:, None] if couples else where[None]
    found = torch.empty(len(together), together.shape[1], len(values))
    for number, places in enumerate(together):
        for column, value in enumerate(values):
            replaced = gradient.index_fill(1, places, value)
            step, _ = optimizer.update(replaced, state)
            found[number, :, column] = step[0, places]
    return found.flatten(0, 1)


def _each(values: Tensor, where: Tensor, times: int) -> np.ndarray:
    """Values [1, n] at some coordinates, each so many times over."""
    return values[0, where].detach().cpu().numpy().repeat(times)
