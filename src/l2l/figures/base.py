"""Figures: what one reads, its words and how it is drawn; and all those of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure as Drawing

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures import experiments
from l2l.figures.style import display_name, look_of
from l2l.layout import Layout
from l2l.registry import FIGURES, resolve

if TYPE_CHECKING:
    from l2l.results import Results


@dataclass(frozen=True)
class Figure:
    """A figure. Its module registers it in `l2l.registry.FIGURES`, as `FIGURE`.

    Attributes:
        name: of its files, and of the Snakemake rule that draws it.
        title: a few words.
        caption: what a reader sees and how to read it.
        drawn_by: draws it from the tables of a run, within `style.look_of`.
        experiments: those whose curves it shows.
        measurements: those whose tables it shows.
        logs: whether it shows the logs of the meta-trainings.
        claims: whether it shows the table of claims.
        pictures: whether it shows what test problems became, in place of curves.
        study: the study in whose section it stands; None: a diagram, or of all studies.
    """

    name: str
    title: str
    caption: str
    drawn_by: Callable[[Results], Drawing]
    experiments: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    logs: bool = False
    claims: bool = False
    pictures: bool = False
    study: str | None = None

    def draw(self, results: Results) -> Drawing:
        """Draw it in the style of the configuration.

        Raises:
            UserError: a table is missing; the error names the command that makes it.
        """
        with look_of(results.config.figures):
            return self.drawn_by(results)

    def within(self, config: Config) -> Figure | None:
        """The figure with those of its experiments that a configuration has.

        Returns:
            None where the configuration has none of them, or not all measurements, or no claims.

        Raises:
            UserError: an experiment names this figure as its own.
        """
        if panels := config.figure_experiments().get(self.name):
            raise UserError(
                f"config: experiments.{panels[0]}.figure = '{self.name}': this is another "
                "figure's name; choose a new one"
            )
        if not {*self.measurements} <= config.measurements.each().keys():
            return None
        if self.claims and not config.claims:
            return None
        shown = tuple(name for name in self.experiments if name in config.experiments)
        return replace(self, experiments=shown) if shown or not self.experiments else None

    def inputs(self, config: Config, layout: Layout) -> list[Path]:
        """The files that it is drawn from."""

        def runs(recipes: Iterable[str], file: str) -> list[Path]:
            seeds = {name: range(config.recipes[name].meta_seeds) for name in recipes}
            return [layout.run(name, seed) / file for name in seeds for seed in seeds[name]]

        entries = [config.experiments[name] for name in self.experiments]
        learned = dict.fromkeys(recipe for entry in entries for recipe in entry.learned)
        logged = dict.fromkeys((*learned, *(config.main_recipes() if self.logs else ())))
        return [
            *map(layout.curves, self.experiments),
            *map(layout.tuning, self.experiments),
            *map(layout.measurement, self.measurements),
            *runs(learned, "summary.json"),
            *runs(logged, "log.csv"),
            *([layout.claims] if self.claims else ()),
        ]

    def alt(self, config: Config) -> str:
        """The figure in a line, for those who cannot see it."""
        if self.measurements or not self.experiments:
            return f"Figure: {self.title}"
        entries = [config.experiments[name] for name in self.experiments]
        keys = [key for entry in entries for key in (*entry.learned, *entry.baselines)]
        names = dict.fromkeys(display_name(key, config.labels()) for key in keys)
        titles = ", ".join(entry.title for entry in entries)
        panels = f" on {titles}" if len(entries) > 1 else ""
        what = "loss against step"
        if any(entry.reference for entry in entries):
            what = "losses divided by those of the reference,"
        elif any(len(entry.problems) > 1 for entry in entries):
            what = "final loss against hidden units"
        return f"Figure: {self.title}: {what} of {', '.join(names)}{panels}"


LINES = (
    "Thick lines are learned optimizers: the meta-seed that validated best, and in hair lines the "
    "others. The other lines are hand-crafted optimizers with tuned learning rates. Shaded bands "
    "are confidence intervals of the mean over test problems. With few test problems there are "
    "none, and hair lines are single problems. A run that ends well above its start, or at a "
    "number that is not finite, counts as diverged."
)
OF_ANY_EXPERIMENT = (
    "Left: the loss while test problems are minimised, step by step; lower is better. Right: the "
    "same divided by the loss of the best hand-crafted optimizer on the same problems. " + LINES
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
