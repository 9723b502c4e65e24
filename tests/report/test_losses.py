"""Tables of losses and learning rates, against numbers computed here."""

import numpy as np
import pandas as pd
import pytest

from l2l.config import Config
from l2l.report import losses
from l2l.report.table import Interval
from l2l.results import Results


def rows_of(table: losses.Table) -> dict[str, dict]:
    """Optimizer or network -> its row."""
    return {next(iter(row.values())): row for row in table.frame.to_dict("records")}


def test_the_loss_table_holds_the_means_over_problems_and_seeds(results: Results, config: Config):
    curves = results.curves("mnist")
    rows = rows_of(losses.of_steps("mnist", curves, "train_loss", config))
    chosen = curves[(curves["optimizer"] == "mnist_paper") & (curves["step"] == 50)]
    cell = rows["LSTM (paper)"]["step 50"]
    assert isinstance(cell, Interval)
    assert cell.value == pytest.approx(chosen["train_loss"].mean())
    assert cell.low < cell.value < cell.high
    steps = [f"step {step}" for step in (20, 50, 100, 200)]
    more = ["against the best baseline", "each meta-seed, step 100"]
    assert list(rows["NAG"]) == ["optimizer", "diverged", *steps, *more]
    ends = curves[curves["step"] == 100].groupby("optimizer")["train_loss"].mean()
    difference = rows["LSTM (paper)"]["against the best baseline"]
    assert difference == pytest.approx(ends["mnist_paper"] / ends["nag"] - 1)
    assert rows["NAG"]["against the best baseline"] is None


def test_the_lowest_loss_stands_first_and_what_diverged_last(results: Results, config: Config):
    curves = results.curves("quadratics")
    curves.loc[curves["optimizer"] == "nag", ["loss", "train_loss"]] = np.inf
    table = losses.of_steps("quadratics", curves, "loss", config)
    assert [*table.frame["optimizer"]] == ["LSTM", "ADAM", "RMSprop", "SGD", "NAG"]
    assert table.markdown().splitlines()[-1].count("| diverged ") == 3


def test_each_meta_seed_has_its_own_mean(results: Results, config: Config):
    curves = results.curves("quadratics")
    row = rows_of(losses.of_steps("quadratics", curves, "loss", config))["LSTM"]
    ends = curves[(curves["optimizer"] == "quadratics_lstm") & (curves["step"] == 100)]
    means = [ends.loc[ends["meta_seed"] == seed, "loss"].mean() for seed in (0, 1, 2)]
    assert row["each meta-seed, step 100"] == pytest.approx(means)


def test_equal_losses_have_one_table(results: Results):
    assert list(losses.kinds(results.curves("quadratics"))) == ["loss"]
    assert list(losses.kinds(results.curves("mnist"))) == ["train_loss", "loss"]
    art = results.curves("neural_art")
    art["train_loss"] *= 1 + 1e-6  # computed anew, without gradients
    assert list(losses.kinds(art)) == ["loss"]


def test_wins_count_problems(results: Results, config: Config):
    curves = results.curves("quadratics")
    better = (curves["optimizer"] == "nag") & curves["problem"].isin([1, 4])
    curves.loc[better, "train_loss"] = 0.0
    row = rows_of(losses.wins("quadratics", curves, config, "won"))["LSTM"]
    assert row["below NAG"] == (4, 6)
    assert row["below SGD"] == (6, 6)


def test_a_run_without_a_number_at_the_end_counts_as_lost(results: Results, config: Config):
    """pandas would leave it out of the mean over meta-seeds, and so count a win."""
    curves = results.curves("mnist")
    everywhere = rows_of(losses.wins("mnist", curves, config, "won"))["LSTM (long unroll)"]
    assert everywhere["below NAG"] == (6, 6)
    broken = (curves["optimizer"] == "mnist_long_unroll") & (curves["meta_seed"] == 0)
    curves.loc[broken & (curves["problem"] == 2) & (curves["step"] == 100), "train_loss"] = np.nan
    row = rows_of(losses.wins("mnist", curves, config, "won"))["LSTM (long unroll)"]
    assert row["below NAG"] == (5, 6)


def test_held_out_losses_are_shown_at_measured_steps_only(results: Results, config: Config):
    curves = results.curves("cifar10")
    assert next(iter(losses.kinds(curves))) == "test_loss"
    row = rows_of(losses.of_steps("cifar10", curves, "test_loss", config))["LSTM"]
    steps = [f"step {step}" for step in (50, 100, 200, 500, 1000)]
    assert [key for key in row if key.startswith("step")] == steps
    ends = curves[(curves["step"] == 1000) & (curves["optimizer"] == "cifar")]
    assert row["step 1000"].value == pytest.approx(ends["test_loss"].mean())


def test_diverged_runs_are_counted(results: Results, config: Config):
    curves = results.curves("mnist_relu")
    last = (curves["step"] == 100) & (curves["optimizer"] == "nag") & (curves["problem"] == 2)
    curves.loc[last, "train_loss"] = np.nan
    rows = rows_of(losses.of_steps("mnist_relu", curves, "loss", config))
    assert rows["LSTM (paper)"]["diverged"] == (18, 18)
    assert rows["NAG"]["diverged"] == (1, 6)
    assert rows["ADAM"]["diverged"] == (0, 6)


