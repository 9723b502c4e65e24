"""Paired ratios against plain numpy and scipy, and what is drawn where there are few problems."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from scipy import stats
from tests.figures.fake_results import CHOSEN, draw_panels
from tests.figures.fake_tables import BASELINES, make_curves

from l2l.figures.paired import loss_lines, ratio_lines

OPTIMIZERS = [*BASELINES, "mnist_paper"]
PAPER = {"mnist_paper": CHOSEN}


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    """Problems differ much more from each other than the optimizers do on them."""
    table = make_curves(OPTIMIZERS, problems=12, steps=100)
    hardness = np.exp(np.random.default_rng(0).normal(0, 2, 12))
    columns = ["loss", "train_loss"]
    return table.assign(**{c: table[c] * hardness[table["problem"]] for c in columns})


def runs(curves: pd.DataFrame, optimizer: str, seed: int) -> np.ndarray:
    own = curves[(curves["optimizer"] == optimizer) & (curves["meta_seed"] == seed)]
    return own.sort_values(["problem", "step"])["train_loss"].to_numpy().reshape(-1, 101)


def test_a_ratio_is_the_mean_over_the_mean_on_the_same_problems(curves: pd.DataFrame) -> None:
    lines = ratio_lines(curves.sample(frac=1), "train_loss", "nag", PAPER, 0.95)
    theirs = runs(curves, "nag", -1).mean(axis=0)
    for optimizer in OPTIMIZERS:
        ours = runs(curves, optimizer, PAPER.get(optimizer, -1)).mean(axis=0)
        np.testing.assert_allclose(lines[optimizer].mean, ours / theirs, rtol=1e-12)
    np.testing.assert_array_equal(lines["nag"].mean, 1)
    seeds = [runs(curves, "mnist_paper", seed).mean(axis=0) / theirs for seed in range(3)]
    np.testing.assert_allclose(lines["mnist_paper"].seeds, seeds, rtol=1e-12)


def test_what_all_optimizers_find_hard_does_not_widen_the_band(curves: pd.DataFrame) -> None:
    band = ratio_lines(curves, "train_loss", "nag", PAPER, 0.95)["mnist_paper"]
    unpaired = loss_lines(curves, "train_loss", PAPER, 0.95)["mnist_paper"]
    assert np.log(unpaired.high[50] / unpaired.low[50]) > 1
    assert np.log(band.high[50] / band.low[50]) < 0.2


def test_the_band_covers_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(400):
        hardness = rng.lognormal(0, 0.5, 20)
        both = {"nag": hardness * rng.lognormal(0, 0.1, 20)}
        both["a"] = 0.8 * hardness * rng.lognormal(0, 0.1, 20)
        seeds = {"nag": -1, "a": 0}
        rows = [
            (key, seeds[key], problem, 1, loss)
            for key, losses in both.items()
            for problem, loss in enumerate(losses)
        ]
        columns = ["optimizer", "meta_seed", "problem", "step", "loss"]
        table = pd.DataFrame(rows, columns=columns)
        line = ratio_lines(table, "loss", "nag", {"a": 0}, 0.95)["a"]
        hits.append(line.low[0] <= 0.8 <= line.high[0])
    assert stats.binomtest(sum(hits), 400, 0.95).pvalue > 0.01


def test_few_problems_have_no_band_and_a_hair_line_each(curves: pd.DataFrame) -> None:
    few = curves[curves["problem"] < 4]
    ours, theirs = runs(few, "mnist_paper", CHOSEN), runs(few, "nag", -1)
    losses = loss_lines(few, "train_loss", PAPER, 0.95)["mnist_paper"]
    ratios = ratio_lines(few, "train_loss", "nag", PAPER, 0.95)["mnist_paper"]
    for line, hair in ((losses, ours), (ratios, ours / theirs)):
        np.testing.assert_array_equal(line.low, line.mean)
        np.testing.assert_array_equal(line.high, line.mean)
        np.testing.assert_allclose(line.seeds, hair, rtol=1e-12)


def test_a_run_that_diverged_makes_its_ratio_infinite(curves: pd.DataFrame) -> None:
    broken = curves.copy()
    hit = (broken["optimizer"] == "adam") & (broken["problem"] == 1) & (broken["step"] > 20)
    broken.loc[hit, "train_loss"] = np.inf
    line = ratio_lines(broken, "train_loss", "nag", PAPER, 0.95)["adam"]
    assert np.isfinite(line.mean[:21]).all()
    assert np.isposinf(line.mean[21:]).all()


def panels(curves: pd.DataFrame, shown: str = "loss") -> list[Axes]:
    return draw_panels(shown, a=curves).axes


def test_the_panel_of_ratios_ends_where_the_verdict_on_the_last_step_is(
    curves: pd.DataFrame,
) -> None:
    _, ratios = panels(curves)
    (line,) = (line for line in ratios.get_lines() if line.get_label() == "LSTM (paper)")
    theirs = runs(curves, "nag", -1)[:, -1].mean()  # the best of the tuning
    expected = runs(curves, "mnist_paper", CHOSEN)[:, -1].mean() / theirs
    assert line.get_ydata()[-1] == pytest.approx(expected)
    assert "NAG" in ratios.get_title(loc="left")
    texts = [text.get_text() for text in ratios.texts]
    assert f"{100 * expected - 100:+.0f} %".replace("-", "−") in texts
    assert "0 %" in texts
    low, high = ratios.get_ylim()
    assert low < expected < high <= 4.3


def test_held_out_losses_have_a_panel_of_the_first_steps_on_minibatches() -> None:
    table = make_curves(OPTIMIZERS, problems=6, steps=300, held_out_every=50)
    early, losses, ratios = panels(table, "test_loss")
    assert [axes.get_xlim()[1] for axes in (early, losses, ratios)] == [100, 300, 300]
    (line,) = (line for line in early.get_lines() if line.get_label() == "NAG")
    own = table[(table["optimizer"] == "nag") & (table["step"] <= 100)]
    np.testing.assert_allclose(line.get_ydata(), own.groupby("step")["loss"].mean(), rtol=1e-12)
    assert list(ratios.get_lines()[0].get_xdata()) == [*range(0, 301, 50)]
