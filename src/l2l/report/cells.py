"""What the cells of every report show of a figure's experiments, each cell one call."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import pandas as pd
from IPython.display import display

from l2l.config import Config, load_config
from l2l.figures import experiments, meta_training
from l2l.figures.catalog import figures
from l2l.figures.style import look_of
from l2l.report import (
    captions,
    catching_up,
    describe,
    describe_recipe,
    losses,
    networks,
    plots,
    show,
    tables,
    verdicts,
)
from l2l.report.facts import data_used
from l2l.report.words import duration, listed
from l2l.results import Results

TUNED = (
    "Each baseline got the learning rate whose mean loss is lowest at the last step that counts, "
    "over problems that are not test problems. The other settings are the usual ones (momentum 0.9 "
    "in NAG, decay 0.99 in RMSprop, 0.9 and 0.999 in ADAM)."
)
RINGED = (
    "A curve that is flat around its ring means that the choice hardly matters. To the left, "
    "learning rates are too small to get far; to the right, too large to settle. Rates whose runs "
    "diverged are left out."
)
JUDGED = (
    "Each claim of the paper is tested, for each learned optimizer, by comparisons with the "
    "baselines that the claim names. The effect is the relative difference, learned / baseline − "
    "1: negative means less. A comparison counts as *replicated* if its whole 95 % interval lies "
    "on the claimed side, as *not replicated* if all of it lies on the other side, as "
    "*inconclusive* otherwise. Where a claim says that something makes little difference, the "
    "sides meet at what is allowed, not at zero. Times and meta-gradients are measured; their "
    "intervals are those of the repeats. A claim needs all of its comparisons; the row shows the "
    "one that decides."
)


class Cells:
    """A figure's report, on the results of a run.

    Attributes:
        figure: its name; its experiments are its panels.
        config: of the run.
        results: the run's tables.
        experiments: name -> settings.
        learned: the learned optimizers of all of them.
    """

    def __init__(self, figure: str, settings: dict[str, Any] | None) -> None:
        """Args: the figure, and the configuration as data; None: the default one."""
        self.figure = figure
        self.config = load_config() if settings is None else Config.model_validate(settings)
        self.results = Results(self.config)
        names = self.config.figure_experiments().get(figure, [])
        self.experiments = {name: self.config.experiments[name] for name in names}
        self.learned = list(
            dict.fromkeys(name for entry in self.experiments.values() for name in entry.learned)
        )
        display(show.warning(self.config))

    @cached_property
    def curves(self) -> dict[str, pd.DataFrame]:
        """Experiment -> its table."""
        return {name: self.results.curves(name) for name in self.experiments}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The meta-trainings of the learned optimizers."""
        runs = self.results.runs()
        return runs[runs["recipe"].isin(self.learned)]

    def picture(self, name: str = "") -> None:
        """A figure of the run, this report's or another; with a caption where it shows results."""
        name = name or self.figure
        if name not in figures(self.config):
            display(show.text("No pictures were kept in this run (evaluation.pictures)."))
            return
        display(show.figure(name, self.results))
        caption = captions.caption(name, self.config)
        if caption.experiments or caption.training or caption.measured:
            display(show.caption(name, self.results))

    def problems(self) -> None:
        """What the experiments are on: each family, what all have in common, and the data."""
        told = {}
        for entry in self.experiments.values():
            for name in entry.problems:
                alone = len(entry.problems) == 1
                title = entry.title if alone else networks.name(name, self.config)
                told[title] = describe.problem(self.config.problems[name])
        own = [f"**{title}.** {text}" for title, (text, _) in told.items()]
        common = list(dict.fromkeys(text for _, text in told.values()))
        if len(told) > 1:
            display(show.items(own), show.text(*common))
        else:
            display(*(show.text(" ".join(texts)) for texts in told.values()))
        display(show.text(f"Data: {listed(data_used(self.experiments, self.results))}."))

    def recipes(self) -> None:
        """How each learned optimizer is built and meta-trained, and the trials of its rate."""
        labels = self.config.labels()
        for name in self.learned:
            search = self.results.search(name)
            rows = describe_recipe.recipe(name, self.config, search["meta_learning_rate"])
            display(show.rows(rows, f"Recipe of {labels[name]} ({name})"))
            if search["trials"]:
                heading = f"Trials of the meta learning rate of {labels[name]} ({name})"
                display(show.rows(tables.trials(search), heading))

    def meta_training(self) -> None:
        """The validation losses of the recipes, and the table of their meta-trainings."""
        logs = pd.concat([self.results.logs(name) for name in self.learned])
        with look_of(self.config.figures):
            figure = meta_training.draw_logs(logs, self.config.labels(), self.config.figures)
        display(show.plot(figure, "validation losses against meta-training episodes"))
        display(show.rows(tables.runs(self.runs, self.config), "The meta-trainings"))

    def tuning(self) -> None:
        """How the baselines were tuned, and the learning rates that this chose."""
        display(show.text(TUNED))
        for name, entry in self.experiments.items():
            tuning, heading = self.results.tuning(name), f"Chosen learning rates, {entry.title}"
            if networks.are_several(name, self.config):
                rows = networks.rates(tuning, name, self.config)
            else:
                rows = tables.rates(tuning, name, self.config)
                figure = plots.tuning(tuning, self.config.figures, entry.horizon)
                alt = f"{entry.title}: final loss against learning rate; the chosen are ringed"
                display(show.plot(figure, alt))
            display(show.rows(rows, heading))
        if not all(networks.are_several(name, self.config) for name in self.experiments):
            display(show.text(RINGED))

    def losses(self) -> None:
        """What came out: sentences, and the tables of losses with the runs that diverged."""
        for name, entry in self.experiments.items():
            curves, config = self.curves[name], self.config
            interval = f"{100 * config.figures.interval:g} % interval"
            if networks.are_several(name, config):
                rows = networks.final_losses(curves, name, config)
                display(show.text(networks.summary(curves, name, config)))
                heading = f"Mean loss at step {entry.horizon} with its {interval}"
                display(show.rows(rows, f"{entry.title}: {heading}"))
                continue
            found = losses.kinds(curves)
            sentences = [losses.summary(curves, name, config)]
            if len(self.experiments) == 1:
                sentences += losses.order_sentences(curves, name, config)
            else:  # one table each: that of the loss which decides
                column = losses.judged(name, config)
                column = column if column in found else "loss"
                found = {column: found[column]}
            display(show.text(f"**{entry.title}**"), show.items(sentences))
            for column, what in found.items():
                rows = losses.table(curves, column, name, config)
                display(show.rows(rows, f"{entry.title}: mean {what} with its {interval}"))

    def catching_up(self) -> None:
        """How many steps ADAM needs to the losses of the learned optimizers."""
        for name, entry in self.experiments.items():
            rows = catching_up.table(self.curves[name], name, self.config)
            display(show.rows(rows, f"{entry.title}: {catching_up.heading(name, self.config)}"))

    def wins(self, heading: str) -> None:
        """Problem by problem: on how many each learned optimizer ends lower than each baseline."""
        for name, entry in self.experiments.items():
            rows = losses.wins(self.curves[name], name, self.config)
            display(show.rows(rows, f"{entry.title}: {heading}"))

    def one_problem(self, title: str) -> None:
        """The first test problem of the first experiment alone."""
        name = next(iter(self.experiments))
        curves = self.curves[name]
        one = curves[curves["problem"] == curves["problem"].min()]
        panel = replace(experiments.panel(name, self.config, one), title=title)
        with look_of(self.config.figures):
            figure = experiments.draw_panels([panel], self.config.labels(), self.config.figures)
        display(show.plot(figure, f"{title}: loss against step of every optimizer"))

    def found(self) -> None:
        """In two sentences: what the paper claims, and what came out; none without a claim."""
        claims = verdicts.about_figure(self.figure, self.results)
        if claims:
            found = verdicts.found(self.results.claims(), claims, self.config)
            display(show.text(verdicts.claimed(claims), found))

    def verdicts(self) -> None:
        """How verdicts come about, and the claims that these experiments decide."""
        keys = verdicts.about_figure(self.figure, self.results)
        display(show.text(JUDGED), show.claims(keys, self.results))

    def costs(self, what: str) -> None:
        """What meta-training took: a warning for the end. `what`: that it pays to train for."""
        labels = self.config.labels()
        costs = [
            f"{labels[str(name)]}: {duration(rows['seconds'].sum())} over {len(rows)} meta-seeds"
            for name, rows in self.runs.groupby("recipe", sort=False)
        ]
        display(
            show.text(
                "- **It costs something first.** Meta-training took, in this run and without the "
                f"search of the meta learning rate, {listed(costs)}. That pays only where many "
                f"similar {what}."
            )
        )