def test_the_table_of_networks_has_their_own_means(results: Results, config: Config):
    curves = results.curves("architecture")
    (table,) = losses.tables("architecture", curves, config)
    rows = rows_of(table)
    assert list(rows) == ["20, sigmoid", "50, sigmoid", "20-20, sigmoid"]
    own = curves[(curves["family"] == "mnist_50") & (curves["step"] == 100)]
    for key, name in (("nag", "NAG"), ("mnist_paper", "LSTM (paper)")):
        mean = own.loc[own["optimizer"] == key, "train_loss"].mean()
        assert rows["50, sigmoid"][name].value == pytest.approx(mean)


def test_the_table_of_rates_holds_the_chosen_ones(results: Results, config: Config):
    rows = rows_of(losses.rates("mnist", results.tuning("mnist"), config))
    assert list(rows) == ["SGD", "RMSprop", "ADAM", "NAG"]
    rates = [row["learning rate"] for row in rows.values()]
    assert rates == pytest.approx([10**-1.5, 0.1, 10**-0.5, 1])
    assert rows["SGD"]["tried"] == "9, from 0.001 to 10"
    assert rows["SGD"]["grid widened"] == "yes"


def test_each_network_has_its_own_learning_rates(results: Results, config: Config):
    tuning = results.tuning("architecture")
    other = (tuning["family"] == "mnist_50") & (tuning["optimizer"] == "nag")
    tuning.loc[other, "chosen_for"] = ""
    tuning.loc[other & np.isclose(tuning["learning_rate"], 0.01), "chosen_for"] = "both"
    table = losses.rates("architecture", tuning, config)
    assert table.frame["NAG"].tolist() == pytest.approx([1, 0.01, 1])


@pytest.fixture
def art(results: Results) -> pd.DataFrame:
    return results.curves("neural_art")


def means(curves: pd.DataFrame, optimizer: str) -> pd.Series:
    """Step -> mean loss."""
    return curves[curves["optimizer"] == optimizer].groupby("step")["loss"].mean()


def chased(curves: pd.DataFrame, config: Config) -> dict[str, dict]:
    (table,) = losses.catching_up("neural_art", curves, config)
    return rows_of(table)


def test_the_first_step_at_which_adam_is_as_low(art: pd.DataFrame, config: Config):
    rows, adam, reached_none = chased(art, config), means(art, "adam"), set()
    assert list(rows) == ["LSTM", "LSTM (long unroll)", "LSTM (continued)"]
    for row, key in zip(rows.values(), config.experiments["neural_art"].learned, strict=True):
        assert list(row) == ["optimizer", "step 16", "step 32", "step 64", "step 128"]
        for step in (16, 32, 64, 128):
            loss = means(art, key)[step]
            reached = next((at for at, value in adam.items() if value <= loss), None)
            assert row[f"step {step}"] == (pytest.approx(loss), reached)
            reached_none.add(reached is None)
    assert reached_none == {True, False}, "both happen here"


def test_adam_may_rise_again_after_its_first_step(art: pd.DataFrame, config: Config):
    adam = art["optimizer"] == "adam"
    art.loc[adam, "loss"] = 9.0
    art.loc[adam & (art["step"] == 5), "loss"] = 0.01
    assert all(row["step 64"][1] == 5 for row in chased(art, config).values())


def test_an_equal_loss_is_reached(art: pd.DataFrame, config: Config):
    same = art["optimizer"].isin(["adam", "neural_art"])
    art.loc[same, "loss"] = 1.0 / (1.0 + art["step"])
    row = chased(art, config)["LSTM (continued)"]
    assert [row[f"step {step}"][1] for step in (16, 32, 64, 128)] == [16, 32, 64, 128]


def test_steps_beyond_the_horizon_do_not_count(art: pd.DataFrame, config: Config):
    entry = config.experiments["neural_art"].model_copy(update={"horizon": 64})
    short = config.model_copy(update={"experiments": config.experiments | {"neural_art": entry}})
    art["loss"] = np.where(art["optimizer"] == "adam", 1 - art["step"] / 100, 0.3)
    (table,) = losses.catching_up("neural_art", art, short)
    assert [*table.frame] == ["optimizer", "step 8", "step 16", "step 32", "step 64"]
    assert "| 0.300 → none |" in table.markdown()
    assert "not within 64" in table.caption


def test_a_diverged_optimizer_is_not_chased(art: pd.DataFrame, config: Config):
    broken = (art["optimizer"] == "neural_art") & (art["step"] >= 64)
    art.loc[broken & (art["problem"] == 0), "loss"] = np.inf
    (table,) = losses.catching_up("neural_art", art, config)
    last = table.markdown().splitlines()[-1]
    assert last.endswith("| diverged | diverged |")
    assert last.count("→") == 2


def test_without_adam_nobody_is_chased(art: pd.DataFrame, config: Config):
    entry = config.experiments["neural_art"].model_copy(update={"baselines": ("nag",)})
    other = config.model_copy(update={"experiments": config.experiments | {"neural_art": entry}})
    assert losses.catching_up("neural_art", art, other) == []
