"""Validation against a loop written out here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.meta.runs import training
from tests.small import (
    convnet_family,
    lstm_settings,
    mlp_family,
    quadratic_family,
    random_phi,
    recipe,
)

from l2l.errors import UserError
from l2l.meta.epoch import validate
from l2l.meta.rollout import begin, rollout
from l2l.meta.train import train
from l2l.optimizers import CoordinatewiseLSTM, bind, make_baseline

STEPS = 15


def test_sgd_is_validated_as_a_loop_over_problems_says() -> None:
    family = mlp_family((4,))
    found = validate(
        family.sample(("validation",), range(3), STEPS), make_baseline("sgd", 0.5), STEPS
    )
    initial, final, losses = [], [], []
    for i in range(3):
        problem = family.sample(("validation",), [i], STEPS)
        theta = problem.initial()
        initial.append(problem.train_loss(theta).item())
        for step in range(STEPS):
            leaf = theta.clone().requires_grad_()
            problem.loss(leaf, step).sum().backward()
            theta = theta - 0.5 * leaf.grad
            losses.append(problem.loss(theta, step + 1).item())
        final.append(problem.train_loss(theta).item())
    assert found.initial == pytest.approx(sum(initial) / 3, rel=1e-5)
    assert found.final == pytest.approx(sum(final) / 3, rel=1e-5)
    assert found.mean == pytest.approx(sum(losses) / (3 * STEPS), rel=1e-5)
    assert found.final < found.initial


def test_validation_is_the_same_each_time_and_leaves_phi_alone() -> None:
    settings = lstm_settings(preprocessing="none")
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    before = {name: value.clone() for name, value in optimizer.phi.items()}
    problems = quadratic_family().sample(("validation",), range(4), STEPS)
    assert validate(problems, optimizer, STEPS) == validate(problems, optimizer, STEPS)
    assert all(torch.equal(before[name], value) for name, value in optimizer.phi.items())


def test_divergence_is_not_hidden() -> None:
    problems = quadratic_family().sample(("validation",), range(2), 400)
    result = validate(problems, make_baseline("sgd", 1e3), 400)
    assert not result.final < float("inf")


def test_held_out_losses_choose_phi_on_data_that_no_test_has(tmp_path: Path) -> None:
    family = convnet_family()
    held_out = recipe(
        problem="cifar10",
        episodes=4,
        steps=6,
        unroll=[{"start": 0, "window": 6}],
        validation={"every": 2, "problems": 2, "steps": 5, "loss": "test_loss"},
    )
    subject = training(held_out)
    state = train(subject, family, tmp_path / "a.state", "digest")
    problems = family.apart().sample(("validation", "cifar10"), range(2), 5)
    optimizer = bind(subject.optimizer(state.average), problems.places())
    end = rollout(problems, optimizer, begin(problems, optimizer), 5)
    expected = problems.test_loss(end.theta).mean().item()
    assert state.rows[-1]["validation_final"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(UserError, match="quadratic has no held-out data; validate by train_loss"):
        recipe(validation={"loss": "test_loss"})
