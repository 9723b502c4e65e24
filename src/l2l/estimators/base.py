"""What every meta-gradient estimator takes and returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers.base import Optimizer, Phi, UpdateRule
from l2l.problems.base import Problem

LossWeights = Callable[[Tensor, int], Tensor]
"""(losses [K, B] of steps first..first+K-1, first) -> weights w[t], [K, B], constants to phi."""


@dataclass(frozen=True)
class Window:
    """One window of K inner steps.

    Attributes:
        carry: the state of the episode after the window: a `Carry`, or what `Estimator.begin`
            returned.
        losses: f(theta[t]) after each of the K updates, [K, B].
        meta_loss: mean over B of sum over t of w[t] f(theta[t]), equation (4), a scalar.
        gradient: of meta_loss with respect to phi.
        memory: what the estimator keeps from now on, see `Episode`; None: unchanged.
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
        sample: makes most cotangents zero, so that only some coordinates are backpropagated
            (`l2l.estimators.sampling`); None: all coordinates are.
        memory: what the estimator keeps over all of meta-training, one vector; see `remembers`.
        repetitions: times -> the problems repeated so often, see `repeated`.
    """

    problems: Problem
    weights: LossWeights
    generator: torch.Generator
    sample: Callable[[Tensor], Tensor] | None
    memory: Tensor
    repetitions: dict[int, Problem] = field(default_factory=dict)

    def repeated(self, times: int) -> Problem:
        """The problems `times` over: the same object for all windows, which CUDA graphs need."""
        if times not in self.repetitions:
            self.repetitions[times] = self.problems.repeat(times)
        return self.repetitions[times]


def follow(
    problems: Problem, optimizer: Optimizer, carry: Carry, steps: int
) -> tuple[Carry, Tensor, Tensor, Tensor]:
    """Roll a window forward and keep what it visits.

    Returns:
        Its end; after each update the losses [K, B] and the gradients [K, B, n]; and what the
        optimizer saw at each step, [K, B, n].
    """
    visited: list[tuple[Tensor, Tensor]] = []  # not whole carries: they hold the LSTM's states

    def keep(now: Carry) -> None:
        visited.append((now.loss, now.gradient))

    end = rollout(problems, optimizer, carry, steps, keep)
    losses, gradients = (torch.stack(parts) for parts in zip(*visited, strict=True))
    return end, losses, gradients, torch.stack([carry.gradient, *gradients[:-1]])


@dataclass(frozen=True)
class Estimator(ABC):
    """A way to estimate the meta-gradient of a window; a new one needs `window` alone.

    >>> from l2l.config.estimators import AdjointSettings
    >>> from l2l.estimators import make_estimator
    >>> type(make_estimator(AdjointSettings(kind="adjoint"))).__name__
    'Adjoint'

    Attributes:
        settings: as the configuration has them.
    """

    settings: Any

    def remembers(self, steps: int) -> int:
        """The size of its memory over meta-training, for episodes of at most `steps` steps."""
        return 0

    def begin(self, episode: Episode, optimizer: UpdateRule) -> Any:
        """The start of an episode, which is passed on from window to window; it has a `step`."""
        return begin(episode.problems, optimizer)

    @abstractmethod
    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """Take `steps` inner steps from `carry` and estimate the gradient of their meta-loss."""
