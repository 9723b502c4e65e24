"""Figure `overhead`: what a step costs by the number of coordinates, and what that does to time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import patheffects, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from l2l.config import Config
from l2l.config.measurements import ADAM, GRADIENT, IMPLEMENTATIONS, cost_settings
from l2l.errors import UserError
from l2l.evaluation.summary import summarise
from l2l.figures.base import Figure
from l2l.figures.loss_curves import draw_curves, legend_line, share_scale, spread_ends
from l2l.figures.style import display_name, looks, named, new_figure
from l2l.registry import BASELINES
from l2l.results import Results

EXPERIMENT = "mnist"
DEFAULT, REFERENCE = IMPLEMENTATIONS
WITH_GRADIENT = "seconds_with_gradient"
PLAIN = "{},\nplain PyTorch"
PLAIN_DASHES = (1, 1)
OFFSET = 5.0  # points between the end of a line and its name
STAR: dict[str, Any] = {"marker": "*", "markersize": 6.5, "linestyle": "none", "color": "black"}
OUTLINE = [patheffects.withStroke(linewidth=2.2, foreground="white")]


def draw(results: Results) -> Drawing:
    """Left: time of a step, and of one with its gradient. Right: loss against step and time."""
    config, times = results.config, results.measurement("overhead")
    labels = config.labels()
    figure = new_figure(config.figures, height=1.4, width=2)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.25, 1))
    left = grid[0].subgridspec(2, 1, height_ratios=(1.6, 1))
    axes = figure.add_subplot(left[0])
    ends = _draw_steps(axes, times, labels)
    stars = []
    for problem, name in config.measurements.overhead.problems.items():
        rows = times[(times["timed"] == GRADIENT) & (times["problem"] == problem)]
        at = rows["coordinates"].median(), rows["seconds"].median()
        axes.plot(*at, zorder=5, **STAR)
        stars.append(_name(axes, name, at, (-OFFSET, 0.0), zorder=5))
    problems = config.measurements.overhead.problems
    _draw_overhead(figure.add_subplot(left[1]), times, problems, labels)
    right = grid[1].subgridspec(2, 1)
    upper, lower = (figure.add_subplot(right[row]) for row in range(2))
    handles = _draw_race(upper, lower, times, results)
    handles.append(Line2D([], [], label="gradient of a problem", **STAR))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    figure.draw_without_rendering()  # lays out the figure
    for size in {end.xy[0] for end in ends}:
        _spread(axes, [end for end in ends if end.xy[0] == size])
    _spread(axes, stars)
    return figure


def _draw_steps(axes: Axes, times: pd.DataFrame, labels: dict[str, str]) -> list[Annotation]:
    """A line for each optimizer, between its fastest and its slowest repeat. Returns the names."""
    steps = times[times["timed"] != GRADIENT]
    keys = dict.fromkeys(steps["timed"])
    styles = looks(display_name(key, labels) for key in keys)
    ends = []
    for (key, kind), rows in steps.groupby(["timed", "implementation"], sort=False):
        name = display_name(str(key), labels)
        look = styles[name]
        if kind == REFERENCE:
            name, look = PLAIN.format(name), replace(look, dashes=PLAIN_DASHES)
        by_size = rows.groupby("coordinates")["seconds"]
        middle, low, high = by_size.median(), by_size.min(), by_size.max()
        axes.fill_between(middle.index, low, high, color=look.color, alpha=0.2, linewidth=0)
        (line,) = axes.plot(middle.index, middle, color=look.color, dashes=look.dashes)
        line.set(linewidth=look.width, label=" ".join(name.split()))
        at = (float(middle.index[-1]), float(middle.iloc[-1]))
        beside = at[0] == steps["coordinates"].max()  # else above a line that ends before the edge
        shift = (OFFSET, 0.0) if beside else (0.0, OFFSET)
        ends.append(_name(axes, name, at, shift, color=look.color, linespacing=1.0))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(steps["coordinates"].min(), steps["coordinates"].max())
    axes.set_ylim(top=4 * axes.get_ylim()[1])  # for the names of lines that end before the edge
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: with_unit(seconds)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set(title="Time of one step", xlabel="coordinates of θ", ylabel="time")
    return ends


def _draw_overhead(
    axes: Axes, times: pd.DataFrame, problems: dict[str, str], labels: dict[str, str]
) -> None:
    """A row for each problem: gradient and learned step, by gradient and step of ADAM."""
    here = times[times["problem"].isin(problems) & (times["timed"] != GRADIENT)]
    by_repeat = here.pivot(
        index=["timed", "implementation"], columns=["problem", "repeat"], values=WITH_GRADIENT
    )
    if (ADAM, DEFAULT) not in by_repeat.index:
        raise UserError(
            "config: measurements.overhead.baselines: adam is missing: overhead needs it"
        )
    ratios = by_repeat.div(by_repeat.xs(ADAM).xs(DEFAULT))
    learned = ratios[~ratios.index.get_level_values(0).isin(BASELINES)].dropna()
    styles = looks(display_name(str(key), labels) for key in here["timed"].unique())
    for place, (key, kind) in enumerate(learned.index):
        row = learned.loc[(key, kind)]
        color = styles[display_name(str(key), labels)].color
        for line, problem in enumerate(problems):
            own, height = row[problem], line + 0.29 * (place - (len(learned) - 1) / 2)
            axes.plot([own.min(), own.max()], [height, height], color=color, linewidth=1)
            face = "white" if kind == REFERENCE else color
            at = own.median(), height
            axes.plot(*at, "o", color=color, markersize=4, markerfacecolor=face)
            axes.annotate(
                f"{at[0]:.3g}",
                (own.max(), height),
                xytext=(OFFSET, 0),
                textcoords="offset points",
                color=color,
                fontsize=rcParams["legend.fontsize"],
                va="center",
                path_effects=OUTLINE,
            )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.1)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(problems)), [*problems.values()])
    axes.set_ylim(len(problems) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set(title="A step with its gradient", xlabel="time / time with ADAM")


def with_unit(seconds: float) -> str:
    """A time such as 10 µs, 3 ms, 1 s."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor > 0.999:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _name(
    axes: Axes, name: str, at: tuple[float, float], shift: tuple[float, float], **look: Any
) -> Annotation:
    return axes.annotate(
        name,
        at,
        xytext=shift,
        textcoords="offset points",
        ha="left" if shift[0] > 0 else "right",
        va="bottom" if shift[1] else "center",
        fontsize=rcParams["legend.fontsize"],
        path_effects=OUTLINE,
        annotation_clip=False,
        **look,
    )


