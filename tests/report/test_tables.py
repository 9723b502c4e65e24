"""The tables of the page and the reports, against numbers computed here."""

from pathlib import Path

import numpy as np
from markupsafe import Markup

from l2l.config import Config
from l2l.report import losses, networks, tables
from l2l.report.html import table
from l2l.report.words import number
from l2l.results import Results


def test_the_loss_table_holds_the_means_over_problems_and_seeds(results: Results, config: Config):
    curves = results.curves("mnist")
    rows = {row["optimizer"]: row for row in losses.table(curves, "train_loss", "mnist", config)}
    chosen = curves[(curves["optimizer"] == "mnist_paper") & (curves["step"] == 50)]
    cell = rows["LSTM (paper)"]["step 50"]
    assert cell.startswith(number(np.mean(chosen["train_loss"])) + " [")
    low, high = (float(text) for text in cell.partition("[")[2].rstrip("]").split(", "))
    assert low < chosen["train_loss"].mean() < high
    steps = [f"step {step}" for step in (20, 50, 100, 200)]
    assert list(rows["NAG"]) == [*("optimizer", "diverged", *steps, "each meta-seed, step 100")]


def test_the_lowest_loss_stands_first_and_what_diverged_last(results: Results, config: Config):
    curves = results.curves("quadratics")
    curves.loc[curves["optimizer"] == "nag", ["loss", "train_loss"]] = np.inf
    rows = losses.table(curves, "loss", "quadratics", config)
    assert [row["optimizer"] for row in rows] == ["LSTM", "ADAM", "RMSprop", "SGD", "NAG"]
    assert rows[-1]["step 100"] == "diverged"


def test_each_meta_seed_has_its_own_mean(results: Results, config: Config):
    curves = results.curves("quadratics")
    row = losses.table(curves, "loss", "quadratics", config)[0]
    ends = curves[(curves["optimizer"] == "quadratics_lstm") & (curves["step"] == 100)]
    means = [number(ends.loc[ends["meta_seed"] == seed, "loss"].mean()) for seed in (0, 1)]
    assert row["each meta-seed, step 100"] == ", ".join(means)


def test_equal_losses_are_told_once(results: Results):
    assert list(losses.kinds(results.curves("quadratics"))) == ["loss"]
    assert list(losses.kinds(results.curves("mnist"))) == ["train_loss", "loss"]
    art = results.curves("neural_art")
    art["train_loss"] *= 1 + 1e-6  # computed anew, without gradients
    assert list(losses.kinds(art)) == ["loss"]


def test_the_summary_compares_with_the_best_baseline(results: Results, config: Config):
    curves = results.curves("mnist")
    ends = curves[curves["step"] == 100].groupby("optimizer")["train_loss"].mean()
    text = losses.summary(curves, "mnist", config)
    higher = round(100 * (ends["mnist_paper"] / ends["nag"] - 1))
    assert text.startswith("After 100 steps the best hand-crafted optimizer, NAG, is at ")
    assert f"LSTM (paper) is at {number(ends['mnist_paper'])}, {higher}\u00a0% higher" in text


def test_the_summary_says_when_a_learned_optimizer_diverged(results: Results, config: Config):
    curves = results.curves("quadratics")
    curves.loc[curves["optimizer"] == "quadratics_lstm", "train_loss"] = np.nan
    assert losses.summary(curves, "quadratics", config).endswith("LSTM diverged.")


def test_wins_count_problems(results: Results, config: Config):
    curves = results.curves("quadratics")
    better = (curves["optimizer"] == "nag") & curves["problem"].isin([1, 4])
    curves.loc[better, "train_loss"] = 0.0
    row = losses.wins(curves, "quadratics", config)[0]
    assert row["below NAG"] == "4 of 6"
    assert row["below SGD"] == "6 of 6"


def test_the_table_of_rates_holds_the_chosen_ones(results: Results, config: Config):
    rows = tables.rates(results.tuning("mnist"), "mnist", config)
    assert [row["optimizer"] for row in rows] == ["SGD", "RMSprop", "ADAM", "NAG"]
    assert [row["learning rate"] for row in rows] == ["0.0316", "0.1", "0.316", "1"]
    assert rows[0]["tried"] == "9, from 0.001 to 10"
    assert rows[0]["grid widened"] == "yes"


def test_the_table_of_runs_tells_attempts_collapses_and_the_best(results: Results, config: Config):
    first, second = tables.runs(results.runs(), config)[:2]
    assert (first["attempts"], first["selected"]) == ("1", "✔ best")
    assert "none" in first["collapsed"]
    assert (second["attempts"], second["selected"]) == ("2", "")
    assert "stuck at loss 2.3" in second["collapsed"]


