"""Quadratics: f(theta) = ||W theta - y||^2, W and y i.i.d. Gaussian (section 3.1 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from l2l.config.problems import QuadraticSettings
from l2l.problems.base import Family, Problem, Setup, Step
from l2l.rng import stream


@dataclass(frozen=True)
class Quadratic(Problem):
    """B quadratics in d dimensions, float32.

    Attributes:
        W: [B, d, d].
        y: [B, d].
        theta0: theta[0], [B, d].
    """

    W: Tensor
    y: Tensor
    theta0: Tensor
    shapes: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", {"theta": (self.y.shape[1],)})

    def initial(self) -> Tensor:
        """theta[0], [B, d]."""
        return self.theta0

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """||W theta - y||^2, [B]; the same at every step."""
        residual = torch.einsum("bij,bj->bi", self.W, theta) - self.y
        return residual.square().sum(dim=1)

    @torch.no_grad()
    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient 2 W^T (W theta - y) [B, d]; no graph is kept."""
        residual = torch.baddbmm(-self.y[..., None], self.W, theta[..., None])
        gradient = torch.bmm(self.W.mT, 2 * residual)
        return residual.square().sum(dim=(1, 2)), gradient[..., 0]

    def repeat(self, times: int) -> Quadratic:
        """These problems `times` times in a row."""
        return Quadratic(
            self.W.repeat(times, 1, 1), self.y.repeat(times, 1), self.theta0.repeat(times, 1)
        )


@dataclass(frozen=True)
class QuadraticFamily(Family):
    """A new W and y for each problem."""

    settings: QuadraticSettings
    seed: int
    device: torch.device

    @classmethod
    def load(cls, settings: QuadraticSettings, setup: Setup) -> Self:
        """The family; it needs no data."""
        return cls(settings, setup.seed, setup.device)

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Quadratic:
        """Problem i draws W, y and theta[0] from a stream of its own; `steps` changes nothing."""
        d = self.settings.dimensions
        numbers = torch.stack(
            [
                torch.randn(d * d + 2 * d, generator=stream(self.seed, *names, "problem", i))
                for i in indices
            ]
        ).to(self.device)
        W, y, theta0 = numbers.split([d * d, d, d], dim=1)
        return Quadratic(W.reshape(-1, d, d), y, self.settings.init_std * theta0)
