"""examples/minimal.py computes the same meta-gradients as the package, and learns."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests.small import lstm_settings, recipe

from l2l.estimators import adjoint
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM
from l2l.problems.quadratic import Quadratic

PROGRAM = Path(__file__).parents[2] / "examples" / "minimal.py"


@pytest.fixture(scope="module")
def minimal() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(PROGRAM)))


def test_its_meta_gradients_are_those_of_the_adjoint(minimal: SimpleNamespace) -> None:
    torch.manual_seed(0)
    optimizer, problems = minimal.LearnedOptimizer().double(), minimal.Quadratics(3)
    W, y, theta = (part.double() for part in (problems.W, problems.y, problems.theta0))
    problems.W, problems.y = W, y
    phi = {name: weight.detach() for name, weight in optimizer.named_parameters()}
    package = CoordinatewiseLSTM(
        lstm_settings(units=20, preprocessing="none", output_scale=1.0), phi
    )
    quadratics, state = Quadratic(W, y, theta), optimizer.init(theta)
    carry = begin(quadratics, package)
    for _ in range(2):  # the second window starts from a state that is not zero
        losses, theta, state = minimal.window(optimizer, problems, theta, state, 20)
        optimizer.zero_grad()
        losses.sum(dim=0).mean().backward()
        theta, state = theta.detach(), (state[0].detach(), state[1].detach())
        window = adjoint(
            quadratics, package, carry, 20, loss_weights(recipe(steps=40, loss_weights="equal"))
        )
        carry = window.carry
        torch.testing.assert_close(losses.detach(), window.losses)
        for name, weight in optimizer.named_parameters():
            torch.testing.assert_close(weight.grad, window.gradient[name], rtol=1e-9, atol=1e-9)


def test_a_short_meta_training_improves_the_optimizer(
    minimal: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    problems = minimal.Quadratics(32)
    at_start = problems.loss(problems.theta0).mean()
    learned = minimal.meta_train(episodes=12, batch=16)
    assert minimal.test_learned(learned, problems)[-1].mean() < 0.2 * at_start
    assert "validation loss after 100 steps" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["minimal.py", "--episodes", "1"])
    runpy.run_path(str(PROGRAM), run_name="__main__")
    table = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split(",")[0].split()[0] for line in table] == ["LSTM", "NAG", "ADAM"]
