"""Figure `mnist_continued` (figure 4, right, of the paper): the same runs after the horizon.

Three panels tell three things apart: the minibatch loss, as in the paper; the loss of the same runs
on a fixed sample of the training set, without the noise of minibatches; and that of one network,
where an oscillation of the optimizer shows that the mean over networks would hide.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from l2l.errors import UserError
from l2l.figures.curves import draw_curves, plain_log_ticks
from l2l.figures.legends import legend_with_losses
from l2l.figures.style import Style, look_of, looks, names_in, new_figure
from l2l.figures.summary import summarise


def draw(curves: pd.DataFrame, labels: dict[str, str], style: Style, horizon: int) -> Figure:
    """Loss against step from the horizon to the last step of the table.

    Args:
        curves: results/<protocol>/evaluation/mnist/curves.parquet.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
        horizon: the experiment's horizon, 100 in the paper.

    Raises:
        UserError: the table ends at the horizon.
    """
    last_step = int(curves["step"].max())
    if last_step <= horizon:
        raise UserError(
            f"mnist_continued shows the steps after {horizon}, the horizon, but the curves end at "
            f"{last_step}: set experiments.mnist.steps above experiments.mnist.horizon"
        )
    problems = curves["problem"].nunique()
    first_seeds = curves.groupby("optimizer")["meta_seed"].transform("min")
    is_first = curves["problem"] == curves["problem"].min()
    one = curves[is_first & (curves["meta_seed"] == first_seeds)]
    names = names_in([curves["optimizer"].unique()], labels)
    found = looks(names.values())
    panels = {
        title: {
            names[key]: curve for key, curve in summarise(table, column, style.interval).items()
        }
        for title, table, column in (
            (f"Minibatch loss, mean of {problems} networks", curves, "loss"),
            ("The same on a fixed sample", curves, "train_loss"),
            ("One network on that sample", one, "train_loss"),
        )
    }
    with look_of(style):
        figure = new_figure(style, height=1.65)
        rows = figure.subplots(3, sharex=True, squeeze=False)[:, 0]
        for axes, (title, summaries) in zip(rows, panels.items(), strict=True):
            draw_curves(axes, summaries, found, (horizon, last_step))
            axes.set_title(title)
            axes.set_xlabel("step")
            axes.set_ylabel("loss")
            axes.label_outer()
        limits = [axes.get_ylim() for axes in rows]
        for axes in rows:  # one scale, so that the panels compare
            axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
            plain_log_ticks(axes)
        minibatch = next(iter(panels.values()))
        legend_with_losses(figure, minibatch, found, last_step, "minibatch loss")
    return figure
