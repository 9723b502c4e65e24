"""Figure `landscape`: the meta-loss along random directions of phi, by the length of episodes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from l2l.figures.base import Figure
from l2l.figures.loss_curves import plain_log_ticks
from l2l.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, new_figure
from l2l.results import Results

COLORS = (BLUE, GREEN, ORANGE, VERMILLION, PURPLE, BLACK)
"""Of the horizons, from the shortest."""


def draw(results: Results) -> Drawing:
    """A row for each slice, a column for each direction, a line for each horizon and problem."""
    table, settings = results.measurement("landscape"), results.config.measurements.landscape
    rows = len(settings.slices)
    figure = new_figure(results.config.figures, height=0.2 + 0.6 * rows, width=2)
    grid = figure.subplots(rows, settings.directions, sharex=True, sharey="row", squeeze=False)
    horizons = sorted(settings.horizons)
    colors = dict(zip(horizons, np.resize(COLORS, len(horizons)), strict=True))
    for line, (name, one) in enumerate(settings.slices.items()):
        for column, axes in enumerate(grid[line]):
            here = table[(table["slice"] == name) & (table["direction"] == column)]
            for horizon, color in colors.items():
                own = here[here["horizon"] == horizon]
                losses = own.pivot(index="place", columns="problem", values="loss")
                finite = losses.where(np.isfinite(losses))
                axes.plot(finite.index, finite, color=color, linewidth=0.9)
            axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
            axes.set_yscale("log")
            axes.set_title(f"{one.title}, direction {column + 1}")
        plain_log_ticks(grid[line, 0])
        grid[line, 0].set_ylabel("mean loss")
    for axes in grid[-1]:
        axes.set_xlabel("α: φ + α d")
    handles = [
        Line2D([], [], color=color, linewidth=1.3, label=f"{horizon} steps")
        for horizon, color in colors.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


FIGURE = Figure(
    name="landscape",
    title="The landscape of the meta-loss",
    caption="The loss that an optimizer reaches, as its weights φ move along a random direction d "
    "from where meta-training left them (0). At 1 every weight matrix has moved by its own length. "
    "The meta-loss is the mean loss over episodes of so many steps; each line is one problem, with "
    "the same start and minibatches everywhere. Where a line is steep or jagged, the meta-gradient "
    "through that many steps explodes, although the loss itself is bounded.",
    drawn_by=draw,
    measurements=("landscape",),
)
