"""Names that stand in several layers, which may not import each other, are the same."""

from typing import get_args

from l2l.config.problems import Activation
from l2l.problems.mlp import ACTIVATIONS


def test_every_activation_is_configurable_and_implemented() -> None:
    assert set(get_args(Activation)) == set(ACTIVATIONS)
