"""Optimizers are two functions: init(theta) -> state, update(gradient, state) -> (step, state)."""

from l2l.optimizers.base import Optimizer
from l2l.optimizers.groups import GroupedLSTM, bind
from l2l.optimizers.handcrafted import BASELINES
from l2l.optimizers.learned import LearnedOptimizer
from l2l.optimizers.lstm import CoordinatewiseLSTM

Trainable = LearnedOptimizer | GroupedLSTM
"""What meta-training works on: a learned optimizer that is bound to a problem's parameters."""

__all__ = [
    "BASELINES",
    "CoordinatewiseLSTM",
    "GroupedLSTM",
    "LearnedOptimizer",
    "Optimizer",
    "Trainable",
    "bind",
]
