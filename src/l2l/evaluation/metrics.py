"""Metrics of a run: how low, how fast and how steady its losses are, from the tidy table of curves.

The settings of a metric are in `l2l.config.claims`; `values(metric, curves)` gives one number
for each run (optimizer, meta_seed, problem). Every metric is >= 0 and smaller is better or calmer.
A run that met a loss that is not finite stays in the table: the settings say what it counts as.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from l2l.config.claims import (
    TRAILING_STEPS,
    FinalLoss,
    Fluctuation,
    Horizon,
    MeanLoss,
    Metric,
    Oscillation,
    Progress,
    StepsToTarget,
)
from l2l.errors import UserError

RUN = ["optimizer", "meta_seed", "problem"]
"""The columns of the curves table that name one run."""

HANDCRAFTED = -1
"""The meta_seed of an optimizer that was not trained."""


def values(metric: Metric, curves: pd.DataFrame) -> pd.Series:
    """One number for each run, see the settings of the metric in `l2l.config.claims`.

    Args:
        metric: which number.
        curves: see `run_matrix`.

    Returns:
        In units of the loss (a loss), in steps (steps to a target), or in units of the loss per
        step (oscillation), indexed by (optimizer, meta_seed, problem).
    """
    match metric:
        case MeanLoss():
            return _mean_loss(metric, curves)
        case FinalLoss():
            step = _step(metric.horizon, curves)
            runs = run_matrix(curves, metric.of, step, step)
            return _per_run(runs, runs.to_numpy()[:, 0], diverged=np.inf)
        case StepsToTarget():
            runs = run_matrix(curves, "loss", 1, metric.horizon)
            losses = runs.to_numpy()
            windows = np.lib.stride_tricks.sliding_window_view(losses, TRAILING_STEPS, axis=1)
            reached = windows.mean(axis=2) <= metric.target
            first = reached.argmax(axis=1) + TRAILING_STEPS
            steps = np.where(reached.any(axis=1), first, metric.horizon)
            return _per_run(runs, steps.astype(np.float64), diverged=metric.horizon)
        case Oscillation():
            return _oscillation(metric, curves)
        case Fluctuation():
            runs = run_matrix(curves, "loss", metric.first_step, metric.last_step)
            return _per_run(runs, _about_line(runs.to_numpy()), diverged=np.nan)
        case Progress():
            first, last = (
                run_matrix(curves, "train_loss", step, step)
                for step in (metric.first_step, metric.last_step)
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = last.to_numpy()[:, 0] / first.to_numpy()[:, 0]
            return _per_run(last, ratios, diverged=np.inf)


def _about_line(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard deviation of each row about its least-squares line, [runs]."""
    finite = np.where(np.isfinite(losses), losses, 0.0)
    steps = np.arange(losses.shape[1]) - (losses.shape[1] - 1) / 2
    centred = finite - finite.mean(axis=1, keepdims=True)
    slopes = centred @ steps / (steps @ steps)
    return np.asarray((centred - slopes[:, None] * steps).std(axis=1, ddof=2))


def _mean_loss(metric: MeanLoss, curves: pd.DataFrame) -> pd.Series:
    runs = run_matrix(curves, "loss", 1, _step(metric.horizon, curves))
    if metric.of != "loss":
        steps = curves.loc[curves[metric.of].notna(), "step"].unique()
        steps = np.intersect1d(steps, runs.columns)
        if not steps.size:
            raise _not_measured(curves, metric.of, int(runs.columns[-1]))
        rows = curves[curves["step"].isin(steps)]
        runs = rows.pivot(index=RUN, columns="step", values=metric.of).astype(np.float64)
    return _per_run(runs, runs.to_numpy().mean(axis=1), diverged=np.inf)


