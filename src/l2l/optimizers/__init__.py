"""Optimizers are two functions: init(theta) -> state, update(gradient, state) -> (step, state).

Hand-crafted ones are made from a learning rate (`make_baseline`), learned ones from settings and
weights phi (`make_optimizer`) or from a file (`l2l.optimizers.checkpoint`).
"""

from l2l.optimizers.base import Optimizer, Phi, UpdateRule
from l2l.optimizers.groups import Grouped, bind
from l2l.optimizers.handcrafted import make_baseline
from l2l.optimizers.lstm import CoordinatewiseLSTM
from l2l.optimizers.normalised import NormalisedLSTM
from l2l.optimizers.weights import make_optimizer

__all__ = [
    "CoordinatewiseLSTM",
    "Grouped",
    "NormalisedLSTM",
    "Optimizer",
    "Phi",
    "UpdateRule",
    "bind",
    "make_baseline",
    "make_optimizer",
]
