"""Figure `landscape`: the meta-loss along random directions of phi, by the length of episodes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as Drawing

from l2l.figures.base import Figure
from l2l.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, new_figure
from l2l.results import Results

COLORS = (VERMILLION, BLUE, GREEN, ORANGE, PURPLE, BLACK)
"""Of the directions."""


def draw(results: Results) -> Drawing:
    """A row for each slice, a column for each horizon, a line for each direction and problem."""
    table, settings = results.measurement("landscape"), results.config.measurements.landscape
    rows, horizons = len(settings.slices), sorted(settings.horizons)
    figure = new_figure(results.config.figures, height=0.2 + 0.6 * rows, width=2)
    grid = figure.subplots(rows, len(horizons), sharex=True, sharey="row", squeeze=False)
    colors = np.resize(COLORS, settings.directions)
    for line, (name, one) in enumerate(settings.slices.items()):
        for axes, horizon in zip(grid[line], horizons, strict=True):
            here = table[(table["slice"] == name) & (table["horizon"] == horizon)]
            for direction, color in enumerate(colors):
                own = here[here["direction"] == direction]
                losses = own.pivot(index="place", columns="problem", values="loss")
                middle = losses.iloc[int(np.abs(losses.index.to_numpy()).argmin())]
                change = 100 * (losses / middle - 1)
                axes.plot(change.index, change.where(np.isfinite(change)), color=color, lw=0.9)
            axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
            axes.set_title(f"{one.title}, {horizon} steps")
        grid[line, 0].set_ylabel("change of the loss (%)")
    for axes in grid[-1]:
        axes.set_xlabel("α: φ + α d")
    return figure


FIGURE = Figure(
    name="landscape",
    title="The landscape of the meta-loss",
    caption="How the mean loss of an episode changes as the weights φ of its optimizer move along "
    "random directions d from where meta-training left them (0). At 1 every weight matrix would "
    "have moved by its own length. A colour is a direction, a line is one problem, with the same "
    "start and minibatches everywhere. Over a few steps lines are smooth. Where a line is jagged, "
    "the meta-gradient through that many steps explodes, although the loss itself is bounded.",
    drawn_by=draw,
    measurements=("landscape",),
)
