"""Figures of loss against step, a panel for each experiment: quadratics, MNIST, transfer, CIFAR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from l2l.config import Config
from l2l.figures.curves import draw_curves
from l2l.figures.legends import (
    legend_of_names,
    legend_with_losses,
    note_diverged,
    spread_ends,
    tell_ends,
)
from l2l.figures.style import Look, Style, look_of, looks, names_in, new_figure
from l2l.figures.summary import Curve, diverged, final_column, measured, summarise

COLUMNS = 2
"""Of a figure with several panels: each is as wide as a figure with one."""


@dataclass(frozen=True)
class Panel:
    """Loss against step of every optimizer of a table.

    Attributes:
        title: of the panel.
        curves: tidy table with optimizer, problem, meta_seed, step, loss, train_loss, test_loss.
        column: the loss that is drawn, at the steps where it was measured.
        last_step: right end of the x axis; the loss there is told, and says what diverged.
        ylabel: the name of the loss.
    """

    title: str
    curves: pd.DataFrame
    column: str
    last_step: int
    ylabel: str


def panel(experiment: str, config: Config, curves: pd.DataFrame) -> Panel:
    """The panel of an experiment, up to the step that tuning and claims look at.

    Args:
        experiment: its name.
        config: holds it.
        curves: its table.
    """
    settings = config.experiments[experiment]
    minibatches = any(hasattr(config.problems[name], "batch_size") for name in settings.problems)
    of_step = "minibatch loss" if minibatches else "loss"
    ylabel = "held-out loss" if settings.shown == "test_loss" else of_step
    return Panel(settings.title, curves, settings.shown, settings.horizon, ylabel)


def draw(panels: Sequence[Panel], labels: dict[str, str], style: Style) -> Figure:
    """One figure of all panels.

    Each optimizer stands once in the legend. A single panel has its last losses there; several
    have them at their right edges, and the legend in the place of a missing panel or above.

    Args:
        panels: one or more.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.

    Raises:
        UserError: a table has gaps, or lacks the loss that is to be drawn.
    """
    names = names_in([panel.curves["optimizer"].unique() for panel in panels], labels)
    found = looks(names.values())
    summaries = [_summaries(panel, names, style) for panel in panels]
    with look_of(style):
        if len(panels) == 1:
            figure = new_figure(style, height=0.95)
            _draw_panel(figure.subplots(), panels[0], summaries[0], names, found)
            last_step, what = panels[0].last_step, panels[0].ylabel
            legend_with_losses(figure, summaries[0], found, last_step, what)
            return figure
        rows = -(-len(panels) // COLUMNS)
        figure = new_figure(style, 0.63 * rows + 0.12 * (len(panels) % COLUMNS == 0), COLUMNS)
        grid = figure.subplots(rows, COLUMNS, squeeze=False)
        ends = []
        for axes, panel, summary in zip(grid.flat, panels, summaries, strict=False):
            _draw_panel(axes, panel, summary, names, found)
            ends.append(tell_ends(axes, summary, found, panel.last_step))
        _share_labels(grid)
        empty = grid.flat[len(panels) :]
        legend_of_names(empty[0] if empty.size else figure, found, dict.fromkeys(names.values()))
        figure.draw_without_rendering()  # lays out the figure
        for axes, annotations in zip(grid.flat, ends, strict=False):
            spread_ends(axes, annotations)
    return figure


def _summaries(panel: Panel, names: dict[str, str], style: Style) -> dict[str, Curve]:
    """Name of an optimizer -> its curve."""
    found = summarise(measured(panel.curves, panel.column), panel.column, style.interval)
    return {names[key]: curve for key, curve in found.items()}


def _draw_panel(
    axes: Axes,
    panel: Panel,
    summaries: dict[str, Curve],
    names: dict[str, str],
    looks: dict[str, Look],
) -> None:
    draw_curves(axes, summaries, looks, (0, panel.last_step), divergence=True)
    counts = diverged(panel.curves, final_column(panel.column), panel.last_step)
    note_diverged(axes, {names[key]: pair for key, pair in counts.items()}, looks)
    axes.set_title(panel.title)
    axes.set_xlabel("step")
    axes.set_ylabel(panel.ylabel)


def _share_labels(grid: np.ndarray) -> None:
    """Take off the labels of axes that the panel below or to the left says again."""
    rows, columns = grid.shape
    for row in range(rows):
        for column in range(columns):
            axes = grid[row, column]
            if row + 1 < rows and grid[row + 1, column].get_xlabel() == axes.get_xlabel():
                axes.set_xlabel("")
            if column and grid[row, 0].get_ylabel() == axes.get_ylabel():
                axes.set_ylabel("")
