"""Claims and verdicts as readers see them, from the columns of the table of claims."""

from pathlib import Path

import pandas as pd
import pytest

from l2l.config import Config
from l2l.errors import UserError
from l2l.evaluation.verdicts import COLUMNS
from l2l.report import claims
from l2l.results import Results


def test_the_claims_of_a_study_are_judged_from_its_own_tables(results: Results, config: Config):
    table, study = results.claims(), config.studies["mnist"]
    own = results.judged(study.claims)
    same = table[table["claim"].isin(study.claims)].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, same, check_exact=True)
    assert {*own["study"]} == {"mnist"}


def test_the_overview_has_a_row_for_each_verdict_and_names_each_claim_once(
    results: Results, config: Config
):
    table = results.claims()
    deciding = table[table["deciding"]]
    shown = claims.overview(table, config, "Verdicts").frame
    assert shown["verdict"].tolist() == deciding["verdict"].tolist()
    assert [key for key in shown["claim"] if key] == [*dict.fromkeys(deciding["claim"])]
    judged = deciding["estimate"].notna().to_numpy()
    assert [one.value for one in shown["difference"][judged]] == [*deciding["estimate"][judged]]
    assert {"the optimizer LSTM (long unroll)", "the recipe LSTM (long unroll)"} <= {*shown["who"]}


def test_all_comparisons_of_a_claim_are_listed_with_readable_names(
    results: Results, config: Config
):
    table = results.claims()
    rows = table[table["claim"] == "C2"]
    shown = claims.comparisons(rows, config, "C2").frame
    assert shown["verdict"].tolist() == rows["verdict"].tolist()
    assert {*shown["who"]} == {
        f"the {answer} {name}"
        for answer in ("optimizer", "recipe")
        for name in ("LSTM (paper)", "LSTM (long unroll)")
    }
    assert (shown["decides"] == "✔").tolist() == rows["primary"].tolist()
    text = claims.comparisons(rows, config, "C2").html()
    assert "mnist_long_unroll" not in text
    assert "nag" not in text


def test_the_glance_has_both_answers_of_each_optimizer(results: Results, config: Config):
    table = results.claims()
    deciding = table[table["deciding"]].set_index(["claim", "recipe", "answer"])
    shown = claims.glance(table, config).frame
    assert [key for key in shown["claim"] if key] == [*dict.fromkeys(table["claim"])]
    of_c2 = shown[shown["claim"].ffill() == "C2"]
    assert of_c2["in brief"].tolist() == [
        (config.claims["C2"].brief, "LSTM (paper)"),
        ("", "LSTM (long unroll)"),
    ]
    for recipe, row in zip(
        ("mnist_paper", "mnist_long_unroll"), of_c2.to_dict("records"), strict=True
    ):
        for answer in ("optimizer", "recipe"):
            expected = deciding.loc[("C2", recipe, answer), "verdict"]
            assert row[f"the {answer}"]["verdict"] == expected


def test_what_would_settle_a_verdict_is_said(config: Config):
    row = comparison(needs_problems=1200, needs_seeds=7, needs_episodes=pd.NA)
    assert claims.settled_by(row) == "1,200 problems and 7 meta-seeds"
    row = comparison(needs_problems=pd.NA, needs_seeds=pd.NA, needs_episodes=500)
    assert claims.settled_by(row) == "500 episodes or more"
    none = dict.fromkeys(("needs_problems", "needs_seeds", "needs_episodes"), pd.NA)
    assert claims.settled_by(comparison(verdict="inconclusive", **none)) == "too close to call"
    assert claims.settled_by(comparison(verdict="replicated", **none)) == ""


def comparison(**changes: object) -> dict:
    row = dict.fromkeys(COLUMNS, "") | {"experiment": "mnist_relu", "baseline": "nag"}
    row |= {"metric": "final_loss", "loss": "test_loss", "horizon": 100, "allowance": 0.1}
    row |= {"recipe": "mnist_paper", "runs": 48, "diverged": 12, "seeds": 3}
    return row | {"baseline_runs": 16, "baseline_diverged": 0, "baseline_seeds": 0} | changes


