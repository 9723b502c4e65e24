"""Where each kind of learned optimizer and of meta-gradient estimator is: one line for each.

The settings of the kinds that come with the project stand in l2l.config, which does not import
torch, so that commands that compute nothing start at once. Those of a new kind may stand in the
file of its code (docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, NamedTuple, Union

from pydantic import Field


class Kind(NamedTuple):
    """Paths "module:class" of the settings, and of the class that is made from them."""

    settings: str
    code: str


_OPTIMIZERS = "l2l.config.optimizers"
OPTIMIZERS = {
    "lstm": Kind(f"{_OPTIMIZERS}:LSTMSettings", "l2l.optimizers.lstm:CoordinatewiseLSTM"),
    "rnn": Kind(f"{_OPTIMIZERS}:RNNSettings", "l2l.optimizers.rnn:CoordinatewiseRNN"),
    "hierarchical": Kind(
        f"{_OPTIMIZERS}:HierarchicalSettings", "l2l.optimizers.hierarchical:HierarchicalRNN"
    ),
}

_ESTIMATORS = "l2l.config.estimators"
ESTIMATORS = {
    "adjoint": Kind(f"{_ESTIMATORS}:AdjointSettings", "l2l.meta.gradients.adjoint:Adjoint"),
    "unrolled": Kind(f"{_ESTIMATORS}:UnrolledSettings", "l2l.meta.gradients.unrolled:Unrolled"),
    "es": Kind(f"{_ESTIMATORS}:EvolutionSettings", "l2l.meta.gradients.evolution:Evolution"),
    "pes": Kind(
        f"{_ESTIMATORS}:PersistentEvolutionSettings",
        "l2l.meta.gradients.persistent:PersistentEvolution",
    ),
    "combined": Kind(f"{_ESTIMATORS}:CombinedSettings", "l2l.meta.gradients.combined:Combined"),
    "reinforce": Kind(f"{_ESTIMATORS}:ReinforceSettings", "l2l.meta.gradients.reinforce:Reinforce"),
}


def resolve(path: str) -> Any:
    """What a path "module:name" names."""
    module, name = path.split(":")
    return getattr(import_module(module), name)


def settings_of(registry: Mapping[str, Kind]) -> Any:
    """The type of the settings of any of these kinds, told apart by their `kind`."""
    members = tuple(resolve(kind.settings) for kind in registry.values())
    return Annotated[Union[members], Field(discriminator="kind")]  # noqa: UP007
