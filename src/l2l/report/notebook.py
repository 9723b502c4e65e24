"""What the cells of a report show: each calls a `Report`, which shows a part of a section.

They read the tables and figures of the results and nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from l2l.config import Config, load_config
from l2l.evaluation.claims import SMOKE
from l2l.evaluation.rates import FINAL, chosen
from l2l.figures import experiments, meta_training
from l2l.figures.base import figures
from l2l.figures.loss_curves import plain_log_ticks
from l2l.figures.style import (
    display_name,
    look_of,
    looks,
    new_figure,
    rendering,
)
from l2l.report import claims, losses, runs
from l2l.report.execute import NOTEBOOKS
from l2l.report.sections import ShownFigure, in_few_colours, section_of
from l2l.report.table import Table, between, duration, listed
from l2l.results import Results

BESIDE = {
    "quadratics": ("optimizer_loop", "computation_graph"),
    "mnist": ("coordinatewise_lstm",),
    "cifar": ("step_size",),
    "unroll": ("landscape",),
    "hierarchical": ("overhead", "hierarchical_diagram"),
}
"""Report -> figures of other sections that it shows too."""
TUNED = (
    "Each baseline got the learning rate whose mean loss is lowest at the last step that counts, "
    "over problems that are not test problems. Its other settings are the usual ones. In the plots "
    "the chosen rates are ringed. A curve that is flat around its ring means that the choice "
    "hardly matters. Learning rates to its left are too small to get far, those to its right too "
    "large to settle. Rates whose runs diverged are left out."
)
BARELY_TRAINED = Markup(
    '<p class="banner" role="note">Protocol smoke: a quick test that everything runs. Its '
    "optimizers are barely trained: the numbers and pictures below mean nothing, and no claim gets "
    "a verdict.</p>"
)


def reports(config: Config) -> list[str]:
    """The figures of experiments and measurements that have a report, a template.

    Outside a checkout, where there is none: those that may have one; `execute` refuses.
    """
    named = [f.name for f in figures(config).values() if f.experiments or f.measurements]
    templates = {path.stem for path in NOTEBOOKS.glob("*.py")} or named
    return [name for name in named if name in templates]


def inputs(name: str, config: Config) -> list[Path]:
    """The files that a report is made from, for its Snakemake rule."""
    results = Results(config)
    beside = [results.layout.figure(figure).with_suffix(".png") for figure in BESIDE.get(name, ())]
    return [NOTEBOOKS / f"{name}.py", *section_of(name, results).inputs(), *beside]


class Report:
    """What the cells of a report show: each cell is one call.

    Attributes:
        name: of the report and of its figure.
        config: of the run.
        results: the run's tables.
        section: in which the figure stands.
    """

    def __init__(self, name: str, settings: dict[str, Any] | None) -> None:
        """Args: the figure, and what is changed in the default configuration."""
        self.name = name
        self.config = load_config(overrides=settings)
        self.results = Results(self.config)
        self.section = section_of(name, self.results)
        if self.config.protocol == SMOKE:
            _show_html(BARELY_TRAINED)

    def text(self, text: str) -> None:
        """A paragraph of Markdown."""
        from IPython.display import Markdown, display

        display(Markdown(text))

    def about(self) -> None:
        """What the study asks, and the verdicts on its claims."""
        self.text(self.section.about)
        if self.section.keys:
            _show(self.section.verdicts())

    def picture(self, name: str = "") -> None:
        """A figure of the run, this report's or another, with its caption."""
        from IPython.display import Image, display

        name = name or self.name
        if name not in figures(self.config):
            self.text("No pictures were kept in this run (evaluation.pictures).")
            return
        shown = ShownFigure(figures(self.config)[name], self.results)
        data = shown.png.read_bytes() if shown.figure.pictures else in_few_colours(shown.png)
        display(Image(data=data, format="png", alt=shown.alt, metadata={"wide": shown.wide}))
        caption = Markup('<p>{}</p><p class="facts">{}</p>')
        _show_html(caption.format(shown.figure.caption, shown.made_from))

    def problems(self) -> None:
        """The settings of the problems."""
        _show(*self.section.problems())

    def recipes(self) -> None:
        """How the learned optimizers are built and meta-trained, and the trials of their rates."""
        _show(*self.section.recipes())
        for name in self.section.learned:
            search = self.results.search(name)
            if search["trials"]:
                label = self.config.labels()[name]
                _show(runs.trials(search, f"Trials of the meta learning rate of {label} ({name})"))

    def meta_training(self) -> None:
        """The validation losses of the recipes, and the table of their meta-trainings."""
        learned = self.section.learned
        alt = "validation losses against meta-training episodes"
        self._plot(alt, partial(meta_training.draw, self.results, learned))
        _show(runs.meta_trainings(self.results.meta_trainings(learned), self.config))

    def tuning(self) -> None:
        """How the baselines were tuned, and the learning rates that this chose."""
        self.text(TUNED)
        for name, table in zip(self.section.experiments, self.section.rates(), strict=True):
            entry = self.config.experiments[name]
            if len(entry.problems) == 1:
                alt = f"{entry.title}: final loss against learning rate"
                self._plot(alt, partial(tuning_plot, name, self.results))
            _show(table)

    def losses(self) -> None:
        """The tables of losses with the runs that diverged."""
        _show(*self.section.losses())

    def wins(self, caption: str) -> None:
        """Problem by problem: on how many each learned optimizer ends lower than each baseline."""
        for name, curves in self.section.curves.items():
            _show(losses.wins(name, curves, self.config, caption))

    def one_problem(self, title: str) -> None:
        """The first test problem of the first experiment alone."""
        first = self.section.experiments[0]
        alt = f"{title}: loss against step of every optimizer"
        self._plot(alt, partial(experiments.draw_one_problem, first, self.results, title))

    def verdicts(self) -> None:
        """How a verdict comes about, and all comparisons of the claims."""
        self.text(claims.HOW_JUDGED)
        _show(*self.section.comparisons())

    def costs(self, use: str) -> None:
        """How long the meta-trainings of each recipe took.

        Args:
            use: what the learned optimizer is good for, such as "networks are to be trained".
        """
        labels, table = self.config.labels(), self.results.meta_trainings(self.section.learned)
        costs = []
        for name, rows in table.groupby("recipe", sort=False):
            seeds = between([len(rows)], "meta-seed")
            costs.append(f"{labels[str(name)]}: {duration(rows['seconds'].sum())} over {seeds}")
        self.text(
            f"- **It costs something first.** Meta-training took {listed(costs)}, without the "
            f"search of the meta learning rate. That pays only where many similar {use}."
        )

    def _plot(self, alt: str, draw: Callable[[], Figure]) -> None:
        from IPython.display import Image, display

        with look_of(self.config.figures):
            figure = draw()
        buffer = io.BytesIO()
        with rendering():
            figure.savefig(buffer, format="png", dpi="figure")
        display(Image(data=in_few_colours(buffer), format="png", alt=alt))


