"""Tables of an experiment with several networks: a row for each network, a column an optimizer."""

from __future__ import annotations

import pandas as pd

from l2l.config import Config
from l2l.config.problems import MLPSettings
from l2l.evaluation.summary import diverged, summarise
from l2l.figures.style import display_name
from l2l.report.html import Row, wrapped
from l2l.report.losses import judged, last_losses, told_diverged
from l2l.report.words import listed, plain, with_interval


def are_several(experiment: str, config: Config) -> bool:
    """Whether an experiment is on several networks."""
    return len(config.experiments[experiment].problems) > 1


def name(problem: str, config: Config) -> str:
    """A network as a reader knows it: its hidden units, "20-20, sigmoid"."""
    settings = config.problems[problem]
    if not isinstance(settings, MLPSettings):
        return problem
    return f"{'-'.join(map(str, settings.hidden)) or 'none'}, {settings.activation}"


def final_losses(curves: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """Mean loss at the horizon of every optimizer on every network, with its interval.

    Args:
        curves: the tidy table of the experiment, with a column family.
        experiment: its name.
        config: labels, horizon, and the confidence of the intervals.

    Returns:
        A row each network, in the order of the configuration; the second column says which runs
        diverged.
    """
    labels, settings = config.labels(), config.experiments[experiment]
    column, optimizers = judged(experiment, config), (*settings.learned, *settings.baselines)
    rows = []
    for problem in settings.problems:
        own = curves[curves["family"] == problem]
        ends = own[own["step"] == settings.horizon]
        summaries = summarise(ends, column, config.figures.interval)
        counts = diverged(own, column, settings.horizon)
        broken = [
            f"{display_name(key, labels)} {told_diverged(*counts[key])}"
            for key in optimizers
            if counts[key][0]
        ]
        row = {
            "network": name(problem, config),
            "diverged": wrapped(listed(broken) if broken else "none"),
        }
        for key in optimizers:
            curve = summaries[key]
            text = with_interval(curve.mean[0], curve.low[0], curve.high[0])
            row[display_name(key, labels)] = text
        rows.append(row)
    return rows


def summary(curves: pd.DataFrame, experiment: str, config: Config) -> str:
    """On how many networks each learned optimizer ends below the best tuned baseline."""
    labels, settings = config.labels(), config.experiments[experiment]
    ends = last_losses(curves, experiment, config)
    means = ends.groupby(["family", "optimizer"]).mean().unstack("optimizer")
    best = means[list(settings.baselines)].min(axis=1)
    told = [
        f"{display_name(key, labels)} on {int((means[key] < best).sum())}"
        for key in settings.learned
    ]
    return (
        f"After {settings.horizon:,} steps a learned optimizer is below the best tuned baseline of "
        f"the network: {listed(told)} of {len(means)} networks."
    )


def rates(tuning: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """The learning rate that was chosen for each baseline on each network.

    Args:
        tuning: every learning rate tried on the experiment, with a column family.
        experiment: its name.
        config: holds its networks.
    """
    chosen = tuning[tuning["chosen"]].set_index(["family", "optimizer"])["learning_rate"]
    settings = config.experiments[experiment]
    return [
        {"network": name(problem, config)}
        | {
            display_name(key, {}): plain(float(chosen.loc[(problem, key)]))
            for key in settings.baselines
        }
        for problem in settings.problems
    ]
