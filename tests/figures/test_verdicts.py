"""The picture of all claims shows what their table says."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from tests.figures.fake_results import fake

from l2l.config import load_config
from l2l.figures.verdicts import FIGURE, MOST

ROWS = [
    ("C1", "optimizer", "quadratics_lstm", "quadratics", "adam", -0.5, -0.6, -0.4, "replicated"),
    ("C1", "recipe", "quadratics_lstm", "quadratics", "adam", -0.5, -0.7, 0.2, "inconclusive"),
    ("C2", "optimizer", "mnist_paper", "mnist", "nag", 0.3, 0.2, 0.4, "not replicated"),
    ("C2", "recipe", "mnist_paper", "mnist", "nag", np.nan, np.nan, np.nan, "not enough problems"),
    ("C3", "optimizer", "mnist_paper", "mnist", "sgd", 20.0, 15.0, 30.0, "replicated"),
    ("C3", "recipe", "mnist_paper", "mnist", "sgd", np.inf, -1.0, np.inf, "inconclusive"),
    ("C11", "optimizer", "mnist_rescaled", "ablations_mnist", "mnist_base", 0, 0, 0, "replicated"),
    ("C12", "", "", "", "", np.nan, np.nan, np.nan, "not yet run"),
    ("C14", "measurement", "mnist_paper", "", "gradient", 5.0, 4.5, 5.5, "replicated"),
]
COLUMNS = [
    "claim",
    "answer",
    "recipe",
    "experiment",
    "baseline",
    "estimate",
    "low",
    "high",
    "verdict",
]


@pytest.fixture(scope="module")
def axes() -> Axes:
    table = pd.DataFrame(ROWS, columns=COLUMNS)
    table["claimed"] = np.where(table["claim"].isin(["C3", "C14"]), "higher", "lower")
    table.loc[table["claim"] == "C12", "claimed"] = ""
    table["allowance"] = np.where(table["claim"] == "C11", 0.1, 0.0)
    table["metric"] = table["claim"].map({"C3": "oscillation", "C12": ""}).fillna("final_loss")
    table["table"] = np.where(table["claim"] == "C14", "overhead", "")
    table["deciding"] = True
    others = table.assign(deciding=False, baseline="rmsprop")
    (drawn,) = FIGURE.draw(fake(claims=pd.concat([others, table], ignore_index=True))).axes
    return drawn


def row_of(axes: Axes, number: int) -> list[str]:
    """The texts of a row, from left to right."""
    texts = [text for text in axes.texts if text.get_position()[1] == number]
    return [text.get_text() for text in sorted(texts, key=lambda text: text.get_position()[0])]


def marks(axes: Axes, marker: str) -> list[tuple[float, float]]:
    return [tuple(line.get_xydata()[0]) for line in axes.lines if line.get_marker() == marker]


def test_a_row_says_the_claim_what_is_compared_and_both_verdicts(axes: Axes) -> None:
    brief = load_config().claims["C1"].brief
    assert row_of(axes, 0) == ["C1", brief, "LSTM / ADAM", "✔", "−50 %", "?", "−50 %"]
    assert row_of(axes, 1)[3:] == ["✘", "+30 %", "–"], "what was not judged has no number"
    assert row_of(axes, 2)[2:] == ["LSTM (paper) / SGD, oscillation", "✔", "×21", "?", "∞"]
    assert row_of(axes, 4)[2:] == ["not yet run", "–"]
    assert row_of(axes, 5)[2:] == ["LSTM (paper) / gradient, overhead", "✔", "+500 %"]


def test_the_marks_are_ratios_with_their_intervals(axes: Axes) -> None:
    assert marks(axes, "o") == [(0.5, -0.17), (1.3, 0.83), (1, 3)], "a row of one: in its middle"
    assert marks(axes, "D") == [(0.5, pytest.approx(0.17))]
    intervals = [line.get_xdata() for line in axes.lines if line.get_linestyle() == "-"]
    for low, high in ((0.4, 0.6), (0.3, 1.2), (1.2, 1.4)):
        assert any(np.allclose(each, (low, high)) for each in intervals if len(each) == 2)


def test_arrows_point_to_what_lies_beyond(axes: Axes) -> None:
    assert marks(axes, ">") == [
        (MOST, pytest.approx(1.83)),
        (MOST, pytest.approx(2.17)),
        (MOST, 5),
    ]
    assert marks(axes, "<") == [(1 / MOST, pytest.approx(2.17))]


def test_the_shaded_side_is_where_the_claim_holds(axes: Axes) -> None:
    sides = [band.get_paths()[0].get_extents() for band in axes.collections]
    found = [(round(box.x0, 3), round(box.x1, 3)) for box in sides]
    lower, higher = (0.2, 1.0), (1.0, 5.0)
    assert found == [lower, lower, higher, (0.2, 1.1), higher], "none of what was not run"
