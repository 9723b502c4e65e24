"""The architecture study (figure 6 of the paper): final loss against the size of the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from l2l.config.problems import MLPSettings
from l2l.figures.curves import draw_curves, plain_log_ticks
from l2l.figures.legends import legend_of_names, note_diverged
from l2l.figures.style import GREY, Look, Style, look_of, looks, names_in, new_figure
from l2l.figures.summary import Curve, diverged, summarise

COLUMNS = 3
FINAL = "train_loss"
TRAINED, TRAINED_NAME = Look(GREY, (1, 1.5), 0.8), "network of meta-training"
Kind = tuple[int, str]
"""Number of hidden layers, activation: a panel."""


def kind(network: MLPSettings) -> Kind:
    """The panel of a network."""
    return len(network.hidden), network.activation


def units(network: MLPSettings) -> float:
    """Its place in that panel: the units of a hidden layer, their mean where these differ."""
    return sum(network.hidden) / max(len(network.hidden), 1)


def draw(
    curves: pd.DataFrame,
    networks: Mapping[str, MLPSettings],
    trained_on: Collection[MLPSettings],
    labels: dict[str, str],
    style: Style,
    horizon: int,
) -> Figure:
    """A panel for each number of hidden layers: final loss of every optimizer against units.

    Args:
        curves: the experiment's table: family, optimizer, problem, meta_seed, step, train_loss.
        networks: family -> the network.
        trained_on: the networks that the learned optimizers were meta-trained on: marked.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
        horizon: the step of the final loss.
    """
    names = names_in([curves["optimizer"].unique()], labels)
    found = looks(names.values())
    kinds = sorted({kind(network) for network in networks.values()})
    columns = min(len(kinds), COLUMNS)
    rows = -(-len(kinds) // columns)
    with look_of(style):
        figure = new_figure(style, 0.2 + 0.72 * rows, 1 if columns == 1 else 2)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, each in zip(grid.flat, kinds, strict=False):
            places = {name: units(n) for name, n in networks.items() if kind(n) == each}
            own = curves[curves["family"].isin(places)]
            summaries = summarise(_at_units(own, places, horizon), FINAL, style.interval)
            by_name = {names[key]: curve for key, curve in summaries.items()}
            _draw_panel(axes, by_name, found, sorted(set(places.values())))
            _mark(axes, [network for network in trained_on if kind(network) == each])
            axes.set_title(_title(each, several=len({name for _, name in kinds}) > 1))
        _share_scale(grid, len(kinds))
        for axes, each in zip(grid.flat, kinds, strict=False):
            families = [name for name, network in networks.items() if kind(network) == each]
            counts = diverged(curves[curves["family"].isin(families)], FINAL, horizon)
            note_diverged(axes, {names[key]: pair for key, pair in counts.items()}, found)
        _share_scale(grid, len(kinds))  # the notes have moved tops up
        for axes in grid[:, 0]:
            axes.set_ylabel(f"loss at step {horizon}")
        for axes in grid.flat[len(kinds) :]:
            axes.set_axis_off()
        marked = [TRAINED_NAME] if {kind(network) for network in trained_on} & {*kinds} else []
        entries = dict.fromkeys((*names.values(), *marked))
        legend_of_names(figure, found | {TRAINED_NAME: TRAINED}, entries)
    return figure


def _at_units(curves: pd.DataFrame, places: dict[str, float], horizon: int) -> pd.DataFrame:
    """The rows at the horizon, with the units of the network in the place of the step."""
    ends = curves[curves["step"] == horizon]
    return ends.assign(step=ends["family"].map(places))


def _draw_panel(
    axes: Axes, summaries: dict[str, Curve], looks: dict[str, Look], places: list[float]
) -> None:
    """All optimizers on the networks with one number of layers."""
    margin = max(0.06 * (places[-1] - places[0]), 0.5)
    sides = (places[0] - margin, places[-1] + margin)
    draw_curves(axes, summaries, looks, sides, divergence=True, marker="o")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.set_xlabel("units of a hidden layer")


def _mark(axes: Axes, networks: list[MLPSettings]) -> None:
    """An upright line at the networks of meta-training."""
    for place in {units(network) for network in networks}:
        axes.axvline(
            place, color=TRAINED.color, linewidth=TRAINED.width, dashes=TRAINED.dashes, zorder=1
        )


def _share_scale(grid: NDArray[np.object_], count: int) -> None:
    """One y axis for all panels, told at the left."""
    panels = grid.flat[:count]
    limits = [axes.get_ylim() for axes in panels]
    for place, axes in enumerate(panels):
        axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
        plain_log_ticks(axes)
        if place % grid.shape[1]:
            axes.tick_params(labelleft=False)


def _title(which: Kind, several: bool) -> str:
    """ "2 hidden layers", with the activation where there are several."""
    layers, activation = which
    title = f"{layers} hidden layer{'' if layers == 1 else 's'}"
    return f"{title}, {activation}" if several else title
