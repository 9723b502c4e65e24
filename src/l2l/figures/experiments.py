"""Figures whose panels are experiments: loss against step, against units, or ratios of variants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from l2l.config import Config, Experiment
from l2l.config.problems import MLPSettings
from l2l.errors import UserError
from l2l.evaluation.claims import strongest
from l2l.evaluation.rates import FINAL as FINAL_LOSS
from l2l.evaluation.summary import (
    Curve,
    diverged,
    final_column,
    measured,
    summarise,
)
from l2l.figures.loss_curves import (
    draw_curves,
    draw_lines,
    in_percent,
    label_ends,
    lay_out_ends,
    legend_of_names,
    note_diverged,
    plain_log_ticks,
    share_scale,
)
from l2l.figures.paired import loss_lines, ratio_lines
from l2l.figures.style import (
    GREY,
    Look,
    looks,
    named,
    names_in,
    new_figure,
)
from l2l.figures.variants import draw_variants
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

EARLY = 100
"""Steps of a panel of their own, where the shown loss is measured too rarely to see them."""
LEAST_RATIO, MOST_RATIO = 1.25, 4.0
"""An axis of ratios goes at least from one over the first to the first, and up to the second."""


def draw_losses(experiments: Sequence[str], results: Results) -> Figure:
    """A row for each experiment: loss against step, and the same divided by that of a baseline.

    The baseline is the one that tuning found the best. Both go up to the step that tuning and
    claims look at. Where held-out losses are shown, a panel before has the first EARLY steps on
    their minibatches. Each optimizer stands once in the legend, and its last loss at the edge.
    """
    config, style = results.config, results.config.figures
    entries = {name: config.experiments[name] for name in experiments}
    tables = {name: results.curves(name) for name in experiments}
    chosen = results.chosen(dict.fromkeys(r for entry in entries.values() for r in entry.learned))
    names = names_in([table["optimizer"].unique() for table in tables.values()], config.labels())
    styles = looks(names.values())
    early = any(_has_early(entry) for entry in entries.values())
    rows, columns = len(entries), 2 + early
    height = 0.12 + 0.05 * -(-len(styles) // 6) + (0.53 if early else 0.6) * rows
    figure = new_figure(style, height, 2)
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    ends = []
    for panels, (name, entry) in zip(grid, entries.items(), strict=True):
        table, last, loss = tables[name], entry.horizon, _name_of_loss(name, config)
        first, losses, ratios = panels[0], panels[-2], panels[-1]
        if early and _has_early(entry):
            lines = named(names, loss_lines(table, "loss", chosen, style.interval))
            draw_curves(first, lines, styles, (0, EARLY))
            first.set(title=f"{entry.title}, first {EARLY}", ylabel="minibatch loss")
        elif early:
            first.set_axis_off()
        shown = measured(table, entry.shown)
        lines = named(names, loss_lines(shown, entry.shown, chosen, style.interval))
        draw_curves(losses, lines, styles, (0, last), divergence=True)
        counts = diverged(table, final_column(entry.shown), last)
        note_diverged(losses, named(names, counts), styles)
        losses.set(title=entry.title, ylabel=loss)
        ends.append((losses, label_ends(losses, lines, styles, last)))
        judged = _judged(entry, config)
        reference = strongest(entry.baselines, results.tuning(name), FINAL_LOSS)
        by_key = ratio_lines(measured(table, judged), judged, reference, chosen, style.interval)
        draw_ratios(ratios, lines := named(names, by_key), styles, last)
        ratios.set_title(f"divided by {names[reference]}’s", weight="normal")
        ratios.set_ylabel("ratio, same problems")
        ends.append((ratios, label_ends(ratios, lines, styles, last, in_percent)))
    for axes in grid[-1]:
        axes.set_xlabel("step")
    legend_of_names(figure, styles, dict.fromkeys(names.values()), columns=6)
    lay_out_ends(figure, ends)
    return figure


def draw_one_problem(experiment: str, results: Results, title: str) -> Figure:
    """The losses of all meta-seeds on the first test problem alone."""
    config, entry = results.config, results.config.experiments[experiment]
    table = results.curves(experiment)
    table = table[table["problem"] == table["problem"].min()]
    names = names_in([table["optimizer"].unique()], config.labels())
    styles = looks(names.values())
    lines = named(names, summarise(table, "loss", config.figures.interval))
    figure = new_figure(config.figures, 0.9)
    axes = figure.subplots()
    draw_curves(axes, lines, styles, (0, entry.horizon), divergence=True)
    axes.set(title=title, xlabel="step", ylabel=_name_of_loss(experiment, config))
    legend_of_names(figure, styles, dict.fromkeys(names.values()))
    lay_out_ends(figure, [(axes, label_ends(axes, lines, styles, entry.horizon))])
    return figure


def draw_ratios(axes: Axes, lines: dict[str, Curve], styles: dict[str, Look], last: int) -> None:
    """Ratios on a logarithmic axis; what is too far above leaves through the top."""
    ends = [line.low[line.steps <= last][-1:] for line in lines.values()]
    shown = np.concatenate([*draw_lines(axes, lines, styles, (0, last)), *ends])
    finite = shown[np.isfinite(shown) & (shown > 0)]
    low, high = min([*finite, 1 / LEAST_RATIO]), max([*finite, LEAST_RATIO])
    axes.set_yscale("log")
    axes.set_ylim(low / 1.05, min(high, MOST_RATIO) * 1.05)
    plain_log_ticks(axes)
    axes.axhline(1, color=GREY, linewidth=0.6, zorder=1)


def _has_early(entry: Experiment) -> bool:
    return entry.shown == "test_loss" and entry.horizon > EARLY


def _judged(entry: Experiment, config: Config) -> str:
    """The column of the loss that verdicts on the last step look at."""
    minibatches = any(hasattr(config.problems[name], "batch_size") for name in entry.problems)
    return final_column(entry.shown) if minibatches else entry.shown


def _name_of_loss(experiment: str, config: Config) -> str:
    entry = config.experiments[experiment]
    if entry.shown == "test_loss":
        return "held-out loss"
    return "loss" if _judged(entry, config) == "loss" else "minibatch loss"


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
    styles, chosen = looks(names.values()), results.chosen(settings.learned)
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
        by_name = named(names, loss_lines(ends, FINAL, chosen, config.figures.interval))
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
    legend_of_names(figure, styles | {TRAINED_NAME: TRAINED}, entries, columns=4)
    return figure


def _mlps(problems: Iterable[str], config: Config) -> dict[str, MLPSettings]:
    settings = {name: config.problems[name] for name in problems}
    return {name: each for name, each in settings.items() if isinstance(each, MLPSettings)}
