"""Gradient descent with learned rates on diagonal quadratics: everything has a closed form.

theta[t+1] = (1 - phi a) theta[t] in each coordinate, f = sum of a theta^2 / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from l2l.estimators import Episode, Estimator, LossWeights
from l2l.optimizers.base import Phi, UpdateRule
from l2l.problems.quadratic import Quadratic

RATE = torch.tensor([0.3, 0.9], dtype=torch.float64)
CURVATURE = torch.tensor([1.0, 1.4], dtype=torch.float64)
START = torch.tensor([[1.0, -0.7], [0.4, 1.3]], dtype=torch.float64)


@dataclass(frozen=True)
class Descent(UpdateRule):
    """g = - phi gradient, with a rate for each coordinate."""

    settings: Any
    phi: Phi

    @staticmethod
    def shapes(settings: Any) -> dict[str, tuple[int, ...]]:
        return {"rate": (2,)}

    @staticmethod
    def initial(settings: Any, generator: torch.Generator) -> Phi:
        return {"rate": RATE.clone()}

    def init(self, theta: Tensor) -> tuple[()]:
        return ()

    def step(self, gradient: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return -self.phi["rate"] * gradient, state


def descent(rate: Tensor = RATE) -> Descent:
    return Descent(None, {"rate": rate})


def problems(start: Tensor = START) -> Quadratic:
    """f = sum of CURVATURE theta^2 / 2, one problem for each row of `start`."""
    W = torch.diag((CURVATURE / 2).sqrt()).expand(len(start), 2, 2)
    return Quadratic(W, torch.zeros_like(start), start)


def equal(losses: Tensor, first: int) -> Tensor:
    return torch.ones_like(losses)


def inverse(losses: Tensor, first: int) -> Tensor:
    return 1 / (losses + 0.05)


def an_episode(
    chosen: Any,
    seed: int = 0,
    weights: LossWeights = equal,
    memory: Tensor | None = None,
) -> Episode:
    generator = torch.Generator().manual_seed(seed)
    memory = torch.zeros(0, dtype=torch.float64) if memory is None else memory
    return Episode(chosen, weights, generator, None, memory)


def gradients(
    estimator: Estimator, windows: list[int], repetitions: int, chosen: Quadratic | None = None
) -> np.ndarray:
    """Sums over an episode's windows of the estimated gradient, phi fixed: [repetitions, 2]."""
    found = []
    for seed in range(repetitions):
        episode = an_episode(problems() if chosen is None else chosen, seed)
        carry, total = estimator.begin(episode, descent()), torch.zeros(2, dtype=torch.float64)
        for steps in windows:
            window = estimator.window(episode, descent(), carry, steps)
            carry, total = window.carry, total + window.gradient["rate"]
        found.append(total.numpy())
    return np.stack(found)


def smoothed_gradient(steps: int, sigma: float) -> np.ndarray:
    """d/dphi of E[sum of losses at phi + sigma eps] over one window, by Gauss and Hermite: [2].

    With its nodes the expectation of a polynomial of this degree is exact.
    """
    nodes, shares = np.polynomial.hermite_e.hermegauss(2 * steps + 2)
    a, start = CURVATURE.numpy(), START.numpy()
    rate = RATE.numpy() + sigma * nodes[:, None]  # [nodes, 2]
    slope = np.zeros_like(rate)
    for t in range(1, steps + 1):
        slope += -2 * t * a * (1 - rate * a) ** (2 * t - 1) * a / 2
    slope = slope[:, None] * start**2  # [nodes, B, 2]
    return ((shares / shares.sum())[:, None, None] * slope).sum(axis=0).mean(axis=0)


def persistent_gradient(steps: int, sigma: float, through: bool = True) -> np.ndarray:
    """d/dphi of E[sum of losses] where each step has a fresh perturbation of phi: [2].

    E[theta[t]^2] = q^t theta[0]^2 with q = (1 - phi a)^2 + sigma^2 a^2. Not `through`: what ES sees
    in windows of one step, the start of each, theta of the unperturbed phi, held constant.
    """
    a, start, rate = CURVATURE.numpy(), START.numpy(), RATE.numpy()
    q, slope = (1 - rate * a) ** 2 + (sigma * a) ** 2, -2 * a * (1 - rate * a)
    total = np.zeros_like(start)
    for t in range(1, steps + 1):
        part = t * q ** (t - 1) if through else (1 - rate * a) ** (2 * (t - 1))
        total += a / 2 * start**2 * part * slope
    return total.mean(axis=0)


def deviations(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The difference of the mean from what is expected, in standard errors: [2]."""
    errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return np.abs(found.mean(axis=0) - expected) / errors
