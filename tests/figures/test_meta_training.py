"""The meta-training figure: a panel a recipe, a line a meta-seed and measure, marked windows."""

import numpy as np
import pandas as pd
import pytest
from tests.figures.fake_tables import make_log

from l2l.figures import meta_training


@pytest.fixture
def logs() -> pd.DataFrame:
    parts = [make_log(r, s) for r in ("mnist_long_unroll", "mnist_paper") for s in range(3)]
    return pd.concat(parts)


def test_panels_follow_the_labels_and_hold_every_run(
    logs: pd.DataFrame, labels: dict, style: object
) -> None:
    panels = meta_training.draw_logs(logs, labels, style).axes
    assert [axes.get_title(loc="left") for axes in panels] == ["LSTM (paper)", "LSTM (long unroll)"]
    curves = [line for line in panels[0].get_lines() if len(line.get_xdata()) > 2]
    assert len(curves) == 3 * 2
    drawn = {tuple(np.round(line.get_ydata(), 12)) for line in curves}
    for seed in range(3):
        log = make_log("mnist_paper", seed)
        for column in ("validation_final", "validation_mean"):
            assert tuple(np.round(log[column].to_numpy(), 12)) in drawn


def test_windows_are_marked_where_they_change(
    logs: pd.DataFrame, labels: dict, style: object
) -> None:
    axes = meta_training.draw_logs(logs, labels, style).axes[0]
    marks = [line.get_xdata()[0] for line in axes.get_lines() if len(set(line.get_xdata())) == 1]
    assert marks == [100, 250]
    assert [text.get_text() for text in axes.texts] == ["window\n20", "\n50", "\n100"]
