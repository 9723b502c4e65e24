"""Convolutional networks without normalisation; all else is that of `convnet`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.problems import PlainConvNetSettings
from l2l.problems.convnet import KERNEL, POOL, ConvNet, ConvNetFamily


@dataclass(frozen=True)
class PlainConvNet(ConvNet):
    """B networks with biases in the place of batch normalisation; see `ConvNet`."""

    def _logits(self, theta: Tensor, images: Tensor) -> Tensor:
        """[size, classes] for images [size, channels, height, width] and theta [n]."""
        named = {name: value[0] for name, value in self.unflatten(theta[None]).items()}
        if theta.is_cuda:  # cuDNN reads four numbers at once, so they must be aligned
            named = {name: value.clone() for name, value in named.items()}
        hidden = images
        for layer in range(1, 1 + sum(name.startswith("conv") for name in named) // 2):
            kernel = named[f"conv{layer}.weight"].contiguous(memory_format=torch.channels_last)
            bias = named[f"conv{layer}.bias"]
            hidden = functional.conv2d(hidden, kernel, bias, padding=KERNEL // 2)
            hidden = functional.relu(functional.max_pool2d(hidden, POOL))
        hidden = functional.linear(hidden.flatten(1), named["hidden.weight"], named["hidden.bias"])
        hidden = functional.relu(hidden)
        return functional.linear(hidden, named["output.weight"], named["output.bias"])


@dataclass(frozen=True)
class PlainConvNetFamily(ConvNetFamily):
    """Networks of one architecture; see `ConvNetFamily`."""

    settings: PlainConvNetSettings

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""
        _, height, width, below = self.data.images.shape
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, channels in enumerate(self.settings.channels, start=1):
            shapes[f"conv{layer}.weight"] = (channels, below, KERNEL, KERNEL)
            shapes[f"conv{layer}.bias"] = (channels,)
            below, height, width = channels, height // POOL, width // POOL
        hidden, classes = self.settings.hidden, len(self.settings.labels)
        shapes["hidden.weight"] = (hidden, below * height * width)
        shapes["hidden.bias"] = (hidden,)
        shapes["output.weight"], shapes["output.bias"] = (classes, hidden), (classes,)
        return shapes

    def networks(self, minibatches: Tensor, theta0: Tensor) -> PlainConvNet:
        """See `ImageFamily.networks`."""
        samples = (self.train_sample, self.test_sample)
        return PlainConvNet(self.shapes, minibatches, theta0, self.data, *samples)
