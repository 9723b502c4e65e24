"""Plots that only the reports show: the tuning of the baselines' learning rates."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import seaborn
from matplotlib.figure import Figure

from l2l.config.schema import FigureSettings
from l2l.figures.loss_curves import plain_log_ticks
from l2l.figures.style import (
    HANDCRAFTED_WIDTH,
    display_name,
    look_of,
    looks,
    new_figure,
    rendering,
)


def tuning(table: pd.DataFrame, style: FigureSettings, horizon: int) -> Figure:
    """Final loss against learning rate of each baseline; the chosen rates are ringed.

    Args:
        table: all learning rates that were tried; infinite losses (diverged) are left out.
        style: the settings of figures.
        horizon: the step of the final loss.
    """
    found = looks(display_name(key, {}) for key in table["optimizer"].unique())
    colors = {name: look.color for name, look in found.items()}
    finite = table[np.isfinite(table["final_loss"])]
    finite = finite.assign(name=finite["optimizer"].map(lambda key: display_name(key, {})))
    best = finite[finite["chosen"]]
    with look_of(style):
        figure = new_figure(style, height=0.6)
        axes = figure.subplots()
        seaborn.lineplot(
            finite,
            x="learning_rate",
            y="final_loss",
            hue="name",
            style="name",
            palette=colors,
            dashes={name: look.dashes or "" for name, look in found.items()},
            linewidth=HANDCRAFTED_WIDTH,
            ax=axes,
        )
        axes.scatter(
            best["learning_rate"],
            best["final_loss"],
            s=36,
            facecolors="none",
            edgecolors=best["name"].map(colors),
            zorder=3,
        )
        axes.set_xscale("log")
        axes.set_yscale("log")
        low, start = finite["final_loss"].min(), finite["final_loss"].median()
        top = min(finite["final_loss"].max(), 10 * start)
        axes.set_ylim(low / (top / low) ** 0.05, top * (top / low) ** 0.05)
        plain_log_ticks(axes)
        axes.set_xlabel("learning rate")
        axes.set_ylabel(f"mean loss at step {horizon}")
        seaborn.move_legend(
            axes, "lower center", bbox_to_anchor=(0.5, 1), ncols=2, title=None, frameon=False
        )
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG, with the look that files have."""
    buffer = io.BytesIO()
    with rendering():
        figure.savefig(buffer, format="png", dpi="figure", metadata={"Software": None})
    return buffer.getvalue()