def _spread(axes: Axes, names: list[Annotation]) -> None:
    low, high = np.log(axes.get_ylim())
    heights = [(np.log(name.xy[1]) - low) / (high - low) for name in names]
    lines = max(name.get_text().count("\n") + 1 for name in names)
    spread_ends(axes, names, heights, 1.25 * lines)


def _draw_race(upper: Axes, lower: Axes, times: pd.DataFrame, results: Results) -> list[Line2D]:
    config = results.config
    settings, curves = config.experiments[EXPERIMENT], results.curves(EXPERIMENT)
    milliseconds = _step_times(times, config)
    names = {key: display_name(key, config.labels()) for key in milliseconds}
    summaries = summarise(
        curves[curves["optimizer"].isin(milliseconds)], "loss", config.figures.interval
    )
    by_step = named(names, summaries)
    by_time = {
        names[key]: replace(curve, steps=curve.steps * milliseconds[key])
        for key, curve in summaries.items()
    }
    styles = looks(names.values())
    draw_curves(upper, by_step, styles, (0, settings.horizon))
    draw_curves(lower, by_time, styles, (0, settings.horizon * max(milliseconds.values())))
    share_scale([upper, lower])
    title = f"{settings.title}: loss against step"
    upper.set(title=title, xlabel="step", ylabel="minibatch loss")
    lower.set(title="The same against time", xlabel="gradients and steps so far (ms)")
    lower.set_ylabel("minibatch loss")
    return [legend_line(styles[name], name) for name in names.values()]


def _step_times(times: pd.DataFrame, config: Config) -> dict[str, float]:
    """Milliseconds of a gradient and a step, by optimizer of the experiment; not of untimed ones.

    A learned optimizer takes as long as a timed one of equal architecture.
    """
    settings = config.experiments[EXPERIMENT]
    timed_as: dict[str, str] = {name: name for name in settings.baselines}
    for name in settings.learned:
        for timed in reversed(config.measurements.overhead.recipes):
            one, other = (cost_settings(config.recipes[key].optimizer) for key in (name, timed))
            if one == other:
                timed_as[name] = timed
    here = times[(times["problem"] == settings.problems[0]) & (times["implementation"] == DEFAULT)]
    median = here.groupby("timed")["seconds"].median()
    known = {key: timed for key, timed in timed_as.items() if timed in median}
    return {key: 1e3 * float(median[GRADIENT] + median[timed]) for key, timed in known.items()}


FIGURE = Figure(
    name="overhead",
    title="The cost of a step",
    caption="Left, above: how long one step takes, by the number of parameters that are "
    "optimized (its coordinates). Lines are optimizers, from the fastest to the slowest repeat of "
    "each timing; stars are the gradients of three of the problems, which every optimizer needs in "
    "each step as well. The LSTM is timed with this program's compiled kernels and in plain "
    "PyTorch, the hierarchical RNN in plain PyTorch only. Below: a step and its gradient, divided "
    "by the same with ADAM; 1 is no overhead. Circles are plain PyTorch; lines go from the "
    "smallest to the largest repeat. Right, above: the loss on MNIST, step by step. Below: the "
    "same runs against the time of their gradients and steps, one network at a time. The "
    "hand-crafted optimizers end earlier there, because their steps take less time.",
    drawn_by=draw,
    experiments=(EXPERIMENT,),
    measurements=("overhead",),
)
