"""What networks on labelled images share: data, initial weights, minibatches, fixed samples."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from l2l.config.problems import ImageSettings
from l2l.data.labelled import LabelledImages
from l2l.errors import UserError
from l2l.problems.base import Family, Problem, Step
from l2l.registry import DATASETS, resolve
from l2l.rng import stream


@functools.cache  # a job may test several experiments
def labelled_images(name: str, directory: Path) -> LabelledImages:
    """A data set, verified.

    Args:
        name: in `l2l.registry.DATASETS`.
        directory: the folder of the data sets.

    Raises:
        UserError: it has no labels, or it is missing and cannot be fetched.
    """
    images = resolve(DATASETS[name]).load(directory)
    if not isinstance(images, LabelledImages):
        raise UserError(f"dataset = {name}: it has no labels; give one of labelled images")
    return images


def fixed_sample(count: int, size: int, seed: int, name: str) -> Tensor:
    """The numbers of `size` different images out of `count`, or of all, int64, from a stream."""
    return torch.randperm(count, generator=stream(seed, name))[:size]


@dataclass(frozen=True)
class Labelled:
    """Labelled images on the device that computes.

    Attributes:
        images: uint8 [count, ...].
        labels: int64 [count], from 0.
    """

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class ImageProblem(Problem):
    """B networks, each with its own initial weights and its own sequence of minibatches.

    Attributes:
        shapes: see `ImageFamily.shapes`.
        minibatches: the images of each step, int64 [B, steps + 1, batch].
        theta0: theta[0], [B, n].
    """

    shapes: dict[str, tuple[int, ...]]
    minibatches: Tensor
    theta0: Tensor

    def initial(self) -> Tensor:
        """theta[0], [B, n]."""
        return self.theta0

    def repeat(self, times: int) -> Self:
        """These problems `times` times in a row."""
        return replace(
            self,
            minibatches=self.minibatches.repeat(times, 1, 1),
            theta0=self.theta0.repeat(times, 1),
        )

    def minibatch(self, step: Step) -> Tensor:
        """The numbers of the images of one step, [B, batch]."""
        if isinstance(step, Tensor):
            return self.minibatches.index_select(1, step[None])[:, 0]
        return self.minibatches[:, step]


@dataclass(frozen=True)
class ImageFamily(Family):
    """Networks of one architecture on labelled images.

    Attributes:
        settings: the architecture and the minibatches.
        seed: the seed of the run.
        data: the training images.
    """

    settings: ImageSettings
    seed: int
    data: Labelled

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""

    @abstractmethod
    def networks(self, minibatches: Tensor, theta0: Tensor) -> ImageProblem:
        """The problems with these minibatches and initial weights, see `ImageProblem`."""

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> Problem:
        """Problem i draws its initial weights and its minibatches from two streams of its own.

        The images of a minibatch are uniform, with replacement.
        """
        count, size = len(self.data.labels), (steps + 1, self.settings.batch_size)
        streams = [stream(self.seed, *names, "minibatch", i) for i in indices]
        minibatches = [torch.randint(count, size, generator=each) for each in streams]
        theta0 = [self.initial(stream(self.seed, *names, "init", i)) for i in indices]
        device = self.data.labels.device
        return self.networks(torch.stack(minibatches).to(device), torch.stack(theta0).to(device))

    def initial(self, generator: torch.Generator) -> Tensor:
        """theta[0], [n]: scales 1, shifts 0, others U(+-1/sqrt(inputs)) or N(0, init_std^2)."""
        shapes, parts = self.shapes, []
        for name, shape in shapes.items():
            n = math.prod(shape)
            if name.endswith((".scale", ".shift")):
                parts.append(torch.full((n,), float(name.endswith(".scale"))))
            elif self.settings.init == "gaussian":
                parts.append(self.settings.init_std * torch.randn(n, generator=generator))
            else:
                inputs = math.prod(shapes[name.replace("bias", "weight")][1:])
                parts.append((2 * torch.rand(n, generator=generator) - 1) / math.sqrt(inputs))
        return torch.cat(parts)
