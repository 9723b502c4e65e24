"""The problems that optimizers solve: a batch of them is a pure function of a flat theta.

The paper calls a problem an optimizee.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from l2l.registry import PROBLEMS, resolve

if TYPE_CHECKING:
    from l2l.config.problems import ProblemSettings


@dataclass(frozen=True)
class StyledPictures:
    """A theta that is a picture, as it looks, and the pictures it was made from; all uint8 RGB.

    Attributes:
        content: the photographs, [B, height, width, 3].
        styled: theta, [B, height, width, 3].
        style: the style of each photograph, [any height, any width, 3].
    """

    content: Tensor
    styled: Tensor
    style: tuple[Tensor, ...]

    def first(self, count: int) -> StyledPictures:
        """The pictures of the first `count` problems."""
        return StyledPictures(self.content[:count], self.styled[:count], self.style[:count])


Step = int | Tensor
"""The number of an inner step; on a GPU an int64 tensor of shape [], as CUDA graphs need it."""


class Problem(ABC):
    """B independent problems f(theta) with n coordinates each, solved side by side.

    A kind of problem is a frozen dataclass of tensors with `shapes`, `initial`, `loss` and
    `repeat`; autograd gives the gradient unless the kind has a faster one. Everything is float32,
    on one device. The same problem at the same step always gives the same loss.

    Attributes:
        shapes: name -> shape of each parameter, in the order in which theta holds them.

    Example:
        >>> import torch
        >>> from l2l.config.problems import QuadraticSettings
        >>> from l2l.problems.quadratic import QuadraticFamily
        >>> settings = QuadraticSettings(kind="quadratic", dimensions=10, init_std=0.01)
        >>> family = QuadraticFamily(settings, seed=0, device=torch.device("cpu"))
        >>> problems = family.sample(("test", "quadratic"), indices=range(3), steps=100)
        >>> theta = problems.initial()
        >>> theta.shape, problems.loss(theta, step=0).shape
        (torch.Size([3, 10]), torch.Size([3]))
    """

    shapes: dict[str, tuple[int, ...]]

    @property
    def coordinates(self) -> int:
        """n, the number of coordinates of one problem."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @abstractmethod
    def initial(self) -> Tensor:
        """theta[0], [B, n]: part of the problem, so that all optimizers start at the same point."""

    @abstractmethod
    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """f(theta) of each problem at an inner step, differentiable.

        Args:
            theta: [B, n].
            step: the inner step; it chooses the minibatch of problems that have minibatches.

        Returns:
            The losses, [B].
        """

    def train_loss(self, theta: Tensor) -> Tensor:
        """The loss without minibatch noise, [B]; `loss` itself for problems without minibatches."""
        with torch.no_grad():
            return self.loss(theta, 0)

    def test_loss(self, theta: Tensor) -> Tensor | None:
        """The loss on held-out data, [B]; None for problems without held-out data."""
        return None

    def pictures(self, theta: Tensor) -> StyledPictures | None:
        """How theta [B, n] looks; None for problems whose theta is not a picture."""
        return None

    def places(self) -> dict[str, Tensor]:
        """The coordinates of each named parameter in theta: name -> int64 [its size]."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        everything = torch.arange(sum(sizes), device=self.initial().device)
        return dict(zip(self.shapes, everything.split(sizes), strict=True))

    def live(self, train_loss: bool) -> Tensor:
        """The live coordinates, bool [n]: all that a loss of these problems may depend on.

        Args:
            train_loss: whether `train_loss` and `test_loss` count, or `loss` alone.

        Returns:
            True for every coordinate, unless a subclass knows some that no loss depends on.
        """
        return torch.ones(self.coordinates, dtype=torch.bool, device=self.initial().device)

    @abstractmethod
    def repeat(self, times: int) -> Problem:
        """These B problems `times` times in a row, for example once for each learning rate."""

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


@dataclass(frozen=True)
class Setup:
    """What a family is loaded with besides its settings.

    Attributes:
        seed: the seed of the run, from which all streams of random numbers are derived.
        directory: the folder of the data sets.
        device: where the problems are computed.
        problems: all entries `problems` of the configuration, for mixtures of others.
    """

    seed: int
    directory: Path
    device: torch.device
    problems: Mapping[str, ProblemSettings]


class Family(ABC):
    """A distribution over problems of one kind: an entry `problems` of the configuration."""

    @property
    def stand_ins(self) -> Mapping[str, str | None]:
        """Data set -> what is used in its place, None where it is the data set itself."""
        return {}

    @property
    def publishable(self) -> bool:
        """Whether the licences allow to publish pictures made from the data."""
        return False

    @classmethod
    @abstractmethod
    def load(cls, settings: Any, setup: Setup) -> Self:
        """The family that settings of its kind describe, with its data loaded and verified.

        Raises:
            UserError: the data are missing and cannot be fetched.
        """

    def apart(self) -> Family:
        """The family whose held-out data are not those of tests, for tuning and validation.

        A kind with held-out data keeps a part of its training data apart for this.
        """
        return self

    @abstractmethod
    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Problem:
        """Draw problems.

        Args:
            names: the stream of random numbers that the problems are drawn from, for example
                ("test", "mnist").
            indices: which problems of that stream; problem i is the same in any batch.
            steps: the largest inner step at which the loss will be asked for.
        """


def make_family(name: str, setup: Setup) -> Family:
    """The family of an entry `problems` of the configuration.

    Args:
        name: of the entry.
        setup: all entries, the data's folder, the device and the seed.

    Raises:
        UserError: the data are missing and cannot be fetched.
    """
    settings = setup.problems[name]
    family: Family = resolve(PROBLEMS[settings.kind].code).load(settings, setup)
    return family
