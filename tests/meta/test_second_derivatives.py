"""The ablation of equation (5): the meta-gradient with second derivatives is the true one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.small import double, lstm_settings, mlp_family, quadratic_family, random_phi, recipe
from torch import Tensor

from l2l.estimators import unrolled
from l2l.meta.rollout import Carry, begin, rollout
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM
from l2l.optimizers.base import Phi

STEPS = 6


def _true_meta_loss(
    problems: Any, settings: Any, phi: Phi, carry: Carry, weights: list[float]
) -> float:
    losses: list[Tensor] = []
    rollout(
        problems,
        CoordinatewiseLSTM(settings, phi),
        carry,
        STEPS,
        lambda now: losses.append(now.loss),
    )
    return sum(w * loss.mean().item() for w, loss in zip(weights, losses, strict=True))


@pytest.mark.parametrize("weights", [[1.0] * STEPS, [0.0, 2.0, 0.5, 0.0, 1.0, 3.0]], ids=str)
@pytest.mark.parametrize("kind", ["quadratic", "mlp"])
def test_equals_finite_differences_of_the_true_meta_loss(kind: str, weights: list[float]) -> None:
    quadratics = kind == "quadratic"
    family = quadratic_family(4) if quadratics else mlp_family((4,), init="gaussian", init_std=1.0)
    problems = double(family.sample(("train", kind), range(2), 2 * STEPS))
    settings = lstm_settings(
        units=3, preprocessing="none" if quadratics else "log", output_scale=1.0, p=3.0
    )
    phi = random_phi(settings)
    optimizer = CoordinatewiseLSTM(settings, phi)
    carry = rollout(problems, optimizer, begin(problems, optimizer), 2)
    how = loss_weights(recipe(steps=2 + STEPS, loss_weights=[9.0, 9.0, *weights]))
    full = unrolled(problems, optimizer, carry, STEPS, how, second_derivatives=True).gradient
    dropped = unrolled(problems, optimizer, carry, STEPS, how).gradient
    generator = torch.Generator().manual_seed(1)
    missed = []
    for _ in range(6):
        direction = {
            name: torch.randn(value.shape, generator=generator, dtype=torch.float64)
            for name, value in phi.items()
        }
        ends = [
            _true_meta_loss(
                problems,
                settings,
                {name: phi[name] + step * direction[name] for name in phi},
                carry,
                weights,
            )
            for step in (1e-6, -1e-6)
        ]
        slope = (ends[0] - ends[1]) / 2e-6
        along = sum((full[name] * direction[name]).sum().item() for name in phi)
        short = sum((dropped[name] * direction[name]).sum().item() for name in phi)
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-6)
        missed.append(abs(short - slope) / abs(slope))
    assert max(missed) > 1e-2  # without them it is another gradient: the check can fail


def test_keeping_second_derivatives_does_not_change_the_window_itself() -> None:
    problems = double(quadratic_family(4).sample(("train",), range(2), STEPS))
    settings = lstm_settings(preprocessing="none")
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    how = loss_weights(recipe(steps=STEPS))
    carry = begin(problems, optimizer)
    kept, dropped = (
        unrolled(problems, optimizer, carry, STEPS, how, second_derivatives=keep)
        for keep in (True, False)
    )
    assert torch.equal(kept.losses, dropped.losses)
    assert torch.equal(kept.carry.theta, dropped.carry.theta)
    assert not kept.carry.gradient.requires_grad
