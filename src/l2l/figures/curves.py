"""Loss against step for several optimizers: means over problems with their intervals, log y."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from l2l.figures.style import Style, display_name, look_of, looks, new_figure
from l2l.figures.summary import Curve, Floats, summarise


def loss_limits(means: list[Floats]) -> tuple[float, float]:
    """Limits of a logarithmic y axis that show all curves where they are worth reading.

    The lowest mean is at the bottom. The top leaves a quarter of the distance between the lowest
    mean and the highest start above that start: what diverges leaves through the top and does not
    squash the others.

    Args:
        means: curves of positive numbers; what is not finite or not positive is passed over.

    Returns:
        Low and high.
    """
    kept = [mean[np.isfinite(mean) & (mean > 0)] for mean in means]
    kept = [mean for mean in kept if mean.size]
    if not kept:
        return 0.1, 1.0
    low = min(float(mean.min()) for mean in kept)
    start = max(float(mean[0]) for mean in kept)
    highest = max(float(mean.max()) for mean in kept)
    top = min(highest, start * (start / low) ** 0.25)
    margin = max((top / low) ** 0.05, 1.02)
    return low / margin, top * margin


def plain_log_ticks(axes: Axes) -> None:
    """Label a logarithmic y axis with plain numbers (0.2, 0.5, 1), as many as its span asks for."""
    low, high = axes.get_ylim()
    if high / low < 5:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        subs = [1.0, 2.0, 3.0, 5.0] if high / low < 50 else [1.0, 2.0, 5.0]
        subs = subs if high / low < 1e3 else [1.0]
        axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw_curves(
    axes: Axes, summaries: dict[str, Curve], first_step: int, last_step: int, ylabel: str
) -> None:
    """Draw mean, interval and, where there are several, each meta-seed of every optimizer.

    Args:
        axes: where to draw.
        summaries: from `summarise`.
        first_step: left end of the x axis.
        last_step: right end of the x axis.
        ylabel: what the y axis says.
    """
    found = looks(summaries)
    shown = []
    for optimizer, curve in summaries.items():
        look = found[optimizer]
        kept = (curve.steps >= first_step) & (curve.steps <= last_step)
        steps, mean = curve.steps[kept], curve.mean[kept]
        shown.append(mean)
        front = 3 if look.width > 1.5 else 2
        axes.fill_between(
            steps,
            curve.low[kept],
            curve.high[kept],
            color=look.color,
            alpha=0.12,
            linewidth=0,
            zorder=front - 1,
        )
        if len(curve.seeds) > 1:
            for seed in curve.seeds[:, kept]:
                axes.plot(steps, seed, color=look.color, linewidth=0.4, alpha=0.7, zorder=front)
        axes.plot(
            steps,
            mean,
            color=look.color,
            linewidth=look.width,
            dashes=look.dashes,
            zorder=front + 0.5,
            label=optimizer,
        )
    axes.set_yscale("log")
    axes.set_xlim(first_step, last_step)
    axes.set_ylim(*loss_limits(shown))
    plain_log_ticks(axes)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)


def legend_above(
    figure: Figure, summaries: dict[str, Curve], labels: dict[str, str], last_step: int, what: str
) -> None:
    """Above the panels: each optimizer's line, name and last loss, from the highest to the lowest.

    Args:
        figure: with constrained layout, which makes room.
        summaries: from `summarise`.
        labels: recipe -> label.
        last_step: the step whose loss is told; what is not finite there goes first.
        what: the name of that loss.
    """
    found = looks(summaries)
    last = {
        name: float(curve.mean[curve.steps <= last_step][-1]) for name, curve in summaries.items()
    }
    order = sorted(last, key=lambda name: -last[name] if math.isfinite(last[name]) else -math.inf)
    entries = []
    for name in order:
        number = f"{last[name]:#.3g}" if math.isfinite(last[name]) else "diverged"
        look = found[name]
        line = Line2D([], [], color=look.color, linewidth=look.width, dashes=look.dashes)
        line.set_label(f"{display_name(name, labels)}, {number}")
        entries.append(line)
    figure.legend(
        handles=entries, title=f"{what} at step {last_step}", loc="outside upper center", ncols=2
    )


def loss_curves(
    curves: pd.DataFrame,
    labels: dict[str, str],
    style: Style,
    first_step: int,
    last_step: int,
    title: str,
    ylabel: str = "loss",
) -> Figure:
    """One panel with the loss of every optimizer in the table.

    Args:
        curves: tidy table with optimizer, problem, meta_seed, step and loss.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
        first_step: left end of the x axis.
        last_step: right end of the x axis; the legend is ordered by the loss there and tells it.
        title: of the panel.
        ylabel: what the y axis says.
    """
    summaries = summarise(curves, "loss", style.interval)
    with look_of(style):
        figure = new_figure(style, height=0.95)
        axes = figure.subplots()
        draw_curves(axes, summaries, first_step, last_step, ylabel)
        axes.set_title(title)
        legend_above(figure, summaries, labels, last_step, ylabel)
    return figure
