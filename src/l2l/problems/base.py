"""What every problem is: a batch of problems as a pure function of a flat theta."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pictures:
    """What a theta that is a picture looks like, and what it was made of; all uint8 RGB.

    Attributes:
        content: the photographs, [B, height, width, 3].
        styled: theta, [B, height, width, 3].
        style: the style of each, [any height, any width, 3].
    """

    content: Tensor
    styled: Tensor
    style: tuple[Tensor, ...]

    def first(self, count: int) -> Pictures:
        """Those of the first problems."""
        return Pictures(self.content[:count], self.styled[:count], self.style[:count])


Step = int | Tensor
"""The number of an inner step; on a GPU a tensor, int64 [], as CUDA graphs want it."""


class Problem(ABC):
    """B independent problems with n coordinates each.

    Attributes:
        shapes: the named parameters, in the order in which theta holds them.
    """

    shapes: dict[str, tuple[int, ...]]

    @property
    def coordinates(self) -> int:
        """n, the number of coordinates of one problem."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @abstractmethod
    def initial(self) -> Tensor:
        """theta[0], shape [B, n]: it belongs to the problem, so all optimizers start alike."""

    @abstractmethod
    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """f(theta) of each problem at an inner step, differentiable.

        Args:
            theta: [B, n].
            step: the inner step, which chooses the minibatch where there is one; see `Step`.

        Returns:
            [B].
        """

    def train_loss(self, theta: Tensor) -> Tensor:
        """The loss without minibatch noise, shape [B]; the loss itself where it has none."""
        with torch.no_grad():
            return self.loss(theta, 0)

    def test_loss(self, theta: Tensor) -> Tensor | None:
        """The loss on data kept apart from training, shape [B]; None where there is none."""
        return None

    def pictures(self, theta: Tensor) -> Pictures | None:
        """What theta [B, n] looks like; None where it is no picture."""
        return None

    def places(self) -> dict[str, Tensor]:
        """Where theta holds each named parameter: name -> numbers of its coordinates, int64."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        everything = torch.arange(sum(sizes), device=self.initial().device)
        return dict(zip(self.shapes, everything.split(sizes), strict=True))

    def live(self, train_loss: bool) -> Tensor:
        """Which coordinates the losses may depend on, and train_loss and test_loss if asked for.

        bool [n]; all, unless a subclass knows better.
        """
        return torch.ones(self.coordinates, dtype=torch.bool, device=self.initial().device)

    @abstractmethod
    def repeat(self, times: int) -> Problem:
        """The same B problems `times` over: [times * B], for example one for each learning rate."""

    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, n] of each problem; no graph is kept."""
        with torch.enable_grad():
            theta = theta.detach().requires_grad_()
            loss = self.loss(theta, step)
            (gradient,) = torch.autograd.grad(loss.sum(), theta)
        return loss.detach(), gradient

    def unflatten(self, theta: Tensor) -> dict[str, Tensor]:
        """The named parameters of theta [B, n]: name -> [B, *shape], views."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        parts = theta.split(sizes, dim=-1)
        return {
            name: part.reshape(theta.shape[0], *shape)
            for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)
        }


class Family(Protocol):
    """A distribution over problems."""

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Problem:
        """Draw problems.

        Args:
            names: the stream the problems come from, for example ("test", "mnist").
            indices: which problems of that stream; problem i is the same in any batch.
            steps: the largest inner step at which the loss will be asked for.
        """
        ...
