"""What every meta-gradient estimator takes and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from l2l.meta.rollout import Carry
from l2l.optimizees.base import Optimizee
from l2l.optimizers.lstm import CoordinatewiseLSTM, Phi

LossWeights = Callable[[Tensor, int], Tensor]
"""(losses [K, B] of steps first..first+K-1, first) -> weights w[t] [K, B], constants to phi."""


@dataclass(frozen=True)
class Window:
    """One window of K inner steps.

    Attributes:
        carry: where the episode stands after the window.
        losses: f(theta[t]) after each of the K updates, [K, B].
        meta_loss: mean over B of sum over t of w[t] f(theta[t]), equation (4), a scalar.
        gradient: of meta_loss with respect to phi.
    """

    carry: Carry
    losses: Tensor
    meta_loss: Tensor
    gradient: Phi


class Estimator(Protocol):
    """A way to estimate the meta-gradient of a window."""

    def __call__(
        self,
        problems: Optimizee,
        optimizer: CoordinatewiseLSTM,
        carry: Carry,
        steps: int,
        weights: LossWeights,
    ) -> Window:
        """Take `steps` inner steps from `carry` and differentiate the window's meta-loss."""
        ...
