"""Losses of several optimizers as lines: means with their intervals and meta-seeds, log y."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from l2l.figures.style import Look
from l2l.figures.summary import Curve, Floats

SHOWN_DIVERGENCE = 1e3
"""An axis that shows divergence goes up to so many times the highest start."""


def loss_limits(means: list[Floats], divergence: bool = False) -> tuple[float, float]:
    """Limits of a logarithmic y axis that show all curves where they are worth reading.

    The lowest mean is at the bottom. The top leaves a quarter of the distance between the lowest
    mean and the highest start above that start: what diverges leaves through the top and does not
    squash the others. An axis that is to show divergence takes in the highest finite mean.

    Args:
        means: curves of positive numbers; what is not finite or not positive is passed over.
        divergence: whether it is to be seen, up to SHOWN_DIVERGENCE times the highest start.

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
    top = min(highest, start * (SHOWN_DIVERGENCE if divergence else (start / low) ** 0.25))
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
    axes: Axes,
    summaries: dict[str, Curve],
    looks: dict[str, Look],
    steps: tuple[float, float],
    divergence: bool = False,
    marker: str = "",
) -> None:
    """Draw mean, interval and, where there are several, each meta-seed of every optimizer.

    Args:
        axes: where to draw.
        summaries: name of an optimizer -> what `summarise` found.
        looks: of these names.
        steps: left and right end of the x axis.
        divergence: see `loss_limits`.
        marker: of matplotlib, at each mean; none where there are many.
    """
    shown = []
    for name, curve in summaries.items():
        look = looks[name]
        kept = (curve.steps >= steps[0]) & (curve.steps <= steps[1])
        x, mean = curve.steps[kept], curve.mean[kept]
        shown.append(mean)
        front = 3 if look.width > 1.5 else 2
        axes.fill_between(
            x,
            curve.low[kept],
            curve.high[kept],
            color=look.color,
            alpha=0.12,
            linewidth=0,
            zorder=front - 1,
        )
        if len(curve.seeds) > 1:
            for seed in curve.seeds[:, kept]:
                axes.plot(x, seed, color=look.color, linewidth=0.4, alpha=0.7, zorder=front)
        axes.plot(
            x,
            mean,
            color=look.color,
            linewidth=look.width,
            dashes=look.dashes,
            marker=marker,
            markersize=3,
            zorder=front + 0.5,
            label=name,
        )
    axes.set_yscale("log")
    axes.set_xlim(*steps)
    axes.set_ylim(*loss_limits(shown, divergence))
    plain_log_ticks(axes)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
