"""Figure `mnist` (figure 4, centre, of the paper): a small network on MNIST."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from l2l.figures.curves import loss_curves
from l2l.figures.style import Style


def draw(curves: pd.DataFrame, labels: dict[str, str], style: Style, horizon: int) -> Figure:
    """Mean minibatch loss against step, up to the step that tuning and claims look at.

    Args:
        curves: results/<protocol>/evaluation/mnist/curves.parquet.
        labels: recipe -> label of the learned optimizers.
        style: the settings of figures.
        horizon: the experiment's horizon, 100 in the paper.
    """
    return loss_curves(curves, labels, style, 0, horizon, "MNIST", "minibatch loss")
