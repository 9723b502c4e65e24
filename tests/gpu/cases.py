"""Every kind of optimizer and problem, small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tests.gpu.moved import moved
from tests.problems import art
from tests.problems.sequence_families import attention_family, recurrent_family
from tests.small import (
    convnet_family,
    hierarchical_settings,
    lstm_settings,
    mlp_family,
    normalised_settings,
    quadratic_family,
    regression_family,
)

from l2l.config.optimizers import RNNSettings
from l2l.optimizers import bind
from l2l.optimizers.weights import initial_phi, make_optimizer
from l2l.problems import live_part
from l2l.problems.mixture import Scaled
from l2l.rng import stream

STEPS = 6
OPTIMIZERS: dict[str, Any] = {
    "lstm": lstm_settings(),
    "averaging": lstm_settings(averaged_cells=2),
    "rnn": RNNSettings(
        kind="rnn",
        recurrence="tanh",
        layers=2,
        units=6,
        preprocessing="log",
        p=10,
        input_scale=1,
        output_scale=0.1,
        head_init_scale=1,
    ),
    "normalised": normalised_settings(p=6.0),
    "hierarchical": hierarchical_settings(),
}
PROBLEMS: dict[str, Callable[[], Any]] = {
    "quadratic": lambda: quadratic_family(5).sample(("train", "q"), range(3), STEPS),
    "mlp": lambda: mlp_family((4, 3)).sample(("train", "m"), range(2), STEPS),
    "convnet": lambda: convnet_family().sample(("train", "c"), range(2), STEPS),
}
ALL_PROBLEMS = {
    **PROBLEMS,
    "recurrent": lambda: recurrent_family().sample(("train", "r"), range(2), STEPS),
    "attention": lambda: attention_family().sample(("train", "a"), range(2), STEPS),
    "regression": lambda: regression_family().sample(("train", "s"), range(2), STEPS),
    "picture": lambda: art.family(size=20).sample(("train", "p"), [0], STEPS),
    "live part": lambda: live_part(PROBLEMS["mlp"](), train_loss=False),
    "scaled": lambda: Scaled(PROBLEMS["mlp"](), torch.full((2, 1), 0.5), torch.full((2,), 3.0)),
}


def bound(kind: str, problems: Any, seed: int = 0) -> Any:
    """An untrained optimizer for these problems, where they are."""
    settings = OPTIMIZERS[kind]
    phi = moved(initial_phi(settings, stream(seed, "tests")), problems.initial().device)
    return bind(make_optimizer(settings, phi), problems.places())
