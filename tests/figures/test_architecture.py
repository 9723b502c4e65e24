"""The architecture study's figure: where its points stand, and how high."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from tests.figures.fake_results import CHOSEN, fake, with_experiments
from tests.figures.fake_tables import BASELINES, make_curves

from l2l.config import load_config
from l2l.config.problems import MLPSettings
from l2l.figures.base import figures

HIDDEN = {"a": (50,), "b": (5,), "c": (20,), "d": (5, 5), "e": (20, 20), "f": (5, 5, 5)}
OPTIMIZERS = [*BASELINES, "mnist_paper", "mnist_long_unroll"]


@pytest.fixture(scope="module")
def networks() -> dict[str, MLPSettings]:
    base = load_config().problems["mnist"]
    return {name: base.model_copy(update={"hidden": units}) for name, units in HIDDEN.items()}


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return make_curves(OPTIMIZERS, 6, 100, families=tuple(HIDDEN), diverging={"mnist_paper": 0.05})


def drawn(curves: pd.DataFrame, networks: dict, trained_on: MLPSettings) -> Figure:
    """The figure of these networks, with optimizers that were meta-trained on one like that."""
    config = load_config()
    problems = config.problems | networks | {"mnist": trained_on}
    config = config.model_copy(update={"problems": problems})
    changes = {"architecture": {"problems": tuple(networks), "horizon": 100}}
    results = fake(with_experiments(config, changes), architecture=curves)
    return figures(results.config)["architecture"].draw(results)


@pytest.fixture
def figure(curves: pd.DataFrame, networks: dict) -> Figure:
    return drawn(curves, networks, networks["c"])


def test_a_panel_for_each_number_of_layers_with_its_units_in_order(figure: Figure) -> None:
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["1 hidden layer", "2 hidden layers", "3 hidden layers"]
    ticks = [[label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes]
    assert ticks == [["5", "20", "50"], ["5", "20"], ["5"]]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_points_are_the_mean_train_loss_at_the_horizon(
    figure: Figure, curves: pd.DataFrame
) -> None:
    for axes, families in zip(figure.axes, ("bca", "de", "f"), strict=True):
        for key, name in (("nag", "NAG"), ("mnist_paper", "LSTM (paper)")):
            (line,) = (line for line in axes.get_lines() if line.get_label() == name)
            at = curves[(curves["optimizer"] == key) & (curves["step"] == 100)]
            at = at[at["meta_seed"].isin((-1, CHOSEN))]
            means = [at.loc[at["family"] == family, "train_loss"].mean() for family in families]
            np.testing.assert_array_equal(
                line.get_xdata(), [HIDDEN[family][0] for family in families]
            )
            np.testing.assert_allclose(line.get_ydata(), means, rtol=1e-12)


def test_the_network_of_meta_training_is_marked_in_its_panel_only(figure: Figure) -> None:
    upright = [
        [line.get_xdata()[0] for line in axes.get_lines() if line.get_label().startswith("_child")
         and list(line.get_ydata()) == [0, 1]]
        for axes in figure.axes
    ]  # fmt: skip
    assert upright == [[20], [], []]
    (legend,) = figure.legends
    assert legend.get_texts()[-1].get_text() == "network of meta-training"


def test_divergence_is_counted_over_the_networks_of_a_panel(figure: Figure) -> None:
    notes = [axes.get_legend().get_texts()[0].get_text() for axes in figure.axes]
    # two of three of six problems, three meta-seeds, three, two and one networks
    assert notes == [f"{12 * n} of {18 * n} runs diverged" for n in (3, 2, 1)]


def test_another_activation_is_another_panel(curves: pd.DataFrame, networks: dict) -> None:
    relu = networks | {"b": networks["b"].model_copy(update={"activation": "relu"})}
    figure = drawn(curves, relu, networks["a"].model_copy(update={"hidden": (1, 1, 1, 1)}))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert titles[:2] == ["1 hidden layer, relu", "1 hidden layer, sigmoid"]
    assert len(titles) == 4
