"""Plots that only the reports show: the tuning of the baselines' learning rates."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from l2l.figures.curves import plain_log_ticks
from l2l.figures.style import RENDERING, Style, display_name, look_of, looks, new_figure


def tuning(table: pd.DataFrame, style: Style, horizon: int) -> Figure:
    """Final loss against learning rate of each baseline; the chosen rates are ringed.

    Args:
        table: all learning rates that were tried; infinite losses (diverged) are left out.
        style: the settings of figures.
        horizon: the step of the final loss.
    """
    found = looks(table["optimizer"])
    finite = table[np.isfinite(table["final_loss"])]
    with look_of(style):
        figure = new_figure(style, height=0.6)
        axes = figure.subplots()
        for baseline, rows in finite.groupby("optimizer", sort=False):
            look = found[str(baseline)]
            axes.plot(
                rows["learning_rate"],
                rows["final_loss"],
                color=look.color,
                dashes=look.dashes,
                linewidth=look.width,
                label=display_name(str(baseline), {}),
            )
            best = rows[rows["chosen"]]
            axes.plot(
                best["learning_rate"],
                best["final_loss"],
                linestyle="none",
                marker="o",
                markersize=6,
                markerfacecolor="none",
                markeredgecolor=look.color,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        low, start = finite["final_loss"].min(), finite["final_loss"].median()
        top = min(finite["final_loss"].max(), 10 * start)
        axes.set_ylim(low / (top / low) ** 0.05, top * (top / low) ** 0.05)
        plain_log_ticks(axes)
        axes.set_xlabel("learning rate")
        axes.set_ylabel(f"mean loss at step {horizon}")
        axes.legend()
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG, with the look that files have."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(RENDERING):
        figure.savefig(buffer, format="png", dpi="figure", metadata={"Software": None})
    return buffer.getvalue()
