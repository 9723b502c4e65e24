"""The tested losses in tables and sentences: at chosen steps, and problem by problem."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from l2l.config import Config
from l2l.evaluation.summary import Curve, diverged, final_column, measured, summarise
from l2l.figures.style import display_name
from l2l.report.html import Row
from l2l.report.words import against, listed, number, with_interval

REPORTED_STEPS = (20, 50, 100, 200, 500, 1000)
NAMES = {
    "test_loss": "loss on fixed held-out data",
    "train_loss": "loss on a fixed sample of the training set",
    "loss": "loss of the step's own minibatch",
}
"""Column -> what it is, the one that says most first."""
SAME = 1e-4
"""How far two computations of one loss may be apart: rounding, and minibatches are farther."""


def kinds(curves: pd.DataFrame) -> dict[str, str]:
    """The columns with a loss of their own, each with its name in words.

    Args:
        curves: the tidy table of an experiment.

    Returns:
        Column -> name: one entry where loss and train_loss are the same.
    """
    both = curves[curves["train_loss"].notna()]
    if np.allclose(both["loss"], both["train_loss"], rtol=SAME, atol=0):
        return {"loss": "loss"}
    return {key: name for key, name in NAMES.items() if curves[key].notna().any()}


def judged(experiment: str, config: Config) -> str:
    """The column that an experiment's runs are judged by at the horizon."""
    return final_column(config.experiments[experiment].shown)


def table(curves: pd.DataFrame, column: str, experiment: str, config: Config) -> list[Row]:
    """Mean loss of every optimizer at REPORTED_STEPS, the lowest at the horizon first.

    Args:
        curves: the tidy table of the experiment.
        column: one of `kinds`.
        experiment: its name.
        config: labels, horizon, and the confidence of the intervals.

    Returns:
        Rows of "optimizer", "diverged" (see `l2l.evaluation.summary.diverged`, by `judged`),
        "step 20", ..., "mean [low, high]" each; and the mean of each meta-seed at the horizon where
        there are several.
    """
    horizon = config.experiments[experiment].horizon
    summaries = summarise(measured(curves, column), column, config.figures.interval)
    broken = diverged(curves, judged(experiment, config), horizon)
    several = any(len(curve.seeds) > 1 for curve in summaries.values())
    rows = []
    for name in by_loss(summaries, horizon):
        curve = summaries[name]
        row = {"optimizer": display_name(name, config.labels())}
        row["diverged"] = told_diverged(*broken[name])
        for step in reported_steps(curves, column, horizon):
            at = int(np.flatnonzero(curve.steps == step)[0])
            row[f"step {step}"] = with_interval(curve.mean[at], curve.low[at], curve.high[at])
        if several:
            seeds = curve.seeds[:, curve.steps == horizon].ravel()
            told = ", ".join(number(seed) for seed in seeds) if len(seeds) > 1 else ""
            row[f"each meta-seed, step {horizon}"] = told
        rows.append(row)
    return rows


def told_diverged(broken: int, runs: int) -> str:
    """ "3 of 192", or "none"."""
    return f"{broken:,} of {runs:,}" if broken else "none"


def reported_steps(curves: pd.DataFrame, column: str, horizon: int) -> list[int]:
    """REPORTED_STEPS at which a loss was measured, and the horizon."""
    steps = set(measured(curves, column)["step"])
    return sorted(step for step in {*REPORTED_STEPS, horizon} if step in steps)


def by_loss(summaries: dict[str, Curve], step: int) -> list[str]:
    """Optimizers by their mean loss at a step, the lowest first, what diverged last."""
    ends = {name: _at(curve, step) for name, curve in summaries.items()}
    return sorted(ends, key=lambda name: ends[name] if math.isfinite(ends[name]) else math.inf)


def last_losses(curves: pd.DataFrame, experiment: str, config: Config) -> pd.Series:
    """The loss of `judged` at the horizon of every run, infinite where it is not finite.

    Indexed by the other columns that name a run. pandas would leave a NaN out of a mean, and a run
    that diverged with it.
    """
    ends = curves[curves["step"] == config.experiments[experiment].horizon]
    losses = ends.set_index(["optimizer", "meta_seed", "family", "problem"])
    found = losses[judged(experiment, config)]
    return found.where(np.isfinite(found), np.inf)


def wins(curves: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """On how many test problems each learned optimizer ends below each baseline.

    The loss is that of `judged` at the horizon, the mean over meta-seeds within each problem.

    Args:
        curves: the tidy table of the experiment.
        experiment: its name.
        config: labels, horizon, optimizers.

    Returns:
        A row for each learned optimizer, a column for each baseline: "63 of 64".
    """
    settings, labels = config.experiments[experiment], config.labels()
    ends = last_losses(curves, experiment, config)
    means = ends.groupby(["optimizer", "problem"]).mean().unstack("problem")
    rows = []
    for learned in settings.learned:
        row = {"optimizer": display_name(learned, labels)}
        for baseline in settings.baselines:
            lower = np.count_nonzero(means.loc[learned] < means.loc[baseline])
            row[f"below {display_name(baseline, labels)}"] = f"{lower} of {means.shape[1]}"
        rows.append(row)
    return rows


def summary(curves: pd.DataFrame, experiment: str, config: Config) -> str:
    """What came out, in two sentences computed from the table.

    Each learned optimizer is compared with the hand-crafted one that has the lowest mean loss, by
    `judged`, at the horizon.

    Args:
        curves: the tidy table of the experiment.
        experiment: its name.
        config: labels, horizon, optimizers.
    """
    settings, labels = config.experiments[experiment], config.labels()
    horizon = settings.horizon
    summaries = _judged(curves, experiment, config)
    best = next(name for name in by_loss(summaries, horizon) if name in settings.baselines)
    lowest = _at(summaries[best], horizon)
    found = []
    for learned in settings.learned:
        name, loss = display_name(learned, labels), _at(summaries[learned], horizon)
        comparable = math.isfinite(loss) and math.isfinite(lowest)
        found.append(
            f"{name} is at {number(loss)}, {against(loss, lowest)}"
            if comparable
            else f"{name} is at {number(loss)}"
            if math.isfinite(loss)
            else f"{name} diverged"
        )
    stands = f"is at {number(lowest)}" if math.isfinite(lowest) else "diverged"
    return (
        f"After {horizon:,} steps the best hand-crafted optimizer, {display_name(best, labels)}, "
        f"{stands}. {'; '.join(found)}."
    )


def order_sentences(curves: pd.DataFrame, experiment: str, config: Config) -> list[str]:
    """All optimizers in the order of their mean loss, by `judged`, at each reported step."""
    summaries = _judged(curves, experiment, config)
    horizon = config.experiments[experiment].horizon
    sentences = []
    for step in reported_steps(curves, judged(experiment, config), horizon):
        names = [
            f"{display_name(name, config.labels())} ({number(_at(summaries[name], step))})"
            for name in by_loss(summaries, step)
        ]
        sentences.append(f"At step {step:,} the order, lowest loss first, is {listed(names)}.")
    return sentences


def _judged(curves: pd.DataFrame, experiment: str, config: Config) -> dict[str, Curve]:
    column = judged(experiment, config)
    return summarise(measured(curves, column), column, config.figures.interval)


def _at(curve: Curve, step: int) -> float:
    return float(curve.mean[curve.steps == step][0])
