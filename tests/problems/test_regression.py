"""Regression against torch.nn, and its data against the teacher that they are said to be of."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.small import regression_family
from torch import nn

from l2l.problems.regression import SAMPLE, Regression

NAMES = ("test", "regression")


def test_losses_and_gradients_are_those_of_torch_nn() -> None:
    problems = regression_family().sample(NAMES, range(2), 3)
    problems = replace(problems, inputs=problems.inputs.double(), targets=problems.targets.double())
    theta = problems.initial().double()
    for step in (0, 3):
        loss, gradient = problems.loss_and_gradient(theta, step)
        for b in range(2):
            layers = [nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)]
            network = nn.Sequential(*layers).double()
            nn.utils.vector_to_parameters(theta[b], network.parameters())
            batch = slice(6 * step, 6 * step + 6)
            outputs = network(problems.inputs[b, batch])[:, 0]
            expected = nn.functional.mse_loss(outputs, problems.targets[b, batch])
            torch.testing.assert_close(loss[b], expected.detach())
            parts = torch.autograd.grad(expected, list(network.parameters()))
            torch.testing.assert_close(gradient[b], torch.cat([p.flatten() for p in parts]))


def test_the_sample_of_the_train_loss_is_in_no_minibatch() -> None:
    problems = regression_family().sample(NAMES, range(2), 3)
    assert problems.inputs.shape == (2, 4 * 6 + SAMPLE, 3)
    moved = problems.inputs.clone()
    moved[:, : 4 * 6] = 0
    other = replace(problems, inputs=moved)
    theta = problems.initial()
    assert torch.equal(other.train_loss(theta), problems.train_loss(theta))
    assert not torch.equal(other.loss(theta, 3), problems.loss(theta, 3))


def test_targets_are_of_order_one_and_a_smooth_function_but_for_the_noise() -> None:
    noisy, clean = (
        regression_family(noise=n, dimensions=1, teacher=50).sample(NAMES, [0], 99) for n in (1, 0)
    )
    assert torch.equal(noisy.inputs, clean.inputs)
    assert 0.1 < float(clean.targets.var()) < 10
    noise = noisy.targets - clean.targets
    assert abs(float(noise.std()) - 1) < 0.05
    order = clean.inputs[0, :, 0].argsort()
    jumps = clean.targets[0, order].diff().abs()
    assert float(jumps.median()) < 0.01 * float(clean.targets.std())


def test_a_problem_is_the_same_in_any_batch_and_any_number_of_times() -> None:
    several = regression_family().sample(NAMES, [4, 1], 3)
    alone = regression_family().sample(NAMES, [1], 3)
    theta = several.initial()
    assert torch.equal(theta[1:], alone.initial())
    torch.testing.assert_close(several.loss(theta, 2)[1:], alone.loss(theta[1:], 2))
    twice: Regression = several.repeat(2)
    torch.testing.assert_close(twice.loss(theta.repeat(2, 1), 2), several.loss(theta, 2).repeat(2))


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_it_can_be_learned(activation: str) -> None:
    problems = regression_family(activation=activation, hidden=(32,), noise=0.0).sample(
        NAMES, range(2), 300
    )
    theta = problems.initial()
    start = problems.train_loss(theta)
    for step in range(300):
        theta = theta - 0.1 * problems.loss_and_gradient(theta, step)[1]
    assert bool((problems.train_loss(theta) < 0.3 * start).all())
