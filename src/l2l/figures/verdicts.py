"""Figure `verdicts`: every claim of the paper in one picture, with its number and its verdict.

It is drawn from the table of claims alone: a row for each claim and learned optimizer, with the
comparisons that decide (see `l2l.evaluation.claims`). It explains itself, so that it can be shown
without its caption.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from l2l.config import Config
from l2l.evaluation.verdicts import (
    INCONCLUSIVE,
    MEASUREMENT,
    NOT_REPLICATED,
    OPTIMIZER,
    RECIPE,
    REPLICATED,
    UNFINISHED,
)
from l2l.figures.base import Figure
from l2l.figures.loss_curves import in_percent
from l2l.figures.style import BLACK, BLUE, GREY, LIGHT_GREY, VERMILLION, WINE, display_name
from l2l.results import Results

Record = Mapping[Any, Any]
"""A row of the table of claims."""


@dataclass(frozen=True)
class Answer:
    """One of the questions that a claim is asked.

    Attributes:
        meaning: of its mark.
        marker: of matplotlib.
        fill: colour of the mark's inside; empty: as its verdict.
        place: where in a row of several it is drawn; rows are 1 high.
        column: over which its verdict stands.
    """

    meaning: str
    marker: str
    fill: str
    place: float
    column: str


@dataclass(frozen=True)
class Sign:
    """A verdict: its sign and colour, and what the legend says."""

    sign: str
    color: str
    meaning: str


ANSWERS = {
    OPTIMIZER: Answer("the optimizer that validated best", "o", "", -0.17, "optimizer"),
    RECIPE: Answer("its recipe, over all meta-trainings", "D", "white", 0.17, "recipe"),
    MEASUREMENT: Answer("a measurement", "s", "", 0, "optimizer"),
}
"""`answer` in the table of claims -> how it is shown."""
SIGNS = {
    REPLICATED: Sign("✔", BLUE, "replicated"),
    NOT_REPLICATED: Sign("✘", VERMILLION, "not replicated"),
    INCONCLUSIVE: Sign("?", BLACK, "inconclusive"),
    UNFINISHED: Sign("…", WINE, "meta-training had not finished"),
}
"""Verdict -> how it is shown."""
OTHER = Sign("–", GREY, "too little to tell")
"""The same of any other verdict."""
NOT_LOSSES = {"steps_to_target": "steps to a loss", "weights": "weights"}
"""Metric that is no loss -> its name; those that are missing here are losses, or named as there."""
LOSSES = ("final_loss", "mean_loss")
"""Metrics that need no name in the picture."""
MOST = 5.0
"""The axis goes from one over this to this; what lies beyond is an arrow at the edge."""
TICKS = {1 / 5: "÷5", 1 / 3: "÷3", 1 / 2: "÷2", 1.0: "same", 2.0: "×2", 3.0: "×3", 5.0: "×5"}
SHADE = "#DCEBF5"
# Inches.
MARGIN, WORDS, PLOT, VERDICTS = 0.06, 4.85, 2.1, 1.6
COLUMNS = {"optimizer": 0.12, "recipe": 0.92}
INDENT, PERCENT = 0.36, 0.62
ROW, ABOVE, BELOW = 0.2, 0.86, 0.5
TITLE = "“Learning to learn by gradient descent by gradient descent”: does it replicate?"


def draw(results: Results) -> Drawing:
    """Rows from the first claim to the last: words, effects with intervals, verdicts."""
    config, table = results.config, results.claims()
    deciding = table[table["deciding"]]
    measured = deciding["answer"] == MEASUREMENT
    rows = [
        {str(answer["answer"]): answer for answer in group.to_dict("records")}
        for _, group in deciding.groupby(["claim", "recipe", measured], sort=False)
    ]
    width, height = 2 * MARGIN + WORDS + PLOT + VERDICTS, ABOVE + ROW * len(rows) + BELOW
    figure = Drawing(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)  # measures all texts with one renderer; else each makes its own
    place = ((MARGIN + WORDS) / width, BELOW / height, PLOT / width, ROW * len(rows) / height)
    axes = figure.add_axes(place)
    _lay_out(axes, len(rows))
    before = ""
    for number, row in enumerate(rows):
        first = next(iter(row.values()))
        _write(axes, number, first, first["claim"] != before, config)
        _shade(axes, number, first)
        for answer in row.values():
            look = ANSWERS.get(str(answer["answer"]), ANSWERS[MEASUREMENT])  # not yet run
            _draw_effect(axes, number + look.place * (len(row) > 1), answer, look)
            _draw_verdict(axes, number, answer, COLUMNS[look.column])
        before = first["claim"]
    _explain(axes, len(rows), {str(answer) for answer in deciding["answer"]})
    return figure


def _lay_out(axes: Axes, rows: int) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1 / MOST, MOST)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.xaxis.set_major_locator(FixedLocator([*TICKS]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: TICKS.get(value, "")))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.axvline(1, color=GREY, linewidth=0.8, zorder=1.5)


def _write(axes: Axes, number: int, row: Record, is_first: bool, config: Config) -> None:
    """The words of a row: the claim where a new one begins, and what is compared."""
    claim = config.claims[str(row["claim"])]
    if is_first:
        _text(axes, number, -WORDS, str(row["claim"]), weight="bold")
        _text(axes, number, -WORDS + INDENT, claim.brief)
        across = (-WORDS / PLOT, 1 + VERDICTS / PLOT)
        axes.axhline(number - 0.5, *across, color=LIGHT_GREY, linewidth=0.5, clip_on=False)
    sides = [display_name(str(row[key]), config.labels()) for key in ("recipe", "baseline")]
    text = " / ".join(filter(None, sides)).replace("_", " ")
    entry = config.experiments.get(str(row["experiment"]))
    if entry and len({one.experiment for one in claim.comparisons}) > 1:
        text = f"{entry.title}: {text}"
    metric = str(row["table"] or row["metric"])
    if not metric:
        text = str(row["verdict"])  # not yet run
    elif metric not in LOSSES:
        text += f", {NOT_LOSSES.get(metric, metric.replace('_', ' '))}"
    _text(axes, number, -0.08, text, color=GREY, size=rcParams["legend.fontsize"], ha="right")


def _shade(axes: Axes, number: int, row: Record) -> None:
    """The side on which the claim holds; none for numbers of weights."""
    allowed = float(row["allowance"])
    sides = {"lower": (1 / MOST, 1 + allowed), "higher": (1 - allowed, MOST)}
    if side := sides.get(str(row["claimed"])):
        axes.fill_betweenx([number - 0.5, number + 0.5], *side, color=SHADE, linewidth=0, zorder=0)


def _draw_effect(axes: Axes, height: float, row: Record, answer: Answer) -> None:
    """The ratio with its interval; at the edge, as an arrow, where it lies beyond."""
    ratio, low, high = (1 + float(row[key]) for key in ("estimate", "low", "high"))
    color = SIGNS.get(str(row["verdict"]), OTHER).color
    if low <= high:  # neither is missing
        inside = np.clip([low, high], 1 / MOST, MOST)
        axes.plot(inside, [height, height], color=color, linewidth=1.1, solid_capstyle="butt")
    look: dict[str, Any] = {"color": color, "clip_on": False, "zorder": 3, "markeredgewidth": 0.9}
    beyond = {"<": (1 / MOST, min(ratio, low) < 1 / MOST), ">": (MOST, max(ratio, high) > MOST)}
    for arrow, (edge, is_beyond) in beyond.items():
        if is_beyond:
            axes.plot([edge], [height], marker=arrow, markersize=3.5, **look)
    if 1 / MOST <= ratio <= MOST:
        look["markerfacecolor"] = answer.fill or color
        axes.plot([ratio], [height], marker=answer.marker, markersize=4.2, **look)


def _draw_verdict(axes: Axes, number: int, row: Record, column: float) -> None:
    sign = SIGNS.get(str(row["verdict"]), OTHER)
    _text(axes, number, PLOT + column, sign.sign, color=sign.color)
    ratio = 1 + float(row["estimate"])
    if not math.isnan(ratio):
        text = in_percent(ratio) if math.isfinite(ratio) else "∞"
        small = {"color": sign.color, "size": rcParams["legend.fontsize"], "ha": "right"}
        _text(axes, number, PLOT + column + PERCENT, text, **small)


def _text(axes: Axes, number: float, inches: float, text: str, **look: Any) -> float:
    """In a row, so far from the left edge of the plot; returns where the text ends."""
    place = (inches / PLOT, number)
    written = axes.text(*place, text, transform=axes.get_yaxis_transform(), va="center", **look)
    return inches + written.get_window_extent().width / rcParams["figure.dpi"]


def _explain(axes: Axes, rows: int, answers: Collection[str]) -> None:
    """What the axis, the marks and the signs mean: above the rows and below them."""
    small = {"color": GREY, "size": rcParams["legend.fontsize"]}
    head = -0.5 - 0.12 / ROW
    _text(axes, head - 0.5 / ROW, -WORDS, TITLE, size=rcParams["font.size"] + 3, weight="bold")
    end = -WORDS
    for sign in (*SIGNS.values(), OTHER):
        look = small | {"color": sign.color}
        end = 0.25 + _text(axes, head - 0.24 / ROW, end, f"{sign.sign} {sign.meaning}", **look)
    _text(axes, head, -WORDS, "what the paper claims", **small)
    _text(axes, head, -0.08, "learned / baseline", ha="right", **small)
    _text(axes, head, PLOT / 2 - 0.06, "← learned is lower", ha="right", **small)
    _text(axes, head, PLOT / 2 + 0.06, "higher →", **small)
    for name, column in COLUMNS.items():
        _text(axes, head, PLOT + column, name, **small)
    handles: list[Line2D | Patch] = []
    for answer, shown in ANSWERS.items():
        if answer in answers:
            inside = shown.fill or GREY
            mark: dict[str, Any] = {
                "marker": shown.marker,
                "markersize": 4.2,
                "markerfacecolor": inside,
            }
            handles.append(Line2D([], [], linewidth=1.1, color=GREY, label=shown.meaning, **mark))
    handles.append(Patch(color=SHADE, label="side where the claim holds"))
    axes.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(1 + VERDICTS / PLOT, -0.27 / (ROW * rows)),
        borderaxespad=0,
        ncols=len(handles),
    )


FIGURE = Figure(
    name="verdicts",
    title="What replicates",
    caption="Each row is a claim of the paper and a learned optimizer. A mark is a ratio: the "
    "learned optimizer's number, a loss where nothing else is said, divided by the baseline's on "
    "the same problems, with its 95 % interval. The shaded side is where the claim holds: "
    "replicated if the whole interval lies there, not replicated if it lies on the other side, "
    "else inconclusive. Filled marks are about one optimizer, the one that validated best, which "
    "is the paper's question. Open ones are about the recipe, whichever meta-seed one gets. An "
    "arrow points to what lies beyond the axis. The columns at the right have the verdicts, and "
    "the ratios as differences.",
    drawn_by=draw,
    claims=True,
)
