"""Figure `mnist_continued` (figure 4, right, of the paper): the same runs after the horizon.

Three panels tell three things apart: the minibatch loss, as in the paper; the loss of the same runs
on a fixed sample of the training set, without the noise of minibatches; and that of one network,
where an oscillation of the optimizer shows that the mean over networks would hide.
"""

from __future__ import annotations

from matplotlib.figure import Figure as Drawing

from l2l.errors import UserError
from l2l.evaluation.summary import summarise
from l2l.figures.base import Figure
from l2l.figures.loss_curves import draw_curves, legend_with_losses, plain_log_ticks, share_scale
from l2l.figures.style import looks, named, names_in, new_figure
from l2l.results import Results

EXPERIMENT = "mnist"


def draw(results: Results) -> Drawing:
    """Loss against step, from the experiment's horizon to the last step of its table.

    Raises:
        UserError: the table ends at the horizon.
    """
    config, curves = results.config, results.curves(EXPERIMENT)
    horizon, last_step = config.experiments[EXPERIMENT].horizon, int(curves["step"].max())
    if last_step <= horizon:
        raise UserError(
            f"mnist_continued shows the steps after {horizon}, the horizon, but the curves end at "
            f"{last_step}: set experiments.mnist.steps above experiments.mnist.horizon"
        )
    problems = curves["problem"].nunique()
    first_seeds = curves.groupby("optimizer")["meta_seed"].transform("min")
    is_first = curves["problem"] == curves["problem"].min()
    one = curves[is_first & (curves["meta_seed"] == first_seeds)]
    names = names_in([curves["optimizer"].unique()], config.labels())
    styles = looks(names.values())
    panels = {
        title: named(names, summarise(table, column, config.figures.interval))
        for title, table, column in (
            (f"Minibatch loss, mean of {problems} networks", curves, "loss"),
            ("The same on a fixed sample", curves, "train_loss"),
            ("One network on that sample", one, "train_loss"),
        )
    }
    figure = new_figure(config.figures, height=1.65)
    rows = figure.subplots(3, sharex=True, squeeze=False)[:, 0]
    for axes, (title, by_name) in zip(rows, panels.items(), strict=True):
        draw_curves(axes, by_name, styles, (horizon, last_step))
        axes.set(title=title, xlabel="step", ylabel="loss")
        axes.label_outer()
    share_scale(rows)  # so that the panels compare
    for axes in rows:
        plain_log_ticks(axes)
    legend_with_losses(figure, next(iter(panels.values())), styles, last_step, "minibatch loss")
    return figure


FIGURE = Figure(
    name="mnist_continued",
    title="MNIST, continued",
    caption="The runs of the figure before, beyond the steps that the learned optimizers were "
    "meta-trained for. Top: the loss on each step's minibatch. Middle: the same runs on a fixed "
    "sample of images, so that what moves is the network and not the choice of images. Bottom: one "
    "single network, where an oscillation shows that a mean would hide.",
    drawn_by=draw,
    experiments=(EXPERIMENT,),
)
