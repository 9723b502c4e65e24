"""The tables of the page and the reports, against numbers computed here."""

import math
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

from l2l.config import Config
from l2l.pages import describe, losses, tables, verdicts
from l2l.pages.html import interval_plot, table
from l2l.pages.results import Results
from l2l.pages.words import number


def test_the_loss_table_holds_the_means_over_problems_and_seeds(results: Results, config: Config):
    curves = results.curves("mnist")
    rows = {row["optimizer"]: row for row in losses.table(curves, "train_loss", "mnist", config)}
    chosen = curves[(curves["optimizer"] == "mnist_paper") & (curves["step"] == 50)]
    cell = rows["LSTM (paper)"]["step 50"]
    assert cell.startswith(number(np.mean(chosen["train_loss"])) + " [")
    low, high = (float(text) for text in cell.partition("[")[2].rstrip("]").split(", "))
    assert low < chosen["train_loss"].mean() < high
    steps = [f"step {step}" for step in (20, 50, 100, 200)]
    assert list(rows["NAG"]) == ["optimizer", *steps, "each meta-seed, step 100"]


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


def test_claims_keep_their_verdicts_and_get_readable_names(results: Results, config: Config):
    claims = results.claims()
    text = verdicts.block(claims, "C2", config)
    comparisons = (claims["claim"] == "C2") & ~verdicts.is_overall(claims)
    assert f"All {comparisons.sum()} comparisons of C2" in text
    assert "LSTM (long unroll)" in text
    assert "mnist_long_unroll" not in text
    assert "nag" not in text
    overall = claims[(claims["claim"] == "C2") & verdicts.is_overall(claims)]
    for verdict in overall["verdict"]:
        assert f"{verdict}</span>" in text


def test_only_claims_on_the_given_recipes_are_shown(results: Results):
    claims = results.claims()
    assert set(verdicts.of_recipes(claims, ["quadratics_lstm"])["claim"]) == {"C1"}
    assert set(verdicts.of_recipes(claims, ["mnist_paper"])["claim"]) == {"C2", "C3"}


def test_every_verdict_has_a_word_and_a_sign_of_its_own():
    known = ("replicated", "not replicated", "inconclusive", "not yet run")
    badges = [str(verdicts.badge(verdict)) for verdict in known]
    assert all(verdict in badge for verdict, badge in zip(known, badges, strict=True))
    assert len({badge.partition(">")[2][0] for badge in badges}) == len(known)


def test_table_text_is_escaped_and_markup_is_not():
    text = table([{"a": "<b>&", "b": Markup("<i>x</i>")}], "title")
    assert "&lt;b&gt;&amp;" in text
    assert "<i>x</i>" in text


def test_an_empty_table_says_so():
    assert table([], "Trials") == '<p class="none">Trials: none.</p>'


@pytest.mark.parametrize(
    ("interval", "circles", "heads"),
    [
        ((-0.2, -0.3, -0.1), 1, 0),
        ((-0.9, -0.95, -0.1), 0, 1),
        ((2.0, -1.0, math.inf), 1, 2),
        ((math.nan, math.nan, math.nan), 0, 0),
    ],
)
def test_intervals_beyond_the_axis_end_in_arrow_heads(
    interval: tuple[float, float, float], circles: int, heads: int
):
    text = interval_plot(*interval)
    assert text.count("<circle") == circles
    assert text.count("<polygon") == heads


def test_the_number_of_weights_is_that_of_torch():
    import torch

    from l2l.config.schema import LSTMSettings

    settings = LSTMSettings(
        layers=3,
        units=7,
        preprocessing="log",
        p=10,
        output_scale=0.1,
        forget_bias=0,
        head_init_scale=1,
    )
    modules = [torch.nn.LSTM(2, 7, 3), torch.nn.Linear(7, 1)]
    expected = sum(p.numel() for module in modules for p in module.parameters())
    assert describe.weights(settings) == expected


def test_recipes_are_described_from_the_configuration(config: Config):
    rows = {r["setting"]: str(r["value"]) for r in describe.recipe("mnist_paper", config, 0.004)}
    assert "20 steps throughout" in rows["windows"]
    assert "Adam with 0.004" in rows["meta learning rate"]
    grown = {
        r["setting"]: str(r["value"]) for r in describe.recipe("mnist_long_unroll", config, 0.004)
    }
    assert "100 steps from episode 250" in grown["windows"]
    assert "n = 15,910 parameters" in describe.problem(config.problems["mnist"])
