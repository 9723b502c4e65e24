"""What the lines of a figure of losses are: the chosen optimizers, and their paired ratios.

The thick line of a learned optimizer is the meta-seed that validated best, as in the paper; those
of the others are hair lines. Ratios are taken as verdicts take them: mean over problems by mean
over the same problems, with an interval for the problems. Where they are too few for a verdict,
there is no interval, and the hair lines are single problems.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from l2l.evaluation.claims import FEWEST_PROBLEMS
from l2l.evaluation.metrics import HANDCRAFTED
from l2l.evaluation.summary import Curve, Floats, summarise


def loss_lines(
    curves: pd.DataFrame, column: str, chosen: Mapping[str, int], interval: float
) -> dict[str, Curve]:
    """The mean loss of every optimizer over the test problems.

    Args:
        curves: see `summarise`.
        column: the loss.
        chosen: learned optimizer -> the meta-seed that validated best.
        interval: confidence of the band.

    Returns:
        optimizer -> the chosen meta-seed's mean and its interval; `seeds` are the hair lines.
    """
    every = summarise(curves, column, interval)
    lines = summarise(_of_chosen(curves, chosen), column, interval)
    for optimizer, line in lines.items():
        runs = _runs(curves, optimizer, chosen.get(optimizer, HANDCRAFTED), column)
        if len(runs) < FEWEST_PROBLEMS:
            lines[optimizer] = replace(line, low=line.mean, high=line.mean, seeds=runs)
        else:
            lines[optimizer] = replace(line, seeds=every[optimizer].seeds)
    return lines


def ratio_lines(
    curves: pd.DataFrame, column: str, reference: str, chosen: Mapping[str, int], interval: float
) -> dict[str, Curve]:
    """The mean loss of every optimizer divided by that of a baseline on the same problems.

    With a_i and b_i the losses on problem i, the logarithm of the ratio of their means has the
    standard error sd(a_i / mean a - b_i / mean b) / sqrt(n): what both find hard cancels. The band
    is Student's interval with n - 1 degrees of freedom.

    Args:
        curves, column, chosen, interval: see `loss_lines`.
        reference: the baseline.

    Returns:
        optimizer -> ratio, and hair lines as those of `loss_lines`; a band for learned optimizers.
    """
    theirs = _runs(curves, reference, HANDCRAFTED, column)
    steps = np.sort(curves["step"].unique()).astype(np.float64)
    lines = {}
    for optimizer, seeds in curves.groupby("optimizer")["meta_seed"].unique().items():
        key = str(optimizer)
        each = [_runs(curves, key, int(seed), column) for seed in sorted(seeds)]
        ours = _runs(curves, key, chosen.get(key, HANDCRAFTED), column)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = ours.mean(axis=0) / theirs.mean(axis=0)
            hair = np.stack([runs.mean(axis=0) / theirs.mean(axis=0) for runs in each])
            margin = np.zeros_like(ratio)
            if len(ours) < FEWEST_PROBLEMS:
                hair = ours / theirs
            elif key in chosen:
                margin = _margin(ours, theirs, interval)
            low, high = ratio * np.exp(-margin), ratio * np.exp(margin)
        lines[key] = Curve(steps, ratio, low, high, hair)
    return lines


def _margin(ours: Floats, theirs: Floats, interval: float) -> Floats:
    """Half the interval of the logarithm of mean(ours) / mean(theirs), [steps]."""
    count = len(ours)
    apart = ours / ours.mean(axis=0) - theirs / theirs.mean(axis=0)
    t = float(stdtrit(count - 1, (1 + interval) / 2))
    return np.asarray(t * apart.std(axis=0, ddof=1) / math.sqrt(count))


def _of_chosen(curves: pd.DataFrame, chosen: Mapping[str, int]) -> pd.DataFrame:
    wanted = curves["optimizer"].map(lambda name: chosen.get(name, HANDCRAFTED))
    return curves[curves["meta_seed"] == wanted]


def _runs(curves: pd.DataFrame, optimizer: str, meta_seed: int, column: str) -> Floats:
    """The losses of one optimizer, [problems, steps]; a family's problems are its own."""
    rows = curves[(curves["optimizer"] == optimizer) & (curves["meta_seed"] == meta_seed)]
    table = rows.pivot(index="problem", columns="step", values=column)
    return table.sort_index().to_numpy(np.float64)
