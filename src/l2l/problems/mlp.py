"""Multi-layer perceptrons: cross-entropy on minibatches of images (section 3.2 of the paper)."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, get_args

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.problems import Activation, MLPSettings
from l2l.problems.base import Setup, Step
from l2l.problems.images import (
    ImageFamily,
    ImageProblem,
    Labelled,
    fixed_sample,
    labelled_images,
)

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    name: getattr(functional, name) for name in get_args(Activation)
}


@dataclass(frozen=True)
class ImageSet(Labelled):
    """Labelled images as an MLP sees them, on the device that computes.

    Attributes:
        images: uint8 [count, pixels].
        labels: int64 [count], from 0.
        sample_images: the fixed sample behind `train_loss`, uint8 [lit pixels, size].
        sample_labels: int64 [size].
        sample_pixels: the pixels that are lit in an image of the sample, int64 [lit pixels].
    """

    sample_images: Tensor
    sample_labels: Tensor
    sample_pixels: Tensor

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, sample: Tensor) -> ImageSet:
        """The set whose sample is the images with these numbers, int64 [size]."""
        chosen = images[sample].T
        pixels = chosen.amax(dim=1).nonzero()[:, 0]
        return cls(images, labels, chosen[pixels].contiguous(), labels[sample], pixels)


@dataclass(frozen=True)
class MLP(ImageProblem):
    """B networks, with weight [out, in] and bias [out] of each layer; see `ImageProblem`.

    Attributes:
        activation: of the hidden layers, a key of `ACTIVATIONS`.
        data: the training images.
    """

    activation: str
    data: ImageSet

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """Mean cross-entropy of this step's minibatch, [B]."""
        images, labels = self._minibatch(step, theta.dtype)
        return _cross_entropy(self._logits(list(self.unflatten(theta).values()), images), labels)

    @torch.no_grad()
    def loss_and_gradient(self, theta: Tensor, step: Step) -> tuple[Tensor, Tensor]:
        """Loss [B] and gradient [B, n]; no graph is kept.

        Backpropagation is written out, except for the activations: with one network of 20 units
        this takes an eighth less time than autograd.
        """
        below, labels = self._minibatch(step, theta.dtype)
        parameters = list(self.unflatten(theta).values())
        layers = []  # of each layer: weight, inputs, outputs before and after the activation
        for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
            outputs = torch.baddbmm(bias[..., None], weight, below)
            with torch.enable_grad():
                before = outputs.requires_grad_()
                after = ACTIVATIONS[self.activation](before)
            layers.append((weight, below, before, after))
            below = after.detach()
        log_probabilities = outputs.detach().log_softmax(dim=1)
        loss = -log_probabilities.gather(1, labels[:, None]).mean(dim=(1, 2))
        cotangent = log_probabilities.exp_()
        # A comparison instead of scatter, which sorts on a GPU with deterministic algorithms.
        classes = torch.arange(cotangent.shape[1], device=labels.device)[:, None]
        right = (classes == labels[:, None]).to(cotangent.dtype)
        cotangent.sub_(right).div_(labels.shape[1])
        gradients: list[Tensor] = []
        for number, (weight, below, _, _) in reversed(list(enumerate(layers))):
            gradients = [torch.bmm(cotangent, below.mT), cotangent.sum(dim=2), *gradients]
            if number:
                _, _, before, after = layers[number - 1]
                back = torch.bmm(weight.mT, cotangent)
                with torch.enable_grad():  # autograd.grad(after, before, back) would import sympy
                    products = (after * back).sum()
                (cotangent,) = torch.autograd.grad(products, before)
        return loss, torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)

    @torch.no_grad()
    def train_loss(self, theta: Tensor) -> Tensor:
        """Mean cross-entropy on the fixed sample of the training set, [B]."""
        images = self.data.sample_images.to(theta.dtype).div_(255)
        first, *rest = self.unflatten(theta).values()
        logits = self._logits([first.index_select(2, self.data.sample_pixels), *rest], images)
        return _cross_entropy(logits, self.data.sample_labels.expand(theta.shape[0], -1))

    def live(self, train_loss: bool) -> Tensor:
        """All coordinates but the weights of pixels that are dark in all images used, bool [n]."""
        lit = torch.zeros(self.data.images.shape[1], dtype=torch.uint8, device=self.theta0.device)
        if train_loss:
            lit[self.data.sample_pixels] = 1
        for chosen in self.minibatches:
            lit |= self.data.images.index_select(0, chosen.flatten()).amax(dim=0)
        first, *rest = self.shapes.values()
        others = sum(math.prod(shape) for shape in rest)
        return torch.cat([(lit > 0).expand(first).flatten(), lit.new_ones(others).bool()])

    def _minibatch(self, step: Step, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Images [B, pixels, batch] in [0, 1] and labels [B, batch] of a step."""
        chosen = self.minibatch(step)
        images = self.data.images.index_select(0, chosen.flatten()).to(dtype).div_(255)
        labels = self.data.labels.index_select(0, chosen.flatten())
        return images.view(*chosen.shape, -1).mT, labels.view_as(chosen)

    def _logits(self, parameters: list[Tensor], images: Tensor) -> Tensor:
        """[B, classes, count]; images [B, pixels, count], or [pixels, count] for all networks."""
        hidden = images
        for layer in range(0, len(parameters), 2):
            weight, bias = parameters[layer], parameters[layer + 1][..., None]
            if hidden.dim() == 2:  # one matrix product for all problems
                products = torch.addmm(bias.flatten(0, 1), weight.flatten(0, 1), hidden)
                hidden = products.view(*weight.shape[:2], -1)
            else:
                hidden = torch.baddbmm(bias, weight, hidden)
            if layer + 2 < len(parameters):
                hidden = ACTIVATIONS[self.activation](hidden)
        return hidden


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the images of each problem: logits [B, classes, count], labels [B, count]."""
    return functional.cross_entropy(logits, labels, reduction="none").mean(dim=1)


@dataclass(frozen=True)
class MLPFamily(ImageFamily):
    """Networks of one architecture on one data set; see `ImageFamily`.

    Attributes:
        classes: the number of labels.
    """

    settings: MLPSettings
    data: ImageSet
    classes: int = 10

    @classmethod
    def load(cls, settings: MLPSettings, setup: Setup) -> Self:
        """The family, with its training images; see `Family.load`."""
        sample = (settings.train_sample, setup.seed)
        data = _image_set(settings.dataset, setup.directory, *sample, setup.device)
        return cls(settings, setup.seed, data, int(data.labels.max()) + 1)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""
        widths = [self.data.images.shape[1], *self.settings.hidden, self.classes]
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            shapes[f"layers.{layer}.weight"] = (outputs, inputs)
            shapes[f"layers.{layer}.bias"] = (outputs,)
        return shapes

    def networks(self, minibatches: Tensor, theta0: Tensor) -> MLP:
        """See `ImageFamily.networks`."""
        return MLP(self.shapes, minibatches, theta0, self.settings.activation, self.data)

    def initial(self, generator: torch.Generator) -> Tensor:
        """theta[0], [n]; Gaussian weights are one draw for all layers."""
        if self.settings.init == "gaussian":
            n = sum(math.prod(shape) for shape in self.shapes.values())
            return self.settings.init_std * torch.randn(n, generator=generator)
        return super().initial(generator)


@functools.lru_cache(maxsize=2)  # the families of an experiment share their images
def _image_set(
    name: str, directory: Path, train_sample: int, seed: int, device: torch.device
) -> ImageSet:
    images = labelled_images(name, directory)
    return ImageSet.of(
        images.train_images.flatten(1).to(device),
        images.train_labels.to(device),
        fixed_sample(len(images.train_labels), train_sample, seed, "train_sample").to(device),
    )
