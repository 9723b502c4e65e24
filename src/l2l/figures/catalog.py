"""All figures of a configuration by name."""

from __future__ import annotations

from functools import partial

from l2l.config import Config
from l2l.evaluation.summary import DIVERGED_ABOVE
from l2l.figures import experiments
from l2l.figures.base import Figure
from l2l.registry import FIGURES, resolve

OF_ANY_EXPERIMENT = (
    "The loss while test problems are minimised, step by step; lower is better. Thick lines are "
    "learned optimizers; the others are hand-crafted ones with tuned learning rates. Lines are "
    "means over test problems, shaded bands their confidence intervals, hair lines single "
    f"meta-seeds. A run diverged if it ends more than {100 * DIVERGED_ABOVE - 100:.0f} % above its "
    "start or at no finite number."
)
"""The caption of a figure that only a user's configuration names."""


def figures(config: Config) -> dict[str, Figure]:
    """Every figure: those of loss curves, as the experiments say, and the registered ones.

    Returns:
        Name -> figure, in the order of the page; without those that would be empty.

    Raises:
        UserError: an experiment's `figure` is the name of a registered one.
    """
    registered = {name: resolve(path).within(config) for name, path in FIGURES.items()}
    drawn: dict[str, Figure] = {}
    for name, panels in config.figure_experiments().items():
        drawn[name] = registered.pop(name, None) or _of_experiments(name, tuple(panels), config)
    return drawn | {name: figure for name, figure in registered.items() if figure}


def _of_experiments(name: str, panels: tuple[str, ...], config: Config) -> Figure:
    """A figure whose panels are experiments, with the words that its study gives it."""
    from l2l.report.captions import CAPTIONS

    title = name.replace("_", " ").capitalize()
    if len(panels) == 1:
        title = config.experiments[panels[0]].title
    caption = OF_ANY_EXPERIMENT
    if name in CAPTIONS:
        title, caption = CAPTIONS[name].title, CAPTIONS[name].seen
    return Figure(name, title, caption, partial(experiments.draw, panels), panels)
