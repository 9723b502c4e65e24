"""What the lines of a figure are, and where they end: legends, notes, numbers at the right edge."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from scipy.optimize import isotonic_regression

from l2l.figures.style import Look
from l2l.figures.summary import Curve, Floats

LEADER = 11.0
"""Points between the right edge of a panel and the numbers beside it."""


def entry(look: Look, label: str) -> Line2D:
    """A line for a legend."""
    line = Line2D([], [], color=look.color, linewidth=look.width, dashes=look.dashes)
    line.set_label(label)
    return line


def last_loss(curve: Curve, last_step: float) -> float:
    """The mean at the last step up to this one."""
    return float(curve.mean[curve.steps <= last_step][-1])


def told(loss: float) -> str:
    """A last loss as figures tell it."""
    if not math.isfinite(loss):
        return "diverged"
    return f"{loss:,.0f}" if 1e3 <= loss < 1e6 else f"{loss:#.3g}".rstrip(".")


def from_highest(last: dict[str, float]) -> list[str]:
    """Names by their last loss: what is not finite, then the highest first."""
    return sorted(last, key=lambda name: -last[name] if math.isfinite(last[name]) else -math.inf)


def legend_with_losses(
    figure: Figure,
    summaries: dict[str, Curve],
    looks: dict[str, Look],
    last_step: int,
    what: str,
) -> None:
    """Above a panel: each optimizer's line, name and last loss, from the highest to the lowest.

    Args:
        figure: with constrained layout, which makes room.
        summaries: name -> what `summarise` found.
        looks: of these names.
        last_step: the step whose loss is told; what is not finite there goes first.
        what: the name of that loss.
    """
    last = {name: last_loss(curve, last_step) for name, curve in summaries.items()}
    figure.legend(
        handles=[entry(looks[name], f"{name}, {told(last[name])}") for name in from_highest(last)],
        title=f"{what} at step {last_step}",
        loc="outside upper center",
        ncols=2,
    )


def legend_of_names(place: Figure | Axes, looks: dict[str, Look], names: Iterable[str]) -> None:
    """Each optimizer's line and name, once for all panels.

    Args:
        place: a figure, whose legend goes above the panels; or the empty axes that it fills.
        looks: of these names.
        names: in the order of the legend.
    """
    handles = [entry(looks[name], name) for name in names]
    if isinstance(place, Figure):
        ncols = 3 if len(handles) <= 6 else 4
        place.legend(handles=handles, loc="outside upper center", ncols=ncols)
    else:
        place.set_axis_off()
        place.legend(
            handles=handles, loc="center", labelspacing=0.5, fontsize=rcParams["font.size"]
        )


def note_diverged(axes: Axes, counts: dict[str, tuple[int, int]], looks: dict[str, Look]) -> None:
    """Say in a panel how many runs diverged, and move its top up to make room for that.

    Args:
        axes: with its final limits on a logarithmic y axis, apart from this.
        counts: name -> (runs that diverged, all runs).
        looks: of these names.
    """
    found = {name: pair for name, pair in counts.items() if pair[0]}
    if not found:
        return
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** (0.06 + 0.13 * len(found)))
    axes.legend(
        handles=[
            entry(looks[name], f"{broken:,} of {runs:,} runs diverged")
            for name, (broken, runs) in found.items()
        ],
        loc="upper left",
        borderaxespad=0.1,
        handlelength=2.2,
    )


def tell_ends(
    axes: Axes, summaries: dict[str, Curve], looks: dict[str, Look], last_step: int
) -> list[Annotation]:
    """The last loss of every line at the right edge, with a leader from the end of the line.

    They may overlap until `spread_ends` has moved them.
    """
    found = []
    for name, curve in summaries.items():
        loss, look = last_loss(curve, last_step), looks[name]
        found.append(
            axes.annotate(
                told(loss),
                (1, _height(axes, loss)),
                xycoords="axes fraction",
                xytext=(LEADER, 0),
                textcoords="offset points",
                va="center",
                fontsize=rcParams["legend.fontsize"],
                arrowprops={
                    "arrowstyle": "-",
                    "color": look.color,
                    "linewidth": look.width * 0.7,
                    "shrinkA": 0,
                    "shrinkB": 0,
                    "relpos": (0, 0.5),
                },
                annotation_clip=False,
            )
        )
    return found


def spread_ends(axes: Axes, ends: list[Annotation]) -> None:
    """Move the numbers of `tell_ends` apart, when the layout of the figure is known."""
    if not ends:
        return
    points = axes.get_window_extent().height * 72 / rcParams["figure.dpi"]
    gap = rcParams["legend.fontsize"] * 1.22
    wanted = np.array([end.xy[1] for end in ends]) * points
    for end, before, after in zip(ends, wanted, spread(wanted, gap, points), strict=True):
        end.set_position((LEADER, after - before))


def spread(wanted: Floats, gap: float, top: float) -> Floats:
    """Heights as near as can be to those wanted, `gap` apart, none below 0 or above `top`.

    Args:
        wanted: [n].
        gap: the least distance between two of them.
        top: where there is not enough room below it they are `gap` apart from 0 on.

    Returns:
        [n], in the order of `wanted`.
    """
    order = np.argsort(wanted, kind="stable")
    stacked = gap * np.arange(len(wanted))
    free = isotonic_regression(wanted[order] - stacked).x  # least squares, kept in order
    heights = np.empty_like(wanted)
    heights[order] = np.clip(free, 0, max(top - stacked[-1], 0)) + stacked
    return heights


def _height(axes: Axes, loss: float) -> float:
    """Where a loss lies on a logarithmic y axis: 0 at the bottom, 1 at the top and above."""
    low, high = axes.get_ylim()
    if not math.isfinite(loss):
        return 1.0
    return min(max(math.log(max(loss, low) / low) / math.log(high / low), 0.0), 1.0)
