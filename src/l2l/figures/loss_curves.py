"""Losses of several optimizers as lines, and the words around them: axes, legends, last losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from l2l.evaluation.summary import Curve, Floats
from l2l.figures.style import Look, times

SHOWN_DIVERGENCE = 1e3
"""An axis that shows divergence goes up to so many times the highest start."""
LEADER = 11.0
"""Points between the right edge of a panel and the numbers beside it."""


def loss_limits(means: list[Floats], divergence: bool = False) -> tuple[float, float]:
    """Low and high limits of a logarithmic y axis that show curves where they are worth reading.

    The lowest mean is at the bottom. The top leaves a quarter of the distance between the lowest
    mean and the highest start above that start: what diverges leaves through the top and does not
    squash the others. An axis that shows divergence takes in the highest finite mean.

    Args:
        means: curves; numbers that are not finite or not positive do not count.
        divergence: whether it is shown, up to SHOWN_DIVERGENCE times the highest start.
    """
    finite = [mean[np.isfinite(mean) & (mean > 0)] for mean in means]
    finite = [mean for mean in finite if mean.size]
    if not finite:
        return 0.1, 1.0
    low = min(float(mean.min()) for mean in finite)
    start = max(float(mean[0]) for mean in finite)
    highest = max(float(mean.max()) for mean in finite)
    top = min(highest, start * (SHOWN_DIVERGENCE if divergence else (start / low) ** 0.25))
    margin = max((top / low) ** 0.05, 1.02)
    return low / margin, top * margin


def plain_log_ticks(axes: Axes) -> None:
    """Label a logarithmic y axis with plain numbers (0.2, 0.5, 1), as many as its span needs."""
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


def share_scale(panels: Iterable[Axes]) -> None:
    """Give panels the same y axis, which takes in those of all."""
    panels = [*panels]
    lows, highs = zip(*(axes.get_ylim() for axes in panels), strict=True)
    for axes in panels:
        axes.set_ylim(min(lows), max(highs))


def draw_curves(
    axes: Axes,
    curves: dict[str, Curve],
    looks: dict[str, Look],
    steps: tuple[float, float],
    divergence: bool = False,
    marker: str = "",
) -> None:
    """Draw mean, interval and hair lines of every optimizer on a logarithmic y axis.

    Args:
        axes: where to draw.
        curves: name of an optimizer -> its losses.
        looks: name -> look.
        steps: left and right end of the x axis.
        divergence: see `loss_limits`.
        marker: of matplotlib, at each mean.
    """
    shown = draw_lines(axes, curves, looks, steps, marker)
    axes.set_yscale("log")
    axes.set_ylim(*loss_limits(shown, divergence))
    plain_log_ticks(axes)


def draw_lines(
    axes: Axes,
    curves: dict[str, Curve],
    looks: dict[str, Look],
    steps: tuple[float, float],
    marker: str = "",
) -> list[Floats]:
    """The lines of `draw_curves` without its y axis.

    Args:
        axes, curves, looks, steps, marker: see there.

    Returns:
        The means that were drawn.
    """
    shown = []
    for name, curve in curves.items():
        look, color = looks[name], looks[name].color
        inside = (curve.steps >= steps[0]) & (curve.steps <= steps[1])
        x, mean, low, high = (
            each[inside] for each in (curve.steps, curve.mean, curve.low, curve.high)
        )
        shown.append(mean)
        front = 3 if look.width > 1.5 else 2
        axes.fill_between(x, low, high, color=color, alpha=0.12, linewidth=0, zorder=front - 1)
        if len(curve.seeds) > 1:
            seeds = curve.seeds[:, inside].T
            axes.plot(x, seeds, color=color, linewidth=0.4, alpha=0.7, zorder=front)
        (line,) = axes.plot(x, mean, color=color, linewidth=look.width, dashes=look.dashes)
        line.set(marker=marker, markersize=3, zorder=front + 0.5, label=name)
    axes.set_xlim(*steps)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    return shown


def legend_line(look: Look, label: str) -> Line2D:
    """A line for a legend."""
    return Line2D([], [], color=look.color, linewidth=look.width, dashes=look.dashes, label=label)


def _last_loss(curve: Curve, last_step: float) -> float:
    return float(curve.mean[curve.steps <= last_step][-1])


def in_short(loss: float) -> str:
    """A loss in three digits."""
    if not math.isfinite(loss):
        return "diverged"
    return f"{loss:,.0f}" if 1e3 <= loss < 1e6 else f"{loss:#.3g}".rstrip(".")


def in_percent(ratio: float) -> str:
    """A ratio as a difference."""
    if not math.isfinite(ratio):
        return "diverged"
    percent = round(100 * ratio - 100)
    if ratio >= 10:
        return times(ratio)
    return f"{percent:+d} %".replace("-", "−") if percent else "0 %"


def legend_of_names(
    figure: Figure, looks: dict[str, Look], names: Iterable[str], columns: int = 3
) -> None:
    """Each optimizer's line and name, above the panels of a figure."""
    handles = [legend_line(looks[name], name) for name in names]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def note_diverged(axes: Axes, counts: dict[str, tuple[int, int]], looks: dict[str, Look]) -> None:
    """Say in a panel how many runs diverged, and move its top up to make room for that.

    Args:
        axes: with its final limits on a logarithmic y axis, apart from this.
        counts: name -> (runs that diverged, all runs).
        looks: name -> look.
    """
    handles = [
        legend_line(looks[name], f"{diverged:,} of {runs:,} runs diverged")
        for name, (diverged, runs) in counts.items()
        if diverged
    ]
    if handles:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** (0.06 + 0.13 * len(handles)))
        axes.legend(handles=handles, loc="upper left", borderaxespad=0.1, handlelength=2.2)


