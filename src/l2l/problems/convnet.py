"""Small convolutional networks on CIFAR-10 and on some of its classes (section 3.3 of the paper).

A network has blocks of convolution, batch normalisation, ReLU and 2x2 max pooling, then a hidden
fully connected layer, normalised too, and the output layer. Batch normalisation always uses the
statistics of the batch at hand, for the held-out loss too (in equal batches, none larger than a
minibatch). So f is a function of theta and a minibatch alone, and theta is all that an optimizer
moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.problems import ConvNetSettings
from l2l.errors import UserError
from l2l.problems.base import Setup, Step
from l2l.problems.images import (
    ImageFamily,
    ImageProblem,
    Labelled,
    fixed_sample,
    labelled_images,
)

KERNEL = 5
POOL = 2
APART = 10  # one in so many training images is kept apart, see `ConvNetFamily.apart`


@dataclass(frozen=True)
class ColourImages(Labelled):
    """Images [count, height, width, channels], the order in which convolutions are fast."""

    def to(self, device: torch.device) -> ColourImages:
        """The images on a device."""
        return ColourImages(self.images.to(device), self.labels.to(device))

    def batch(self, chosen: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Images [size, channels, height, width] in [0, 1], channels last in memory; labels."""
        images = self.images.index_select(0, chosen).to(dtype).div_(255)
        return images.permute(0, 3, 1, 2), self.labels.index_select(0, chosen)


@dataclass(frozen=True)
class ConvNet(ImageProblem):
    """B networks; see `ImageProblem`.

    They are computed one after the other, because with batches of 128 images one network keeps a
    core busy. On a CPU, four networks side by side took 1.6 times as long with grouped convolutions
    and 3.7 times with vmap; one after the other but with channels first, 1.4 times.

    Attributes:
        data: the training images.
        train_sample: the fixed training images behind `train_loss`.
        test_sample: the fixed held-out images behind `test_loss`.
    """

    data: ColourImages
    train_sample: ColourImages
    test_sample: ColourImages

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """Mean cross-entropy of this step's minibatch, [B]."""
        return torch.stack([self._loss_of(b, theta[b], step) for b in range(len(theta))])

    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, n]; the graph of one network at a time is kept meanwhile."""
        losses, gradients = [], []
        for b, row in enumerate(theta):
            with torch.enable_grad():
                leaf = row.detach().requires_grad_()
                loss = self._loss_of(b, leaf, step)
                gradients.append(torch.autograd.grad(loss, leaf)[0])
            losses.append(loss.detach())
        return torch.stack(losses), torch.stack(gradients)

    def train_loss(self, theta: Tensor) -> Tensor:
        """Mean cross-entropy on the fixed sample of the training set, [B]."""
        return self._sample_loss(theta, self.train_sample)

    def test_loss(self, theta: Tensor) -> Tensor:
        """Mean cross-entropy on the fixed held-out images, [B]."""
        return self._sample_loss(theta, self.test_sample)

    def _loss_of(self, problem: int, theta: Tensor, step: Step) -> Tensor:
        images, labels = self.data.batch(self.minibatch(step)[problem], theta.dtype)
        return functional.cross_entropy(self._logits(theta, images), labels)

    @torch.no_grad()
    def _sample_loss(self, theta: Tensor, sample: ColourImages) -> Tensor:
        everything = torch.arange(len(sample.labels), device=theta.device)
        batches = -(-len(everything) // self.minibatches.shape[2])
        total = theta.new_zeros(len(theta))
        for chosen in everything.tensor_split(batches):  # equal batches, none small
            images, labels = sample.batch(chosen, theta.dtype)
            for b, row in enumerate(theta):
                logits = self._logits(row, images)
                total[b] += functional.cross_entropy(logits, labels, reduction="sum")
        return total / len(everything)

    def _logits(self, theta: Tensor, images: Tensor) -> Tensor:
        """[size, classes] for images [size, channels, height, width] and theta [n]."""
        named = {name: value[0] for name, value in self.unflatten(theta[None]).items()}
        if theta.is_cuda:  # cuDNN reads four numbers at once, so they must be aligned
            named = {name: value.clone() for name, value in named.items()}
        hidden = images
        for layer in range(1, 1 + sum(name.endswith("kernel") for name in named)):
            kernel = named[f"conv{layer}.kernel"].contiguous(memory_format=torch.channels_last)
            hidden = functional.conv2d(hidden, kernel, padding=KERNEL // 2)
            hidden = functional.max_pool2d(_normalised(hidden, named, f"conv{layer}"), POOL)
            hidden = functional.relu(hidden)  # after pooling: the same bits from a quarter
        hidden = functional.linear(hidden.flatten(1), named["hidden.weight"])
        hidden = functional.relu(_normalised(hidden, named, "hidden"))
        return functional.linear(hidden, named["output.weight"], named["output.bias"])


def _normalised(hidden: Tensor, named: dict[str, Tensor], layer: str) -> Tensor:
    """Batch normalisation by the batch's own statistics (Ioffe and Szegedy 2015)."""
    scale, shift = named[f"{layer}.scale"], named[f"{layer}.shift"]
    return functional.batch_norm(hidden, None, None, scale, shift, training=True)


