"""Quadratics against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.small import double, quadratic_family

NAMES = ("test", "quadratic")


def test_loss_and_gradient_equal_the_closed_form() -> None:
    problems = double(quadratic_family(dimensions=10).sample(NAMES, range(4), 0))
    theta = torch.randn(4, 10, dtype=torch.float64)
    loss, gradient = problems.loss_and_gradient(theta, 0)
    for b in range(4):
        W, y, x = (t[b].numpy() for t in (problems.W, problems.y, theta))
        residual = W @ x - y
        np.testing.assert_allclose(loss[b].item(), residual @ residual, rtol=1e-13)
        np.testing.assert_allclose(gradient[b].numpy(), 2 * W.T @ residual, rtol=1e-11)


def test_the_least_squares_solution_has_zero_loss_and_gradient() -> None:
    problems = double(quadratic_family(dimensions=5).sample(NAMES, range(3), 0))
    solution = np.stack(
        [np.linalg.solve(W, y) for W, y in zip(problems.W.numpy(), problems.y.numpy(), strict=True)]
    )
    loss, gradient = problems.loss_and_gradient(torch.from_numpy(solution), 0)
    assert loss.max() < 1e-20
    assert gradient.abs().max() < 1e-9


def test_the_loss_is_the_same_at_every_step_and_is_its_own_train_loss() -> None:
    problems = quadratic_family().sample(NAMES, range(3), 50)
    theta = torch.randn(3, 3)
    assert torch.equal(problems.loss(theta, 0), problems.loss(theta, 50))
    assert torch.equal(problems.train_loss(theta), problems.loss(theta, 0))


def test_w_and_y_are_standard_normal_and_theta_has_the_standard_deviation_asked_for() -> None:
    problems = quadratic_family(dimensions=10, init_std=0.01).sample(NAMES, range(2000), 0)
    for numbers, std in ((problems.W, 1.0), (problems.y, 1.0), (problems.initial(), 0.01)):
        count = numbers.numel()
        assert abs(numbers.mean().item()) < 4 * std / count**0.5
        assert numbers.std().item() == pytest.approx(std, rel=4 / (2 * count) ** 0.5)
        fourth = (numbers / std).pow(4).mean().item()
        assert fourth == pytest.approx(3, rel=4 * (96 / count) ** 0.5 / 3)  # not uniform
    mixed = torch.cat([problems.W.flatten(1), problems.y, problems.initial() / 0.01], dim=1)
    correlation = torch.corrcoef(mixed.T) - torch.eye(mixed.shape[1])
    assert correlation.abs().max() < 5.5 / 2000**0.5


def test_the_expected_initial_loss_is_that_of_the_distribution() -> None:
    """E ||W theta - y||^2 = d (1 + d init_std^2) for i.i.d. standard normal W and y."""
    d, std = 10, 0.5
    problems = quadratic_family(dimensions=d, init_std=std).sample(NAMES, range(4000), 0)
    loss = problems.loss(problems.initial(), 0)
    expected = d * (1 + d * std**2)
    assert abs(loss.mean().item() - expected) < 4 * loss.std().item() / 4000**0.5


def test_dimensions_are_taken_from_the_settings() -> None:
    problems = quadratic_family(dimensions=7).sample(NAMES, range(2), 0)
    assert problems.coordinates == 7
    assert problems.W.shape == (2, 7, 7)
    assert problems.initial().shape == (2, 7)
