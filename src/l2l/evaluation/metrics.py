"""What one run amounts to: how low, how fast and how steady, from the tidy table of curves.

A metric is a small frozen model, so that `config/claims.yaml` names it and its steps, and
`values(curves)` gives one number for each run (optimizer, meta_seed, problem). Every metric is
>= 0 and smaller is better or calmer. A run that met a loss that is not finite stays in the
table: each metric says below what it counts as.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Section
from l2l.errors import UserError

RUN = ["optimizer", "meta_seed", "problem"]
"""The columns of the curves table that name one run."""

HANDCRAFTED = -1
"""The meta_seed of an optimizer that was not trained."""

TRAILING_STEPS = 5
"""Steps averaged before a minibatch loss is compared with a target (one batch is noisy)."""


Horizon = Annotated[int, Field(ge=1)] | Literal["end"]
"""A step; "end": the last step of the curves, whatever the protocol."""


NAMES = {"loss": "loss", "train_loss": "loss", "test_loss": "held-out loss"}
"""What a label says; train_loss is the same loss without the choice of a minibatch."""


class MeanLoss(Section):
    """Mean loss over steps 1..horizon; a run that diverged counts as infinite.

    `of` is loss, at every step, or another loss at the steps where it was measured.
    """

    metric: Literal["mean_loss"]
    horizon: Horizon
    of: Literal["loss", "train_loss", "test_loss"] = "loss"

    @property
    def label(self) -> str:
        """The metric in words, for a table."""
        return f"mean {NAMES[self.of]}, steps 1-{self.horizon}"

    @property
    def last_step(self) -> int:
        """The last step that the curves must reach."""
        return 1 if self.horizon == "end" else self.horizon

    def values(self, curves: pd.DataFrame) -> pd.Series:
        """One number a run, in units of the loss; see `run_matrix` for `curves`."""
        runs = run_matrix(curves, "loss", 1, _step(self.horizon, curves))
        if self.of != "loss":
            steps = curves.loc[curves[self.of].notna(), "step"].unique()
            steps = np.intersect1d(steps, runs.columns)
            if not steps.size:
                raise _not_measured(curves, self.of, int(runs.columns[-1]))
            measured = curves[curves["step"].isin(steps)]
            runs = measured.pivot(index=RUN, columns="step", values=self.of).astype(np.float64)
        return _per_run(runs, runs.to_numpy().mean(axis=1), diverged=np.inf)


class FinalLoss(Section):
    """The loss at step `horizon`; a run whose loss is not finite there counts as infinite.

    `of` is train_loss, or test_loss where there are held-out data.
    """

    metric: Literal["final_loss"]
    horizon: Horizon
    of: Literal["train_loss", "test_loss"] = "train_loss"

    @property
    def label(self) -> str:
        """The metric in words, for a table."""
        where = "end" if self.horizon == "end" else f"step {self.horizon}"
        return f"final {NAMES[self.of]}, {where}"

    @property
    def last_step(self) -> int:
        """The last step that the curves must reach."""
        return 1 if self.horizon == "end" else self.horizon

    def values(self, curves: pd.DataFrame) -> pd.Series:
        """One number a run, in units of the loss; see `run_matrix` for `curves`."""
        step = _step(self.horizon, curves)
        runs = run_matrix(curves, self.of, step, step)
        return _per_run(runs, runs.to_numpy()[:, 0], diverged=np.inf)


class StepsToTarget(Section):
    """First step at which the mean `loss` of the last TRAILING_STEPS steps is <= target.

    A run that never gets there, and a run that diverges within the horizon, counts as `horizon`:
    the count is censored, so choose a target that nearly every run reaches.
    """

    metric: Literal["steps_to_target"]
    horizon: int = Field(ge=TRAILING_STEPS)
    target: float = Field(gt=0)

    @property
    def label(self) -> str:
        """The metric in words, for a table."""
        return f"steps to loss {self.target:g} (at most {self.horizon})"

    @property
    def last_step(self) -> int:
        """The last step that the curves must reach."""
        return self.horizon

    def values(self, curves: pd.DataFrame) -> pd.Series:
        """One number a run, in steps; see `run_matrix` for `curves`."""
        runs = run_matrix(curves, "loss", 1, self.horizon)
        windows = np.lib.stride_tricks.sliding_window_view(runs.to_numpy(), TRAILING_STEPS, axis=1)
        reached = windows.mean(axis=2) <= self.target
        first = reached.argmax(axis=1) + TRAILING_STEPS
        steps = np.where(reached.any(axis=1), first, self.horizon)
        return _per_run(runs, steps.astype(np.float64), diverged=self.horizon)


class Oscillation(Section):
    """Movement of `train_loss` that is undone again, per step, over first_step..last_step.

    With d[t] = f[t] - f[t-1], it is (sum |d| - |sum d|) / (last_step - first_step): the total
    variation beyond what the net change needs, twice the rises of a curve that falls overall.
    Any monotone curve has 0, however steep or bent (a linear or a moving-average trend would leave
    the bend of a smooth descent in the number), so it measures "up and down rather than steadily
    down". `train_loss` is taken on one fixed sample: theta moves it, the choice of minibatch of
    the moment does not. A run that diverges has no plateau: NaN, undefined, which `statistics`
    counts against either conclusion (as infinite it would confirm a claim of oscillation).
    """

    metric: Literal["oscillation"]
    first_step: int = Field(ge=0)
    last_step: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_step < self.first_step + 2:
            raise PydanticCustomError(
                "order", "last_step must be at least first_step + 2: two changes or more"
            )
        return self

    @property
    def label(self) -> str:
        """The metric in words, for a table."""
        return f"oscillation, steps {self.first_step}-{self.last_step}"

    def values(self, curves: pd.DataFrame) -> pd.Series:
        """One number a run, in units of the loss per step; see `run_matrix` for `curves`."""
        runs = run_matrix(curves, "train_loss", self.first_step, self.last_step)
        changes = np.diff(np.where(np.isfinite(runs), runs, 0.0), axis=1)
        undone = np.abs(changes).sum(axis=1) - np.abs(changes.sum(axis=1))
        # Rounding can leave a monotone curve at -1e-17.
        return _per_run(runs, undone.clip(min=0.0) / changes.shape[1], diverged=np.nan)


Metric = Annotated[
    MeanLoss | FinalLoss | StepsToTarget | Oscillation, Field(discriminator="metric")
]


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
    found = curves["step"].between(first, last).groupby([curves[key] for key in RUN]).sum()
    short = found[found != needed]
    if len(short):
        what = f"has {short.iloc[0]} of the {needed} steps {first} to {last}"
        raise _faulty(curves, short.index[0], what)
    window = curves[curves["step"].between(first, last)]
    runs = window.pivot(index=RUN, columns="step", values=column).astype(np.float64)
    if column != "loss":
        went_on = window.groupby("step")["loss"].apply(lambda loss: np.isfinite(loss).any())
        gaps = runs.columns[runs.isna().all(axis=0) & went_on]
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
