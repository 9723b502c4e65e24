"""The inverse-variance combination against plain loops, its parts, and its closed-form mean."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.meta import linear
from tests.meta.resumed import assert_it_trains, assert_resumes_with_the_same_bits
from tests.small import double, lstm_settings, mlp_family, random_phi, relative_error
from torch import Tensor

from l2l.config.estimators import CombinedSettings, EvolutionSettings
from l2l.estimators import adjoint
from l2l.estimators.combined import Combined, combine
from l2l.estimators.evolution import Evolution
from l2l.meta.rollout import begin
from l2l.optimizers import CoordinatewiseLSTM


def combined(pairs: int = 4, sigma: float = 0.1, second: str = "kept") -> Combined:
    settings: dict[str, Any] = {"pairs": pairs, "sigma": sigma, "second_derivatives": second}
    return Combined(CombinedSettings(kind="combined", **settings))


def _losses(rate: Tensor, steps: int, keep: bool) -> Tensor:
    """Of the linear optimizer from START, by a plain loop that autograd can go through: [K, B]."""
    theta, losses = linear.START, []
    for _ in range(steps):
        gradient = linear.CURVATURE * theta
        theta = theta - rate * (gradient if keep else gradient.detach())
        losses.append((linear.CURVATURE / 2 * theta**2).sum(dim=1))
    return torch.stack(losses)


@pytest.mark.parametrize("second", ["kept", "dropped"])
def test_equals_plain_loops_and_autograd(second: str) -> None:
    sigma, pairs, steps = 0.3, 5, 3
    episode = linear.an_episode(linear.problems(), seed=4, weights=linear.inverse)
    estimator = combined(pairs, sigma, second)
    carry = estimator.begin(episode, linear.descent())
    window = estimator.window(episode, linear.descent(), carry, steps)
    weight = 1 / (_losses(linear.RATE, steps, True) + 0.05)
    generator = torch.Generator().manual_seed(4)
    samples: dict[str, list[list[float]]] = {"es": [], "path": []}
    for eps in torch.randn(pairs, 2, generator=generator, dtype=torch.float64):
        values, slopes = [], []
        for sign in (1, -1):
            rate = (linear.RATE + sign * sigma * eps).requires_grad_()
            loss = (weight * _losses(rate, steps, second == "kept")).mean(dim=1).sum()
            slopes.append(torch.autograd.grad(loss, rate)[0])
            values.append(loss.item())
        samples["es"].append((eps * (values[0] - values[1]) / (2 * sigma)).tolist())
        samples["path"].append(((slopes[0] + slopes[1]) / 2).tolist())
    for i, found in enumerate(window.gradient["rate"].tolist()):
        es, path = ([row[i] for row in samples[kind]] for kind in ("es", "path"))
        precision = 1 / np.var(es, ddof=1), 1 / np.var(path, ddof=1)
        mean = precision[0] * np.mean(es) + precision[1] * np.mean(path)
        assert found == pytest.approx(mean / sum(precision), rel=1e-10)
    torch.testing.assert_close(window.losses, _losses(linear.RATE, steps, True))
    torch.testing.assert_close(window.meta_loss, (weight * window.losses).mean(dim=1).sum())


@pytest.mark.parametrize("second", ["kept", "dropped"])
def test_small_perturbations_of_a_network_give_backpropagation(second: str) -> None:
    """Its variance goes to zero with sigma, that of ES does not."""
    problems = double(mlp_family((3,)).sample(("train", "m"), range(2), 5))
    optimizer = CoordinatewiseLSTM(lstm_settings(), random_phi(lstm_settings()))
    carry = begin(problems, optimizer)
    episode = linear.an_episode(problems, weights=linear.inverse)
    found = combined(3, 1e-5, second).window(episode, optimizer, carry, 5)
    exact = adjoint(problems, optimizer, carry, 5, linear.inverse)
    gap = relative_error(
        *(torch.cat([v.flatten() for v in w.gradient.values()]) for w in (found, exact))
    )
    assert (gap < 1e-3) == (second == "dropped")
    assert gap < 0.5
    torch.testing.assert_close(found.losses, exact.losses)
    torch.testing.assert_close(found.meta_loss, exact.meta_loss)
    torch.testing.assert_close(found.carry.theta, exact.carry.theta)
    torch.testing.assert_close(found.carry.state.cell, exact.carry.state.cell)


def test_many_pairs_give_the_smoothed_gradient_where_second_derivatives_are_kept() -> None:
    sigma, steps = 0.25, 3
    expected = linear.smoothed_gradient(steps, sigma)
    kept = linear.gradients(combined(40, sigma), [steps], 12)
    assert linear.deviations(kept, expected).max() < 5
    assert np.abs(kept.mean(axis=0) / expected - 1).max() < 0.1
    dropped = linear.gradients(combined(40, sigma, "dropped"), [steps], 12)
    assert linear.deviations(dropped, expected).max() > 10


@pytest.mark.parametrize(("low", "high"), [(1.0, 3.0), (3.0, 1.0), (2.0, 2.0)])
def test_varies_less_than_the_better_of_two_independent_estimators(low: float, high: float) -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2, 20, 4000, generator=generator, dtype=torch.float64)
    one, other = low * draws[0], high * draws[1]
    found = combine(one, other).var().item()
    ideal = 1 / (1 / low**2 + 1 / high**2) / 20
    assert found < min(low, high) ** 2 / 20 * 1.03
    assert found == pytest.approx(ideal, rel=0.2)


def _descent(rate: Tensor) -> Tensor:
    """L of the linear optimizer over four steps: smooth; for rates [..., 2]."""
    theta, loss = linear.START.expand(*rate.shape[:-1], 2, 2), torch.zeros(()).double()
    for _ in range(4):
        theta = theta * (1 - rate[..., None, :] * linear.CURVATURE)
        loss = loss + (linear.CURVATURE / 2 * theta**2).sum(dim=-1).mean(dim=-1)
    return loss


def _rough(rate: Tensor) -> Tensor:
    """A slope with short waves on it: slopes vary by 7, smoothed by sigma 0.2 they are gone."""
    return (rate + 0.1 * torch.sin(100 * rate)).sum(dim=-1)


@pytest.mark.parametrize(
    ("function", "sigma", "better"), [(_descent, 0.05, "path"), (_rough, 0.2, "es")]
)
def test_varies_hardly_more_than_the_better_of_es_and_backpropagation(
    function: Any, sigma: float, better: str
) -> None:
    """Not below it: the two come from the same pairs and are correlated."""
    pairs, repetitions = 12, 600
    generator = torch.Generator().manual_seed(1)
    eps = torch.randn(repetitions, pairs, 2, generator=generator, dtype=torch.float64)
    rate = (linear.RATE + sigma * torch.stack([eps, -eps])).requires_grad_()
    loss = function(rate)
    (slopes,) = torch.autograd.grad(loss.sum(), rate)
    samples = {
        "es": eps * ((loss[0] - loss[1]).detach() / (2 * sigma))[..., None],
        "path": slopes.mean(dim=0),
    }
    variances = {kind: each.mean(dim=1).var(dim=0).sum() for kind, each in samples.items()}
    both = torch.stack([combine(*pair) for pair in zip(*samples.values(), strict=True)])
    assert min(variances, key=lambda kind: variances[kind]) == better
    assert both.var(dim=0).sum() < 1.1 * variances[better]
    assert both.var(dim=0).sum() < 0.5 * max(variances.values())


def test_where_neither_varies_it_is_the_pathwise_mean_and_what_diverged_stays_visible() -> None:
    one, other = torch.zeros(3, 2), torch.ones(3, 2)
    assert combine(one, other).tolist() == [1, 1]
    one[1, 0] = float("inf")
    assert not bool(combine(one, other)[0].isfinite())
    one[1, 0], other[2, 1] = 0, float("nan")
    assert not bool(combine(one, other)[1].isfinite())


def test_where_backpropagation_is_wild_it_is_evolution_strategies_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slopes that vary without end have no weight; what is left is ES of the same draws."""
    es = Evolution(EvolutionSettings(kind="es", pairs=3, sigma=0.3))
    episode = linear.an_episode(linear.problems(), seed=9)
    expected = es.window(episode, linear.descent(), es.begin(episode, linear.descent()), 3)
    backward = linear.Descent.backward
    calls = itertools.count(1)

    def wild(*args: Any) -> Any:
        return {name: 1e12 * next(calls) * g for name, g in backward(*args).items()}

    monkeypatch.setattr(linear.Descent, "backward", wild)
    estimator = combined(3, 0.3, "dropped")
    episode = linear.an_episode(linear.problems(), seed=9)
    carry = estimator.begin(episode, linear.descent())
    found = estimator.window(episode, linear.descent(), carry, 3)
    torch.testing.assert_close(found.gradient, expected.gradient)
    assert torch.equal(found.losses, expected.losses)
    assert torch.equal(found.carry.theta, expected.carry.theta)


ESTIMATOR = {"kind": "combined", "pairs": 3, "sigma": 0.02, "second_derivatives": "dropped"}


def test_meta_training_with_it_lowers_the_validation_loss(tmp_path: Path) -> None:
    assert_it_trains(ESTIMATOR, tmp_path)


@pytest.mark.parametrize("second", ["kept", "dropped"])
def test_a_killed_run_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    chosen = ESTIMATOR | {"second_derivatives": second, "pairs": 2}
    assert_resumes_with_the_same_bits(chosen, tmp_path, monkeypatch)
