"""All figures of a configuration by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from l2l.config import Config
from l2l.figures import experiments
from l2l.figures.base import Figure
from l2l.registry import FIGURES, resolve

OF_ANY_EXPERIMENT = (
    "The loss while test problems are minimised, step by step; lower is better. Thick lines are "
    "learned optimizers; the others are hand-crafted ones with tuned learning rates. Lines are "
    "means over test problems, shaded bands are confidence intervals of these means, and hair "
    "lines are single meta-seeds. A run that ends well above its start, or at a number that is not "
    "finite, counts as diverged."
)
"""The caption of a figure that no study describes."""


def figures(config: Config) -> dict[str, Figure]:
    """Every figure: those whose panels are experiments, and the registered ones.

    Returns:
        Name -> figure, in the order of the page; without those that would be empty.

    Raises:
        UserError: an experiment's `figure` is the name of a registered one.
    """
    return {figure.name: replace(figure, study=_study(figure, config)) for figure in _all(config)}


def _all(config: Config) -> Iterator[Figure]:
    registered = {name: resolve(path).within(config) for name, path in FIGURES.items()}
    for name, panels in config.figure_experiments().items():
        yield registered.pop(name, None) or _of_experiments(name, tuple(panels), config)
    yield from filter(None, registered.values())


def _of_experiments(name: str, panels: tuple[str, ...], config: Config) -> Figure:
    """A figure whose panels are experiments, with the words that a study has for it."""
    title, caption = name.replace("_", " ").capitalize(), OF_ANY_EXPERIMENT
    if len(panels) == 1:
        title = config.experiments[panels[0]].title
    for study in config.studies.values():
        if name in study.figures:
            title, caption = study.figures[name].title, study.figures[name].caption
    return Figure(name, title, caption, partial(experiments.draw, panels), panels)


def _study(figure: Figure, config: Config) -> str | None:
    """The study that defines what a figure shows first, measurements before experiments."""
    shown = (*figure.measurements, *figure.experiments)
    for name, study in config.studies.items():
        if shown and shown[0] in (*study.measurements, *study.experiments):
            return name
    return figure.study