@dataclass(frozen=True)
class ConvNetFamily(ImageFamily):
    """Networks of one architecture on images of some classes, labels 0..classes-1.

    Attributes:
        train_sample: see `ConvNet`.
        test_sample: see `ConvNet`.
    """

    settings: ConvNetSettings
    data: ColourImages
    train_sample: ColourImages
    test_sample: ColourImages

    @classmethod
    def load(cls, settings: ConvNetSettings, setup: Setup) -> Self:
        """The family, with its images; see `Family.load`."""
        images = labelled_images(settings.dataset, setup.directory)
        train = _classes(images.train_images, images.train_labels, settings.labels)
        test = _classes(images.test_images, images.test_labels, settings.labels)
        samples = (
            _sample(train, settings.train_sample, setup.seed, "train_sample"),
            _sample(test, settings.test_sample, setup.seed, "test_sample"),
        )
        return cls(settings, setup.seed, *(part.to(setup.device) for part in (train, *samples)))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network, convolutional ones first.

        Layers before a normalisation have no biases, because it would subtract them again.
        """
        _, height, width, below = self.data.images.shape
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, channels in enumerate(self.settings.channels, start=1):
            shapes[f"conv{layer}.kernel"] = (channels, below, KERNEL, KERNEL)
            shapes[f"conv{layer}.scale"] = shapes[f"conv{layer}.shift"] = (channels,)
            below, height, width = channels, height // POOL, width // POOL
        hidden, classes = self.settings.hidden, len(self.settings.labels)
        shapes["hidden.weight"] = (hidden, below * height * width)
        shapes["hidden.scale"] = shapes["hidden.shift"] = (hidden,)
        shapes["output.weight"], shapes["output.bias"] = (classes, hidden), (classes,)
        return shapes

    def apart(self) -> Self:
        """Networks that train on nine tenths of the training images; the last one is held out."""
        images, labels = self.data.images, self.data.labels
        trained = len(labels) - len(labels) // APART
        data = ColourImages(images[:trained], labels[:trained])
        held_out = ColourImages(images[trained:], labels[trained:])
        return replace(
            self,
            data=data,
            train_sample=_sample(data, self.settings.train_sample, self.seed, "train_sample"),
            test_sample=_sample(held_out, self.settings.test_sample, self.seed, "apart_sample"),
        )

    def networks(self, minibatches: Tensor, theta0: Tensor) -> ConvNet:
        """See `ImageFamily.networks`."""
        samples = (self.train_sample, self.test_sample)
        return ConvNet(self.shapes, minibatches, theta0, self.data, *samples)


def _sample(data: ColourImages, size: int, seed: int, name: str) -> ColourImages:
    """`size` different images, or all of them, from a stream."""
    chosen = fixed_sample(len(data.labels), size, seed, name).to(data.labels.device)
    return ColourImages(data.images.index_select(0, chosen), data.labels[chosen])


def _classes(images: Tensor, labels: Tensor, chosen: tuple[int, ...]) -> ColourImages:
    """The images of the chosen classes, whose labels become 0, 1, ... in this order."""
    if images.dim() == 3:  # one channel, as MNIST has
        images = images[..., None]
    classes = int(labels.max()) + 1
    if max(chosen) >= classes:
        raise UserError(f"labels = {list(chosen)}: the images have labels 0 to {classes - 1}")
    if chosen == tuple(range(classes)):
        return ColourImages(images, labels)
    new = torch.full((classes,), -1)
    new[list(chosen)] = torch.arange(len(chosen))
    wanted = (new[labels] >= 0).nonzero()[:, 0]
    return ColourImages(images[wanted], new[labels[wanted]])
