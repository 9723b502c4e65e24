"""Figure `figure4`: quadratics, MNIST, and MNIST beyond the horizon, as figure 4 of the paper.

The third panel has two losses of the same runs. That on a fixed sample of the training set is
strong: the network alone moves it. That on minibatches, which the paper shows, is faint.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from l2l.errors import UserError
from l2l.evaluation.summary import measured
from l2l.figures.base import Figure
from l2l.figures.loss_curves import (
    draw_curves,
    label_ends,
    lay_out_ends,
    legend_line,
)
from l2l.figures.paired import loss_lines
from l2l.figures.style import GREY, Look, looks, named, names_in, new_figure
from l2l.results import Results

MNIST = "mnist"
EXPERIMENTS = (MNIST, "quadratics")
"""The first decides about the place on the page; they are drawn from the last to the first."""
FAINT: dict[str, Any] = {"linewidth": 0.5, "alpha": 0.5, "zorder": 1}
"""The loss on minibatches, beyond the horizon."""


def draw(results: Results) -> Drawing:
    """A row of panels: loss against step of each experiment, then MNIST's runs continued.

    Raises:
        UserError: the table of MNIST ends at the horizon.
    """
    config, interval = results.config, results.config.figures.interval
    shown = [name for name in reversed(EXPERIMENTS) if name in config.experiments]
    figure = new_figure(config.figures, 0.72, 2)
    panels: Any = figure.subplots(1, len(shown) + (MNIST in shown), squeeze=False)[0]
    tables = {name: results.curves(name) for name in shown}
    ends = []
    legend: dict[Look, list[str]] = {}  # optimizers of different panels may look the same
    for axes, name in zip(panels, shown, strict=False):
        entry, table = config.experiments[name], tables[name]
        chosen = results.chosen(entry.learned)
        names = names_in([table["optimizer"].unique()], config.labels())
        styles = looks(names.values())
        for label in names.values():
            if label not in legend.setdefault(styles[label], []):
                legend[styles[label]].append(label)
        lines = named(names, loss_lines(table, "loss", chosen, interval))
        draw_curves(axes, lines, styles, (0, entry.horizon), divergence=True)
        axes.set(title=entry.title, xlabel="step", ylabel="loss")
        ends.append((axes, label_ends(axes, lines, styles, entry.horizon)))
        if name != MNIST:
            continue
        last, axes = int(table["step"].max()), panels[-1]
        if last <= entry.horizon:
            raise UserError(
                f"figure4 shows the steps after {entry.horizon}, the horizon, but the curves end "
                f"at {last}: set experiments.{name}.steps above experiments.{name}.horizon"
            )
        sample = measured(table, "train_loss")
        fixed = named(names, loss_lines(sample, "train_loss", chosen, interval))
        steps = (entry.horizon, last)
        draw_curves(axes, fixed, styles, steps)
        for label, line in lines.items():
            beyond = line.steps >= steps[0]
            axes.plot(line.steps[beyond], line.mean[beyond], color=styles[label].color, **FAINT)
        axes.set(title=f"{entry.title}, steps {steps[0]} to {last}", xlabel="step")
        ends.append((axes, label_ends(axes, fixed, styles, last)))
    in_front = sorted(legend, key=lambda look: -look.width)  # the learned ones
    handles = [legend_line(look, ", ".join(legend[look])) for look in in_front]
    if MNIST in shown:
        handles.append(Line2D([], [], color=GREY, label="right: minibatch loss", **FAINT))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    lay_out_ends(figure, ends)
    return figure


FIGURE = Figure(
    name="figure4",
    title="Quadratics and MNIST, as in figure 4 of the paper",
    caption="The loss while test problems are minimised; lower is better. Left: random quadratic "
    "functions. Middle: small networks that learn MNIST, each step on another minibatch. Right: "
    "the same networks beyond the steps that the learned optimizers were meta-trained for. There "
    "the strong lines are the loss on a fixed sample of images, which the networks alone move. The "
    "faint ones, on the minibatches, jump with the choice of images too. Thick lines are learned "
    "optimizers: the meta-seed that validated best; hair lines are the others. Shaded bands are "
    "confidence intervals of the mean over test problems. Numbers are the last losses.",
    drawn_by=draw,
    experiments=EXPERIMENTS,
)
