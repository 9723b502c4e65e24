"""Figure `updates`: the update proposed for a gradient, at several steps of a run (appendix)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from l2l.config.measurements import ADAM
from l2l.figures.base import Figure
from l2l.figures.style import GREY, Look, display_name, looks, new_figure
from l2l.results import Results

POINT: dict[str, Any] = {
    "marker": "o",
    "markersize": 3,
    "markeredgecolor": "white",
    "markeredgewidth": 0.4,
    "zorder": 4,
}
LINEAR_DECADES = 1
"""Of the grid's decades, those nearest to zero are within the linear part of the axis."""


def draw(results: Results) -> Drawing:
    """A row for each learned optimizer on each experiment, a column for each step.

    Each panel shows the learned optimizer and ADAM: a line for each coordinate, with a point where
    the run's own gradient was.
    """
    config, updates = results.config, results.measurement("updates")
    steps = sorted(updates["step"].unique())
    columns = (updates[key].astype(str) for key in ("experiment", "family", "optimizer"))
    runs = dict.fromkeys(zip(*columns, strict=True))
    rows = [run for run in runs if run[-1] != ADAM]
    figure = new_figure(config.figures, height=0.12 + 0.42 * len(rows), width=2)
    grid = figure.subplots(len(rows), len(steps), sharex=True, sharey="row", squeeze=False)
    for axes, step in zip(grid[0], steps, strict=True):
        axes.set_title(f"step {step}")
    for panels, (experiment, family, optimizer) in zip(grid, rows, strict=True):
        here = updates[(updates["experiment"] == experiment) & (updates["family"] == family)]
        present = set(here["optimizer"])
        names = {
            key: display_name(key, config.labels()) for key in (ADAM, optimizer) if key in present
        }
        styles = looks(names.values())
        for axes, step in zip(panels, steps, strict=True):
            for key, name in names.items():
                own = here[(here["optimizer"] == key) & (here["step"] == step)]
                _draw_lines(axes, own, styles[name])
            _lay_out(axes, updates["gradient"].to_numpy(np.float64))
        panels[0].set_ylabel(f"{config.experiments[experiment].title}: update")
        _name_lines(panels[0], {name: styles[name] for name in reversed(names.values())})
    for axes in grid[-1]:
        axes.set_xlabel("gradient")
    return figure


def _draw_lines(axes: Axes, proposed: pd.DataFrame, look: Look) -> None:
    """A line for each coordinate, and a point where its gradient really was."""
    width = 0.55 * look.width
    for _, rows in proposed.groupby("coordinate", sort=False):
        rows = rows.sort_values("gradient")
        place = rows["gradient"], rows["update"]
        axes.plot(*place, color=look.color, linewidth=width, dashes=look.dashes)
        axes.plot(*rows[["actual_gradient", "actual_update"]].iloc[0], color=look.color, **POINT)


def _lay_out(axes: Axes, values: np.ndarray) -> None:
    """A gradient axis that is logarithmic on both sides of a linear part around zero."""
    high, low = values.max(), values[values > 0].min()
    axes.set_xscale("symlog", linthresh=low * 10**LINEAR_DECADES, linscale=0.6)
    axes.set_xlim(-high, high)
    middle = 10 ** np.floor(np.log10(high * low * 10**LINEAR_DECADES) / 2)
    axes.xaxis.set_major_locator(FixedLocator([-high, -middle, 0, middle, high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.axhline(0, color=GREY, linewidth=0.5, zorder=1)
    axes.axvline(0, color=GREY, linewidth=0.5, zorder=1)


def _power(value: float) -> str:
    sign = "−" if value < 0 else ""
    if value in (0, 1, -1):
        return f"{sign}{abs(value):g}"
    return f"{sign}$10^{{{round(np.log10(abs(value)))}}}$"


def _name_lines(axes: Axes, styles: Mapping[str, Look]) -> None:
    """Whose lines are whose, in the lower corner that descending lines leave free."""
    for number, (name, look) in enumerate(reversed([*styles.items()])):
        axes.annotate(
            name,
            (0, 0),
            xycoords="axes fraction",
            xytext=(3, 3 + 1.25 * number * rcParams["legend.fontsize"]),
            textcoords="offset points",
            color=look.color,
            fontsize=rcParams["legend.fontsize"],
        )


FIGURE = Figure(
    name="updates",
    title="Proposed updates",
    caption="What an optimizer would do with a parameter if its gradient were another. Across: the "
    "gradient, on a scale that is logarithmic on both sides of zero. Upward: the update that is "
    "proposed. A panel shows one step of a run. In it, each line is one parameter, with the memory "
    "that it has by then of the gradients before; a point is where its gradient really was. In the "
    "first step nothing is remembered yet, so the lines lie on each other; later ones differ by "
    "what each parameter has been through. The learned optimizers stand beside ADAM with its tuned "
    "learning rate, each on its own run.",
    drawn_by=draw,
    measurements=("updates",),
)
