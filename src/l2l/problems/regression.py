"""Regression: a network learns what another one, drawn at random, says of random inputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.problems import RegressionSettings
from l2l.problems.base import Family, Problem, Setup, Step
from l2l.rng import stream

SAMPLE = 512  # inputs behind train_loss


@dataclass(frozen=True)
class Regression(Problem):
    """B networks with weight [out, in] and bias [out] of each layer, each with its own teacher.

    Attributes:
        shapes: of the parameters of one network.
        activation: of the hidden layers, a name in `torch.nn.functional`.
        inputs: of each step, and after them those behind `train_loss`, [B, inputs, dimensions].
        targets: the same for the targets, [B, inputs].
        batch_size: inputs of a step.
        theta0: theta[0], [B, n].
    """

    shapes: dict[str, tuple[int, ...]]
    activation: str
    inputs: Tensor
    targets: Tensor
    batch_size: int
    theta0: Tensor

    def initial(self) -> Tensor:
        """theta[0], [B, n]."""
        return self.theta0

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """Mean squared error of this step's minibatch, [B]."""
        chosen = step * self.batch_size + torch.arange(self.batch_size, device=theta.device)
        return self._error(theta, chosen)

    @torch.no_grad()
    def train_loss(self, theta: Tensor) -> Tensor:
        """Mean squared error on inputs that no step sees, [B]."""
        count = self.targets.shape[1]
        return self._error(theta, torch.arange(count - SAMPLE, count, device=theta.device))

    def repeat(self, times: int) -> Self:
        """These problems `times` times in a row."""
        return replace(
            self,
            inputs=self.inputs.repeat(times, 1, 1),
            targets=self.targets.repeat(times, 1),
            theta0=self.theta0.repeat(times, 1),
        )

    def _error(self, theta: Tensor, chosen: Tensor) -> Tensor:
        hidden = self.inputs.index_select(1, chosen).to(theta.dtype)
        parameters = list(self.unflatten(theta).values())
        for layer in range(0, len(parameters), 2):
            weight, bias = parameters[layer], parameters[layer + 1]
            hidden = torch.baddbmm(bias[:, None], hidden, weight.mT)
            if layer + 2 < len(parameters):
                hidden = getattr(functional, self.activation)(hidden)
        targets = self.targets.index_select(1, chosen)
        return (hidden[..., 0] - targets).square().mean(dim=1)


@dataclass(frozen=True)
class RegressionFamily(Family):
    """A new teacher for each problem: one hidden layer of tanh, outputs of variance about 1."""

    settings: RegressionSettings
    seed: int
    device: torch.device

    @classmethod
    def load(cls, settings: RegressionSettings, setup: Setup) -> Self:
        """The family; it needs no data."""
        return cls(settings, setup.seed, setup.device)

    @property
    def dimensions(self) -> int:
        """Of an input."""
        return self.settings.dimensions

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""
        widths = [self.dimensions, *self.settings.hidden, 1]
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            shapes[f"layers.{layer}.weight"] = (outputs, inputs)
            shapes[f"layers.{layer}.bias"] = (outputs,)
        return shapes

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Regression:
        """Problem i draws its data and its initial weights from streams of its own."""
        drawn = [self._draw(names, i, steps) for i in indices]
        inputs, targets, theta0 = (
            torch.stack(parts).to(self.device) for parts in zip(*drawn, strict=True)
        )
        settings = self.settings
        return Regression(
            self.shapes, settings.activation, inputs, targets, settings.batch_size, theta0
        )

    def _draw(
        self, names: Sequence[str | int], index: int, steps: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        start = stream(self.seed, *names, "init", index)
        theta0 = [
            (2 * torch.rand(math.prod(shape), generator=start) - 1)
            / math.sqrt(self.shapes[name.replace("bias", "weight")][1])
            for name, shape in self.shapes.items()
        ]
        return *self.data(names, index, steps), torch.cat(theta0)

    def data(self, names: Sequence[str | int], index: int, steps: int) -> tuple[Tensor, Tensor]:
        """A teacher's answers to random inputs: of each step, and then those of `train_loss`."""
        settings = self.settings
        teacher = stream(self.seed, *names, "teacher", index)
        first = torch.randn(settings.teacher, settings.dimensions, generator=teacher)
        second = torch.randn(settings.teacher, generator=teacher)
        data = stream(self.seed, *names, "minibatch", index)
        sample = torch.randn(SAMPLE, settings.dimensions + 1, generator=data)
        count = (steps + 1) * settings.batch_size
        numbers = torch.cat([torch.randn(count, settings.dimensions + 1, generator=data), sample])
        inputs, noise = numbers[:, :-1], numbers[:, -1]
        hidden = torch.tanh(inputs @ first.T / math.sqrt(settings.dimensions))
        targets = 2 * hidden @ second / math.sqrt(settings.teacher) + settings.noise * noise
        return inputs, targets
