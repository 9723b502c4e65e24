"""Figure `unroll` (claim C16): how the window changes meta-gradients and what is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures.base import Figure
from l2l.figures.loss_curves import legend_line, plain_log_ticks
from l2l.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, Look, new_figure
from l2l.figures.variants import Variant, variants
from l2l.results import Results

MEASURES = {
    "norm": "norm",
    "variance": "variance",
    "cosine": "bias: 1 − cosine",
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
LEARNED = {"mean": ("mean loss", BLUE, "D"), "final": ("final loss", VERMILLION, "o")}
"""Attribute of a variant -> what the last row shows."""
LEAST = 1e-3
"""Of its logarithmic axis: a bias of zero is drawn there."""


def draw(results: Results) -> Drawing:
    """Rows of norm, variance and bias with a column for each stage; below, what was learned.

    Raises:
        UserError: an experiment has no reference, or two recipes of one window.
    """
    config, table = results.config, results.measurement("meta_gradients")
    settings = config.measurements.meta_gradients
    looks = dict(zip(settings.estimators, LOOKS, strict=False))
    titles = {key: settings.estimators[key].title for key in looks}
    figure = new_figure(config.figures, 1.72, 2)
    parts: Any = figure.subfigures(2, 1, height_ratios=[2.55, 1])
    above, below = parts
    shape = (len(MEASURES), len(settings.stages))
    grid = above.subplots(*shape, sharex=True, squeeze=False)
    for column, (stage, entry) in enumerate(settings.stages.items()):
        rows = table[table["stage"] == stage]
        for line, measure in enumerate(MEASURES):
            _draw_measure(grid[line, column], rows, measure, looks, titles)
        grid[0, column].set_title(entry.title)
        grid[-1, column].set_xlabel("window, steps")
    for line, name in enumerate(MEASURES.values()):
        grid[line, 0].set_ylabel(name)
    handles = [legend_line(look, titles[key]) for key, look in looks.items()]
    above.legend(handles=handles, loc="outside upper center", ncols=3)
    experiments = config.figure_experiments()["unroll"]
    panels = below.subplots(1, len(experiments), squeeze=False)[0]
    for axes, name in zip(panels, experiments, strict=True):
        _draw_learned(axes, name, results)
    panels[0].set_ylabel("loss / loss with\nthe reference's window")
    points = [
        Line2D([], [], color=color, marker=marker, markersize=3, linewidth=1.2, label=name)
        for name, color, marker in LEARNED.values()
    ]
    growing = Line2D([], [], color=GREY, linewidth=1, dashes=(2, 1.5), label="growing windows")
    below.legend(handles=[*points, growing], loc="outside upper center", ncols=4)
    return figure


def _draw_measure(
    axes: Axes, rows: pd.DataFrame, measure: str, looks: dict[str, Look], titles: dict[str, str]
) -> None:
    for estimator, look in looks.items():
        own = rows[rows["estimator"] == estimator]
        values = own.pivot(index="window", columns="repeat", values=measure)
        if measure == "cosine":
            values = (1 - values).clip(lower=LEAST)
        windows, repeats = values.index.to_numpy(), values.to_numpy()
        if not windows.size:  # not asked at this stage
            continue
        repeats = np.where(np.isinf(repeats), np.nan, repeats)
        low, high, middle = repeats.min(axis=1), repeats.max(axis=1), np.median(repeats, axis=1)
        axes.fill_between(windows, low, high, color=look.color, alpha=0.15, linewidth=0)
        (line,) = axes.plot(windows, middle, color=look.color, dashes=look.dashes)
        line.set(linewidth=look.width, label=titles[estimator])
    axes.set_yscale("log")
    plain_log_ticks(axes)
    _window_axis(axes, sorted(rows["window"].unique()))


def _draw_learned(axes: Axes, experiment: str, results: Results) -> None:
    """What was learned with each window; a line across for windows that grow."""
    recipes, settings = results.config.recipes, results.config.experiments[experiment]
    if settings.reference is None:
        raise UserError(f"config: experiments.{experiment}.reference is missing: unroll needs one")
    by_window: dict[int, Variant] = {}
    growing = None
    for variant in variants(results.curves(experiment), settings):
        stages = (
            () if variant.optimizer in settings.baselines else recipes[variant.optimizer].unroll
        )
        if len(stages) > 1:
            growing = variant
        elif stages and stages[0].window in by_window:
            raise UserError(
                f"config: experiments.{experiment}.learned: {variant.optimizer} has the window of "
                "another one; figure unroll shows one for each window"
            )
        elif stages:
            by_window[stages[0].window] = variant
    shown = []
    for attribute, (name, color, marker) in LEARNED.items():
        seeds = {window: getattr(by_window[window], attribute) for window in sorted(by_window)}
        means = [ratios.mean() for ratios in seeds.values()]
        axes.plot([*seeds], means, color=color, linewidth=1.2, label=name)
        for window, ratios in seeds.items():
            dots: dict[str, Any] = {
                "color": color,
                "marker": marker,
                "markersize": 3,
                "markeredgewidth": 0,
            }
            axes.plot([window] * len(ratios), ratios, linewidth=0, **dots)
        if growing:
            seeds[0] = getattr(growing, attribute)
            axes.axhline(seeds[0].mean(), color=color, linewidth=1, dashes=(2, 1.5))
        every = np.concatenate([*seeds.values()])
        shown += [float(ratio) for ratio in every if 0 < ratio < np.inf]
    axes.axhline(1, color=GREY, linewidth=0.6)
    axes.set_yscale("log")
    axes.set_ylim(min([*shown, 0.9]) / 1.25, max([*shown, 1.1]) * 1.25)
    plain_log_ticks(axes)
    _window_axis(axes, [*by_window])
    axes.set(xlabel="window, steps", title=settings.title)


def _window_axis(axes: Axes, windows: list[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(window) for window in windows]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


class Unroll(Figure):
    """The panels of its last row are the experiments that name it as their figure."""

    def within(self, config: Config) -> Figure | None:
        """With these experiments; None: there are none."""
        panels = tuple(config.figure_experiments().get(self.name, ()))
        return replace(self, experiments=panels) if panels else None


FIGURE = Unroll(
    name="unroll",
    title="How long to unroll",
    caption="Meta-gradients are found in windows of some steps. Top: what their length does to the "
    "meta-gradient of an episode, with the weights φ of a trained optimizer held fixed, on the "
    "problems that the column names. Norm: its length. Variance: how much the gradients of single "
    "problems scatter, the trace of their covariance, in squared units of the norm. Bias: how far "
    "its direction is from that of the true one on the same problems (a single window, second "
    "derivatives kept); 0 is the same, 1 at a right angle. Lines are medians over repeats, bands "
    "their range. Bottom: what is learned with each window from as many inner steps, as the loss "
    "divided by that of the reference's window; lower is better. Each mark is a meta-seed, lines "
    "join their means. Dashed: windows that grow in the course of meta-training.",
    drawn_by=draw,
    measurements=("meta_gradients",),
)
