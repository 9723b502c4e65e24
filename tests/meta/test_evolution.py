"""ES against plain loops, and against the smoothed meta-loss of a linear optimizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.meta import linear, straight_line
from tests.meta.resumed import assert_it_trains, assert_resumes_with_the_same_bits
from tests.small import (
    double,
    lstm_settings,
    mlp_family,
    quadratic_family,
    random_phi,
    relative_error,
)
from torch import Tensor

from l2l.config.estimators import EvolutionSettings
from l2l.estimators.evolution import Evolution
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import CoordinatewiseLSTM


def es(pairs: int = 4, sigma: float = 0.1) -> Evolution:
    return Evolution(EvolutionSettings(kind="es", pairs=pairs, sigma=sigma))


def _by_plain_loops(
    function: Any, place: Any, optimizer: Any, steps: int, chosen: EvolutionSettings, seed: int
) -> Tensor:
    """The estimate with w = 1 / (loss + 0.05) of the unperturbed losses, one member at a time."""
    names, sizes = list(optimizer.phi), [w.numel() for w in optimizer.phi.values()]
    center = torch.cat([optimizer.phi[name].flatten() for name in names])

    def losses(vector: Tensor) -> Tensor:
        parts = zip(names, vector.split(sizes), strict=True)
        phi = {name: part.view_as(optimizer.phi[name]) for name, part in parts}
        start = straight_line.Place(place.theta, place.state, place.step)
        return straight_line.window(
            function, start, optimizer.settings, phi, steps, lambda loss, t: 1.0
        )[1]

    weight = 1 / (losses(center) + 0.05)
    generator = torch.Generator().manual_seed(seed)
    eps = torch.randn(chosen.pairs, len(center), generator=generator, dtype=torch.float64)
    total = torch.zeros_like(center)
    for e in eps:
        plus, minus = losses(center + chosen.sigma * e), losses(center - chosen.sigma * e)
        total += e * (weight * (plus - minus)).mean(dim=1).sum() / (2 * chosen.sigma)
    return total / chosen.pairs


@pytest.mark.parametrize("kind", ["quadratic", "mlp"])
def test_equals_plain_loops_over_the_pairs_in_every_window(kind: str) -> None:
    if kind == "quadratic":
        problems = double(quadratic_family(4).sample(("train", "q"), range(3), 9))
        function = straight_line.quadratic(problems.W, problems.y)
    else:
        problems = double(mlp_family((3,)).sample(("train", "m"), range(2), 9))
        data = problems.data
        function = straight_line.network(data.images, data.labels, problems.minibatches, [9, 3, 10])
    settings = lstm_settings(output_scale=0.3)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    estimator = es(pairs=3)
    episode = linear.an_episode(problems, seed=5, weights=linear.inverse)
    carry = estimator.begin(episode, optimizer)
    place = straight_line.Place(problems.initial())
    for steps in (4, 5):
        episode.generator.manual_seed(steps)
        window = estimator.window(episode, optimizer, carry, steps)
        expected = _by_plain_loops(
            function, place, optimizer, steps, estimator.settings, seed=steps
        )
        found = torch.cat([value.flatten() for value in window.gradient.values()])
        assert window.gradient.keys() == optimizer.phi.keys()
        assert relative_error(found, expected) < 1e-9
        _, losses, place = straight_line.window(
            function, place, settings, optimizer.phi, steps, lambda loss, t: 1 / (loss + 0.05)
        )
        torch.testing.assert_close(window.losses, losses, rtol=1e-10, atol=0)
        weighted = (losses / (losses + 0.05)).mean(dim=1).sum()
        torch.testing.assert_close(window.meta_loss, weighted, rtol=1e-10, atol=0)
        carry = window.carry
        torch.testing.assert_close(carry.theta, place.theta, rtol=1e-10, atol=1e-12)


def test_the_mean_is_the_gradient_of_the_smoothed_loss_not_of_the_loss() -> None:
    sigma, steps = 0.25, 3
    found = linear.gradients(es(pairs=100, sigma=sigma), [steps], 60)
    expected = linear.smoothed_gradient(steps, sigma)
    assert linear.deviations(found, expected).max() < 4
    assert linear.deviations(found, linear.smoothed_gradient(steps, 1e-6)).max() > 10


def test_variance_is_in_inverse_proportion_to_pairs_and_as_the_docstring_says() -> None:
    few, many = (linear.gradients(es(pairs, 1e-3), [1], 500) for pairs in (2, 8))
    gradient = linear.smoothed_gradient(1, 1e-8)
    variances = [found.var(axis=0, ddof=1).sum() for found in (few, many)]
    assert 3 < variances[0] / variances[1] < 5.3
    expected = (len(gradient) + 1) * (gradient**2).sum() / 2
    assert 0.8 < variances[0] / expected < 1.25


def test_antithetic_pairs_keep_the_loss_itself_out_of_the_noise() -> None:
    """One-sided differences would have a variance of (L / sigma)^2: 1e4 times as much here."""
    found = linear.gradients(es(pairs=2, sigma=1e-3), [2], 100)
    assert found.var(axis=0).sum() < 10 * (linear.smoothed_gradient(2, 1e-8) ** 2).sum()


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_diverged_member_makes_the_gradient_not_finite(value: float) -> None:
    class Cliff(type(linear.problems())):  # type: ignore[misc]
        def loss_and_gradient(self, theta: Tensor, step: int) -> tuple[Tensor, Tensor]:
            loss, gradient = super().loss_and_gradient(theta, step)
            if len(loss) > 2:  # the last member's last problem
                loss[-1] = value
            return loss, gradient

        def repeat(self, times: int) -> Any:
            whole = super().repeat(times)
            return Cliff(whole.W, whole.y, whole.theta0)

    whole = linear.problems()
    episode = linear.an_episode(Cliff(whole.W, whole.y, whole.theta0))
    estimator = es(pairs=3)
    carry = estimator.begin(episode, linear.descent())
    window = estimator.window(episode, linear.descent(), carry, 2)
    assert not bool(window.gradient["rate"].isfinite().all())
    assert bool(window.losses.isfinite().all())
    assert bool(window.carry.theta.isfinite().all())


@pytest.mark.parametrize("family", [quadratic_family(5), mlp_family((4,))])
def test_members_share_a_start_that_stays_and_the_first_goes_on_as_if_alone(family: Any) -> None:
    """In float32: the kernels' states, whose memory steps may reuse."""
    problems = family.sample(("train", "x"), range(3), 12)
    settings = lstm_settings(units=7)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    start = rollout(problems, optimizer, begin(problems, optimizer), 3)
    before = [part.clone() for part in (start.theta, start.state.hidden, start.state.cell)]
    episode = linear.an_episode(problems)
    window = es(pairs=3).window(episode, optimizer, start, 5)
    assert all(map(torch.equal, (start.theta, start.state.hidden, start.state.cell), before))
    alone = rollout(problems, optimizer, start, 5)
    assert window.carry.step == alone.step == 8
    for found, expected in (
        (window.carry.theta, alone.theta),
        (window.carry.gradient, alone.gradient),
        (window.carry.loss, alone.loss),
        (window.carry.state.hidden, alone.state.hidden),
        (window.carry.state.cell, alone.state.cell),
    ):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


ESTIMATOR = {"kind": "es", "pairs": 8, "sigma": 0.02}


def test_meta_training_with_it_lowers_the_validation_loss(tmp_path: Path) -> None:
    assert_it_trains(ESTIMATOR, tmp_path)


def test_a_killed_run_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_resumes_with_the_same_bits(ESTIMATOR, tmp_path, monkeypatch)
