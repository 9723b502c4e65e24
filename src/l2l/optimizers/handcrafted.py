"""The hand-crafted optimizers, with the defaults of Torch7's `optim`; equal to torch.optim.

A learning rate is a number, or a tensor [B, 1] with one for every problem of a batch: so a whole
grid of learning rates is tuned in one rollout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from l2l.optimizers.base import Optimizer
from l2l.registry import BASELINES, resolve

LearningRate = float | Tensor


@dataclass(frozen=True)
class SGD:
    """Gradient descent: g = -lr grad.

    >>> sgd = SGD(0.1)
    >>> theta = torch.tensor([[1.0, -2.0]])  # [B, n]: one problem of two coordinates
    >>> step, state = sgd.update(2 * theta, sgd.init(theta))  # the gradient of sum(theta^2)
    >>> theta + step
    tensor([[ 0.8000, -1.6000]])

    Attributes:
        learning_rate: lr.
    """

    learning_rate: LearningRate

    def init(self, theta: Tensor) -> None:
        """No state."""

    def update(self, gradient: Tensor, state: None, reuse: bool = False) -> tuple[Tensor, None]:
        """The step."""
        return -self.learning_rate * gradient, None


@dataclass(frozen=True)
class NAG:
    """SGD with Nesterov's momentum, as torch.optim.SGD(nesterov=True) (Sutskever et al. 2013)."""

    learning_rate: LearningRate
    momentum: float = 0.9

    def init(self, theta: Tensor) -> Tensor:
        """The velocity, zero."""
        return torch.zeros_like(theta)

    def update(self, gradient: Tensor, state: Tensor, reuse: bool = False) -> tuple[Tensor, Tensor]:
        """The step and the next velocity."""
        velocity = self.momentum * state + gradient
        return -self.learning_rate * (gradient + self.momentum * velocity), velocity


@dataclass(frozen=True)
class RMSprop:
    """Steps divided by a running root mean square (Tieleman and Hinton 2012)."""

    learning_rate: LearningRate
    alpha: float = 0.99
    epsilon: float = 1e-8

    def init(self, theta: Tensor) -> Tensor:
        """The running mean square, zero."""
        return torch.zeros_like(theta)

    def update(self, gradient: Tensor, state: Tensor, reuse: bool = False) -> tuple[Tensor, Tensor]:
        """The step and the next mean square."""
        square = self.alpha * state + (1 - self.alpha) * gradient.square()
        return -self.learning_rate * gradient / (square.sqrt() + self.epsilon), square


class AdamState(NamedTuple):
    """First and second moment, and the number of updates so far."""

    mean: Tensor
    square: Tensor
    updates: int


@dataclass(frozen=True)
class Adam:
    """Adaptive moments with bias correction (Kingma and Ba 2015)."""

    learning_rate: LearningRate
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def init(self, theta: Tensor) -> AdamState:
        """Moments of zero."""
        return AdamState(torch.zeros_like(theta), torch.zeros_like(theta), 0)

    def update(
        self, gradient: Tensor, state: AdamState, reuse: bool = False
    ) -> tuple[Tensor, AdamState]:
        """The step and the next moments."""
        count = state.updates + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient.square()
        corrected = (square / (1 - self.beta2**count)).sqrt() + self.epsilon
        step = -self.learning_rate / (1 - self.beta1**count) * mean / corrected
        return step, AdamState(mean, square, count)


def make_baseline(name: str, learning_rate: LearningRate) -> Optimizer:
    """The hand-crafted optimizer of this name in `l2l.registry.BASELINES`.

    Args:
        name: as `baselines` of an experiment has it, for example "adam".
        learning_rate: a number, or a tensor [B, 1].
    """
    return resolve(BASELINES[name].code)(learning_rate)
