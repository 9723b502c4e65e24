"""A problem without the coordinates that none of its losses depends on: exact, and smaller.

On MNIST some 12 % of the base network's coordinates are weights of pixels that are dark in all
minibatches of an episode. Their gradients are zero at every step, and they change no loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from l2l.optimizees.base import Optimizee


@dataclass(frozen=True)
class LiveProblem(Optimizee):
    """The same losses as functions of fewer coordinates, for meta-training.

    Attributes:
        problem: the whole problem.
        index: its coordinates that are kept, [m], int64.
    """

    problem: Optimizee
    index: Tensor
    shapes: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", {"live": (len(self.index),)})

    def initial(self) -> Tensor:
        """theta[0], [B, m]."""
        return self.problem.initial().index_select(1, self.index)

    def loss(self, theta: Tensor, step: int) -> Tensor:
        """f of the whole problem, [B], for theta [B, m]."""
        return self.problem.loss(self._whole(theta), step)

    def loss_and_gradient(self, theta: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, m]."""
        loss, gradient = self.problem.loss_and_gradient(self._whole(theta), step)
        return loss, gradient.index_select(1, self.index)

    def train_loss(self, theta: Tensor) -> Tensor:
        """Not defined: it may depend on coordinates that are left out."""
        raise NotImplementedError("train_loss needs the whole problem")

    def repeat(self, times: int) -> LiveProblem:
        """The same problems `times` over."""
        return LiveProblem(self.problem.repeat(times), self.index)

    def _whole(self, theta: Tensor) -> Tensor:
        """theta of the whole problem, zero where it does not matter."""
        whole = theta.new_zeros(theta.shape[0], self.problem.coordinates)
        return whole.index_copy(1, self.index, theta)


def live_part(problem: Optimizee) -> Optimizee:
    """The problem without the coordinates that no loss depends on.

    Args:
        problem: B problems; a coordinate that matters to one of them is kept for all.

    Returns:
        A `LiveProblem`, or the problem itself where all its coordinates matter.
    """
    live = problem.live()
    if bool(live.all()):
        return problem
    return LiveProblem(problem, torch.nonzero(live)[:, 0])
