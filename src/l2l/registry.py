"""Every kind of thing that a configuration can name, one line each: its settings and its code.

A new kind is a file and a line here (docs/extending.md). Nothing is imported before it is used, so
that commands that compute nothing do not import torch. The settings of the kinds that come with the
project stand in `l2l.config`, without torch; those of a new kind may stand in the file of its code.
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


class Baseline(NamedTuple):
    """A hand-crafted optimizer.

    Attributes:
        code: path "module:class" of the class that is made from a learning rate.
        name: as readers know it.
        color: of its line in figures, hexadecimal RGB.
        dashes: lengths of ink and gaps in line widths; empty: a solid line.
    """

    code: str
    name: str
    color: str
    dashes: tuple[float, ...]


# Problems (the functions that are minimised): `kind` of an entry of `problems`.
_PROBLEMS = "l2l.config.problems"
PROBLEMS = {
    "quadratic": Kind(f"{_PROBLEMS}:QuadraticSettings", "l2l.problems.quadratic:QuadraticFamily"),
    "mlp": Kind(f"{_PROBLEMS}:MLPSettings", "l2l.problems.mlp:MLPFamily"),
    "convnet": Kind(f"{_PROBLEMS}:ConvNetSettings", "l2l.problems.convnet:ConvNetFamily"),
    "plain_convnet": Kind(
        f"{_PROBLEMS}:PlainConvNetSettings", "l2l.problems.plain_convnet:PlainConvNetFamily"
    ),
    "recurrent": Kind(f"{_PROBLEMS}:RecurrentSettings", "l2l.problems.recurrent:RecurrentFamily"),
    "attention": Kind(f"{_PROBLEMS}:AttentionSettings", "l2l.problems.attention:AttentionFamily"),
    "regression": Kind(
        f"{_PROBLEMS}:RegressionSettings", "l2l.problems.regression:RegressionFamily"
    ),
    "table": Kind(f"{_PROBLEMS}:TableSettings", "l2l.problems.table:TableFamily"),
    "neural_art": Kind(f"{_PROBLEMS}:NeuralArtSettings", "l2l.problems.neural_art:NeuralArtFamily"),
    "mixture": Kind(f"{_PROBLEMS}:MixtureSettings", "l2l.problems.mixture:MixtureFamily"),
}

# Data sets: `l2l data NAME`, and what problems ask for.
DATASETS = {
    "mnist": "l2l.data.mnist:MNIST",
    "cifar10": "l2l.data.cifar10:CIFAR10",
    "optdigits": "l2l.data.scikit_learn:OPTDIGITS",
    "text": "l2l.data.scikit_learn:TEXT",
    "diabetes": "l2l.data.scikit_learn:DIABETES",
    "photographs": "l2l.data.photographs:PHOTOGRAPHS",
    "styles": "l2l.data.styles:STYLES",
    "vgg16_dd21191f": "l2l.data.vgg16:VGG16",
}

# Hand-crafted optimizers: `baselines` of an experiment. Each needs a grid in `tuning.grids`.
_HANDCRAFTED = "l2l.optimizers.handcrafted"
BASELINES = {
    "sgd": Baseline(f"{_HANDCRAFTED}:SGD", "SGD", "#CC79A7", (1, 1)),
    "rmsprop": Baseline(f"{_HANDCRAFTED}:RMSprop", "RMSprop", "#56B4E9", (3.5, 1, 1, 1)),
    "adam": Baseline(f"{_HANDCRAFTED}:Adam", "ADAM", "#009E73", (4, 1.3)),
    "adamw": Baseline("l2l.optimizers.adamw:AdamW", "AdamW, cosine", "#8C510A", (1, 1, 4, 1)),
    "nag": Baseline(f"{_HANDCRAFTED}:NAG", "NAG", "#000000", ()),
}

# Learned optimizers: `optimizer.kind` of a recipe.
_OPTIMIZERS = "l2l.config.optimizers"
OPTIMIZERS = {
    "lstm": Kind(f"{_OPTIMIZERS}:LSTMSettings", "l2l.optimizers.lstm:CoordinatewiseLSTM"),
    "normalised": Kind(
        f"{_OPTIMIZERS}:NormalisedSettings", "l2l.optimizers.normalised:NormalisedLSTM"
    ),
    "rnn": Kind(f"{_OPTIMIZERS}:RNNSettings", "l2l.optimizers.rnn:CoordinatewiseRNN"),
    "hierarchical": Kind(
        f"{_OPTIMIZERS}:HierarchicalSettings", "l2l.optimizers.hierarchical:HierarchicalRNN"
    ),
}

# Meta-gradient estimators: `estimator.kind` of a recipe.
_ESTIMATORS = "l2l.config.estimators"
ESTIMATORS = {
    "adjoint": Kind(f"{_ESTIMATORS}:AdjointSettings", "l2l.estimators.adjoint:Adjoint"),
    "unrolled": Kind(f"{_ESTIMATORS}:UnrolledSettings", "l2l.estimators.unrolled:Unrolled"),
    "es": Kind(f"{_ESTIMATORS}:EvolutionSettings", "l2l.estimators.evolution:Evolution"),
    "pes": Kind(
        f"{_ESTIMATORS}:PersistentEvolutionSettings",
        "l2l.estimators.evolution:PersistentEvolution",
    ),
    "combined": Kind(f"{_ESTIMATORS}:CombinedSettings", "l2l.estimators.combined:Combined"),
    "reinforce": Kind(f"{_ESTIMATORS}:ReinforceSettings", "l2l.estimators.reinforce:Reinforce"),
}

# What is measured besides losses: `measurements` of the configuration, `l2l measure NAME`.
_MEASUREMENTS = "l2l.config.measurements"
MEASUREMENTS = {
    "overhead": Kind(f"{_MEASUREMENTS}:Overhead", "l2l.measurements.overhead:measure"),
    "updates": Kind(f"{_MEASUREMENTS}:Updates", "l2l.measurements.updates:measure"),
    "meta_gradients": Kind(
        f"{_MEASUREMENTS}:MetaGradients", "l2l.measurements.meta_gradients:measure"
    ),
    "landscape": Kind(f"{_MEASUREMENTS}:Landscape", "l2l.measurements.landscape:measure"),
    "step_size": Kind(f"{_MEASUREMENTS}:StepSize", "l2l.measurements.step_size:measure"),
}

# Figures that are more than the loss curves of experiments, in the order of the page.
FIGURES = {
    "verdicts": "l2l.figures.verdicts:FIGURE",
    "style_images": "l2l.figures.style_images:FIGURE",
    "figure4": "l2l.figures.figure4:FIGURE",
    "unroll": "l2l.figures.unroll:FIGURE",
    "landscape": "l2l.figures.landscape:FIGURE",
    "step_size": "l2l.figures.step_size:FIGURE",
    "overhead": "l2l.figures.overhead:FIGURE",
    "updates": "l2l.figures.updates:FIGURE",
    "suite": "l2l.figures.suite:FIGURE",
    "meta_training": "l2l.figures.meta_training:FIGURE",
    "optimizer_loop": "l2l.figures.optimizer_loop:FIGURE",
    "computation_graph": "l2l.figures.computation_graph:FIGURE",
    "coordinatewise_lstm": "l2l.figures.coordinatewise_lstm:FIGURE",
    "hierarchical_diagram": "l2l.figures.hierarchical_diagram:FIGURE",
}


def resolve(path: str) -> Any:
    """What a path "module:name" names."""
    module, name = path.split(":")
    return getattr(import_module(module), name)


def settings_of(registry: Mapping[str, Kind]) -> Any:
    """The type of the settings of any of these kinds, told apart by their `kind`."""
    members = tuple(resolve(kind.settings) for kind in registry.values())
    return Annotated[Union[members], Field(discriminator="kind")]  # noqa: UP007
