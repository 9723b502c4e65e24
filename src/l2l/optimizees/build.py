"""From the configuration of a problem to its family, with its data loaded and verified."""

from __future__ import annotations

from pathlib import Path

import torch

from l2l.config.schema import MLPSettings, QuadraticSettings
from l2l.data.mnist import load_mnist
from l2l.optimizees.base import Family
from l2l.optimizees.mlp import ImageSet, MLPFamily
from l2l.optimizees.quadratic import QuadraticFamily
from l2l.rng import stream


def make_family(
    settings: QuadraticSettings | MLPSettings, seed: int, directory: Path, device: torch.device
) -> Family:
    """The family of problems that the settings describe.

    Args:
        settings: an entry of `problems` in the configuration.
        seed: the one seed of the run.
        directory: where data sets lie.
        device: where the problems are computed.
    """
    if isinstance(settings, QuadraticSettings):
        return QuadraticFamily(settings, seed, device)
    mnist = load_mnist(directory)
    count = mnist.train_images.shape[0]
    sample = torch.randperm(count, generator=stream(seed, "train_sample"))
    data = ImageSet.of(
        mnist.train_images.flatten(1).to(device),
        mnist.train_labels.to(device),
        sample[: settings.train_sample].to(device),
    )
    return MLPFamily(settings, seed, data)
