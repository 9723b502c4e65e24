"""The convolutional features of VGG-16 (Simonyan and Zisserman 2015), frozen.

Between the blocks are 2x2 max poolings, so a picture needs at least 16 pixels a side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from l2l.data.vgg16 import LAYERS, MEAN_BGR


@dataclass(frozen=True)
class VGGFeatures:
    """The network up to the last layer that is needed; nothing in it is trained.

    Attributes:
        weights: <layer>.weight [out, in, 3, 3] and <layer>.bias [out], all of one dtype, on the
            device that computes.
    """

    weights: Mapping[str, Tensor]

    @staticmethod
    def of(
        weights: Mapping[str, Tensor], last: str, device: torch.device, dtype: torch.dtype
    ) -> VGGFeatures:
        """The layers up to `last`, for RGB images, in the memory order that is fast.

        Args:
            weights: as `VGG16.load` returns them, with a first layer for BGR images.
            last: the last layer that is needed.
            device: where to compute.
            dtype: what to compute in: float32, or bfloat16 where the processor has it.
        """
        converted: dict[str, Tensor] = {}
        for layer in LAYERS[: LAYERS.index(last) + 1]:
            weight = weights[f"{layer}.weight"]
            if layer == LAYERS[0]:
                weight = weight.flip(1)
            weight = weight.to(device, dtype, memory_format=torch.channels_last)
            converted[f"{layer}.weight"] = weight
            converted[f"{layer}.bias"] = weights[f"{layer}.bias"].to(device, dtype)
        return VGGFeatures(converted)

    def __call__(self, images: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """Features after the ReLU of some layers, differentiable with respect to the images.

        Args:
            images: [B, 3, height, width], RGB in [0, 1]; values outside are not clipped.
            layers: names out of `l2l.data.vgg16.LAYERS`.

        Returns:
            layer -> [B, channels, height', width'], in the dtype of the weights.
        """
        features: dict[str, Tensor] = {}
        # Made on the device, so that a CUDA graph can capture it.
        mean = torch.cat([images.new_full((1, 1, 1), value) for value in reversed(MEAN_BGR)])
        first = self.weights[f"{LAYERS[0]}.weight"]
        hidden = (255 * images - mean).to(first.dtype, memory_format=torch.channels_last)
        block = LAYERS[0].split("_")[0]
        for layer in LAYERS:
            if not layer.startswith(block):
                hidden, block = functional.max_pool2d(hidden, 2), layer.split("_")[0]
            weight, bias = self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"]
            hidden = functional.conv2d(hidden, weight, bias, padding=1).relu_()
            if layer in layers:
                features[layer] = hidden
            if len(features) == len(layers):
                break
        return features