def _show(*tables: Table) -> None:
    for table in tables:
        _show_html(table.html())


def _show_html(content: Markup) -> None:
    from IPython.display import HTML, display

    display(HTML(content))


def tuning_plot(experiment: str, results: Results) -> Figure:
    """Final loss against learning rate of each baseline; the chosen rates are ringed.

    Rates whose runs diverged are left out.
    """
    tuning, settings = results.tuning(experiment), results.config.figures
    finite = tuning[np.isfinite(tuning["final_loss"])]
    figure = new_figure(settings, height=0.6)
    axes = figure.subplots()
    names = {str(key): display_name(key, {}) for key in tuning["optimizer"].unique()}
    styles = looks(names.values())
    for key, rows in finite.groupby("optimizer", sort=False):
        look = styles[names[str(key)]]
        rates, losses = rows["learning_rate"], rows["final_loss"]
        (line,) = axes.plot(rates, losses, color=look.color, dashes=look.dashes)
        line.set(linewidth=look.width, label=names[str(key)])
    best = chosen(finite, FINAL)
    rings: dict[str, Any] = {
        "s": 36,
        "facecolors": "none",
        "edgecolors": [styles[names[key]].color for key in best["optimizer"]],
        "zorder": 3,
    }
    axes.scatter(best["learning_rate"], best["final_loss"], **rings)
    horizon = results.config.experiments[experiment].horizon
    axes.set(xscale="log", yscale="log", xlabel="learning rate")
    axes.set_ylabel(f"mean loss at step {horizon}")
    low, start = finite["final_loss"].min(), finite["final_loss"].median()
    top = min(finite["final_loss"].max(), 10 * start)
    axes.set_ylim(low / (top / low) ** 0.05, top * (top / low) ** 0.05)
    plain_log_ticks(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return figure
