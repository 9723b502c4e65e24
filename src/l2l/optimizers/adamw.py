"""AdamW whose rate falls with a cosine, as many people train."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from l2l.optimizers.handcrafted import Adam, AdamState, LearningRate


class AdamWState(NamedTuple):
    """ADAM's moments, and theta itself, which weight decay needs."""

    moments: AdamState
    theta: Tensor


@dataclass(frozen=True)
class AdamW:
    """ADAM with decoupled weight decay (Loshchilov and Hutter 2019) and a cosine to zero.

    Equal to torch.optim.AdamW with CosineAnnealingLR(T_max=steps).

    Attributes:
        learning_rate: of the first step.
        weight_decay: PyTorch's default.
        steps: how many there will be, see `bind`; None: the rate stays.
    """

    learning_rate: LearningRate
    weight_decay: float = 0.01
    steps: int | None = None

    def bind(self, places: Mapping[str, Tensor], steps: int | None = None) -> AdamW:
        """The optimizer for a run of so many steps."""
        return dataclasses.replace(self, steps=steps)

    def init(self, theta: Tensor) -> AdamWState:
        """Moments of zero."""
        return AdamWState(Adam(self.learning_rate).init(theta), theta)

    def update(
        self, gradient: Tensor, state: AdamWState, reuse: bool = False
    ) -> tuple[Tensor, AdamWState]:
        """The step and the next state."""
        left = 1.0
        if self.steps:
            done = min(1.0, state.moments.updates / self.steps)
            left = (1 + math.cos(math.pi * done)) / 2
        rate = self.learning_rate * left
        step, moments = Adam(rate).update(gradient, state.moments)
        step = step - rate * self.weight_decay * state.theta
        return step, AdamWState(moments, state.theta + step)
