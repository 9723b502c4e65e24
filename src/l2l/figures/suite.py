"""Figure `suite`: a learned optimizer where nobody tuned it, beside tuned and default baselines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from matplotlib.figure import Figure as Drawing

from l2l.config import Config
from l2l.config.claims import DEFAULT
from l2l.evaluation.claims import strongest
from l2l.evaluation.rates import FINAL
from l2l.evaluation.summary import Curve, measured, summarise
from l2l.figures.base import Figure
from l2l.figures.loss_curves import draw_curves, legend_of_names
from l2l.figures.style import HANDCRAFTED_WIDTH, Look, display_name, looks, new_figure
from l2l.registry import BASELINES
from l2l.results import Results

NAME, COLUMNS = "suite", 3
CLAIM = "C20"  # the panels are the experiments that it compares on
LOSS = "train_loss"
UNTUNED = (1, 1)  # dashes


def draw(results: Results) -> Drawing:
    """A panel for each experiment: learned optimizers, the best tuned baseline, default rates."""
    config = results.config
    experiments = _experiments(config)
    panels = {name: _curves(name, results) for name in experiments}
    names = dict.fromkeys(name for curves in panels.values() for name in curves)
    styles = _looks([*names], config)
    rows = -(-len(experiments) // COLUMNS)
    figure = new_figure(config.figures, 0.12 + 0.42 * rows, 2)
    grid: Any = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes, (name, curves) in zip(grid.flat, panels.items(), strict=False):
        entry = config.experiments[name]
        draw_curves(axes, curves, styles, (0, entry.horizon))
        axes.set_title(entry.title)
    for axes in grid[:, 0]:
        axes.set_ylabel("loss")
    for axes in grid.flat[len(experiments) :]:
        axes.set_axis_off()
    order = sorted(names, key=lambda name: -styles[name].width)
    legend_of_names(figure, styles, order, columns=4)
    return figure


def _experiments(config: Config) -> tuple[str, ...]:
    claim = config.claims.get(CLAIM)
    return tuple(dict.fromkeys(one.experiment for one in claim.comparisons)) if claim else ()


def _curves(experiment: str, results: Results) -> dict[str, Curve]:
    """The curves of a panel by the names of its legend."""
    config = results.config
    entry, labels = config.experiments[experiment], config.labels()
    learned = {name for one in config.claims[CLAIM].comparisons for name in one.learned}
    tests = measured(results.tests(experiment), LOSS)
    best = strongest(entry.baselines, results.tuning(experiment), FINAL)
    tuned = results.curves(experiment)
    tuned = measured(tuned[tuned["optimizer"].isin([*learned, best])], LOSS)
    interval = config.figures.interval
    curves = {
        display_name(key, labels) + (" (tuned)" if key == best else ""): curve
        for key, curve in summarise(tuned, LOSS, interval).items()
    }
    untuned = tests[tests["rate_for"] == DEFAULT]
    for key, curve in summarise(untuned, LOSS, interval).items():
        curves[f"{display_name(key, labels)} at {entry.default_rates[key]:g}"] = curve
    return curves


def _looks(names: list[str], config: Config) -> dict[str, Look]:
    """Learned optimizers as everywhere; baselines in their colour, at default rates dotted."""
    handcrafted = {baseline.name: baseline for baseline in BASELINES.values()}
    chosen_looks = looks(name for name in names if name in config.labels().values())
    for name in names:
        own = name.removesuffix(" (tuned)").partition(" at ")[0]
        if own in handcrafted:
            color, dashes = handcrafted[own].color, handcrafted[own].dashes
            untuned = not name.endswith(" (tuned)")
            width = HANDCRAFTED_WIDTH * (0.8 if untuned else 1)
            chosen_looks[name] = Look(color, UNTUNED if untuned else dashes, width)
    return chosen_looks


@dataclass(frozen=True)
class Suite(Figure):
    """Its panels are the experiments that the claim compares on."""

    def within(self, config: Config) -> Figure | None:
        """With these experiments; None where the claim has none."""
        panels = _experiments(config)
        return super(Suite, replace(self, experiments=panels)).within(config) if panels else None


FIGURE = Suite(
    name=NAME,
    title="What it has never seen",
    caption="The loss on a fixed sample of the training data while models are trained that are of "
    "other kinds than all that the learned optimizer was meta-trained on; lower is better. Nothing "
    "of the learned optimizer was tuned. Beside it: the baseline that was the strongest on tuning "
    "problems, at the learning rate that was the best there, and, dotted, two baselines at rates "
    "that people start with. Lines are means over test problems, shaded bands are confidence "
    "intervals of these means, and hair lines are single meta-seeds.",
    drawn_by=draw,
)
