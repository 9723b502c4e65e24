"""Problems without the coordinates that no loss depends on: smaller, with the same losses.

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
    """Problems as functions of their live coordinates alone.

    Attributes:
        problem: the B whole problems.
        index: the coordinates that are kept, int64 [m].
        has_train_loss: whether train_loss and test_loss depend on no other coordinates.
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
        """The whole problem's loss, [B], for theta [B, m]."""
        return self.problem.loss(self._whole(theta), step)

    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, m]."""
        loss, gradient = self.problem.loss_and_gradient(self._whole(theta), step)
        return loss, gradient.index_select(1, self.index)

    def train_loss(self, theta: Tensor) -> Tensor:
        """The whole problem's train_loss, [B].

        Raises:
            NotImplementedError: it may depend on coordinates that are left out.
        """
        self._need_all_of_train_loss()
        return self.problem.train_loss(self._whole(theta))

    def test_loss(self, theta: Tensor) -> Tensor | None:
        """The whole problem's test_loss, [B], or None; raises as `train_loss` does."""
        self._need_all_of_train_loss()
        return self.problem.test_loss(self._whole(theta))

    def places(self) -> dict[str, Tensor]:
        """The kept coordinates of each named parameter of the whole problem."""
        number = torch.full((self.problem.coordinates,), -1, device=self.index.device)
        number[self.index] = torch.arange(len(self.index), device=self.index.device)
        places = {name: number[place] for name, place in self.problem.places().items()}
        return {name: place[place >= 0] for name, place in places.items()}

    def repeat(self, times: int) -> LiveProblem:
        """These problems `times` times in a row."""
        return LiveProblem(self.problem.repeat(times), self.index, self.has_train_loss)

    def _need_all_of_train_loss(self) -> None:
        if not self.has_train_loss:
            raise NotImplementedError("train_loss and test_loss need the whole problem")

    def _whole(self, theta: Tensor) -> Tensor:
        """theta of the whole problem, zero at the coordinates that are left out."""
        whole = theta.new_zeros(theta.shape[0], self.problem.coordinates)
        return whole.index_copy(1, self.index, theta)


def live_part(problem: Problem, train_loss: bool = True, couples: bool = False) -> Problem:
    """The problem without the coordinates that no loss depends on.

    Args:
        problem: B problems; a coordinate that is live in one of them is kept in all.
        train_loss: whether train_loss and test_loss are needed too; meta-training needs neither.
        couples: whether the optimizer's step for one coordinate depends on other coordinates; then
            all are kept.

    Returns:
        A `LiveProblem`, or the problem itself if all its coordinates are kept.
    """
    if couples:
        return problem
    live = problem.live(train_loss)
    if bool(live.all()):
        return problem
    return LiveProblem(problem, torch.nonzero(live)[:, 0], train_loss)
