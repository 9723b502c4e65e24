"""How the variants of a recipe differ from it: the numbers behind the ablations and the windows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from l2l.config import Experiment
from l2l.config.claims import FinalLoss, MeanLoss
from l2l.evaluation.metrics import matrix_of, values
from l2l.evaluation.statistics import Effect, relative_difference


@dataclass(frozen=True)
class Variant:
    """One optimizer against the reference.

    Attributes:
        optimizer: its key.
        mean: relative difference of the mean loss, steps 1 to the horizon.
        final: of the loss at the horizon.
        meta_seeds: how many of it were trained; 0: it is hand-crafted.
    """

    optimizer: str
    mean: Effect
    final: Effect
    meta_seeds: int


def variants(curves: pd.DataFrame, experiment: Experiment) -> list[Variant]:
    """Every other optimizer of an experiment against its reference, in the experiment's order.

    Args:
        curves: its tidy table.
        experiment: with a `reference`.
    """
    horizon = experiment.horizon
    metrics = (
        MeanLoss(metric="mean_loss", horizon=horizon),
        FinalLoss(metric="final_loss", horizon=horizon),
    )
    numbers = [values(metric, curves) for metric in metrics]
    table, reference = str(curves["experiment"].iloc[0]), str(experiment.reference)
    rows = []
    for optimizer in (*experiment.learned, *experiment.baselines):
        if optimizer == reference:
            continue
        pairs = [[matrix_of(n, key, table) for key in (optimizer, reference)] for n in numbers]
        what = f"{optimizer} vs {reference}"
        mean, final = (relative_difference(ours, theirs, what) for ours, theirs in pairs)
        seeds = len(pairs[0][0]) if optimizer in experiment.learned else 0
        rows.append(Variant(optimizer, mean, final, seeds))
    return rows
