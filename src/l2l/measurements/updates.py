"""The update that an optimizer proposes for a gradient, in the course of a run (paper's appendix).

An optimizer runs on a test problem. At some steps, one coordinate's gradient is replaced by a grid
of values, one after the other, and the update that the optimizer proposes for this coordinate with
its state at that step is recorded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2l.config.measurements import ADAM, META_SEED, Gradients, Updates
from l2l.evaluation.rates import final_rates
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import Optimizer, UpdateRule, bind, make_baseline
from l2l.problems import Family, Problem
from l2l.rng import stream

if TYPE_CHECKING:
    from l2l.run import Run


def measure(run: Run) -> pd.DataFrame:
    """The table of `updates` for a run's trained optimizers and tuned ADAM.

    Raises:
        UserError: an optimizer is not trained, or ADAM not tuned.
    """
    config = run.config
    settings: Updates = config.measurements.updates
    values = gradient_values(settings.gradients)
    tables = []
    for name, recipes in settings.experiments.items():
        experiment = config.experiments[name]
        families, device = run.open_problems(experiment.problems, "measure")
        learned = {recipe: run.trained(recipe, META_SEED, device) for recipe in recipes}
        tuned = run.tuned_rates(name, ADAM, families) if ADAM in experiment.baselines else {}
        rates = final_rates(tuned)
        for key, family in families.items():
            optimizers: dict[str, Optimizer] = {**learned}
            if rates:
                optimizers[ADAM] = make_baseline(ADAM, rates[key])
            grid = (settings.steps, settings.coordinates, values)
            tables.append(updates(name, optimizers, key, family, *grid, config.seed))
    return pd.concat(tables, ignore_index=True)


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
    """The proposed updates of each optimizer along its own run on the family's first test problem.

    Args:
        experiment: its name.
        optimizers: key -> trained or tuned optimizer.
        name: of the family.
        family: where the test problem comes from.
        steps: at which updates; 1 is the first, from the state h[0].
        count: number of coordinates, see `chosen_coordinates`; the same for every optimizer.
        values: of the replaced gradient.
        seed: of the problem and of the coordinates.

    Returns:
        A tidy row for each (optimizer, step, coordinate, value): experiment, family, optimizer,
        step, coordinate, parameter (the name of the tensor that has the coordinate), gradient (the
        value), update (proposed for it), actual_gradient and actual_update (of the run).
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
    """Random live coordinates, from each parameter in turn.

    Args:
        problem: one problem.
        count: how many coordinates, or all if there are fewer.
        seed: of the run.
        name: of the family, part of the name of the random stream.

    Returns:
        Coordinate -> the name of its parameter. The first ones are in different parameters, so
        that small tensors (biases, scales) are among them and not only the largest.
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
    in_turn = [one for each in rounds for one in each if one is not None]
    return dict(in_turn[:count])


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

    Unless the optimizer couples coordinates, the gradients of all are replaced at once.
    """
    together = where[:, None] if couples else where[None]
    proposed = torch.empty(len(together), together.shape[1], len(values))
    for number, places in enumerate(together):
        for column, value in enumerate(values):
            replaced = gradient.index_fill(1, places, value)
            step, _ = optimizer.update(replaced, state)
            proposed[number, :, column] = step[0, places]
    return proposed.flatten(0, 1)


def _each(values: Tensor, where: Tensor, times: int) -> np.ndarray:
    """Values [1, n] at some coordinates, each `times` times in a row."""
    return values[0, where].detach().cpu().numpy().repeat(times)
