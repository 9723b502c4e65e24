"""Optimizers are two functions: init(theta) -> state, update(gradient, state) -> (step, state)."""

from l2l.optimizers.base import Optimizer
from l2l.optimizers.groups import GroupedLSTM, bind
from l2l.optimizers.handcrafted import BASELINES
from l2l.optimizers.lstm import CoordinatewiseLSTM

LearnedOptimizer = CoordinatewiseLSTM | GroupedLSTM

__all__ = [
    "BASELINES",
    "CoordinatewiseLSTM",
    "GroupedLSTM",
    "LearnedOptimizer",
    "Optimizer",
    "bind",
]
