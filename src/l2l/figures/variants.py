"""How variants of a recipe compare with it: a row for each, a panel for each experiment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from l2l.evaluation.statistics import Effect
from l2l.evaluation.variants import Variant
from l2l.figures.style import BLUE, GREY, VERMILLION, Style, display_name, look_of, new_figure

MEASURES = {"final": ("final loss", VERMILLION, "o", -0.16), "mean": ("mean loss", BLUE, "D", 0.16)}
"""Attribute of a variant -> name, colour, marker, and where in its row it is drawn."""
ALONE = "*"
"""After the name of a variant of which one was trained."""
LEAST_SPAN = 1.3
"""The axis goes at least from one over this to this."""
MOST = 30.0
"""And at most so far: what lies beyond is an arrow at the edge."""


@dataclass(frozen=True)
class Panel:
    """An experiment's variants.

    Attributes:
        title: of the panel.
        reference: the key of the optimizer that they are compared with.
        variants: in the order of the rows.
    """

    title: str
    reference: str
    variants: Sequence[Variant]


def draw(panels: Sequence[Panel], labels: dict[str, str], style: Style) -> Figure:
    """Ratios of losses with their 95 % intervals, below each other.

    Args:
        panels: one or more.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
    """
    rows = [len(panel.variants) + 1 for panel in panels]
    with look_of(style):
        figure = new_figure(style, 0.055 * sum(rows) + 0.17 * len(panels) + 0.12, 1.5)
        grid = figure.subplots(len(panels), squeeze=False, height_ratios=rows)[:, 0]
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel, labels)
        figure.supxlabel(
            f"loss divided by that of the reference ({ALONE} one meta-seed)",
            fontsize=style.font_size,
        )
        handles = [
            Line2D([], [], color=color, marker=marker, markersize=3.5, linewidth=1, label=name)
            for name, color, marker, _ in MEASURES.values()
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_panel(axes: Axes, panel: Panel, labels: dict[str, str]) -> None:
    low, high = _limits(panel.variants)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.axvline(1, color=GREY, linewidth=0.8)
    for row, variant in enumerate(panel.variants):
        for attribute, (_, color, marker, place) in MEASURES.items():
            _draw_effect(axes, getattr(variant, attribute), row + place, color, marker)
    for _, color, marker, place in MEASURES.values():
        axes.plot([1], [place - 1], color=color, marker=marker, markersize=3.5, linewidth=0)
    reference = f"{display_name(panel.reference, labels)} (reference)"
    names = [reference, *(_name(variant, labels) for variant in panel.variants)]
    axes.set_yticks(range(-1, len(names) - 1), names)
    axes.set_ylim(len(names) - 1.4, -1.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    subs = [1.0, 2.0, 5.0] if high / low > 7 else [1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_title(panel.title)


def _draw_effect(axes: Axes, effect: Effect, height: float, color: str, marker: str) -> None:
    """A point with its interval; at the edge, as an arrow, where it lies beyond."""
    low, high = axes.get_xlim()
    ratio = 1 + effect.estimate
    ends = [min(max(1 + end, low), high) for end in (effect.low, effect.high)]
    axes.plot(ends, [height, height], color=color, linewidth=1, solid_capstyle="butt")
    if math.isfinite(ratio) and low <= ratio <= high:
        axes.plot([ratio], [height], color=color, marker=marker, markersize=3.5, linewidth=0)
    else:  # not a number: it diverged
        edge, arrow = (low, "<") if ratio < low else (high, ">")
        axes.plot([edge], [height], color=color, marker=arrow, markersize=4, clip_on=False)


def _name(variant: Variant, labels: dict[str, str]) -> str:
    name = display_name(variant.optimizer, labels)
    if variant.meta_seeds == 0:
        return f"{name}, tuned"
    return f"{name} {ALONE}" if variant.meta_seeds == 1 else name


def _limits(variants: Sequence[Variant]) -> tuple[float, float]:
    """Ends of the logarithmic axis: all estimates, and intervals as far as they go on from them."""
    effects = [getattr(variant, name) for variant in variants for name in MEASURES]
    ratios = [1 + effect.estimate for effect in effects]
    finite = [ratio for ratio in ratios if 0 < ratio < math.inf]
    low, high = min([*finite, 1 / LEAST_SPAN]), max([*finite, LEAST_SPAN])
    return max(low / 1.15, 1 / MOST), min(high * 1.15, MOST)
