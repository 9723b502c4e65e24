"""Figure `quadratics` (figure 4, left, of the paper): 100 steps on random quadratics."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from l2l.figures.curves import loss_curves
from l2l.figures.style import Style


def draw(curves: pd.DataFrame, labels: dict[str, str], style: Style) -> Figure:
    """Mean loss against step on quadratics, to the last step of the table.

    Args:
        curves: results/<protocol>/evaluation/quadratics/curves.parquet.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
    """
    last_step = int(curves["step"].max())
    return loss_curves(curves, labels, style, 0, last_step, "Quadratics")
