"""Figures whose panels are experiments: loss against step, against units, or ratios of variants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from l2l.config import Config
from l2l.config.problems import MLPSettings
from l2l.config.schema import FigureSettings
from l2l.errors import UserError
from l2l.evaluation.statistics import Effect
from l2l.evaluation.summary import Curve, diverged, final_column, measured, summarise
from l2l.evaluation.variants import Variant, variants
from l2l.figures.loss_curves import (
    draw_curves,
    label_ends,
    legend_of_names,
    legend_with_losses,
    note_diverged,
    plain_log_ticks,
    share_scale,
    spread_ends,
)
from l2l.figures.style import (
    BLUE,
    GREY,
    VERMILLION,
    Look,
    display_name,
    looks,
    names_in,
    new_figure,
)
from l2l.results import Results


def draw(experiments: Sequence[str], results: Results) -> Figure:
    """A panel for each experiment; an experiment on several networks has several.

    Args:
        experiments: all of one kind.
        results: holds their curves.

    Raises:
        UserError: a table is missing, or has gaps, or lacks the loss that is to be drawn.
    """
    config, first = results.config, results.config.experiments[experiments[0]]
    if len(first.problems) > 1:  # then it is the only one
        return draw_networks(experiments[0], results)
    if first.reference:
        panels = [variants_of(name, results) for name in experiments]
        return draw_variants(panels, config.labels(), config.figures)
    curves = [panel(name, config, results.curves(name)) for name in experiments]
    return draw_panels(curves, config.labels(), config.figures)


# Loss against step.

COLUMNS = 2
"""Of a figure with several panels: each is as wide as a figure with one."""


@dataclass(frozen=True)
class Panel:
    """Loss against step of every optimizer of a table.

    Attributes:
        title: of the panel.
        curves: tidy table with optimizer, problem, meta_seed, step, loss, train_loss, test_loss.
        column: the loss that is drawn, at the steps where it was measured.
        last_step: right end of the x axis; the loss there is shown, and says what diverged.
        ylabel: the name of the loss.
    """

    title: str
    curves: pd.DataFrame
    column: str
    last_step: int
    ylabel: str


def panel(experiment: str, config: Config, curves: pd.DataFrame) -> Panel:
    """The panel of an experiment, up to the step that tuning and claims look at."""
    settings = config.experiments[experiment]
    minibatches = any(hasattr(config.problems[name], "batch_size") for name in settings.problems)
    of_step = "minibatch loss" if minibatches else "loss"
    ylabel = "held-out loss" if settings.shown == "test_loss" else of_step
    return Panel(settings.title, curves, settings.shown, settings.horizon, ylabel)


def draw_panels(panels: Sequence[Panel], labels: dict[str, str], style: FigureSettings) -> Figure:
    """One figure of all panels, to be drawn within `style.look_of`.

    Each optimizer stands once in the legend. A single panel has its last losses there; several
    have them at their right edges, and the legend where a panel is missing, or above.

    Args:
        panels: one or more.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
    """
    names = names_in([panel.curves["optimizer"].unique() for panel in panels], labels)
    styles = looks(names.values())
    summaries = [_by_name(panel, names, style) for panel in panels]
    if len(panels) == 1:
        figure, (one,), (curves,) = new_figure(style, height=0.95), panels, summaries
        _draw_panel(figure.subplots(), one, curves, names, styles)
        legend_with_losses(figure, curves, styles, one.last_step, one.ylabel)
        return figure
    rows = -(-len(panels) // COLUMNS)
    figure = new_figure(style, 0.63 * rows + 0.12 * (len(panels) % COLUMNS == 0), COLUMNS)
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    ends = []
    for axes, panel, curves in zip(grid.flat, panels, summaries, strict=False):
        _draw_panel(axes, panel, curves, names, styles)
        ends.append(label_ends(axes, curves, styles, panel.last_step))
    _share_labels(grid)
    empty = grid.flat[len(panels) :]
    legend_of_names(empty[0] if empty.size else figure, styles, dict.fromkeys(names.values()))
    figure.draw_without_rendering()  # lays out the figure
    for axes, numbers in zip(grid.flat, ends, strict=False):
        spread_ends(axes, numbers, [number.xy[1] for number in numbers], 1.22)
    return figure


def _by_name(panel: Panel, names: dict[str, str], style: FigureSettings) -> dict[str, Curve]:
    """Name of an optimizer -> its losses."""
    curves = summarise(measured(panel.curves, panel.column), panel.column, style.interval)
    return {names[key]: curve for key, curve in curves.items()}


def _draw_panel(
    axes: Axes,
    panel: Panel,
    curves: dict[str, Curve],
    names: dict[str, str],
    styles: dict[str, Look],
) -> None:
    draw_curves(axes, curves, styles, (0, panel.last_step), divergence=True)
    counts = diverged(panel.curves, final_column(panel.column), panel.last_step)
    note_diverged(axes, {names[key]: pair for key, pair in counts.items()}, styles)
    axes.set_title(panel.title)
    axes.set_xlabel("step")
    axes.set_ylabel(panel.ylabel)


def _share_labels(grid: NDArray[np.object_]) -> None:
    """Take off the labels of axes that the panel below or to the left repeats."""
    rows, columns = grid.shape
    for row in range(rows):
        for column in range(columns):
            axes = grid[row, column]
            if row + 1 < rows and grid[row + 1, column].get_xlabel() == axes.get_xlabel():
                axes.set_xlabel("")
            if column and grid[row, 0].get_ylabel() == axes.get_ylabel():
                axes.set_ylabel("")


# Final loss against the size of the network: the architecture study (figure 6 of the paper).

NETWORK_COLUMNS = 3
FINAL = "train_loss"
TRAINED, TRAINED_NAME = Look(GREY, (1, 1.5), 0.8), "network of meta-training"
Kind = tuple[int, str]
"""Number of hidden layers, activation: a panel."""


def _kind(network: MLPSettings) -> Kind:
    """The panel of a network."""
    return len(network.hidden), network.activation


def _units(network: MLPSettings) -> float:
    """Its place in that panel: the units of a hidden layer, their mean where these differ."""
    return sum(network.hidden) / max(len(network.hidden), 1)


def draw_networks(experiment: str, results: Results) -> Figure:
    """A panel for each number of hidden layers: final loss of every optimizer against units.

    Args:
        experiment: on several networks.
        results: holds its curves.

    Raises:
        UserError: a problem is no MLP.
    """
    config, settings = results.config, results.config.experiments[experiment]
    networks = _mlps(settings.problems, config)
    if len(networks) < len(settings.problems):
        raise UserError(
            f"config: experiments.{experiment} has several problems, and not all are of kind mlp: "
            "give each an experiment of its own"
        )
    curves, style, horizon = results.curves(experiment), config.figures, settings.horizon
    trained_on = _mlps((config.recipes[name].problem for name in settings.learned), config)
    names = names_in([curves["optimizer"].unique()], config.labels())
    styles = looks(names.values())
    kinds = sorted({_kind(network) for network in networks.values()})
    columns = min(len(kinds), NETWORK_COLUMNS)
    rows = -(-len(kinds) // columns)
    figure = new_figure(style, 0.2 + 0.72 * rows, 1 if columns == 1 else 2)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = grid.flat[: len(kinds)]
    tables = []
    for axes, kind in zip(panels, kinds, strict=True):
        units = {name: _units(net) for name, net in networks.items() if _kind(net) == kind}
        tables.append(own := curves[curves["family"].isin(units)])
        ends = own[own["step"] == horizon]
        ends = ends.assign(step=ends["family"].map(units))  # the x axis, instead of steps
        by_name = {
            names[key]: curve for key, curve in summarise(ends, FINAL, style.interval).items()
        }
        places = sorted(set(units.values()))
        margin = max(0.06 * (places[-1] - places[0]), 0.5)
        sides = (places[0] - margin, places[-1] + margin)
        draw_curves(axes, by_name, styles, sides, divergence=True, marker="o")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xlabel("units of a hidden layer")
        for place in {_units(net) for net in trained_on.values() if _kind(net) == kind}:
            look = TRAINED
            axes.axvline(
                place, color=look.color, linewidth=look.width, dashes=look.dashes, zorder=1
            )
        axes.set_title(_title(kind, several=len({name for _, name in kinds}) > 1))
    share_scale(panels)
    for axes, own in zip(panels, tables, strict=True):
        counts = diverged(own, FINAL, horizon)
        note_diverged(axes, {names[key]: pair for key, pair in counts.items()}, styles)
    share_scale(panels)  # the notes have moved tops up
    for place, axes in enumerate(panels):
        plain_log_ticks(axes)
        if place % columns:
            axes.tick_params(labelleft=False)
    for axes in grid[:, 0]:
        axes.set_ylabel(f"loss at step {horizon}")
    for axes in grid.flat[len(kinds) :]:
        axes.set_axis_off()
    marked = {_kind(network) for network in trained_on.values()} & {*kinds}
    entries = dict.fromkeys((*names.values(), *([TRAINED_NAME] if marked else [])))
    legend_of_names(figure, styles | {TRAINED_NAME: TRAINED}, entries)
    return figure


def _mlps(problems: Iterable[str], config: Config) -> dict[str, MLPSettings]:
    """Those of the problems that are MLPs."""
    settings = {name: config.problems[name] for name in problems}
    return {name: each for name, each in settings.items() if isinstance(each, MLPSettings)}


def _title(kind: Kind, several: bool) -> str:
    """ "2 hidden layers", with the activation where there are several."""
    layers, activation = kind
    title = f"{layers} hidden layer{'' if layers == 1 else 's'}"
    return f"{title}, {activation}" if several else title


# How variants of a recipe compare with it.

MEASURES = {"final": ("final loss", VERMILLION, "o", -0.16), "mean": ("mean loss", BLUE, "D", 0.16)}
"""Attribute of a variant -> name, colour, marker, and where in its row it is drawn."""
ALONE = "*"
"""After the name of a variant of which one was trained."""
LEAST_SPAN = 1.3
"""The axis goes at least from one over this to this."""
MOST = 30.0
"""And at most so far: what lies beyond is an arrow at the edge."""


@dataclass(frozen=True)
class Variants:
    """The variants of an experiment.

    Attributes:
        title: of the panel.
        reference: the key of the optimizer that they are compared with.
        variants: in the order of the rows.
    """

    title: str
    reference: str
    variants: Sequence[Variant]


def variants_of(experiment: str, results: Results) -> Variants:
    """The variants of an experiment with a reference."""
    settings = results.config.experiments[experiment]
    compared = variants(results.curves(experiment), settings)
    return Variants(settings.title, str(settings.reference), compared)


def draw_variants(
    panels: Sequence[Variants], labels: dict[str, str], style: FigureSettings
) -> Figure:
    """Ratios of losses with their 95 % intervals: a row for each variant, panels below each other.

    Args:
        panels: one or more.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
    """
    rows = [len(panel.variants) + 1 for panel in panels]
    figure = new_figure(style, 0.055 * sum(rows) + 0.17 * len(panels) + 0.12, 1.5)
    grid = figure.subplots(len(panels), squeeze=False, height_ratios=rows)[:, 0]
    for axes, panel in zip(grid, panels, strict=True):
        _draw_variants(axes, panel, labels)
    figure.supxlabel(
        f"loss divided by that of the reference ({ALONE} one meta-seed)", fontsize=style.font_size
    )
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=3.5, linewidth=1, label=name)
        for name, color, marker, _ in MEASURES.values()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_variants(axes: Axes, panel: Variants, labels: dict[str, str]) -> None:
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
