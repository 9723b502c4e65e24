"""Every kind of optimizer, estimator and problem, small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tests.optimizees import art
from tests.small import convnet_family, lstm_settings, mlp_family, quadratic_family

from l2l.config.optimizers import HierarchicalSettings, RNNSettings
from l2l.optimizees import live_part
from l2l.optimizees.mixture import Scaled

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
    "hierarchical": HierarchicalSettings(
        kind="hierarchical",
        parameter_units=4,
        tensor_units=5,
        global_units=6,
        scales=3,
        learning_rate=0.05,
        head_init_scale=1,
    ),
}
ESTIMATORS: dict[str, Any] = {
    "adjoint": {"kind": "adjoint"},
    "kept": {"kind": "unrolled", "second_derivatives": "kept"},
    "dropped": {"kind": "unrolled", "second_derivatives": "dropped"},
    "es": {"kind": "es", "pairs": 3, "sigma": 0.01},
    "pes": {"kind": "pes", "pairs": 3, "sigma": 0.01},
    "combined": {"kind": "combined", "pairs": 3, "sigma": 0.01, "second_derivatives": "dropped"},
    "reinforce": {"kind": "reinforce", "sigma": 0.01, "baseline_decay": 0.9},
}
PROBLEMS: dict[str, Callable[[], Any]] = {
    "quadratic": lambda: quadratic_family(5).sample(("train", "q"), range(3), STEPS),
    "mlp": lambda: mlp_family((4, 3)).sample(("train", "m"), range(2), STEPS),
    "convnet": lambda: convnet_family().sample(("train", "c"), range(2), STEPS),
}
ALL_PROBLEMS = {
    **PROBLEMS,
    "picture": lambda: art.family(size=20).sample(("train", "p"), [0], STEPS),
    "live part": lambda: live_part(PROBLEMS["mlp"](), train_loss=False),
    "scaled": lambda: Scaled(PROBLEMS["mlp"](), torch.full((2, 1), 0.5), torch.full((2,), 3.0)),
}
