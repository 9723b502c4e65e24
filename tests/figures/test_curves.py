"""What is drawn is what the table says: read back from the lines, compared with plain numpy."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats
from tests.figures.fake_results import CHOSEN, fake
from tests.figures.fake_tables import BASELINES, make_curves

from l2l.config import load_config
from l2l.errors import UserError
from l2l.evaluation.summary import summarise
from l2l.figures.experiments import draw_losses, draw_one_problem
from l2l.figures.figure4 import FIGURE as FIGURE4
from l2l.figures.loss_curves import loss_limits
from l2l.figures.style import display_name, looks

OPTIMIZERS = ["sgd", "rmsprop", "adam", "nag", "mnist_paper", "mnist_long_unroll"]


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return make_curves(OPTIMIZERS)


def mnist(curves: pd.DataFrame) -> Figure:
    return draw_losses(["mnist"], fake(mnist=curves))


def cube(curves: pd.DataFrame, optimizer: str, column: str = "loss") -> np.ndarray:
    """[meta_seeds, problems, steps], by sorting alone."""
    columns = ["meta_seed", "problem", "step", column]
    rows = curves.loc[curves["optimizer"] == optimizer, columns].to_numpy()
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    seeds, problems, steps = (len(np.unique(rows[:, k])) for k in range(3))
    return rows[:, 3].reshape(seeds, problems, steps)


def chosen(curves: pd.DataFrame, optimizer: str, column: str = "loss") -> np.ndarray:
    """The meta-seed that is drawn thick, [problems, steps]."""
    runs = cube(curves, optimizer, column)
    return runs[CHOSEN if len(runs) > 1 else 0]


def mean_line(axes: Axes, optimizer: str, labels: dict) -> np.ndarray:
    name = display_name(optimizer, labels)
    (line,) = (line for line in axes.get_lines() if line.get_label() == name)
    return line.get_xydata()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_lines_are_the_means_over_problems_of_the_chosen_meta_seed(
    curves: pd.DataFrame, labels: dict, optimizer: str
) -> None:
    shuffled = curves.sample(frac=1, random_state=1)
    axes = mnist(shuffled).axes[0]
    drawn = mean_line(axes, optimizer, labels)
    np.testing.assert_array_equal(drawn[:, 0], np.arange(101))
    expected = chosen(curves, optimizer).mean(axis=0)[:101]
    np.testing.assert_allclose(drawn[:, 1], expected, rtol=1e-12)


def test_each_meta_seed_is_a_thin_line_and_hand_crafted_ones_have_one_line(
    curves: pd.DataFrame, labels: dict
) -> None:
    axes = mnist(curves).axes[0]
    for optimizer in OPTIMIZERS:
        name = display_name(optimizer, labels)
        look = looks([name])[name]
        thin = [
            line.get_ydata()
            for line in axes.get_lines()
            if line.get_color() == look.color and line.get_linewidth() < 0.5
        ]
        seeds = cube(curves, optimizer).mean(axis=1)[:, :101]
        if len(seeds) == 1:
            assert thin == []
        else:
            np.testing.assert_allclose(thin, seeds, rtol=1e-12)


def test_bands_are_t_intervals_of_the_mean_over_problems(curves: pd.DataFrame) -> None:
    summary = summarise(curves, "loss", 0.95)["mnist_paper"]
    by_problem = cube(curves, "mnist_paper").mean(axis=0)
    error = stats.sem(by_problem, axis=0) / by_problem.mean(axis=0)
    half = stats.t.ppf(0.975, by_problem.shape[0] - 1) * error
    np.testing.assert_allclose(np.log(summary.high / summary.mean), half, rtol=1e-5)
    np.testing.assert_allclose(np.log(summary.low / summary.mean), -half, rtol=1e-5)


def test_one_problem_has_no_band(curves: pd.DataFrame) -> None:
    one = curves[curves["problem"] == 3]
    summary = summarise(one, "train_loss", 0.95)["nag"]
    np.testing.assert_array_equal(summary.low, summary.mean)
    np.testing.assert_array_equal(summary.high, summary.mean)


def test_a_table_with_a_missing_run_is_refused_in_one_line(curves: pd.DataFrame) -> None:
    gap = (curves["optimizer"] == "mnist_paper") & (curves["meta_seed"] == 1)
    incomplete = curves[~(gap & (curves["problem"] == 5))]
    with pytest.raises(UserError, match="'mnist_paper' lacks problems"):
        summarise(incomplete, "loss", 0.95)


def test_all_curves_lie_within_the_limits_when_none_diverges() -> None:
    steps = np.arange(101)
    means = [2.4 * np.exp(-rate * steps) + 0.3 for rate in (0.02, 0.1)]
    low, high = loss_limits(means)
    assert low < min(mean.min() for mean in means)
    assert high > max(mean.max() for mean in means)


def test_a_diverging_optimizer_does_not_squash_the_others() -> None:
    steps = np.arange(101)
    good = 2.4 * np.exp(-0.1 * steps) + 0.3
    alone = loss_limits([good])
    for bad in (2.4 * np.exp(0.3 * steps), np.where(steps < 5, 2.4, np.inf), np.full(101, np.nan)):
        low, high = loss_limits([good, bad])
        share = np.log(alone[1] / alone[0]) / np.log(high / low)
        assert share > 0.75
        assert low < good.min()


def test_an_axis_that_shows_divergence_goes_to_the_highest_finite_mean() -> None:
    steps = np.arange(101)
    good = 2.4 * np.exp(-0.1 * steps) + 0.3
    for growth in (0.001, 0.02, 0.06):
        bad = 2.4 * np.exp(growth * steps)
        assert loss_limits([good, np.append(bad[:-1], np.inf)], divergence=True)[1] > bad[-2]
    huge = 2.4 * np.exp(2.0 * steps)
    assert loss_limits([good, huge], divergence=True)[1] < 1e4, "the others can still be told apart"


def test_the_y_axis_is_logarithmic_with_several_plain_labels(
    curves: pd.DataFrame, labels: dict
) -> None:
    for table in (curves, curves.assign(loss=curves["loss"] * 1e-4), curves.assign(loss=1.0)):
        figure = mnist(table)
        figure.draw_without_rendering()
        axes = figure.axes[0]
        low, high = axes.get_ylim()
        shown = [
            float(label.get_text())
            for label in axes.get_yticklabels()
            if low <= label.get_position()[1] <= high
        ]
        assert axes.get_yscale() == "log"
        assert len(shown) >= (3 if table["loss"].nunique() > 1 else 1)


def test_figure_4_has_three_panels_and_continues_on_the_fixed_sample(curves: pd.DataFrame) -> None:
    of_quadratics = make_curves([*BASELINES, "quadratics_lstm"], 6, 100)
    results = fake(mnist=curves, quadratics=of_quadratics)
    figure, labels = FIGURE4.draw(results), results.config.labels()
    first, second, third = figure.axes
    expected = {
        first: ("quadratics_lstm", chosen(of_quadratics, "quadratics_lstm")),
        second: ("mnist_paper", chosen(curves, "mnist_paper")[:, :101]),
        third: ("mnist_paper", chosen(curves, "mnist_paper", "train_loss")[:, 100:]),
    }
    for axes, (optimizer, runs) in expected.items():
        drawn = mean_line(axes, optimizer, labels)
        np.testing.assert_allclose(drawn[:, 1], runs.mean(axis=0), rtol=1e-12)
    assert list(third.get_xlim()) == [100, 200]
    faint = [line for line in third.get_lines() if line.get_zorder() == 1]
    assert len(faint) == len(OPTIMIZERS)
    drawn = next(line for line in faint if line.get_color() == looks(["NAG"])["NAG"].color)
    np.testing.assert_allclose(drawn.get_ydata(), chosen(curves, "nag").mean(axis=0)[100:])
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[0] == "LSTM, LSTM (paper)", "they look the same"


def test_figure_4_shows_what_a_configuration_has(curves: pd.DataFrame) -> None:
    config = load_config()
    kept = {"mnist": config.experiments["mnist"]}
    results = fake(config.model_copy(update={"experiments": kept}), mnist=curves)
    assert len(FIGURE4.draw(results).axes) == 2


def test_a_table_that_ends_at_the_horizon_cannot_be_continued() -> None:
    table = make_curves(OPTIMIZERS, problems=2, steps=100)
    with pytest.raises(UserError, match="steps above"):
        FIGURE4.draw(fake(mnist=table, quadratics=table.assign(optimizer="nag")[:101]))


def test_one_problem_alone_has_a_line_for_each_meta_seed(
    curves: pd.DataFrame, labels: dict
) -> None:
    (axes,) = draw_one_problem("mnist", fake(mnist=curves), "One network").axes
    drawn = mean_line(axes, "mnist_paper", labels)
    expected = cube(curves, "mnist_paper")[:, 0, :101]
    np.testing.assert_allclose(drawn[:, 1], expected.mean(axis=0), rtol=1e-12)
    assert len([line for line in axes.get_lines() if line.get_linewidth() < 0.5]) == 2 * 3