def _oscillation(metric: Oscillation, curves: pd.DataFrame) -> pd.Series:
    """(sum |d| - |sum d|) / (last_step - first_step), with d[t] = f[t] - f[t-1].

    This is the total variation beyond what the net change needs, twice the rises of a curve that
    falls overall. Any monotone curve has 0, however steep or bent (a linear or a moving-average
    trend would leave the bend of a smooth descent in the number), so it measures "up and down
    rather than steadily down". `train_loss` is taken on one fixed sample: theta moves it, the
    choice of minibatch does not. A run that diverges has no plateau: NaN, undefined, which
    `statistics` counts against either conclusion (as infinite it would confirm a claim of
    oscillation).
    """
    runs = run_matrix(curves, "train_loss", metric.first_step, metric.last_step)
    changes = np.diff(np.where(np.isfinite(runs), runs, 0.0), axis=1)
    undone = np.abs(changes).sum(axis=1) - np.abs(changes.sum(axis=1))
    # Rounding can leave a monotone curve at -1e-17.
    return _per_run(runs, undone.clip(min=0.0) / changes.shape[1], diverged=np.nan)


def _step(horizon: Horizon, curves: pd.DataFrame) -> int:
    return int(curves["step"].max()) if horizon == "end" else int(horizon)


def run_matrix(curves: pd.DataFrame, column: str, first: int, last: int) -> pd.DataFrame:
    """One row a run, one column a step first..last (both included), as float64.

    Args:
        curves: the tidy table of one experiment: columns `experiment` str, `optimizer` str,
            `meta_seed` int (-1 for a hand-crafted optimizer), `problem` int, `step` int (0 is
            before the first update), `loss`, `train_loss` and `test_loss` float.
        column: one of the three.
        first: first step.
        last: last step.

    Returns:
        Values, indexed by (optimizer, meta_seed, problem), columns the steps. Losses that are not
        finite are kept as they are.

    Raises:
        UserError: a run lacks one of the steps or has one twice, or `column` was not measured at
            one of them (a gap would look like divergence).
    """
    twice = curves.duplicated([*RUN, "step"])
    if twice.any():
        raise _faulty(curves, tuple(curves.loc[twice, RUN].iloc[0]), "has a step twice")
    needed = last - first + 1
    counts = curves["step"].between(first, last).groupby([curves[key] for key in RUN]).sum()
    short = counts[counts != needed]
    if len(short):
        what = f"has {short.iloc[0]} of the {needed} steps {first} to {last}"
        raise _faulty(curves, short.index[0], what)
    window = curves[curves["step"].between(first, last)]
    runs = window.pivot(index=RUN, columns="step", values=column).astype(np.float64)
    if column != "loss":
        unfinished = window.groupby("step")["loss"].apply(lambda loss: np.isfinite(loss).any())
        gaps = runs.columns[runs.isna().all(axis=0) & unfinished]
        if len(gaps):
            raise _not_measured(curves, column, int(gaps[0]))
    return runs


def _not_measured(curves: pd.DataFrame, column: str, step: int) -> UserError:
    return UserError(
        f"curves of {curves['experiment'].iloc[0]}: {column} was not measured at step {step}: it "
        "is from the experiment's horizon on, and every `evaluation.measure_every` steps before "
        "(test_loss only where there are held-out data); let the claim look at those"
    )


def _faulty(curves: pd.DataFrame, run: tuple[Any, ...], what: str) -> UserError:
    which = f"optimizer {run[0]}, meta-seed {run[1]}, problem {run[2]}"
    return UserError(
        f"curves of {curves['experiment'].iloc[0]}: {which} {what}; "
        "delete the table and evaluate anew"
    )


def _per_run(runs: pd.DataFrame, values: NDArray[np.float64], diverged: float) -> pd.Series:
    finite = np.isfinite(runs.to_numpy()).all(axis=1)
    return pd.Series(np.where(finite, values, diverged), index=runs.index)


def matrix_of(values: pd.Series, optimizer: str, experiment: str) -> pd.DataFrame:
    """A metric of one optimizer, [meta-seeds, problems]."""
    runs = values.loc[optimizer]
    matrix = runs.unstack("problem")
    if matrix.size != len(runs):  # the gaps would pass for diverged runs
        raise UserError(
            f"curves of {experiment}: the meta-seeds of {optimizer} ran on different problems; "
            "delete the table and evaluate anew"
        )
    return matrix
