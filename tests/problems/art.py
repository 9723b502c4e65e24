"""Neural Art without data: VGG-16 with random weights, photographs and styles of noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from l2l.config.problems import NeuralArtSettings
from l2l.data.vgg16 import NAME, SHAPES
from l2l.problems.neural_art import LAST_LAYER, NeuralArtFamily
from l2l.problems.vgg_features import VGGFeatures

CPU = torch.device("cpu")
COUNTS = {"train": 50, "validation": 4, "test": 5}


def random_weights() -> dict[str, Tensor]:
    """Weights that keep the size of activations (He et al. 2015), named like the real ones."""
    generator = torch.Generator().manual_seed(5)
    weights = {}
    for name, shape in SHAPES.items():
        scale = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
        weights[name] = scale * torch.randn(shape, generator=generator)
    weights["block1_conv1.weight"] /= 100  # its input goes to 255
    return weights


def settings(**changes: object) -> NeuralArtSettings:
    values = {
        "kind": "neural_art",
        "features": NAME,
        "size": 16,
        "styles": ("wave",),
        "content_weight": 1.0,
        "style_weight": 2.0,
        "variation_weight": 10.0,
        "precision": "float32",
    }
    return NeuralArtSettings.model_validate(values | changes)


def noise(key: str, size: int = 40) -> NDArray[np.uint8]:
    """A picture that depends on its name alone; rows and columns differ in number."""
    generator = np.random.default_rng([ord(letter) for letter in key])
    return generator.integers(0, 256, (size, size + 8, 3), dtype=np.uint8)


@dataclass(frozen=True)
class Noise:
    """A dataset of pictures."""

    image: Callable[..., NDArray[np.uint8]]
    stand_in: str | None = "noise"
    publishable: bool = True


def family(**changes: object) -> NeuralArtFamily:
    features = VGGFeatures.of(random_weights(), LAST_LAYER, CPU, torch.float32)
    photographs = Noise(lambda split, number: noise(f"{split}{number}"))
    return NeuralArtFamily(settings(**changes), 0, CPU, features, photographs, Noise(noise), COUNTS)
