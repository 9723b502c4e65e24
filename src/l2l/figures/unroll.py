"""What the length of the window does (claim C16): to meta-gradients, and to what is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from l2l.evaluation.variants import Variant
from l2l.figures.curves import plain_log_ticks
from l2l.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    Look,
    Style,
    look_of,
    new_figure,
)

MEASURES = {
    "norm": "norm",
    "noise": "noise / expectation",
    "bias": "bias: 1 − cosine",
}
"""Column of the table -> what its row of panels shows."""
LOOKS = (
    Look(VERMILLION, (), 1.7),
    Look(BLUE, (5, 0.8), 1.7),
    Look(GREEN, (1.6, 1), 1.4),
    Look(PURPLE, (3.5, 1, 1, 1), 1.4),
    Look(ORANGE, (2.5, 0.8), 1.4),
    Look(BLACK, (1, 1), 1.1),
)
"""Of the estimators, in the order of the configuration."""
QUALITY = {"mean": ("mean loss", BLUE, "D"), "final": ("final loss", VERMILLION, "o")}
LEAST = 1e-3
"""Of a logarithmic axis: a bias of zero is drawn there."""


@dataclass(frozen=True)
class Quality:
    """What was learned with windows of several lengths on one problem.

    Attributes:
        title: of the panel.
        variants: window -> the optimizer against that of the reference.
        reference: the window of the reference.
        growing: the one whose windows grow, if there is one.
    """

    title: str
    variants: Mapping[int, Variant]
    reference: int
    growing: Variant | None


def draw(
    table: pd.DataFrame,
    stages: Mapping[str, str],
    estimators: Mapping[str, str],
    quality: Sequence[Quality],
    style: Style,
) -> Figure:
    """Rows of norm, noise and bias with a column for each stage; below, what was learned.

    Args:
        table: see `l2l.measurements.meta_gradients`.
        stages: key -> title, the columns.
        estimators: key -> title, the lines.
        quality: the panels of the last row.
        style: the settings of figures.
    """
    looks = dict(zip(estimators, LOOKS, strict=False))
    with look_of(style):
        figure = new_figure(style, 1.72, 2)
        parts: Any = figure.subfigures(2, 1, height_ratios=[2.55, 1])
        above, below = parts
        grid = above.subplots(len(MEASURES), len(stages), sharex=True, sharey="row", squeeze=False)
        for column, (stage, title) in enumerate(stages.items()):
            rows = table[table["stage"] == stage]
            for line, measure in enumerate(MEASURES):
                _draw_measure(grid[line, column], rows, measure, looks)
            grid[0, column].set_title(f"φ {title}")
            grid[-1, column].set_xlabel("window, steps")
        for line, name in enumerate(MEASURES.values()):
            grid[line, 0].set_ylabel(name)
            plain_log_ticks(grid[line, 0])
        handles = [
            Line2D([], [], color=look.color, dashes=look.dashes, linewidth=look.width)
            for look in looks.values()
        ]
        above.legend(handles, list(estimators.values()), loc="outside upper center", ncols=3)
        panels = below.subplots(1, len(quality), squeeze=False)[0]
        for axes, each in zip(panels, quality, strict=True):
            _draw_quality(axes, each)
        panels[0].set_ylabel("loss / loss with\nthe reference's window")
        below.legend(handles=_entries(), loc="outside upper center", ncols=4)
    return figure


def _draw_measure(axes: Axes, rows: pd.DataFrame, measure: str, looks: dict[str, Look]) -> None:
    """Median over the repeats, and their range as a band; a triangle for what is infinite."""
    for place, (estimator, look) in enumerate(looks.items()):
        own = rows[rows["estimator"] == estimator]
        values = own.pivot(index="window", columns="repeat", values=measure).clip(lower=LEAST)
        windows, found = values.index.to_numpy(), values.to_numpy()
        beyond = np.isposinf(found).all(axis=1)
        found = np.where(np.isinf(found), np.nan, found)
        if beyond.any():
            axes.plot(
                windows[beyond],
                np.full(beyond.sum(), 0.96 - 0.07 * place),
                transform=axes.get_xaxis_transform(),
                color=look.color,
                marker="^",
                markersize=3,
                linestyle="",
            )
        axes.fill_between(
            windows, found.min(axis=1), found.max(axis=1), color=look.color, alpha=0.15, linewidth=0
        )
        axes.plot(
            windows,
            np.median(found, axis=1),
            color=look.color,
            dashes=look.dashes,
            linewidth=look.width,
        )
    axes.set_yscale("log")
    _window_axis(axes, sorted(rows["window"].unique()))


def _draw_quality(axes: Axes, quality: Quality) -> None:
    windows = sorted([*quality.variants, quality.reference])
    for attribute, (_, color, marker) in QUALITY.items():
        points = {
            window: getattr(variant, attribute) for window, variant in quality.variants.items()
        }
        ratios = [1 + points[w].estimate if w in points else 1.0 for w in windows]
        axes.plot(windows, ratios, color=color, marker=marker, markersize=3, linewidth=1.2)
        for window, effect in points.items():
            ends = [max(1 + effect.low, 1e-3), min(1 + effect.high, 1e3)]
            axes.plot([window, window], ends, color=color, linewidth=0.8, alpha=0.6)
        if quality.growing:
            height = 1 + getattr(quality.growing, attribute).estimate
            axes.axhline(height, color=color, linewidth=1, dashes=(2, 1.5))
    axes.axhline(1, color=GREY, linewidth=0.6)
    axes.set_yscale("log")
    shown = [
        1 + getattr(variant, attribute).estimate
        for variant in (*quality.variants.values(), *([quality.growing] if quality.growing else []))
        for attribute in QUALITY
    ]
    finite = [ratio for ratio in shown if np.isfinite(ratio) and ratio > 0]
    axes.set_ylim(min([*finite, 0.9]) / 1.25, max([*finite, 1.1]) * 1.25)
    plain_log_ticks(axes)
    _window_axis(axes, windows)
    axes.set_xlabel("window, steps")
    axes.set_title(quality.title)


def _window_axis(axes: Axes, windows: list[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(window) for window in windows]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _entries() -> list[Line2D]:
    points = [
        Line2D([], [], color=color, marker=marker, markersize=3, linewidth=1.2, label=name)
        for name, color, marker in QUALITY.values()
    ]
    growing = Line2D([], [], color=GREY, linewidth=1, dashes=(2, 1.5), label="growing windows")
    return [*points, growing]
