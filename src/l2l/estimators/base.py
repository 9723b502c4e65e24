"""What every meta-gradient estimator takes and returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from l2l.meta.rollout import begin
from l2l.optimizers.learned import Phi
from l2l.problems.base import Problem

if TYPE_CHECKING:
    from l2l.optimizers import Trainable

LossWeights = Callable[[Tensor, int], Tensor]
"""(losses [K, B] of steps first..first+K-1, first) -> weights w[t] [K, B], constants to phi."""


@dataclass(frozen=True)
class Window:
    """One window of K inner steps.

    Attributes:
        carry: where the episode stands after the window: a `Carry`, or what `Estimator.begin`
            gave.
        losses: f(theta[t]) after each of the K updates, [K, B].
        meta_loss: mean over B of sum over t of w[t] f(theta[t]), equation (4), a scalar.
        gradient: of meta_loss with respect to phi.
        memory: what the estimator keeps from now on, see `Episode`; None: what it had.
    """

    carry: Any
    losses: Tensor
    meta_loss: Tensor
    gradient: Phi
    memory: Tensor | None = None


@dataclass(frozen=True)
class Episode:
    """What an estimator works on during one episode.

    Attributes:
        problems: the B problems.
        weights: w[t], see `LossWeights`.
        generator: the episode's own stream of random numbers, on the CPU.
        sample: what to make of cotangents to backpropagate only a part of the coordinates; None:
            all of them (`l2l.estimators.sampling`).
        memory: what the estimator keeps over all of meta-training, flat; as `remembers` says.
        repetitions: times -> the problems so many times over, see `repeated`.
    """

    problems: Problem
    weights: LossWeights
    generator: torch.Generator
    sample: Callable[[Tensor], Tensor] | None
    memory: Tensor
    repetitions: dict[int, Problem] = field(default_factory=dict)

    def repeated(self, times: int) -> Problem:
        """The problems `times` over: the same object for all windows, as CUDA graphs want it."""
        if times not in self.repetitions:
            self.repetitions[times] = self.problems.repeat(times)
        return self.repetitions[times]


@dataclass(frozen=True)
class Estimator(ABC):
    """A way to estimate the meta-gradient of a window; a new one needs `window` alone.

    Attributes:
        settings: as the configuration has them.
    """

    settings: Any

    def remembers(self, steps: int) -> int:
        """How many numbers it keeps over meta-training, for episodes of at most `steps` steps."""
        return 0

    def begin(self, episode: Episode, optimizer: Trainable) -> Any:
        """The start of an episode. What it is passes from window to window, and has a `step`."""
        return begin(episode.problems, optimizer)

    @abstractmethod
    def window(self, episode: Episode, optimizer: Trainable, carry: Any, steps: int) -> Window:
        """Take `steps` inner steps from `carry` and estimate the gradient of their meta-loss."""
