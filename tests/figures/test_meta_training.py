"""The meta-training figure: a panel a recipe, a line a meta-seed and measure, marked windows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from tests.figures.fake_results import fake
from tests.figures.fake_tables import make_log

from l2l.figures import meta_training

RECIPES = ("mnist_long_unroll", "mnist_paper")


@pytest.fixture
def panels() -> list[Axes]:
    logs = {name: pd.concat([make_log(name, seed) for seed in range(3)]) for name in RECIPES}
    return meta_training.draw(fake(**logs), RECIPES).axes


def test_panels_follow_the_labels_and_hold_every_run(panels: list[Axes]) -> None:
    assert [axes.get_title(loc="left") for axes in panels] == ["LSTM (paper)", "LSTM (long unroll)"]
    curves = [line for line in panels[0].get_lines() if len(line.get_xdata()) > 2]
    assert len(curves) == 3 * 2
    drawn = {tuple(np.round(line.get_ydata(), 12)) for line in curves}
    for seed in range(3):
        log = make_log("mnist_paper", seed)
        for column in ("validation_final", "validation_mean"):
            assert tuple(np.round(log[column].to_numpy(), 12)) in drawn


def test_windows_are_marked_where_they_change(panels: list[Axes]) -> None:
    axes = panels[0]
    marks = [line.get_xdata()[0] for line in axes.get_lines() if len(set(line.get_xdata())) == 1]
    assert marks == [100, 250]
    assert [text.get_text() for text in axes.texts] == ["window\n20", "\n50", "\n100"]