def test_failed_trials_are_named_so(results: Results):
    rows = tables.trials(results.search("mnist_paper"))
    assert [row["validation loss"] for row in rows] == ["failed", "0.500"]
    assert [row["chosen"] for row in rows] == ["", "✔"]


def test_stages_stand_in_the_order_of_the_pipeline_and_sum_up(results: Results):
    rows = tables.stages(results.seconds())
    assert [row["stage"] for row in rows] == ["meta-train", "judge claims", "total"]
    assert [row["seconds"] for row in rows] == ["120.5", "2.5", "123.0"]
    assert rows[0]["longest job"] == "1 min 30 s"


def test_no_benchmarks_give_no_stages(config: Config, tmp_path: Path):
    assert tables.stages(Results(config, tmp_path).seconds()) == []


def test_table_text_is_escaped_and_markup_is_not():
    text = table([{"a": "<b>&", "b": Markup("<i>x</i>")}], "title")
    assert "&lt;b&gt;&amp;" in text
    assert "<i>x</i>" in text


def test_an_empty_table_says_so():
    assert table([], "Trials") == '<p class="none">Trials: none.</p>'


def test_held_out_losses_are_told_at_measured_steps_only(results: Results, config: Config):
    curves = results.curves("cifar10")
    assert next(iter(losses.kinds(curves))) == "test_loss"
    row = losses.table(curves, "test_loss", "cifar10", config)[0]
    assert row["optimizer"] == "LSTM"
    assert [key for key in row if key.startswith("step")] == [
        f"step {step}" for step in (50, 100, 200, 500, 1000)
    ]
    ends = curves[(curves["step"] == 1000) & (curves["optimizer"] == "cifar")]
    assert row["step 1000"].startswith(number(ends["test_loss"].mean()) + " [")
    assert f"LSTM is at {number(ends['test_loss'].mean())}" in losses.summary(
        curves, "cifar10", config
    )


def test_diverged_runs_are_counted(results: Results, config: Config):
    curves = results.curves("mnist_relu")
    last = (curves["step"] == 100) & (curves["optimizer"] == "nag") & (curves["problem"] == 2)
    curves.loc[last, "train_loss"] = np.nan
    rows = {row["optimizer"]: row for row in losses.table(curves, "loss", "mnist_relu", config)}
    assert rows["LSTM (paper)"]["diverged"] == "12 of 12"
    assert rows["NAG"]["diverged"] == "1 of 6"
    assert rows["ADAM"]["diverged"] == "none"


def test_the_table_of_networks_has_their_own_means(results: Results, config: Config):
    curves = results.curves("architecture")
    rows = networks.final_losses(curves, "architecture", config)
    assert [row["network"] for row in rows] == ["20, sigmoid", "50, sigmoid", "20-20, sigmoid"]
    own = curves[(curves["family"] == "mnist_50") & (curves["step"] == 100)]
    for key, name in (("nag", "NAG"), ("mnist_paper", "LSTM (paper)")):
        mean = own.loc[own["optimizer"] == key, "train_loss"].mean()
        assert rows[1][name].startswith(number(mean) + " [")
    text = networks.summary(curves, "architecture", config)
    assert "LSTM (paper) on 0 and LSTM (long unroll) on 3 of 3 networks" in text


def test_each_network_has_its_own_learning_rates(results: Results, config: Config):
    tuning = results.tuning("architecture")
    other = (tuning["family"] == "mnist_50") & (tuning["optimizer"] == "nag")
    tuning.loc[other, "chosen"] = tuning.loc[other, "learning_rate"] == 0.01
    rows = networks.rates(tuning, "architecture", config)
    assert [row["NAG"] for row in rows] == ["1", "0.01", "1"]


def test_a_run_without_a_number_at_the_end_counts_as_lost(results: Results, config: Config):
    """pandas would leave it out of the mean over meta-seeds, and so count a win."""
    curves = results.curves("mnist")
    everywhere = losses.wins(curves, "mnist", config)[1]
    assert everywhere["below NAG"] == "6 of 6"
    broken = (curves["optimizer"] == "mnist_long_unroll") & (curves["meta_seed"] == 0)
    curves.loc[broken & (curves["problem"] == 2) & (curves["step"] == 100), "train_loss"] = np.nan
    assert losses.wins(curves, "mnist", config)[1]["below NAG"] == "5 of 6"
