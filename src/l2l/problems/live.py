"""A problem without the coordinates that none of its losses depends on: exact, and smaller.

On MNIST some 13 % of the base network's coordinates are weights of pixels that are dark in all
minibatches of an episode. Their gradients are zero at every step, and they change no loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from l2l.problems.base import Problem, Step


@dataclass(frozen=True)
class LiveProblem(Problem):
    """The same losses as functions of fewer coordinates.

    Attributes:
        problem: the whole problem.
        index: its coordinates that are kept, [m], int64.
        has_train_loss: whether train_loss depends on no others.
    """

    problem: Problem
    index: Tensor
    has_train_loss: bool
    shapes: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", {"live": (len(self.index),)})

    def initial(self) -> Tensor:
        """theta[0], [B, m]."""
        return self.problem.initial().index_select(1, self.index)

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """f of the whole problem, [B], for theta [B, m]."""
        return self.problem.loss(self._whole(theta), step)

    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, m]."""
        loss, gradient = self.problem.loss_and_gradient(self._whole(theta), step)
        return loss, gradient.index_select(1, self.index)

    def train_loss(self, theta: Tensor) -> Tensor:
        """That of the whole problem, [B].

        Raises:
            NotImplementedError: it may depend on coordinates that are left out.
        """
        if not self.has_train_loss:
            raise NotImplementedError("train_loss needs the whole problem")
        return self.problem.train_loss(self._whole(theta))

    def test_loss(self, theta: Tensor) -> Tensor | None:
        """That of the whole problem, [B].

        Raises:
            NotImplementedError: as for `train_loss`.
        """
        if not self.has_train_loss:
            raise NotImplementedError("test_loss needs the whole problem")
        return self.problem.test_loss(self._whole(theta))

    def places(self) -> dict[str, Tensor]:
        """Where theta holds what is kept of each named parameter of the whole problem."""
        kept = torch.full((self.problem.coordinates,), -1, device=self.index.device)
        kept[self.index] = torch.arange(len(self.index), device=self.index.device)
        places = {name: kept[place] for name, place in self.problem.places().items()}
        return {name: place[place >= 0] for name, place in places.items()}

    def repeat(self, times: int) -> LiveProblem:
        """The same problems `times` over."""
        return LiveProblem(self.problem.repeat(times), self.index, self.has_train_loss)

    def _whole(self, theta: Tensor) -> Tensor:
        """theta of the whole problem, zero where it does not matter."""
        whole = theta.new_zeros(theta.shape[0], self.problem.coordinates)
        return whole.index_copy(1, self.index, theta)


def live_part(problem: Problem, train_loss: bool = True, couples: bool = False) -> Problem:
    """The problem without the coordinates that no loss depends on.

    Args:
        problem: B problems; a coordinate that matters to one of them is kept for all.
        train_loss: whether that is needed too; meta-training does without.
        couples: whether the optimizer's step for one coordinate depends on others. Then all are
            kept.

    Returns:
        A `LiveProblem`, or the problem itself where all its coordinates matter.
    """
    if couples:
        return problem
    live = problem.live(train_loss)
    if bool(live.all()):
        return problem
    return LiveProblem(problem, torch.nonzero(live)[:, 0], train_loss)
