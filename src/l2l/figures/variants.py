"""How variants of a recipe compare with it: a row for each variant, a dot for each meta-seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from l2l.config import Experiment
from l2l.config.claims import FinalLoss, MeanLoss
from l2l.evaluation.metrics import matrix_of, values
from l2l.evaluation.summary import Floats
from l2l.figures.style import BLUE, GREY, VERMILLION, display_name, new_figure
from l2l.results import Results


@dataclass(frozen=True)
class Variant:
    """The losses of one optimizer, divided by those of the reference.

    Attributes:
        optimizer: its key.
        mean: mean loss of each meta-seed, steps 1 to the horizon, over the mean of the reference's
            meta-seeds; both are means over the test problems, [meta-seeds]. Infinite where a run
            diverged.
        final: the same of the loss at the horizon.
    """

    optimizer: str
    mean: Floats
    final: Floats


def variants(curves: pd.DataFrame, experiment: Experiment) -> list[Variant]:
    """The optimizers of an experiment: its reference, then the others in the experiment's order."""
    table, horizon = str(curves["experiment"].iloc[0]), experiment.horizon
    keys = [*experiment.learned, *experiment.baselines]
    keys.sort(key=lambda key: key != experiment.reference)
    metrics = (
        MeanLoss(metric="mean_loss", horizon=horizon),
        FinalLoss(metric="final_loss", horizon=horizon),
    )
    found = []
    for metric in metrics:
        numbers = values(metric, curves)
        means = [matrix_of(numbers, key, table).to_numpy().mean(axis=1) for key in keys]
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append([mean / means[0].mean() for mean in means])
    return [Variant(*each) for each in zip(keys, *found, strict=True)]


MEASURES = {"final": ("final loss", VERMILLION, "o", -0.16), "mean": ("mean loss", BLUE, "D", 0.16)}
"""Attribute of a variant -> name, colour, marker, and where in its row it is drawn."""
LEAST_SPAN = 1.3
"""The axis goes at least from one over this to this."""
MOST = 30.0
"""And at most so far: what lies beyond is an arrow at the edge."""


def draw_variants(experiments: Sequence[str], results: Results) -> Figure:
    """Ratios of losses: a row for each variant, a panel for each experiment."""
    config = results.config
    entries = [config.experiments[name] for name in experiments]
    panels = [
        variants(results.curves(name), entry)
        for name, entry in zip(experiments, entries, strict=True)
    ]
    rows = [len(panel) for panel in panels]
    figure = new_figure(config.figures, 0.055 * sum(rows) + 0.17 * len(panels) + 0.12, 1.5)
    grid = figure.subplots(len(panels), squeeze=False, height_ratios=rows)[:, 0]
    for axes, entry, panel in zip(grid, entries, panels, strict=True):
        _draw_panel(axes, panel, entry, config.labels())
        axes.set_title(entry.title)
    figure.supxlabel("loss divided by that of the reference", fontsize=config.figures.font_size)
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=3.5, linewidth=0, label=name)
        for name, color, marker, _ in MEASURES.values()
    ]
    handles.append(Line2D([], [], color=GREY, linewidth=0.8, label="range of meta-seeds"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _draw_panel(
    axes: Axes, compared: Sequence[Variant], entry: Experiment, labels: dict[str, str]
) -> None:
    low, high = _limits(compared)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.axvline(1, color=GREY, linewidth=0.8)
    names = []
    for row, variant in enumerate(compared):
        for attribute, (_, color, marker, place) in MEASURES.items():
            _draw_seeds(axes, getattr(variant, attribute), row + place, color, marker)
        kind = " (reference)" if variant.optimizer == entry.reference else ""
        kind = ", tuned" if variant.optimizer in entry.baselines else kind
        names.append(display_name(variant.optimizer, labels) + kind)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    subs = [1.0, 2.0, 5.0] if high / low > 7 else [1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_seeds(axes: Axes, ratios: Floats, height: float, color: str, marker: str) -> None:
    """A dot for each meta-seed; at the edge, as an arrow, where it lies beyond."""
    low, high = axes.get_xlim()
    places = np.nan_to_num(ratios, nan=math.inf).clip(low, high)  # not a number: it diverged
    axes.plot([places.min(), places.max()], [height, height], color=color, linewidth=0.8)
    inside = (low < places) & (places < high)
    look: dict[str, Any] = {"color": color, "linewidth": 0, "markeredgewidth": 0, "clip_on": False}
    for place in places[inside]:
        axes.plot([place], [height], marker=marker, markersize=3.5, **look)
    for edge, arrow in ((low, "<"), (high, ">")):
        if (places == edge).any():
            axes.plot([edge], [height], marker=arrow, markersize=4.5, **look)


def _limits(compared: Sequence[Variant]) -> tuple[float, float]:
    """Ends of the logarithmic axis, which takes in all dots up to MOST."""
    ratios = np.concatenate([getattr(one, name) for one in compared for name in MEASURES])
    finite = [float(ratio) for ratio in ratios if 0 < ratio < math.inf]
    low, high = min([*finite, 1 / LEAST_SPAN]), max([*finite, LEAST_SPAN])
    return max(low / 1.15, 1 / MOST), min(high * 1.15, MOST)
