"""REINFORCE against plain loops, and against the expected noisy loss of a linear optimizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.meta import linear
from tests.meta.resumed import assert_it_trains, assert_resumes_with_the_same_bits
from tests.small import double, lstm_settings, quadratic_family, random_phi, relative_error
from torch import Tensor

from l2l.config.estimators import ReinforceSettings
from l2l.estimators import LossWeights
from l2l.estimators.reinforce import Reinforce
from l2l.optimizers import CoordinatewiseLSTM


def reinforce(sigma: float = 0.2, decay: float = 0.8) -> Reinforce:
    return Reinforce(ReinforceSettings(kind="reinforce", sigma=sigma, baseline_decay=decay))


def _memory(*losses: float) -> Tensor:
    """What one episode with these mean losses leaves, whatever the decay."""
    return torch.tensor([*losses, *[1.0] * len(losses)], dtype=torch.float64)


def _expected_loss(rate: Tensor, steps: int, sigma: float) -> Tensor:
    """E[sum of losses] of the noisy linear optimizer: m <- (1 - phi a)^2 m + sigma^2."""
    a, moment, total = linear.CURVATURE, linear.START**2, torch.zeros(()).double()
    for _ in range(steps):
        moment = (1 - rate * a) ** 2 * moment + sigma**2
        total = total + (a / 2 * moment).sum(dim=1).mean()
    return total


def _true_gradient(steps: int, sigma: float) -> np.ndarray:
    rate = linear.RATE.clone().requires_grad_()
    return torch.autograd.grad(_expected_loss(rate, steps, sigma), rate)[0].numpy()


def _samples(steps: int, memory: Tensor) -> np.ndarray:
    """40 estimates of an episode of 500 problems each, [40, 2]."""
    found = []
    for seed in range(40):
        many = linear.problems(linear.START.repeat(250, 1))
        episode = linear.an_episode(many, seed=seed, memory=memory)
        estimator = reinforce()
        carry = estimator.begin(episode, linear.descent())
        window = estimator.window(episode, linear.descent(), carry, steps)
        found.append(window.gradient["rate"].numpy())
    return np.stack(found)


def test_equals_plain_loops_over_problems_and_steps() -> None:
    """Two windows; w[t] and the baseline come from the memory, gradients are constants."""
    sigma, decay, steps = 0.2, 0.8, 3
    expected_losses = [0.9, 0.7, 0.5, 0.4, 0.3, 0.2]
    estimator = reinforce(sigma, decay)
    memory = _memory(*expected_losses)
    episode = linear.an_episode(linear.problems(), 6, linear.inverse, memory)
    carry = estimator.begin(episode, linear.descent())
    generator = torch.Generator().manual_seed(6)
    theta, a = linear.START.clone(), linear.CURVATURE
    for first in (0, 3):
        window = estimator.window(episode, linear.descent(), carry, steps)
        carry = window.carry
        seen, noise, losses = [], [], []
        for _ in range(steps):
            eps = torch.randn(2, 2, generator=generator, dtype=torch.float64)
            seen.append(a * theta)
            theta = theta - linear.RATE * a * theta + sigma * eps
            noise.append(eps)
            losses.append((a / 2 * theta**2).sum(dim=1))
        gradient, meta_loss = torch.zeros(2, dtype=torch.float64), 0.0
        for b in range(2):
            for t in range(steps):
                gain = 0.0
                for s in range(t, steps):
                    mean = expected_losses[first + s]
                    gain += (losses[s][b] - mean).item() / (mean + 0.05)
                # g = - phi seen, so d g / d phi = - seen, and eps / sigma is the score of g
                gradient += -seen[t][b] * noise[t][b] / sigma * gain / 2
                mean = expected_losses[first + t]
                meta_loss += losses[t][b].item() / (mean + 0.05) / 2
        assert relative_error(window.gradient["rate"], gradient) < 1e-12
        torch.testing.assert_close(window.losses, torch.stack(losses))
        assert window.meta_loss.item() == pytest.approx(meta_loss, rel=1e-12)
        torch.testing.assert_close(carry.theta, theta)
        assert window.memory is not None
        sums, weights = window.memory.chunk(2)
        for s in range(steps):
            new = decay * expected_losses[first + s] + (1 - decay) * losses[s].mean().item()
            assert sums[first + s].item() == pytest.approx(new, rel=1e-12)
        torch.testing.assert_close(weights, torch.ones(6, dtype=torch.float64))


def test_the_score_goes_through_the_lstms_memory() -> None:
    """Against autograd of the log-likelihood of the actions, given what the optimizer saw."""
    steps, sigma = 5, 0.3
    problems = double(quadratic_family(3).sample(("train", "q"), range(2), steps))
    settings = lstm_settings(output_scale=0.3)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    memory = _memory(*[2.0] * steps)
    episode = linear.an_episode(problems, 1, linear.equal, memory)
    estimator = reinforce(sigma)
    window = estimator.window(episode, optimizer, estimator.begin(episode, optimizer), steps)
    generator = torch.Generator().manual_seed(1)
    live = optimizer.with_phi({k: v.clone().requires_grad_() for k, v in optimizer.phi.items()})
    theta, state = problems.initial(), optimizer.init(problems.initial())
    likelihoods, losses = [], []
    for t in range(steps):
        _, gradient = problems.loss_and_gradient(theta, t)
        mean, state = live.step(gradient, state)
        eps = torch.randn(mean.shape, generator=generator, dtype=torch.float64)
        action = (mean + sigma * eps).detach()
        normal = torch.distributions.Normal(mean, sigma)
        likelihoods.append(normal.log_prob(action).sum(dim=1))
        theta = theta + action
        losses.append(problems.loss(theta, t + 1) - 2.0)
    surrogate = torch.zeros((), dtype=torch.float64)
    for t in range(steps):
        surrogate = surrogate + (likelihoods[t] * sum(losses[t:]).detach()).mean()  # type: ignore
    expected = torch.autograd.grad(surrogate, list(live.phi.values()))
    for (name, found), value in zip(window.gradient.items(), expected, strict=True):
        assert relative_error(found, value) < 1e-9, name


@pytest.mark.parametrize("memory", [_memory(0, 0, 0), _memory(1.0, 0.7, 0.6)], ids=["none", "mean"])
def test_the_mean_is_the_gradient_of_the_expected_noisy_loss(memory: Tensor) -> None:
    expected = _true_gradient(3, 0.2)
    found = _samples(3, memory)
    assert linear.deviations(found, expected).max() < 4
    assert (np.abs(expected) > 5 * found.std(axis=0) / np.sqrt(len(found))).any()


def test_the_baseline_lowers_the_variance() -> None:
    without = _samples(3, _memory(0, 0, 0)).var(axis=0).sum()
    a, moment, means = linear.CURVATURE, linear.START**2, []
    for _ in range(3):
        moment = (1 - linear.RATE * a) ** 2 * moment + 0.2**2
        means.append((a / 2 * moment).sum(dim=1).mean().item())
    assert _samples(3, _memory(*means)).var(axis=0).sum() < 0.7 * without


def test_the_running_baseline_finds_the_mean_losses() -> None:
    estimator, memory = reinforce(decay=0.9), torch.zeros(6, dtype=torch.float64)
    many = linear.problems(linear.START.repeat(100, 1))
    for seed in range(30):
        episode = linear.an_episode(many, seed, memory=memory)
        carry = estimator.begin(episode, linear.descent())
        memory = estimator.window(episode, linear.descent(), carry, 3).memory
        if seed == 0:
            assert memory[3:].tolist() == pytest.approx([0.1] * 3)
    steps = [_expected_loss(linear.RATE, k, 0.2).item() for k in (0, 1, 2, 3)]
    means = (memory[:3] / memory[3:]).numpy()
    assert np.abs(means / np.diff(steps) - 1).max() < 0.03


def test_a_first_episode_is_scaled_by_one_less_one_over_the_problems() -> None:
    """Its baseline is its own mean: nothing for one problem, the half for two, and unbiased so."""
    zero = torch.zeros(6, dtype=torch.float64)
    estimator = reinforce()
    single = linear.an_episode(linear.problems(linear.START[:1]), 0, memory=zero)
    carry = estimator.begin(single, linear.descent())
    assert estimator.window(single, linear.descent(), carry, 3).gradient["rate"].tolist() == [0, 0]
    expected = _true_gradient(3, 0.2) / 2
    found = []
    for seed in range(1500):
        both = linear.an_episode(linear.problems(), seed, memory=zero)
        carry = estimator.begin(both, linear.descent())
        found.append(estimator.window(both, linear.descent(), carry, 3).gradient["rate"].numpy())
    assert linear.deviations(np.stack(found), expected).max() < 4
    assert linear.deviations(np.stack(found), 2 * expected).max() > 4


def test_weights_do_not_depend_on_the_noise() -> None:
    asked: list[Tensor] = []

    def weights(losses: Tensor, first: int) -> Tensor:
        asked.append(losses)
        return torch.ones_like(losses)

    def ask(chosen: LossWeights, seed: int) -> None:
        episode = linear.an_episode(linear.problems(), seed, chosen, _memory(3.0, 2.0, 1.0))
        carry = reinforce().begin(episode, linear.descent())
        reinforce().window(episode, linear.descent(), carry, 3)

    ask(weights, 0)
    ask(weights, 1)
    assert torch.equal(asked[0], asked[1])
    assert asked[0].tolist() == [[3, 3], [2, 2], [1, 1]]


@pytest.mark.parametrize("far", [float("inf"), 1e200], ids=["not a number", "infinite"])
def test_a_diverged_episode_is_skipped_and_not_remembered(far: float) -> None:
    start = linear.START.clone()
    start[1, 0] = far
    memory = _memory(3.0, 2.0)
    episode = linear.an_episode(linear.problems(start), memory=memory)
    carry = reinforce().begin(episode, linear.descent())
    window = reinforce().window(episode, linear.descent(), carry, 2)
    assert not bool(window.gradient["rate"].isfinite().all())
    assert window.memory is not None
    assert torch.equal(window.memory, memory)


def test_steps_of_all_stages_are_remembered() -> None:
    assert reinforce().remembers(100) == 200


ESTIMATOR = {"kind": "reinforce", "sigma": 0.1, "baseline_decay": 0.9}
CHANGES: dict[str, Any] = {"problems_per_episode": 64, "episodes": 80}


def test_meta_training_with_it_lowers_the_validation_loss(tmp_path: Path) -> None:
    assert_it_trains(ESTIMATOR, tmp_path, 0.8, **CHANGES)


def test_a_killed_run_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_resumes_with_the_same_bits(ESTIMATOR, tmp_path, monkeypatch)
