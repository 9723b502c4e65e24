"""The captions of all figures: what is seen, and what it was made from.

The text of what is seen also stands in workflow/report/<figure>.rst, for `snakemake --report`;
a test keeps the two the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from l2l.config import Config
from l2l.figures.style import display_name
from l2l.pages.results import Results
from l2l.pages.words import count, listed

SOURCES = {"local": "a local folder"}
"""The source in a dataset's record -> how a reader is told; others are told as they are."""

HANDCRAFTED = -1  # the meta_seed of an optimizer that was not trained


@dataclass(frozen=True)
class Caption:
    """A caption.

    Attributes:
        title: a few words.
        seen: what a stranger sees and how to read it.
        experiment: whose curves are drawn; None: no experiment's.
        training: whether the logs of the meta-trainings are drawn.
    """

    title: str
    seen: str
    experiment: str | None = None
    training: bool = False


CAPTIONS = {
    "quadratics": Caption(
        "Quadratics",
        "The loss while random quadratic functions are minimised, step by step; lower is better. "
        "The thick line is the learned optimizer (an LSTM); the others are the usual hand-crafted "
        "ones with tuned learning rates. Lines are means over test problems, shaded bands their "
        "confidence intervals, hair lines single meta-seeds.",
        experiment="quadratics",
    ),
    "mnist": Caption(
        "MNIST",
        "The loss while small networks learn to read handwritten digits; lower is better. Thick "
        "lines are learned optimizers: LSTMs meta-trained by the paper's recipe, and with longer "
        "unrolls. The others are hand-crafted ones with tuned learning rates. Lines are means over "
        "test networks, shaded bands their confidence intervals, hair lines single meta-seeds.",
        experiment="mnist",
    ),
    "mnist_continued": Caption(
        "MNIST, continued",
        "The runs of the figure before, on beyond the steps that the learned optimizers were "
        "meta-trained for. Top: the loss on each step's minibatch. Middle: the same runs on a "
        "fixed sample of images, so that what moves is the network and not the choice of images. "
        "Bottom: one single network, where an oscillation shows that a mean would hide.",
        experiment="mnist",
    ),
    "meta_training": Caption(
        "Meta-training",
        "How the optimizers were learned: the loss of the learned optimizer on validation "
        "problems, against the number of meta-training episodes so far. Solid: loss at the end of "
        "a validation run; dashed: mean loss along it; markers tell the meta-seeds apart. A dotted "
        "upright line marks where the training windows get longer.",
        training=True,
    ),
    "optimizer_loop": Caption(
        "Optimizer and optimizee",
        "The idea. The optimizee is a function f with parameters θ; it hands its gradient to the "
        "optimizer, which hands back an update of θ. Here the optimizer is itself a neural network "
        "with a memory h and weights φ, and φ is learned.",
    ),
    "computation_graph": Caption(
        "How the optimizer is trained",
        "Three steps of optimization as one graph. Gradients of the losses flow back along the "
        "solid arrows into the optimizer's weights. Along the dashed arrows (how θ changes the "
        "gradient) they are dropped, which saves second derivatives.",
    ),
    "coordinatewise_lstm": Caption(
        "One small LSTM for all coordinates",
        "Each coordinate of θ has its own gradient and its own state h, but all share the same "
        "weights φ: so one small set of weights serves any number of parameters.",
    ),
}
"""Figure -> caption, in the order of the page."""


def facts(name: str, results: Results) -> list[str]:
    """What a figure was made from: protocol, data and stand-ins, test problems, meta-seeds.

    Args:
        name: of the figure.
        results: the run.

    Returns:
        Short phrases.

    Raises:
        UserError: a table is missing.
    """
    caption, config = CAPTIONS[name], results.config
    found = [f"protocol {config.protocol}"]
    if caption.experiment:
        curves = results.curves(caption.experiment)
        found += [
            f"data: {data_used(caption.experiment, results)}",
            f"{count(curves['problem'].nunique(), 'test problem')}, the same for every optimizer",
            meta_seeds(curves),
            f"bands: {100 * config.figures.interval:g} % intervals",
        ]
    elif caption.training:
        experiments = config.experiments
        used = dict.fromkeys(data_used(experiment, results) for experiment in experiments)
        sizes = dict.fromkeys(
            f"{count(recipe.validation.problems, 'validation problem')} for {label}"
            for recipe, label in zip(config.recipes.values(), config.labels().values(), strict=True)
        )
        found += [
            f"data: {'; '.join(used)}",
            listed(list(sizes)),
            f"{count(config.meta_seeds, 'meta-seed')}",
        ]
    elif name == "computation_graph":
        found = ["a diagram, from the graph that autograd records of this program"]
    else:
        found = ["a diagram, no data"]
    return found


def data_used(experiment: str, results: Results) -> str:
    """The experiment's data with its source; a stand-in is named as one."""
    record = results.dataset(experiment)
    if record is None:
        return f"random problems, drawn from seed {results.config.seed}"
    name, source = str(record["name"]).upper(), SOURCES.get(record["source"], record["source"])
    if record["stand_in"]:
        return f"STAND-IN for {name}: {record['stand_in']} (from {source})"
    return f"{name} (from {source}; verified by digest)"


def meta_seeds(curves: pd.DataFrame) -> str:
    """How many meta-seeds the learned optimizers of a table have."""
    learned = curves.loc[curves["meta_seed"] != HANDCRAFTED, "meta_seed"]
    return f"{count(learned.nunique(), 'meta-seed')} of each learned optimizer"


def alternative(name: str, config: Config) -> str:
    """The figure in a line, for those who cannot see it."""
    caption = CAPTIONS[name]
    if caption.experiment is None:
        return f"Figure: {caption.title}"
    settings = config.experiments[caption.experiment]
    names = [display_name(key, config.labels()) for key in (*settings.learned, *settings.baselines)]
    return f"Figure: {caption.title}: loss against step of {listed(names)}"
