"""Figure `meta_training`: how the validation losses of each recipe fall while phi is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from l2l.figures.base import Figure
from l2l.figures.loss_curves import loss_limits, plain_log_ticks
from l2l.figures.style import GREY, display_name, looks, new_figure
from l2l.results import Results

MEASURES = {"validation_final": ("final loss", ()), "validation_mean": ("mean loss", (2.5, 1.2))}
"""Column of the log -> its name, and dashes."""
MARKERS = "osD^vPX*"
IN_ONE_COLUMN = 3
"""Recipes that stand below each other; more go over both columns of a page."""


def draw(results: Results, chosen: Sequence[str] | None = None) -> Drawing:
    """A panel for each recipe: final and mean validation loss, a line for each meta-seed.

    Args:
        results: holds the logs.
        chosen: recipes; None: all that are more than variants of another one.
    """
    config = results.config
    labels = config.labels()
    recipes = sorted(config.main_recipes() if chosen is None else chosen, key=[*labels].index)
    columns = 1 if len(recipes) <= IN_ONE_COLUMN else 2
    rows = -(-len(recipes) // columns)
    figure = new_figure(config.figures, 0.2 + 0.5 * rows, columns)
    panels = figure.subplots(rows, columns, squeeze=False).T.flat
    seeds = set[int]()
    for axes, recipe in zip(panels, recipes, strict=False):
        name, log = display_name(recipe, labels), results.logs(recipe)
        seeds |= {*log["meta_seed"]}
        _draw_recipe(axes, log, looks([name])[name].color)
        axes.set(title=name, xlabel="episode")
        small = rcParams["legend.fontsize"]
        axes.set_title(recipe, loc="right", color=GREY, weight="normal", size=small)
    for axes in panels[len(recipes) :]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=GREY, linewidth=1, dashes=dashes, label=name)
        for name, dashes in MEASURES.values()
    ]
    handles += [
        Line2D([], [], color=GREY, lw=0, marker=_marker(s), markersize=3, label=f"meta-seed {s}")
        for s in sorted(seeds)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3 * columns, handlelength=2)
    return figure


def _draw_recipe(axes: Axes, log: pd.DataFrame, color: str) -> None:
    for meta_seed in log["meta_seed"].unique():
        rows = log[log["meta_seed"] == meta_seed]
        for column, (name, dashes) in MEASURES.items():
            (line,) = axes.plot(rows["episode"], rows[column], dashes=dashes, linewidth=1)
            line.set(color=color, marker=_marker(meta_seed), markersize=2.6)
            line.set_label(f"{name}, meta-seed {meta_seed}")
    axes.set_yscale("log")
    axes.set_xlim(0, log["episode"].max() * 1.01)
    shown = [np.asarray(log[column], dtype=np.float64) for column in MEASURES]
    low, high = loss_limits(shown)
    axes.set_ylim(low, high * (high / low) ** 0.2)  # room for the names of the windows
    plain_log_ticks(axes)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.set_ylabel("validation loss")
    # A plumb line where the window changes, with the length of the windows after it.
    run = log[log["meta_seed"] == log["meta_seed"].min()]
    start, before = 0, None
    for episode, window in zip(run["episode"], run["window"], strict=True):
        if window != before:
            if before is not None:
                axes.axvline(start, color=GREY, linewidth=0.6, dashes=(1, 1.5))
            word = "" if before else "window"  # once: stages are short
            axes.annotate(
                f"{word}\n{window}",
                (start, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(2, -1),
                textcoords="offset points",
                va="top",
                color=GREY,
                fontsize=rcParams["legend.fontsize"],
            )
        start, before = episode, window


def _marker(meta_seed: int) -> str:
    return MARKERS[meta_seed % len(MARKERS)]


FIGURE = Figure(
    name="meta_training",
    title="Meta-training",
    caption="How the optimizers were learned: the loss of the learned optimizer on validation "
    "problems, against the number of meta-training episodes so far. Solid: loss at the end of a "
    "validation run; dashed: mean loss along it; markers tell the meta-seeds apart. A dotted "
    "upright line marks where the training windows get longer.",
    drawn_by=draw,
    logs=True,
)
