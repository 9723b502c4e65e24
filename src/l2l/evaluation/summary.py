"""What loss curves say in numbers: means and divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from l2l.errors import UserError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One optimizer's losses.

    Attributes:
        steps: [steps].
        mean: over problems and meta-seeds, [steps].
        low: lower end of the interval of the mean over problems, [steps].
        high: its upper end, [steps].
        seeds: mean over problems of each meta-seed, [meta-seeds, steps].
    """

    steps: Floats
    mean: Floats
    low: Floats
    high: Floats
    seeds: Floats


def measured(curves: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows of the steps at which a loss was measured for any optimizer.

    Raises:
        UserError: it was measured nowhere.
    """
    steps = curves.loc[curves[column].notna(), "step"].unique()
    if not steps.size:
        raise UserError(
            f"curves of {curves['experiment'].iloc[0]}: {column} was measured nowhere; a problem "
            "without held-out data has no test_loss: set the experiment's `shown` to loss"
        )
    return curves[curves["step"].isin(steps)]


def final_column(shown: str) -> str:
    """The column that the end of a run is judged by, for what an experiment shows.

    Held-out losses are measured on fixed images already; the minibatches' noise is not in
    train_loss, which is on fixed ones too.
    """
    return shown if shown == "test_loss" else "train_loss"


DIVERGED_ABOVE = 1.05
"""Times the loss at the start. A run that ends above it diverged; below, it may be stuck."""


def diverged(curves: pd.DataFrame, column: str, step: int) -> dict[str, tuple[int, int]]:
    """How many runs of each optimizer diverged: ended well above their start, or not finite.

    Args:
        curves: see `summarise`, and a column family; `column` is measured at steps 0 and `step`.
        column: see `final_column`.
        step: the last one that counts.

    Returns:
        optimizer -> (runs that diverged, all runs). A run is a meta-seed on a problem.
    """
    run = ["optimizer", "meta_seed", "family", "problem"]
    first, last = (curves[curves["step"] == at].set_index(run)[column] for at in (0, step))
    above = ~(last <= DIVERGED_ABOVE * first.reindex(last.index))
    counts = above.groupby("optimizer").agg(["sum", "size"])
    return {str(name): (int(row["sum"]), int(row["size"])) for name, row in counts.iterrows()}


def summarise(curves: pd.DataFrame, column: str, interval: float) -> dict[str, Curve]:
    """Means over problems, with the t interval of the mean, symmetric in the logarithm.

    It is mean * exp(+-t * standard error / mean), so that it stays positive. Meta-seeds are
    averaged within each problem first: the interval says how far the mean would move on other
    problems. A loss that is not finite makes the mean of its step so; it is not passed over.

    Args:
        curves: tidy table with optimizer, problem, meta_seed, step and `column`.
        column: "loss", "train_loss" or "test_loss".
        interval: its confidence, for example 0.95.

    Returns:
        optimizer -> Curve.

    Raises:
        UserError: an optimizer's meta-seeds were not evaluated on the same problems and steps.
    """
    summaries = {}
    for optimizer, rows in curves.groupby("optimizer", sort=True):
        runs = rows.pivot(index=["meta_seed", "problem"], columns="step", values=column)
        seeds, problems = (rows[key].nunique() for key in ("meta_seed", "problem"))
        if rows.shape[0] != seeds * problems * runs.shape[1]:
            raise UserError(
                f"curves: '{optimizer}' lacks problems or steps of some meta-seeds; "
                "delete the table and evaluate anew"
            )
        losses = runs.sort_index().to_numpy(np.float64).reshape(seeds, problems, -1)
        with np.errstate(invalid="ignore"):  # infinite minus infinite
            mean = losses.mean(axis=(0, 1))
            relative = _relative_half_width(losses.mean(axis=0), interval)
            summaries[str(optimizer)] = Curve(
                runs.columns.to_numpy(np.float64),
                mean,
                mean * np.exp(-relative),
                mean * np.exp(relative),
                losses.mean(axis=1),
            )
    return summaries


def _relative_half_width(losses: Floats, interval: float) -> Floats:
    count = losses.shape[0]
    if count == 1:
        return np.zeros(losses.shape[1])
    t = stdtrit(count - 1, (1 + interval) / 2)  # Student's quantile
    error = losses.std(axis=0, ddof=1) / math.sqrt(count)
    return np.asarray(t * error / losses.mean(axis=0))
