"""The tested losses in tables and sentences: at chosen steps, and problem by problem."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from l2l.config import Config
from l2l.figures.curves import Curve, summarise
from l2l.figures.style import display_name
from l2l.pages.html import Row
from l2l.pages.words import against, listed, number, with_interval

REPORTED_STEPS = (20, 50, 100, 200)


def kinds(curves: pd.DataFrame) -> dict[str, str]:
    """The columns with a loss of their own, each with its name in words.

    Args:
        curves: the tidy table of an experiment.

    Returns:
        Column -> name: one entry where loss and train_loss are the same.
    """
    measured = curves[curves["train_loss"].notna()]
    if np.array_equal(measured["loss"], measured["train_loss"]):
        return {"loss": "loss"}
    return {
        "train_loss": "loss on a fixed sample of the training set",
        "loss": "loss of the step's own minibatch",
    }


def table(curves: pd.DataFrame, column: str, experiment: str, config: Config) -> list[Row]:
    """Mean loss of every optimizer at REPORTED_STEPS, the lowest at the horizon first.

    Args:
        curves: the tidy table of the experiment.
        column: "loss" or "train_loss".
        experiment: its name.
        config: labels, horizon, and the confidence of the intervals.

    Returns:
        Rows of "optimizer", "step 20", ..., "mean [low, high]" each, and the mean of each
        meta-seed at the horizon.
    """
    horizon = config.experiments[experiment].horizon
    summaries = summarise(curves, column, config.figures.interval)
    reported = reported_steps(curves, horizon)
    rows = []
    for name in by_loss(summaries, horizon):
        curve = summaries[name]
        row = {"optimizer": display_name(name, config.labels())}
        for step in reported:
            at = int(np.flatnonzero(curve.steps == step)[0])
            row[f"step {step}"] = with_interval(curve.mean[at], curve.low[at], curve.high[at])
        seeds = curve.seeds[:, curve.steps == horizon].ravel()
        several = len(seeds) > 1
        row[f"each meta-seed, step {horizon}"] = (
            ", ".join(number(seed) for seed in seeds) if several else ""
        )
        rows.append(row)
    return rows


def reported_steps(curves: pd.DataFrame, horizon: int) -> list[int]:
    """REPORTED_STEPS as far as the curves reach, and the horizon."""
    last_step = int(curves["step"].max())
    return sorted({step for step in (*REPORTED_STEPS, horizon) if step <= last_step})


def by_loss(summaries: dict[str, Curve], step: int) -> list[str]:
    """Optimizers by their mean loss at a step, the lowest first, what diverged last."""
    ends = {name: _at(curve, step) for name, curve in summaries.items()}
    return sorted(ends, key=lambda name: ends[name] if math.isfinite(ends[name]) else math.inf)


def wins(curves: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """On how many test problems each learned optimizer ends below each baseline.

    The loss is train_loss at the horizon, the mean over meta-seeds within each problem.

    Args:
        curves: the tidy table of the experiment.
        experiment: its name.
        config: labels, horizon, optimizers.

    Returns:
        A row for each learned optimizer, a column for each baseline: "63 of 64".
    """
    settings, labels = config.experiments[experiment], config.labels()
    ends = curves[curves["step"] == settings.horizon]
    means = ends.groupby(["optimizer", "problem"])["train_loss"].mean().unstack("problem")
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

    Each learned optimizer is compared with the hand-crafted one that has the lowest mean train_loss
    at the horizon.

    Args:
        curves: the tidy table of the experiment.
        experiment: its name.
        config: labels, horizon, optimizers.
    """
    settings, labels = config.experiments[experiment], config.labels()
    horizon = settings.horizon
    summaries = summarise(curves, "train_loss", config.figures.interval)
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
        f"After {horizon} steps the best hand-crafted optimizer, {display_name(best, labels)}, "
        f"{stands}. {'; '.join(found)}."
    )


def order_sentence(curves: pd.DataFrame, experiment: str, config: Config, step: int) -> str:
    """All optimizers in the order of their mean train_loss at a step, with the numbers."""
    summaries = summarise(curves, "train_loss", config.figures.interval)
    names = [
        f"{display_name(name, config.labels())} ({number(_at(summaries[name], step))})"
        for name in by_loss(summaries, step)
    ]
    return f"At step {step} the order, lowest loss first, is {listed(names)}."


def _at(curve: Curve, step: int) -> float:
    return float(curve.mean[curve.steps == step][0])
