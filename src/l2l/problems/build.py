"""From the configuration of a problem to its family, with its data loaded and verified."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from l2l.config.problems import (
    ConvNetSettings,
    MixtureSettings,
    MLPSettings,
    NeuralArtSettings,
    ProblemSettings,
    QuadraticSettings,
)
from l2l.data.cifar10 import CIFAR10
from l2l.data.mnist import MNIST
from l2l.data.photographs import COUNTS, PHOTOGRAPHS
from l2l.data.styles import STYLES
from l2l.data.vgg16 import VGG16
from l2l.problems.base import Family
from l2l.problems.convnet import ColourImages, ConvNetFamily
from l2l.problems.mixture import MixtureFamily
from l2l.problems.mlp import ImageSet, MLPFamily
from l2l.problems.neural_art_family import NeuralArtFamily
from l2l.problems.quadratic import QuadraticFamily
from l2l.rng import stream


def make_family(
    name: str,
    problems: Mapping[str, ProblemSettings],
    seed: int,
    directory: Path,
    device: torch.device,
) -> Family:
    """The family of problems that an entry of the configuration describes.

    Args:
        name: of the entry.
        problems: all entries; a mixture is made of others.
        seed: the one seed of the run.
        directory: where data sets lie.
        device: where the problems are computed.
    """
    settings = problems[name]
    if isinstance(settings, MixtureSettings):
        parts = {part: make_family(part, problems, seed, directory, device) for part in settings.of}
        return MixtureFamily(settings, seed, parts)
    if isinstance(settings, QuadraticSettings):
        return QuadraticFamily(settings, seed, device)
    if isinstance(settings, MLPSettings):
        return MLPFamily(settings, seed, _mnist(directory, seed, settings.train_sample, device))
    if isinstance(settings, ConvNetSettings):
        return _convnet_family(settings, seed, directory, device)
    if isinstance(settings, NeuralArtSettings):
        return _neural_art_family(settings, seed, directory, device)
    raise NotImplementedError(f"{type(settings).__name__}: say here what its family is")


@functools.lru_cache(maxsize=2)  # families of one experiment differ in their networks
def _mnist(directory: Path, seed: int, train_sample: int, device: torch.device) -> ImageSet:
    mnist = MNIST.load(directory)
    return ImageSet.of(
        mnist.train_images.flatten(1).to(device),
        mnist.train_labels.to(device),
        _sample(len(mnist.train_labels), train_sample, seed, "train_sample").to(device),
    )


def _convnet_family(
    settings: ConvNetSettings, seed: int, directory: Path, device: torch.device
) -> ConvNetFamily:
    cifar = CIFAR10.load(directory)
    train = _classes(cifar.train_images, cifar.train_labels, settings.labels)
    test = _classes(cifar.test_images, cifar.test_labels, settings.labels)
    samples = [
        images.part(_sample(len(images.labels), size, seed, name))
        for images, size, name in (
            (train, settings.train_sample, "train_sample"),
            (test, settings.test_sample, "test_sample"),
        )
    ]
    on_device = [
        ColourImages(part.images.to(device), part.labels.to(device)) for part in (train, *samples)
    ]
    return ConvNetFamily(settings, seed, *on_device)


def _neural_art_family(
    settings: NeuralArtSettings, seed: int, directory: Path, device: torch.device
) -> NeuralArtFamily:
    return NeuralArtFamily.of(
        settings,
        seed,
        VGG16.load(directory),
        PHOTOGRAPHS.load(directory),
        COUNTS,
        STYLES.load(directory),
        device,
    )


def _classes(images: Tensor, labels: Tensor, chosen: tuple[int, ...]) -> ColourImages:
    """The images of the chosen classes, which become labels 0, 1, ... in this order."""
    if chosen == tuple(range(10)):
        return ColourImages(images, labels)
    new = torch.full((10,), -1)
    new[list(chosen)] = torch.arange(len(chosen))
    kept = (new[labels] >= 0).nonzero()[:, 0]
    return ColourImages(images[kept], new[labels[kept]])


def _sample(count: int, size: int, seed: int, name: str) -> Tensor:
    """The numbers of a fixed random sample, at most all of them."""
    return torch.randperm(count, generator=stream(seed, name))[:size]
