"""Meta-training on a mixture of problems in random units, as Wichrowska et al. 2017 do.

A learned optimizer that was trained on one kind of problem in one unit may fail in another. Here
an episode has problems of one of several kinds, and each problem has its own units: with
log-uniform a and b, the optimizer sees theta' where theta = a theta', and the loss b f.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from l2l.config.problems import MixtureSettings
from l2l.problems.base import Family, Problem, Setup, Step, make_family
from l2l.rng import stream


@dataclass(frozen=True)
class Scaled(Problem):
    """Problems in other units: f'(theta') = b f(a theta').

    Attributes:
        problem: the B problems f.
        parameter_scale: a of each problem, [B, 1].
        loss_scale: b of each problem, [B].
    """

    problem: Problem
    parameter_scale: Tensor
    loss_scale: Tensor
    shapes: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", self.problem.shapes)

    def initial(self) -> Tensor:
        """theta'[0], [B, n]."""
        return self.problem.initial() / self.parameter_scale

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """b f(a theta'), [B]."""
        return self.loss_scale * self.problem.loss(self.parameter_scale * theta, step)

    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient a b grad f(a theta') [B, n]; no graph is kept."""
        loss, gradient = self.problem.loss_and_gradient(self.parameter_scale * theta, step)
        return self.loss_scale * loss, self.loss_scale[:, None] * self.parameter_scale * gradient

    def train_loss(self, theta: Tensor) -> Tensor:
        """b times the problem's train_loss, [B]."""
        return self.loss_scale * self.problem.train_loss(self.parameter_scale * theta)

    def places(self) -> dict[str, Tensor]:
        """As in the problem itself."""
        return self.problem.places()

    def live(self, train_loss: bool) -> Tensor:
        """As in the problem itself."""
        return self.problem.live(train_loss)

    def repeat(self, times: int) -> Scaled:
        """These problems `times` times in a row."""
        return Scaled(
            self.problem.repeat(times),
            self.parameter_scale.repeat(times, 1),
            self.loss_scale.repeat(times),
        )


@dataclass(frozen=True)
class MixtureFamily(Family):
    """One of several families for each batch, each problem in units of its own.

    Attributes:
        settings: the range of the units.
        seed: the seed of the run.
        parts: name -> family.
    """

    settings: MixtureSettings
    seed: int
    parts: Mapping[str, Family]

    @classmethod
    def load(cls, settings: MixtureSettings, setup: Setup) -> Self:
        """The mixture, with the data of all its parts."""
        return cls(settings, setup.seed, {part: make_family(part, setup) for part in settings.of})

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Problem:
        """Draw problems of one family; the first index decides which.

        Unlike in other families, problem i is the same only in batches with the same first index.
        """
        first = stream(self.seed, *names, "part", indices[0])
        chosen = list(self.parts)[int(torch.randint(len(self.parts), (1,), generator=first))]
        problem = self.parts[chosen].sample((*names, chosen), indices, steps)
        low, high = math.log(self.settings.scale.low), math.log(self.settings.scale.high)
        draws = torch.stack(
            [torch.rand(2, generator=stream(self.seed, *names, "units", i)) for i in indices]
        )
        scales = torch.exp(low + (high - low) * draws).to(problem.initial())
        return Scaled(problem, scales[:, :1], scales[:, 1])
