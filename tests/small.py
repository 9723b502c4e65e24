"""Small but real problems, settings and recipes for the tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from l2l.config import Experiment, LSTMSettings, Recipe, load_config
from l2l.config.load import merge
from l2l.config.optimizers import HierarchicalSettings, LearnedSettings, NormalisedSettings
from l2l.config.problems import (
    ConvNetSettings,
    MLPSettings,
    QuadraticSettings,
    RegressionSettings,
)
from l2l.optimizers.base import Phi
from l2l.optimizers.weights import initial_phi
from l2l.problems.base import Problem
from l2l.problems.convnet import ColourImages, ConvNetFamily
from l2l.problems.mlp import ImageSet, MLPFamily
from l2l.problems.quadratic import QuadraticFamily
from l2l.problems.regression import RegressionFamily
from l2l.rng import stream

CPU = torch.device("cpu")
PIXELS = 9
ESTIMATORS: dict[str, dict[str, Any]] = {
    "adjoint": {"kind": "adjoint"},
    "unrolled": {"kind": "unrolled", "second_derivatives": "dropped"},
    "second derivatives": {"kind": "unrolled", "second_derivatives": "kept"},
    "es": {"kind": "es", "pairs": 2, "sigma": 0.02},
    "pes": {"kind": "pes", "pairs": 2, "sigma": 0.02},
    "combined": {"kind": "combined", "pairs": 2, "sigma": 0.02, "second_derivatives": "dropped"},
    "reinforce": {"kind": "reinforce", "sigma": 0.1, "baseline_decay": 0.9},
}


def quadratic_family(dimensions: int = 3, init_std: float = 0.5, seed: int = 0) -> QuadraticFamily:
    settings = QuadraticSettings(kind="quadratic", dimensions=dimensions, init_std=init_std)
    return QuadraticFamily(settings, seed, CPU)


def image_set(count: int = 50, pixels: int = PIXELS, sample: int = 20) -> ImageSet:
    generator = torch.Generator().manual_seed(77)
    return ImageSet.of(
        torch.randint(0, 256, (count, pixels), generator=generator, dtype=torch.uint8),
        torch.randint(0, 10, (count,), generator=generator),
        torch.randperm(count, generator=generator)[:sample],
    )


def mlp_family(
    hidden: tuple[int, ...] = (4,),
    activation: str = "sigmoid",
    init: str = "torch",
    init_std: float = 0.01,
    batch_size: int = 6,
    seed: int = 0,
    data: ImageSet | None = None,
) -> MLPFamily:
    settings = MLPSettings(
        kind="mlp",
        dataset="mnist",
        hidden=hidden,
        activation=activation,
        batch_size=batch_size,
        init=init,
        init_std=init_std,
        train_sample=1,
    )
    return MLPFamily(settings, seed, data or image_set())


def convnet_family(
    channels: tuple[int, ...] = (3, 4),
    hidden: int = 5,
    init: str = "torch",
    init_std: float = 0.01,
    batch_size: int = 6,
) -> ConvNetFamily:
    """Three classes of 8 x 8 images."""
    generator = torch.Generator().manual_seed(78)
    images = torch.randint(0, 256, (60, 8, 8, 3), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 3, (60,), generator=generator)
    settings = ConvNetSettings(
        kind="convnet",
        dataset="cifar10",
        labels=(0, 1, 2),
        channels=channels,
        hidden=hidden,
        batch_size=batch_size,
        init=init,
        init_std=init_std,
        train_sample=20,
        test_sample=20,
    )
    parts = [ColourImages(images[a:b], labels[a:b]) for a, b in ((0, 40), (0, 20), (40, 60))]
    return ConvNetFamily(settings, 0, *parts)


def regression_family(**changes: Any) -> RegressionFamily:
    values: dict[str, Any] = {
        "kind": "regression",
        "dimensions": 3,
        "hidden": (5, 4),
        "activation": "tanh",
        "teacher": 7,
        "noise": 0.1,
        "batch_size": 6,
    }
    return RegressionFamily(RegressionSettings(**(values | changes)), 0, CPU)


def double(problems: Problem) -> Any:
    """The same problems in float64; networks follow the dtype of theta."""
    numbers = ("W", "y", "theta0")
    return replace(
        problems, **{k: getattr(problems, k).double() for k in numbers if hasattr(problems, k)}
    )


def lstm_settings(**changes: Any) -> LSTMSettings:
    values: dict[str, Any] = {
        "kind": "lstm",
        "layers": 2,
        "units": 5,
        "preprocessing": "log",
        "p": 10.0,
        "input_scale": 1.0,
        "output_scale": 0.1,
        "forget_bias": 0.0,
        "head_init_scale": 1.0,
        "averaged_cells": 0,
        "groups": [{"name": "all", "parameters": ["*"]}],
    }
    return LSTMSettings(**(values | changes))


def normalised_settings(**changes: Any) -> NormalisedSettings:
    values: dict[str, Any] = {
        "kind": "normalised",
        "layers": 1,
        "units": 5,
        "decays": [0.8, 0.95],
        "p": None,
        "tensor_size": {"low": 0.1, "high": 0.5},
        "schedule": "constant",
        "warm_up": 0.0,
        "output_scale": 0.3,
        "head_init_scale": 1.0,
    }
    return NormalisedSettings.model_validate(values | changes)


def hierarchical_settings(**changes: Any) -> HierarchicalSettings:
    values: dict[str, Any] = {
        "kind": "hierarchical",
        "parameter_units": 3,
        "tensor_units": 4,
        "global_units": 2,
        "scales": 3,
        "learning_rate": 0.05,
        "head_init_scale": 1.0,
    }
    return HierarchicalSettings.model_validate(values | changes)


def random_phi(settings: LearnedSettings, seed: int = 0, dtype: torch.dtype = torch.float64) -> Phi:
    phi = initial_phi(settings, stream(seed, "tests"))
    return {name: value.to(dtype) for name, value in phi.items()}


def recipe(name: str = "quadratics_lstm", **changes: Any) -> Recipe:
    """A small recipe; nested settings are given as mappings, as in the YAML file."""
    small: dict[str, Any] = {
        "episodes": 12,
        "steps": 20,
        "problems_per_episode": 4,
        "unroll": [{"start": 0, "window": 10}],
        "optimizer": {"units": 4},
        "meta_learning_rate": {"episodes": 1},
        "validation": {"every": 4, "problems": 4, "steps": 20},
    }
    entry = {"like": name, **merge(small, changes)}  # others may be like `name` itself
    return load_config(overrides={"recipes": {"tried": entry}}).recipes["tried"]


def experiment(**changes: Any) -> Experiment:
    """A small experiment on quadratics; nested settings are given as mappings."""
    grid = {"low": 0.01, "high": 0.1}
    small: dict[str, Any] = {
        "title": "T",
        "figure": "some",
        "problems": ("quadratic",),
        "steps": 10,
        "horizon": 10,
        "shown": "loss",
        "learned": ("quadratics_lstm",),
        "baselines": ("sgd",),
        "tuning": {
            "problems": 3,
            "metrics": ("final_loss", "mean_loss"),
            "loss": "shown",
            "points_per_decade": 4,
            "max_widenings": 8,
            "grids": dict.fromkeys(("sgd", "nag", "adam", "rmsprop"), grid),
        },
        "evaluation": {"problems": 3, "batch": 2, "measure_every": 10, "pictures": 0},
    }
    return Experiment.model_validate(merge(small, changes))


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference, relative to the expected tensor's norm."""
    if not bool(expected.any()):
        return found.norm().item()
    return ((found - expected).norm() / expected.norm()).item()
