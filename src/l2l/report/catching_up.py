"""How many steps ADAM needs to the loss that a learned optimizer has on its way."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from l2l.config import Config
from l2l.evaluation.summary import Curve, summarise
from l2l.figures.style import display_name
from l2l.report.html import Row
from l2l.report.words import number

CHASER = "adam"
NONE = "none"
PARTS = (8, 4, 2, 1)
"""The steps that are told: an eighth of the horizon, a quarter, a half, all."""


def heading(experiment: str, config: Config) -> str:
    """What the table says, for its caption."""
    return (
        f"mean loss on the way → the first step at which {display_name(CHASER, config.labels())} "
        f"is as low ({NONE}: not within {config.experiments[experiment].horizon})"
    )


def table(curves: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """The mean loss of each learned optimizer at some steps, and when ADAM's is not above it.

    Args:
        curves: the tidy table of an experiment whose loss has no minibatch noise.
        experiment: its name.
        config: labels, horizon, optimizers.

    Returns:
        A row for each learned optimizer: "step 16" -> "0.52 → 31". None where ADAM is no baseline.
    """
    settings = config.experiments[experiment]
    if CHASER not in settings.baselines:
        return []
    summaries = summarise(curves, "loss", config.figures.interval)
    steps = sorted({max(settings.horizon // part, 1) for part in PARTS})
    rows = []
    for learned in settings.learned:
        row = {"optimizer": display_name(learned, config.labels())}
        for step in steps:
            loss = float(summaries[learned].mean[summaries[learned].steps == step][0])
            reached = first_step(summaries[CHASER], loss, settings.horizon)
            told = f"{number(loss)} → {NONE if reached is None else reached}"
            row[f"step {step}"] = told if math.isfinite(loss) else number(loss)
        rows.append(row)
    return rows


def first_step(curve: Curve, loss: float, horizon: int) -> int | None:
    """The first step up to the horizon at which a mean is at or below a loss; None: at no such."""
    reached = np.flatnonzero((curve.mean <= loss) & (curve.steps <= horizon))
    return int(curve.steps[reached[0]]) if reached.size else None