def test_a_comparison_says_what_a_reader_has_to_know_about_it(config: Config):
    assert claims.compared_with(comparison(), config, say_experiment=True) == (
        "NAG on ReLU: final held-out loss, step 100; 12 of 48 runs of LSTM (paper) diverged; "
        "10 % allowed"
    )
    other = comparison(diverged=0, allowance=0.0, rates="mnist", effect="ratios")
    assert claims.compared_with(other, config) == (
        "NAG: final held-out loss, step 100; with the learning rate of MNIST; mean of ratios"
    )
    itself = comparison(baseline="", metric="progress", first_step=50, diverged=0, allowance=0.0)
    assert claims.compared_with(itself, config, say_experiment=True) == (
        "progress, steps 50-100 on ReLU"
    )
    assert claims.compared_with(comparison(verdict="not yet run"), config) == ""


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"metric": "mean_loss", "first_step": 1, "loss": "loss"}, "mean loss, steps 1-100"),
        ({"metric": "steps_to_target", "target": 0.5}, "steps to loss 0.5 (at most 100)"),
        ({"metric": "oscillation", "first_step": 20}, "oscillation, steps 20-100"),
        ({"metric": "fluctuation", "first_step": 20}, "fluctuation, steps 20-100"),
        (
            {"metric": "measured", "loss": "bias_left_out", "condition": "stage long"},
            "bias, stage long",
        ),
        ({"metric": "weights", "condition": "5 for 10"}, "5 for 10"),
    ],
)
def test_every_metric_has_its_words(columns: dict, text: str):
    assert claims.metric(comparison(**columns)) == text


def test_recipes_of_one_label_are_told_apart(config: Config):
    labels = config.recipes["cifar"].model_copy(update={"label": "LSTM-sub"})
    same = config.model_copy(update={"recipes": config.recipes | {"cifar": labels}})
    rows = pd.DataFrame({"recipe": ["cifar", "cifar5_sub"]})
    assert claims.learned(rows, same) == ["LSTM-sub (cifar)", "LSTM-sub (cifar5_sub)"]
    assert claims.learned(rows, config) == ["LSTM", "LSTM-sub"]


PAGE = """# Mine

Before.

<!-- {}: by make publish -->
an old table
<!-- end -->

Between.

<!-- not replicated: by make publish -->
<!-- end -->
<!-- in brief: by make publish -->
<!-- end -->
After.
"""


def test_marked_tables_are_replaced_and_nothing_else(
    results: Results, config: Config, tmp_path: Path
):
    page, tables = tmp_path / "page.md", claims.marked_tables(results.claims(), config)
    page.write_text(PAGE.format("verdicts"))
    claims.fill(page, tables)
    once = page.read_text()
    for part in (*tables.values(), "# Mine\n\nBefore.\n", "\nBetween.\n", "<!-- end -->\nAfter.\n"):
        assert part in once
    assert "an old table" not in once
    claims.fill(page, tables)
    assert page.read_text() == once
    assert "| replicated |" in tables["verdicts"]
    assert "| replicated |" not in tables["not replicated"]
    assert "| who | the optimizer | the recipe |" in tables["in brief"]
    assert "|  | LSTM (long unroll) | " in tables["in brief"]
    assert not any("not yet run" in table for table in tables.values())
    assert "| C1 quadratics: below every tuned baseline |" in tables["in brief"]


@pytest.mark.parametrize("text", [PAGE.format("verdict"), "# No marks\n", None])
def test_a_page_without_known_marks_is_refused_and_stays(text: str | None, tmp_path: Path):
    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text)
    with pytest.raises(UserError, match=r"page\.md") as error:
        claims.fill(page, {"verdicts": "", "not replicated": "", "in brief": ""})
    assert "\n" not in str(error.value)
    assert (page.read_text() if page.exists() else None) == text
