"""The one loop against torch.optim on the same functions."""

from __future__ import annotations

import pytest
import torch
from tests.small import double, lstm_settings, mlp_family, quadratic_family, random_phi
from torch import nn

from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import CoordinatewiseLSTM, make_baseline
from l2l.registry import BASELINES

STEPS = 30


@pytest.mark.parametrize("rate", [0.003, 0.02])
def test_nag_on_quadratics_equals_torch_sgd_with_nesterov(rate: float) -> None:
    problems = double(quadratic_family(6).sample(("test",), range(2), STEPS))
    seen: list[Carry] = []
    optimizer = make_baseline("nag", rate)
    rollout(problems, optimizer, begin(problems, optimizer), STEPS, seen.append)
    for b in range(2):
        theta = nn.Parameter(problems.initial()[b].clone())
        theirs = torch.optim.SGD([theta], lr=rate, momentum=0.9, nesterov=True)
        for now in seen:
            theirs.zero_grad()
            ((problems.W[b] @ theta - problems.y[b]) ** 2).sum().backward()
            theirs.step()
            torch.testing.assert_close(now.theta[b], theta.detach(), rtol=1e-10, atol=1e-12)


def test_the_minibatch_of_a_step_is_used_for_its_gradient_and_its_loss() -> None:
    """theta[t] is judged on minibatch t, and the step from theta[t] uses the gradient there."""
    problems = double(mlp_family((4,)).sample(("test",), range(2), STEPS))
    seen: list[Carry] = []
    optimizer = make_baseline("sgd", 0.7)
    first = begin(problems, optimizer)
    rollout(problems, optimizer, first, 5, seen.append)
    for before, after in zip([first, *seen], seen, strict=False):
        theta = before.theta.clone().requires_grad_()
        problems.loss(theta, before.step).sum().backward()
        torch.testing.assert_close(after.theta, before.theta - 0.7 * theta.grad, rtol=1e-12, atol=0)
        assert torch.equal(after.loss, problems.loss(after.theta, after.step))
        assert not torch.allclose(after.loss, problems.loss(after.theta, before.step))


@pytest.mark.parametrize("name", [*BASELINES, "lstm"])
def test_a_rollout_in_parts_equals_one_rollout(name: str) -> None:
    problems = mlp_family((4,)).sample(("test",), range(2), STEPS)
    settings = lstm_settings()
    learned = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    optimizer = learned if name == "lstm" else make_baseline(name, 0.05)
    whole = rollout(problems, optimizer, begin(problems, optimizer), 20)
    carry = begin(problems, optimizer)
    for steps in (7, 0, 1, 12):
        carry = rollout(problems, optimizer, carry, steps)
    assert carry.step == whole.step == 20
    assert torch.equal(carry.theta, whole.theta)
    assert torch.equal(carry.loss, whole.loss)
    assert torch.equal(carry.gradient, whole.gradient)


def test_begin_is_theta_zero_with_its_loss_and_gradient() -> None:
    problems = quadratic_family(6).sample(("test",), range(2), STEPS)
    carry = begin(problems, make_baseline("adam", 0.1))
    assert carry.step == 0
    assert torch.equal(carry.theta, problems.initial())
    assert torch.equal(carry.loss, problems.loss(problems.initial(), 0))


def test_observers_see_every_update_once_and_nothing_else() -> None:
    problems = quadratic_family(6).sample(("test",), range(2), STEPS)
    optimizer = make_baseline("sgd", 0.01)
    seen: list[Carry] = []
    end = rollout(problems, optimizer, begin(problems, optimizer), 9, seen.append)
    assert [carry.step for carry in seen] == list(range(1, 10))
    assert seen[-1] is end
    assert not any(carry.theta.requires_grad for carry in seen)


def test_the_problems_start_is_left_alone() -> None:
    problems = quadratic_family(6).sample(("test",), range(2), STEPS)
    before = problems.initial().clone()
    for name in BASELINES:
        optimizer = make_baseline(name, 0.1)
        rollout(problems, optimizer, begin(problems, optimizer), 5)
    assert torch.equal(problems.initial(), before)