def label_ends(
    axes: Axes,
    curves: dict[str, Curve],
    looks: dict[str, Look],
    last_step: int,
    words: Callable[[float], str] = in_short,
) -> list[Annotation]:
    """The last value of every line at the right edge, with a leader from the end of the line.

    They may overlap until `spread_ends` has moved them.
    """
    ends = []
    straight = {"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
    for name, curve in curves.items():
        loss, look = _last_loss(curve, last_step), looks[name]
        end = axes.annotate(
            words(loss),
            (1, _height(axes, loss)),
            xycoords="axes fraction",
            xytext=(LEADER, 0),
            textcoords="offset points",
            va="center",
            fontsize=rcParams["legend.fontsize"],
            arrowprops=straight | {"color": look.color, "linewidth": look.width * 0.7},
            annotation_clip=False,
        )
        ends.append(end)
    return ends


def _height(axes: Axes, loss: float) -> float:
    """Where a loss lies on a logarithmic y axis: 0 at the bottom, 1 at the top and above."""
    low, high = axes.get_ylim()
    if not math.isfinite(loss):
        return 1.0
    return min(max(math.log(max(loss, low) / low) / math.log(high / low), 0.0), 1.0)


def spread_ends(axes: Axes, ends: list[Annotation], heights: list[float], gap: float) -> None:
    """Move texts that are placed in points apart, when the layout of the figure is known.

    Args:
        axes: where they are.
        ends: the texts.
        heights: of the annotated points, 0 at the bottom of the axes and 1 at the top.
        gap: the least distance of two texts, in sizes of the legend's font.
    """
    points = axes.get_window_extent().height * 72 / rcParams["figure.dpi"]
    wanted = np.array(heights) * points
    moved = spread(wanted, rcParams["legend.fontsize"] * gap, points)
    for end, before, after in zip(ends, wanted, moved, strict=True):
        x, y = end.get_position()
        end.set_position((x, y + after - before))


def lay_out_ends(figure: Figure, ends: Iterable[tuple[Axes, list[Annotation]]]) -> None:
    """Lay the figure out, and move the numbers of `label_ends` apart in each panel."""
    figure.draw_without_rendering()
    for axes, numbers in ends:
        spread_ends(axes, numbers, [number.xy[1] for number in numbers], 1.22)
    figure.set_layout_engine("none")  # the layout stays: to save the figure need not find it again


def spread(wanted: Floats, gap: float, top: float) -> Floats:
    """Heights as near as can be to those wanted, `gap` apart, none below 0 or above `top`.

    Args:
        wanted: [n].
        gap: the least distance between two of them.
        top: where there is not enough room below it, they are `gap` apart from 0 on.

    Returns:
        [n], in the order of `wanted`.
    """
    order = np.argsort(wanted, kind="stable")
    stacked = gap * np.arange(len(wanted))
    blocks: list[list[float]] = []  # least squares, kept in order: neighbours that clash are joined
    for height in wanted[order] - stacked:  # (scipy.optimize has it, but takes a second to import)
        blocks.append([height])
        while len(blocks) > 1 and np.mean(blocks[-2]) >= np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    free = np.concatenate([np.full(len(block), np.mean(block)) for block in blocks])
    heights = np.empty_like(wanted)
    heights[order] = np.clip(free, 0, max(top - stacked[-1], 0)) + stacked
    return heights
