"""PES against plain loops, against ES, and against the episode's loss of a linear optimizer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.meta import linear
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

from l2l.config.estimators import EvolutionSettings, PersistentEvolutionSettings
from l2l.estimators.evolution import Evolution, PersistentEvolution
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import CoordinatewiseLSTM


def pes(pairs: int = 4, sigma: float = 0.1) -> PersistentEvolution:
    settings = PersistentEvolutionSettings(kind="pes", pairs=pairs, sigma=sigma)
    return PersistentEvolution(settings)


def es(pairs: int = 4, sigma: float = 0.1) -> Evolution:
    return Evolution(EvolutionSettings(kind="es", pairs=pairs, sigma=sigma))


def test_equals_plain_loops_over_particles_with_thetas_and_sums_of_their_own() -> None:
    """The linear optimizer in three windows; phi changes between them, as in meta-training."""
    sigma, pairs, windows = 0.2, 3, (2, 1, 3)
    rates = [linear.RATE, linear.RATE + 0.1, linear.RATE - 0.2]
    estimator, a = pes(pairs, sigma), linear.CURVATURE
    episode = linear.an_episode(linear.problems(), seed=3, weights=linear.inverse)
    carry = estimator.begin(episode, linear.descent(rates[0]))
    generator = torch.Generator().manual_seed(3)
    thetas = [linear.START.clone() for _ in range(2 * pairs + 1)]
    xi = torch.zeros(2 * pairs + 1, 2, dtype=torch.float64)
    for rate, steps in zip(rates, windows, strict=True):
        window = estimator.window(episode, linear.descent(rate), carry, steps)
        carry = window.carry
        eps = torch.randn(pairs, 2, generator=generator, dtype=torch.float64)
        fresh = sigma * torch.cat([torch.zeros(1, 2).double(), eps, -eps])
        xi += fresh
        losses = torch.zeros(2 * pairs + 1, steps, 2, dtype=torch.float64)  # of both problems
        for m in range(2 * pairs + 1):
            for t in range(steps):
                thetas[m] = thetas[m] - (rate + fresh[m]) * a * thetas[m]
                losses[m, t] = (a / 2 * thetas[m] ** 2).sum(dim=1)
        weighted = (losses / (losses[0] + 0.05)).mean(dim=2).sum(dim=1)
        expected = sum(x * loss / sigma**2 for x, loss in zip(xi[1:], weighted[1:], strict=True))
        assert relative_error(window.gradient["rate"], expected / (2 * pairs)) < 1e-12
        torch.testing.assert_close(window.losses, losses[0])
        torch.testing.assert_close(window.meta_loss, weighted[0])
        torch.testing.assert_close(carry.carry.theta, torch.cat(thetas))
    assert carry.step == sum(windows)


def test_one_window_is_evolution_strategies() -> None:
    problems = double(mlp_family((3,)).sample(("train", "m"), range(2), 6))
    optimizer = CoordinatewiseLSTM(lstm_settings(), random_phi(lstm_settings()))
    windows = []
    for estimator in (pes(), es()):
        episode = linear.an_episode(problems, seed=2)
        start = estimator.begin(episode, optimizer)
        windows.append(estimator.window(episode, optimizer, start, 6))
    for name, value in windows[0].gradient.items():
        assert relative_error(value, windows[1].gradient[name]) < 1e-12
    assert torch.equal(windows[0].losses, windows[1].losses)


def test_is_unbiased_over_truncated_windows_where_es_is_not() -> None:
    """Windows of one step: ES sees what phi does to the very next loss alone."""
    sigma, windows = 0.3, [1] * 5
    whole = linear.persistent_gradient(5, sigma)
    truncated = linear.persistent_gradient(5, sigma, through=False)
    persistent = linear.gradients(pes(40, sigma), windows, 60)
    short = linear.gradients(es(40, sigma), windows, 30)
    assert linear.deviations(persistent, whole).max() < 4
    assert linear.deviations(persistent, truncated).max() > 10
    assert linear.deviations(short, truncated).max() < 4
    assert linear.deviations(short, whole).max() > 10


def test_the_price_is_variance() -> None:
    windows = [1] * 5
    persistent, short = (linear.gradients(e(4, 0.05), windows, 80) for e in (pes, es))
    assert persistent.var(axis=0).sum() > 2 * short.var(axis=0).sum()


def test_pairs_halve_the_variance_when_doubled() -> None:
    few, many = (linear.gradients(pes(pairs, 0.1), [1] * 3, 200) for pairs in (2, 4))
    assert 1.5 < few.var(axis=0).sum() / many.var(axis=0).sum() < 2.7


def test_the_unperturbed_member_goes_through_the_episode_as_if_alone() -> None:
    """In float32: the kernels' states, one for each particle from the first window on."""
    problems = quadratic_family(5).sample(("train", "x"), range(3), 12)
    settings = lstm_settings(units=7)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    estimator = pes(pairs=3)
    episode = linear.an_episode(problems)
    carry, losses = estimator.begin(episode, optimizer), []
    alone: list[Tensor] = []
    rollout(problems, optimizer, begin(problems, optimizer), 12, lambda c: alone.append(c.loss))
    for _ in range(3):
        before = [carry.carry.theta.clone(), *(s.hidden.clone() for s in carry.carry.state)]
        window = estimator.window(episode, optimizer, carry, 4)
        after = [carry.carry.theta, *(state.hidden for state in carry.carry.state)]
        assert all(map(torch.equal, before, after))
        losses.append(window.losses)
        carry = window.carry
    torch.testing.assert_close(torch.cat(losses), torch.stack(alone), rtol=1e-4, atol=1e-5)


def test_a_diverged_particle_makes_the_gradients_not_finite_until_the_episode_ends() -> None:
    estimator = pes(pairs=2)
    episode = linear.an_episode(linear.problems())
    carry = estimator.begin(episode, linear.descent())
    carry.carry.theta[-1] = float("inf")
    for _ in range(2):
        window = estimator.window(episode, linear.descent(), carry, 1)
        assert not bool(window.gradient["rate"].isfinite().all())
        assert bool(window.losses.isfinite().all())
        carry = window.carry
    window = estimator.window(
        episode, linear.descent(), estimator.begin(episode, linear.descent()), 1
    )
    assert bool(window.gradient["rate"].isfinite().all())


ESTIMATOR = {"kind": "pes", "pairs": 8, "sigma": 0.02}


def test_meta_training_with_it_lowers_the_validation_loss(tmp_path: Path) -> None:
    assert_it_trains(ESTIMATOR, tmp_path)


def test_a_killed_run_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_resumes_with_the_same_bits(ESTIMATOR, tmp_path, monkeypatch)
