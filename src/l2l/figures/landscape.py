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
    import seaborn  # takes a second, which other figures need not wait for

    table, settings = results.measurement("landscape"), results.config.measurements.landscape
    line = ["slice", "horizon", "direction", "problem"]
    middle = table[table["place"] == min(table["place"], key=abs)]
    table = table.merge(middle[[*line, "loss"]], on=line, suffixes=("", "_middle"))
    change = 100 * (table["loss"] / table["loss_middle"] - 1)
    table["change"] = change.fillna(np.inf)  # a gap in its line
    rows, horizons = len(settings.slices), sorted(settings.horizons)
    figure = new_figure(results.config.figures, height=0.2 + 0.6 * rows, width=2)
    grid = figure.subplots(rows, len(horizons), sharex=True, sharey="row", squeeze=False)
    colors = np.resize(COLORS, settings.directions).tolist()
    for row, (name, one) in zip(grid, settings.slices.items(), strict=True):
        for axes, horizon in zip(row, horizons, strict=True):
            seaborn.lineplot(
                table[(table["slice"] == name) & (table["horizon"] == horizon)],
                x="place",
                y="change",
                hue="direction",
                palette=colors,
                units="problem",
                estimator=None,
                linewidth=0.9,
                legend=False,
                ax=axes,
            )
            axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
            axes.set(title=f"{one.title}, {horizon} steps", xlabel="", ylabel="")
        row[0].set_ylabel("change of the loss (%)")
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
