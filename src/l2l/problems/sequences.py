"""What networks share that read an image as a sequence of its patches, row by row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.problems import SequenceSettings
from l2l.errors import UserError
from l2l.problems.base import Setup, Step
from l2l.problems.images import (
    ImageFamily,
    ImageProblem,
    Labelled,
    fixed_sample,
    labelled_images,
)


@dataclass(frozen=True)
class PatchSet(Labelled):
    """Labelled images as sequences, on the device that computes.

    Attributes:
        images: uint8 [count, patches, pixels of a patch].
        labels: int64 [count], from 0.
        sample: the numbers of the images behind `train_loss`, int64 [size].
    """

    sample: Tensor

    def batch(self, chosen: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Sequences [B, batch, patches, pixels] in [0, 1], labels [B, batch]; chosen [B, batch]."""
        images = self.images.index_select(0, chosen.flatten()).to(dtype).div_(255)
        labels = self.labels.index_select(0, chosen.flatten())
        return images.view(*chosen.shape, *images.shape[1:]), labels.view_as(chosen)


@dataclass(frozen=True)
class SequenceProblem(ImageProblem):
    """B networks side by side; see `ImageProblem`. A kind of network has `logits`.

    Attributes:
        settings: of the network.
        data: the training images.
    """

    settings: SequenceSettings
    data: PatchSet

    @abstractmethod
    def logits(self, named: Mapping[str, Tensor], sequences: Tensor) -> Tensor:
        """The logits of each network.

        Args:
            named: the parameters, name -> [B, *shape].
            sequences: [B, batch, patches, pixels].

        Returns:
            [B, batch, classes].
        """

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """Mean cross-entropy of this step's minibatch, [B]."""
        return self._cross_entropy(theta, self.minibatch(step))

    @torch.no_grad()
    def train_loss(self, theta: Tensor) -> Tensor:
        """Mean cross-entropy on the fixed sample of the training set, [B]."""
        size = self.minibatches.shape[2]  # as many at once as in a minibatch: bounds the memory
        parts = self.data.sample.split(size)
        losses = [len(p) * self._cross_entropy(theta, p.expand(len(theta), -1)) for p in parts]
        return torch.stack(losses).sum(dim=0) / len(self.data.sample)

    def _cross_entropy(self, theta: Tensor, chosen: Tensor) -> Tensor:
        sequences, labels = self.data.batch(chosen, theta.dtype)
        logits = self.logits(self.unflatten(theta), sequences)
        return functional.cross_entropy(logits.mT, labels, reduction="none").mean(dim=1)


@dataclass(frozen=True)
class SequenceFamily(ImageFamily):
    """Networks of one architecture on one data set; see `ImageFamily`.

    Attributes:
        classes: the number of labels.
    """

    settings: SequenceSettings
    data: PatchSet
    classes: int

    @classmethod
    def load(cls, settings: SequenceSettings, setup: Setup) -> Self:
        """The family, with its training images; see `Family.load`."""
        images = labelled_images(settings.dataset, setup.directory)
        sequences = patches(images.train_images, settings.patch)
        labels = images.train_labels
        sample = fixed_sample(len(labels), settings.train_sample, setup.seed, "train_sample")
        data = PatchSet(*(part.to(setup.device) for part in (sequences, labels, sample)))
        return cls(settings, setup.seed, data, int(labels.max()) + 1)


def linear(inputs: Tensor, named: Mapping[str, Tensor], layer: str) -> Tensor:
    """A linear layer of B networks: inputs [B, ..., features], weight [B, out, features], bias."""
    flat = inputs.flatten(1, -2)
    products = torch.baddbmm(named[f"{layer}.bias"][:, None], flat, named[f"{layer}.weight"].mT)
    return products.view(*inputs.shape[:-1], -1)


def patches(images: Tensor, size: tuple[int, ...]) -> Tensor:
    """Images [count, height, width(, channels)] in patches: [count, patches, pixels of a patch].

    Raises:
        UserError: the patches do not fill the image.
    """
    count, height, width = images.shape[:3]
    rows, columns = size
    if height % rows or width % columns:
        raise UserError(
            f"patch = {list(size)}: images of {height} x {width} pixels cannot be cut into such "
            "patches; give divisors"
        )
    cut = images.reshape(count, height // rows, rows, width // columns, columns, -1)
    return cut.transpose(2, 3).flatten(3).flatten(1, 2)
