"""Which learning rate of a baseline counts for what.

Tuning chooses a rate by each of its metrics, "final_loss" and "mean_loss", and every chosen rate is
tested. The column `chosen_for` of a tuning table and the column `rate_for` of curves say what a
rate was chosen for: one of them, "both", the experiment on which it was tuned in the place of this
one (`rates_of`), or "default" for a rate that nobody tuned (`default_rates`). They are "" for rates
that were not chosen, and for learned optimizers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

FINAL, MEAN, BOTH = "final_loss", "mean_loss", "both"


def read_tuning(path: Path) -> pd.DataFrame:
    """A tuning table, see `l2l.evaluation.tune`."""
    return pd.read_csv(path).fillna({"chosen_for": ""})


def chosen(tuning: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The rows of a tuning table whose rate is the best by a metric, one for each baseline."""
    return tuning[tuning["chosen_for"].isin((metric, BOTH))]


def chosen_rates(tuning: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The rates that tuning chose for one baseline: what for -> family -> rate."""
    rates: dict[str, dict[str, float]] = {}
    for row in tuning[tuning["chosen_for"] != ""].to_dict("records"):
        rates.setdefault(row["chosen_for"], {})[row["family"]] = float(row["learning_rate"])
    return rates


def final_rates(rates: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Of the chosen rates, those for the loss at the horizon: family -> rate."""
    return {**rates.get(FINAL, {}), **rates.get(BOTH, {})}


def tested_at(curves: pd.DataFrame, rates: str) -> pd.DataFrame:
    """The runs of learned optimizers, and of baselines at the rates chosen for `rates`."""
    same = (rates, BOTH) if rates in (FINAL, MEAN) else (rates,)
    return curves[curves["rate_for"].isin(("", *same))]
