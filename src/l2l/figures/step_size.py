"""Figure `step_size`: what meta-gradients say of the size of steps, and what is measured."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from l2l.config.measurements import DROPPED, KEPT, MEASURED
from l2l.figures.base import Figure
from l2l.figures.style import BLACK, BLUE, GREY, VERMILLION, new_figure
from l2l.results import Results

SHOWN = {
    MEASURED: ("measured: finite differences", BLACK, "o", -0.16),
    KEPT: ("second derivatives kept", BLUE, "s", 0.0),
    DROPPED: ("dropped (equation 5)", VERMILLION, "^", 0.16),
}
"""Estimate -> its name, colour, marker, and how far it stands beside its start."""


def draw(results: Results) -> Drawing:
    """A panel for each window: slopes against the step at which it begins."""
    table, settings = results.measurement("step_size"), results.config.measurements.step_size
    figure = new_figure(results.config.figures, height=0.85, width=2)
    panels = figure.subplots(1, len(settings.windows), sharey=True, squeeze=False)[0]
    # What is measured stays in the linear part of the axis; single tangents may grow without bound.
    known = table.loc[table["estimate"] != KEPT, "slope"].abs()
    linear = float(known[np.isfinite(known)].max())
    for axes, window in zip(panels, settings.windows, strict=True):
        axes.set_yscale("symlog", linthresh=linear, linscale=3)
        _draw_window(axes, table[table["window"] == window], [*settings.starts])
        steps = "step" if window == 1 else "steps"
        axes.set(title=f"window of {window} {steps}", xlabel="step at which the window begins")
    largest = float(table.loc[np.isfinite(table["slope"]), "slope"].abs().max())
    panels[0].set_ylim(-1.1 * max(largest, linear), 1.1 * max(largest, linear))
    panels[0].yaxis.set_major_locator(FixedLocator(_ticks(linear, largest)))
    panels[0].yaxis.set_minor_locator(NullLocator())
    panels[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panels[0].set_ylabel("loss / log of the step size\n(above 0: smaller steps lower it)")
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=4, linewidth=1.3, label=name)
        for name, color, marker, _ in SHOWN.values()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _ticks(linear: float, largest: float) -> list[float]:
    """Zero, middle and end of the linear part to a digit, and powers of ten beyond; both signs."""
    powers = range(math.ceil(math.log10(3 * linear)), math.floor(math.log10(1.1 * largest)) + 1)
    ends = [float(f"{end:.0e}") for end in (linear / 2, linear)]
    positive = [*ends, *(10.0**power for power in powers)]
    return [0.0, *positive, *(-tick for tick in positive)]


def _draw_window(axes: Axes, rows: pd.DataFrame, starts: list[int]) -> None:
    """Medians over runs as a line, and a faint point for each run."""
    axes.axhline(0, color=GREY, linewidth=0.6)
    for estimate, (_, color, marker, shift) in SHOWN.items():
        own = rows[rows["estimate"] == estimate]
        slopes = own.pivot(index="start", columns="repeat", values="slope").loc[starts]
        places = np.arange(len(starts)) + shift
        axes.plot(places, slopes.median(axis=1), color=color, marker=marker, markersize=4, lw=1.3)
        axes.plot(places, slopes, marker, color=color, markersize=2, alpha=0.4, linestyle="none")
    axes.set_xticks(range(len(starts)), [str(start) for start in starts])
    axes.set_xlim(-0.5, len(starts) - 0.5)


FIGURE = Figure(
    name="step_size",
    title="What the meta-gradient says of the step size",
    caption="A trained optimizer runs on networks of CIFAR-10. At several steps of the run, the "
    "figure asks how the mean loss of the next steps changes with the logarithm of the size of all "
    "of them. Above 0 smaller steps lower it, below 0 larger ones do. Black: the same steps on the "
    "same minibatches, all of them larger and then all smaller. Blue: the meta-gradient with "
    "second derivatives. Orange: without them, as the paper trains. Lines are medians over "
    "networks, faint points single networks; beyond the largest value of the other two the axis "
    "is logarithmic, because second derivatives may make it explode.",
    drawn_by=draw,
    measurements=("step_size",),
)
