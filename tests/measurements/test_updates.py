"""Proposed updates against one coordinate run by hand, and against ADAM's closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import convnet_family, lstm_settings, mlp_family, random_phi

from l2l.config.measurements import Gradients
from l2l.measurements.updates import chosen_coordinates, gradient_values, updates
from l2l.optimizers import Optimizer, bind, make_baseline, make_optimizer
from l2l.problems import Problem

VALUES = (-0.3, -1e-4, 0.0, 1e-4, 0.3)
STEPS = (4, 1)
RATE = 0.01


def lstm(**changes: object) -> Any:
    settings = lstm_settings(**changes)
    return make_optimizer(settings, random_phi(settings, dtype=torch.float32))


def measure(optimizer: Optimizer, family: object) -> pd.DataFrame:
    return updates("some", {"it": optimizer}, "mnist", family, STEPS, 3, VALUES, 0)


def history(optimizer: Optimizer, problem: Problem, steps: int) -> list[torch.Tensor]:
    """The gradients that a run sees, one [1, n] for each step."""
    bound, theta, seen = bind(optimizer, problem.places()), problem.initial(), []
    state = bound.init(theta)
    for step in range(steps):
        seen.append(problem.loss_and_gradient(theta, step)[1])
        update, state = bound.update(seen[-1], state)
        theta = theta + update
    return seen


@pytest.mark.parametrize("grouped", [False, True])
def test_the_lstm_proposes_what_it_does_for_this_coordinate_alone(grouped: bool) -> None:
    groups = [
        {"name": "convolutional", "parameters": ["conv*"]},
        {"name": "connected", "parameters": ["*"]},
    ]
    optimizer = lstm(groups=groups) if grouped else lstm()
    family = convnet_family() if grouped else mlp_family()
    problem = family.sample(("test", "mnist"), [0], 4)
    table = measure(optimizer, family)
    assert len(table) == len(STEPS) * 3 * len(VALUES)
    seen = history(optimizer, problem, 4)
    for row in table.itertuples():
        alone = optimizer
        if grouped:
            name = "convolutional" if row.parameter.startswith("conv") else "connected"
            alone = optimizer.alone(name)
        state = alone.init(torch.zeros(1, 1))
        for gradient in seen[: row.step - 1]:
            _, state = alone.update(gradient[:, [row.coordinate]], state)
        proposed, _ = alone.update(torch.tensor([[row.gradient]], dtype=torch.float32), state)
        assert row.update == pytest.approx(float(proposed), rel=1e-4, abs=1e-7)
        actual = float(seen[row.step - 1][0, row.coordinate])
        assert row.actual_gradient == pytest.approx(actual, rel=1e-4, abs=1e-8)
        taken, _ = alone.update(torch.tensor([[actual]]), state)
        assert row.actual_update == pytest.approx(float(taken), rel=1e-4, abs=1e-7)


def test_adam_proposes_its_closed_form() -> None:
    family, adam = mlp_family(), make_baseline("adam", RATE)
    table = measure(adam, family)
    seen = history(adam, family.sample(("test", "mnist"), [0], 4), 4)
    for row in table.itertuples():
        past = [float(gradient[0, row.coordinate]) for gradient in seen[: row.step - 1]]
        gradients = np.array([*past, row.gradient])
        ages = np.arange(row.step)[::-1]
        mean = (0.1 * 0.9**ages * gradients).sum() / (1 - 0.9**row.step)
        square = (0.001 * 0.999**ages * gradients**2).sum() / (1 - 0.999**row.step)
        expected = -RATE * mean / (math.sqrt(square) + 1e-8)
        assert row.update == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_with_coupled_coordinates_only_one_gradient_is_replaced_at_a_time() -> None:
    optimizer, family = lstm(averaged_cells=2), mlp_family()
    problem = family.sample(("test", "mnist"), [0], 4)
    table = measure(optimizer, family)
    first = table[table["step"] == 1]
    gradient = problem.loss_and_gradient(problem.initial(), 0)[1]
    for row in first.itertuples():
        replaced = gradient.clone()
        replaced[0, row.coordinate] = row.gradient
        step, _ = optimizer.update(replaced, optimizer.init(replaced))
        assert row.update == pytest.approx(float(step[0, row.coordinate]), rel=1e-4, abs=1e-7)


def test_the_coordinates_are_of_different_parameters_and_matter() -> None:
    problem = mlp_family().sample(("test", "mnist"), [0], 4)
    chosen = chosen_coordinates(problem, 6, 0, "mnist")
    places = problem.places()
    assert len(chosen) == 6
    assert set(list(chosen.values())[: len(places)]) == set(places)
    live = problem.live(train_loss=False)
    for coordinate, parameter in chosen.items():
        assert coordinate in places[parameter].tolist()
        assert live[coordinate]
    assert chosen == chosen_coordinates(problem, 6, 0, "mnist")
    assert chosen != chosen_coordinates(problem, 6, 1, "mnist")
    assert len(chosen_coordinates(problem, 10_000, 0, "mnist")) == int(live.sum())


def test_the_grid_of_gradients_is_symmetric_about_zero() -> None:
    values = gradient_values(Gradients(low=1e-3, high=1.0, points_per_decade=2))
    assert values == sorted(values)
    assert values == pytest.approx([-value for value in reversed(values)])
    assert values[7:] == pytest.approx([0, *np.logspace(-3, 0, 7)])
