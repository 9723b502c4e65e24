"""Figures whose panels are experiments: loss against step, against units, or ratios of variants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from l2l.config import Config
from l2l.config.problems import MLPSettings
from l2l.errors import UserError
from l2l.evaluation.statistics import Effect
from l2l.evaluation.summary import Variant, diverged, final_column, measured, summarise, variants
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
    named,
    names_in,
    new_figure,
)
from l2l.results import Results


def draw(experiments: Sequence[str], results: Results) -> Figure:
    """A panel for each experiment; an experiment on several networks has several.

    Raises:
        UserError: a table is missing, or has gaps, or lacks the loss that is to be drawn.
    """
    first = results.config.experiments[experiments[0]]
    if len(first.problems) > 1:  # then it is the only one
        return draw_networks(experiments[0], results)
    return (draw_variants if first.reference else draw_losses)(experiments, results)


# Loss against step.

COLUMNS = 2
"""Of a figure with several panels: each is as wide as a figure with one."""


def draw_losses(experiments: Sequence[str], results: Results, one_problem: str = "") -> Figure:
    """Loss against step of every optimizer, up to the step that tuning and claims look at.

    Each optimizer stands once in the legend. A single panel has its last losses there; several
    have them at their right edges, and the legend where a panel is missing, or above.

    If `one_problem` is not empty, it is the title, and the first test problem is shown alone.
    """
    config, style = results.config, results.config.figures
    tables = [results.curves(name) for name in experiments]
    if one_problem:
        tables = [table[table["problem"] == table["problem"].min()] for table in tables]
    names = names_in([table["optimizer"].unique() for table in tables], config.labels())
    styles, count = looks(names.values()), len(experiments)
    columns = min(count, COLUMNS)
    rows = -(-count // columns)
    height = 0.95 if count == 1 else 0.63 * rows + 0.12 * (count % COLUMNS == 0)
    figure = new_figure(style, height, columns)
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    ends = []
    for axes, name, table in zip(grid.flat, experiments, tables, strict=False):
        entry = config.experiments[name]
        column, last = entry.shown, entry.horizon
        summaries = summarise(measured(table, column), column, style.interval)
        curves = named(names, summaries)
        draw_curves(axes, curves, styles, (0, last), divergence=True)
        counts = diverged(table, final_column(column), last)
        note_diverged(axes, named(names, counts), styles)
        loss = _name_of_loss(name, config)
        axes.set(title=one_problem or entry.title, xlabel="step", ylabel=loss)
        if count == 1:
            legend_with_losses(figure, curves, styles, last, loss)
        else:
            ends.append(label_ends(axes, curves, styles, last))
    if count == 1:
        return figure
    for row, column in np.ndindex(rows, columns):  # labels that a neighbour repeats
        axes = grid[row, column]
        if row + 1 < rows and grid[row + 1, column].get_xlabel() == axes.get_xlabel():
            axes.set_xlabel("")
        if column and grid[row, 0].get_ylabel() == axes.get_ylabel():
            axes.set_ylabel("")
    empty = grid.flat[count:]
    legend_of_names(empty[0] if empty.size else figure, styles, dict.fromkeys(names.values()))
    figure.draw_without_rendering()  # lays out the figure
    for axes, numbers in zip(grid.flat, ends, strict=False):
        spread_ends(axes, numbers, [number.xy[1] for number in numbers], 1.22)
    return figure


def _name_of_loss(experiment: str, config: Config) -> str:
    entry = config.experiments[experiment]
    if entry.shown == "test_loss":
        return "held-out loss"
    minibatches = any(hasattr(config.problems[name], "batch_size") for name in entry.problems)
    return "minibatch loss" if minibatches else "loss"


# Final loss against the size of the network: the architecture study (figure 6 of the paper).

NETWORK_COLUMNS = 3
FINAL = "train_loss"
TRAINED, TRAINED_NAME = Look(GREY, (1, 1.5), 0.8), "network of meta-training"


def _kind(network: MLPSettings) -> tuple[int, str]:
    """The panel of a network: number of hidden layers, activation."""
    return len(network.hidden), network.activation


def _units(network: MLPSettings) -> float:
    """Its place in that panel: the units of a hidden layer, their mean where these differ."""
    return sum(network.hidden) / max(len(network.hidden), 1)


def draw_networks(experiment: str, results: Results) -> Figure:
    """A panel for each number of hidden layers: final loss of every optimizer against units.

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
    curves, horizon = results.curves(experiment), settings.horizon
    trained_on = _mlps((config.recipes[name].problem for name in settings.learned), config)
    names = names_in([curves["optimizer"].unique()], config.labels())
    styles = looks(names.values())
    kinds = sorted({_kind(network) for network in networks.values()})
    columns = min(len(kinds), NETWORK_COLUMNS)
    rows = -(-len(kinds) // columns)
    figure = new_figure(config.figures, 0.2 + 0.72 * rows, 1 if columns == 1 else 2)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels, tables = grid.flat[: len(kinds)], []
    for axes, kind in zip(panels, kinds, strict=True):
        units = {name: _units(net) for name, net in networks.items() if _kind(net) == kind}
        tables.append(own := curves[curves["family"].isin(units)])
        ends = own[own["step"] == horizon]
        ends = ends.assign(step=ends["family"].map(units))  # the x axis, instead of steps
        by_name = named(names, summarise(ends, FINAL, config.figures.interval))
        places = sorted(set(units.values()))
        margin = max(0.06 * (places[-1] - places[0]), 0.5)
        sides = (places[0] - margin, places[-1] + margin)
        draw_curves(axes, by_name, styles, sides, divergence=True, marker="o")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xlabel("units of a hidden layer")
        for place in {_units(net) for net in trained_on.values() if _kind(net) == kind}:
            color, dashes, width = TRAINED.color, TRAINED.dashes, TRAINED.width
            axes.axvline(place, color=color, linewidth=width, dashes=dashes, zorder=1)
        layers, activation = kind
        title = f"{layers} hidden layer{'' if layers == 1 else 's'}"
        one_activation = len({other for _, other in kinds}) == 1
        axes.set_title(title if one_activation else f"{title}, {activation}")
    share_scale(panels)
    for axes, own in zip(panels, tables, strict=True):
        note_diverged(axes, named(names, diverged(own, FINAL, horizon)), styles)
    share_scale(panels)  # the notes have moved tops up
    for place, axes in enumerate(panels):
        plain_log_ticks(axes)
        axes.tick_params(labelleft=place % columns == 0)
    for axes in grid[:, 0]:
        axes.set_ylabel(f"loss at step {horizon}")
    for axes in grid.flat[len(kinds) :]:
        axes.set_axis_off()
    marked = {_kind(network) for network in trained_on.values()} & {*kinds}
    entries = dict.fromkeys((*names.values(), *([TRAINED_NAME] if marked else [])))
    legend_of_names(figure, styles | {TRAINED_NAME: TRAINED}, entries)
    return figure


def _mlps(problems: Iterable[str], config: Config) -> dict[str, MLPSettings]:
    settings = {name: config.problems[name] for name in problems}
    return {name: each for name, each in settings.items() if isinstance(each, MLPSettings)}


# How variants of a recipe compare with it.

MEASURES = {"final": ("final loss", VERMILLION, "o", -0.16), "mean": ("mean loss", BLUE, "D", 0.16)}
"""Attribute of a variant -> name, colour, marker, and where in its row it is drawn."""
ALONE = "*"
"""After the name of a variant of which one was trained."""
LEAST_SPAN = 1.3
"""The axis goes at least from one over this to this."""
MOST = 30.0
"""And at most so far: what lies beyond is an arrow at the edge."""


def draw_variants(experiments: Sequence[str], results: Results) -> Figure:
    """Ratios of losses with their 95 % intervals: a row for each variant, a panel an experiment."""
    config = results.config
    entries = [config.experiments[name] for name in experiments]
    panels = [
        variants(results.curves(name), entry)
        for name, entry in zip(experiments, entries, strict=True)
    ]
    rows = [len(panel) + 1 for panel in panels]
    figure = new_figure(config.figures, 0.055 * sum(rows) + 0.17 * len(panels) + 0.12, 1.5)
    grid = figure.subplots(len(panels), squeeze=False, height_ratios=rows)[:, 0]
    for axes, entry, panel in zip(grid, entries, panels, strict=True):
        _draw_panel(axes, panel, str(entry.reference), config.labels())
        axes.set_title(entry.title)
    figure.supxlabel(
        f"loss divided by that of the reference ({ALONE} one meta-seed)",
        fontsize=config.figures.font_size,
    )
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=3.5, linewidth=1, label=name)
        for name, color, marker, _ in MEASURES.values()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_panel(
    axes: Axes, compared: Sequence[Variant], reference: str, labels: dict[str, str]
) -> None:
    low, high = _limits(compared)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.axvline(1, color=GREY, linewidth=0.8)
    names = [f"{display_name(reference, labels)} (reference)"]
    for row, variant in enumerate(compared):
        for attribute, (_, color, marker, place) in MEASURES.items():
            _draw_effect(axes, getattr(variant, attribute), row + place, color, marker)
        kind = {0: ", tuned", 1: f" {ALONE}"}.get(variant.meta_seeds, "")
        names.append(display_name(variant.optimizer, labels) + kind)
    for _, color, marker, place in MEASURES.values():
        axes.plot([1], [place - 1], color=color, marker=marker, markersize=3.5, linewidth=0)
    axes.set_yticks(range(-1, len(names) - 1), names)
    axes.set_ylim(len(names) - 1.4, -1.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    subs = [1.0, 2.0, 5.0] if high / low > 7 else [1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


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


def _limits(compared: Sequence[Variant]) -> tuple[float, float]:
    """Ends of the logarithmic axis, which takes in all estimates up to MOST."""
    ratios = [1 + getattr(variant, name).estimate for variant in compared for name in MEASURES]
    finite = [ratio for ratio in ratios if 0 < ratio < math.inf]
    low, high = min([*finite, 1 / LEAST_SPAN]), max([*finite, LEAST_SPAN])
    return max(low / 1.15, 1 / MOST), min(high * 1.15, MOST)
