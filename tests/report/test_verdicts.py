"""Claims and verdicts as a reader sees them."""

import math

import pandas as pd
import pytest

from l2l.config import Config, load_config
from l2l.config.claims import Claim
from l2l.evaluation.claims import COLUMNS
from l2l.report import verdicts
from l2l.report.html import interval_plot
from l2l.results import Results


def test_claims_keep_their_verdicts_and_get_readable_names(results: Results, config: Config):
    claims = results.claims()
    text = verdicts.block(claims, "C2", config)
    comparisons = claims["claim"] == "C2"
    assert f"All {comparisons.sum()} comparisons of C2" in text
    assert "LSTM (long unroll)" in text
    assert "mnist_long_unroll" not in text
    assert "nag" not in text
    overall = claims[(claims["claim"] == "C2") & claims["deciding"]]
    for verdict in overall["verdict"]:
        assert f"{verdict}</span>" in text


def keys_about(figure: str, results: Results) -> set[str]:
    return set(verdicts.about_figure(figure, results))


def test_a_figure_has_the_claims_that_its_experiments_decide(results: Results):
    assert keys_about("quadratics", results) == {"C1"}
    assert {"C2", "C3"} <= keys_about("mnist", results)
    assert keys_about("optimizer_loop", results) == set()


def claims_named(*keys: str) -> dict[str, Claim]:
    return {key: load_config().claims[key] for key in keys}


def test_what_is_claimed_is_told_with_who_claims_it():
    said = verdicts.claimed(claims_named("C1", "C7", "C3"))
    of_paper, of_summary = said.split(" Its summary (Jiang, 2019) says ")
    assert of_paper.startswith("The paper claims that on quadratics the LSTM beats every tuned")
    assert "(C1); that on its MNIST plateau" in of_paper
    assert of_paper.endswith("than the tuned baselines do (C3).")
    assert of_summary.endswith("(it stays below every baseline tuned there) (C7).")


def test_what_came_out_is_one_sentence_of_the_verdicts(results: Results, config: Config):
    table = results.claims()
    of_c2 = table[(table["claim"] == "C2") & table["deciding"]]
    verdict = dict(zip(of_c2["recipe"], of_c2["verdict"], strict=True))
    text = verdicts.found(table, claims_named("C2"), config)
    assert text.startswith("Here C2 is ")
    assert f"{verdict['mnist_paper']} for LSTM (paper)" in text
    assert f"{verdict['mnist_long_unroll']} for LSTM (long unroll)" in text


def test_equal_outcomes_are_told_together(results: Results, config: Config):
    table = results.claims()
    waiting = table.loc[table["verdict"] == "not yet run", "claim"].iloc[:2]
    text = verdicts.found(table, claims_named(*waiting), config)
    assert text == f"Here {waiting.iloc[0]} and {waiting.iloc[1]} are not yet run."


def test_recipes_of_one_label_are_told_apart_in_a_claim(config: Config):
    labels = config.recipes["cifar"].model_copy(update={"label": "LSTM-sub"})
    same = config.model_copy(update={"recipes": config.recipes | {"cifar": labels}})
    rows = pd.DataFrame({"recipe": ["cifar", "cifar5_sub"]})
    assert verdicts.learned(rows, same) == ["LSTM-sub (cifar)", "LSTM-sub (cifar5_sub)"]
    assert verdicts.learned(rows, config) == ["LSTM", "LSTM-sub"]


def comparison(**changes: object) -> dict:
    row = dict.fromkeys(COLUMNS, "") | {"experiment": "mnist_relu", "baseline": "nag"}
    row |= {"metric": "final_loss", "loss": "test_loss", "horizon": 100, "allowance": 0.1}
    row |= {"recipe": "mnist_paper", "runs": 48, "diverged": 12, "seeds": 3}
    return row | {"baseline_runs": 16, "baseline_diverged": 0, "baseline_seeds": 0} | changes


def test_a_comparison_is_told_with_what_a_reader_has_to_know_of_it(config: Config):
    assert verdicts.compared_with(comparison(), config, say_experiment=True) == (
        "NAG on ReLU: final held-out loss, step 100; 12 of 48 runs of LSTM (paper) diverged; "
        "10 % allowed"
    )
    one = comparison(diverged=0, seeds=1, allowance=0.0)
    assert (
        verdicts.compared_with(one, config) == "NAG: final held-out loss, step 100; one meta-seed"
    )


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"metric": "mean_loss", "first_step": 1, "loss": "loss"}, "mean loss, steps 1-100"),
        ({"metric": "steps_to_target", "target": 0.5}, "steps to loss 0.5 (at most 100)"),
        ({"metric": "oscillation", "first_step": 20}, "oscillation, steps 20-100"),
        (
            {"metric": "measured", "loss": "bias_left_out", "condition": "stage long"},
            "bias, stage long",
        ),
        ({"metric": "weights", "condition": "5 for 10"}, "5 for 10"),
    ],
)
def test_every_metric_has_its_words(columns: dict, text: str):
    assert verdicts.metric(comparison(**columns)) == text


def test_every_verdict_has_a_word_and_a_sign_of_its_own():
    known = ("replicated", "not replicated", "inconclusive", "not yet run")
    badges = [str(verdicts.badge(verdict)) for verdict in known]
    assert all(verdict in badge for verdict, badge in zip(known, badges, strict=True))
    assert len({badge.partition(">")[2][0] for badge in badges}) == len(known)


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
