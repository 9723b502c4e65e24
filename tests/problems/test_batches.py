"""What every family of problems keeps: batches of problems are problems side by side."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.small import double, mlp_family, quadratic_family

from l2l.problems import Family

NAMES = ("test", "some")
FAMILIES = {"quadratic": quadratic_family(4), "mlp": mlp_family((5, 3), "tanh")}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


def _tensors(problems: Any) -> list[torch.Tensor]:
    names = ("W", "y", "minibatches", "theta0")
    return [getattr(problems, name) for name in names if hasattr(problems, name)]


def test_a_problem_is_the_same_in_any_batch(family: Family) -> None:
    together = family.sample(NAMES, range(8), steps=5)
    subset = family.sample(NAMES, [6, 2], steps=5)
    for all_of_them, some in zip(_tensors(together), _tensors(subset), strict=True):
        assert torch.equal(all_of_them[[6, 2]], some)


def test_other_indices_and_other_names_give_other_problems(family: Family) -> None:
    first = family.sample(NAMES, [0], steps=5)
    for other in (family.sample(NAMES, [1], 5), family.sample(("tune", "some"), [0], 5)):
        for one, another in zip(_tensors(first), _tensors(other), strict=True):
            assert not torch.equal(one, another)


def test_the_seed_changes_the_problems() -> None:
    for make in (quadratic_family, mlp_family):
        one, other = (make(seed=seed).sample(NAMES, [0], 5) for seed in (0, 1))
        assert not torch.equal(one.initial(), other.initial())


def test_a_batch_computes_what_single_problems_do(family: Family) -> None:
    together = double(family.sample(NAMES, range(5), steps=3))
    theta = together.initial() + 0.1
    loss, gradient = together.loss_and_gradient(theta, 2)
    train_loss = together.train_loss(theta)
    for i in range(5):
        alone = double(family.sample(NAMES, [i], steps=3))
        one_loss, one_gradient = alone.loss_and_gradient(theta[i : i + 1], 2)
        torch.testing.assert_close(one_loss[0], loss[i], rtol=1e-12, atol=0)
        torch.testing.assert_close(one_gradient[0], gradient[i], rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(
            alone.train_loss(theta[i : i + 1])[0], train_loss[i], rtol=1e-12, atol=0
        )


def test_repeated_problems_are_tiled(family: Family) -> None:
    problems = double(family.sample(NAMES, range(3), steps=3))
    repeated = problems.repeat(4)
    theta = repeated.initial() + torch.linspace(-1, 1, 12, dtype=torch.float64)[:, None]
    loss, gradient = repeated.loss_and_gradient(theta, 3)
    train_loss = repeated.train_loss(theta)
    assert torch.equal(repeated.initial(), torch.cat([problems.initial()] * 4))
    for copy in range(4):
        rows = slice(3 * copy, 3 * copy + 3)
        one_loss, one_gradient = problems.loss_and_gradient(theta[rows], 3)
        torch.testing.assert_close(loss[rows], one_loss, rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient[rows], one_gradient, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(
            train_loss[rows], problems.train_loss(theta[rows]), rtol=1e-12, atol=0
        )


def test_the_gradient_is_that_of_each_problems_own_loss(family: Family) -> None:
    """Central differences along random directions, one problem's theta at a time."""
    problems = double(family.sample(NAMES, range(3), steps=2))
    theta = problems.initial()
    _, gradient = problems.loss_and_gradient(theta, 1)
    generator = torch.Generator().manual_seed(0)
    for b in range(3):
        direction = torch.zeros_like(theta)
        direction[b] = torch.randn(theta.shape[1], generator=generator, dtype=theta.dtype)
        change = problems.loss(theta + 1e-6 * direction, 1) - problems.loss(
            theta - 1e-6 * direction, 1
        )
        assert change[b].item() / 2e-6 == pytest.approx((gradient * direction).sum().item(), 1e-7)
        assert not change[[i for i in range(3) if i != b]].any()


def test_evaluating_changes_neither_theta_nor_its_graph(family: Family) -> None:
    problems = family.sample(NAMES, range(2), steps=2)
    theta = problems.initial()
    before = theta.clone()
    with torch.no_grad():
        loss, gradient = problems.loss_and_gradient(theta, 0)
    assert torch.equal(theta, before)
    assert not theta.requires_grad
    assert not loss.requires_grad
    assert not gradient.requires_grad
