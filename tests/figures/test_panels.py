"""Figures of several panels: one legend, last losses at the edges, divergence shown and counted."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.figures.fake_results import CHOSEN, draw_panels
from tests.figures.fake_tables import BASELINES, make_curves

from l2l.errors import UserError
from l2l.figures.loss_curves import spread

OPTIMIZERS = [*BASELINES, "mnist_paper", "mnist_long_unroll"]


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return make_curves(OPTIMIZERS, problems=6, steps=100)


@pytest.fixture(scope="module")
def diverging() -> pd.DataFrame:
    return make_curves(OPTIMIZERS, problems=6, steps=100, diverging={"mnist_paper": 0.06})


def ends(axes: Axes) -> list[str]:
    """The numbers at the right edge, from top to bottom."""
    texts = sorted(axes.texts, key=lambda text: -Text.get_window_extent(text).y0)
    return [text.get_text() for text in texts]


def ends_of_chosen(curves: pd.DataFrame) -> pd.Series:
    """The mean loss of each optimizer at step 100, of the meta-seed that is drawn thick."""
    at_end = curves[(curves["step"] == 100) & curves["meta_seed"].isin((-1, CHOSEN))]
    return at_end.groupby("optimizer")["loss"].mean()


def legend_names(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_optimizer_stands_once_in_the_legend_learned_ones_first(
    curves: pd.DataFrame, count: int
) -> None:
    figure = draw_panels(**{f"panel {k}": curves for k in range(count)})
    names = ["LSTM (paper)", "LSTM (long unroll)", "SGD", "RMSprop", "ADAM", "NAG"]
    assert legend_names(figure) == names
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    beside = "divided by NAG’s"
    assert titles == [title for k in range(count) for title in (f"panel {k}", beside)]


def test_a_panel_tells_the_last_losses_from_the_highest_to_the_lowest(curves: pd.DataFrame) -> None:
    axes = draw_panels(a=curves, b=curves).axes[0]
    last = ends_of_chosen(curves)
    assert ends(axes) == [f"{loss:#.3g}" for loss in sorted(last, reverse=True)]


def test_divergence_is_drawn_whole_and_counted(
    curves: pd.DataFrame, diverging: pd.DataFrame
) -> None:
    good, _, bad, _ = draw_panels(a=curves, b=diverging).axes
    assert good.get_legend() is None
    assert good.get_ylim()[1] < 4
    own = (diverging["optimizer"] == "mnist_paper") & (diverging["meta_seed"] == CHOSEN)
    mean = diverging[own].groupby("step")["loss"].mean()
    assert mean.iloc[-1] > 30
    assert bad.get_ylim()[1] > mean.max()
    # two of three problems diverge, of six, for three meta-seeds
    (note,) = bad.get_legend().get_texts()
    assert note.get_text() == "12 of 18 runs diverged"
    (line,) = (line for line in bad.get_lines() if line.get_label() == "LSTM (paper)")
    assert bad.get_legend().get_lines()[0].get_color() == line.get_color()
    assert f"{mean.iloc[-1]:#.3g}" == ends(bad)[0]


def test_the_note_lies_above_every_mean(diverging: pd.DataFrame) -> None:
    figure = draw_panels(a=diverging, b=diverging)
    axes = figure.axes[0]
    bottom = axes.get_legend().get_window_extent().y0
    means = [line.get_ydata().max() for line in axes.get_lines() if line.get_linewidth() > 1]
    assert axes.transData.transform((0, max(means)))[1] < bottom


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_a_run_that_ends_at_no_finite_number_diverged(curves: pd.DataFrame, value: float) -> None:
    broken = curves.copy()
    hit = (broken["optimizer"] == "adam") & (broken["problem"] == 1) & (broken["step"] > 20)
    broken.loc[hit, ["loss", "train_loss"]] = value
    axes = draw_panels(a=broken, b=curves).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["1 of 6 runs diverged"]
    assert ends(axes)[0] == "diverged"


def test_held_out_losses_are_drawn_where_they_were_measured() -> None:
    table = make_curves(OPTIMIZERS, problems=6, steps=100, held_out_every=25)
    figure = draw_panels("test_loss", a=table, b=table)
    (line,) = (line for line in figure.axes[0].get_lines() if line.get_label() == "NAG")
    np.testing.assert_array_equal(line.get_xdata(), [0, 25, 50, 75, 100])
    own = table[(table["optimizer"] == "nag") & (table["step"] % 25 == 0)]
    means = own.groupby("step")["test_loss"].mean()
    np.testing.assert_allclose(line.get_ydata(), means, rtol=1e-12)


def test_a_loss_that_was_measured_nowhere_is_one_line(curves: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="test_loss was measured nowhere"):
        draw_panels("test_loss", a=curves)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([10.0, 40.0], [10.0, 40.0]),
        ([20.0, 20.0], [15.0, 25.0]),
        ([0.0, 0.0, 100.0], [0.0, 10.0, 100.0]),
        ([100.0, 99.0], [100.0, 90.0]),
        ([50.0, 5.0, 51.0], [45.5, 5.0, 55.5]),
    ],
)
def test_numbers_at_the_edge_move_apart_as_little_as_they_have_to(
    wanted: list[float], expected: list[float]
) -> None:
    np.testing.assert_allclose(spread(np.array(wanted), gap=10, top=100), expected)
