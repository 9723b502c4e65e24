"""Claims about measurements: verdicts with a known answer, and the mistakes one can make."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from l2l.config.claims import Claim
from l2l.errors import UserError
from l2l.evaluation.claims import evaluate_claims

REPEATS = 7


def table(**seconds: float) -> pd.DataFrame:
    """Timings at two sizes, a drift common to all within each repeat."""
    drift = np.exp(np.random.default_rng(0).normal(0, 0.2, REPEATS))
    return pd.DataFrame(
        [
            {"timed": key, "size": size, "repeat": repeat, "seconds": size * each * drift[repeat]}
            for key, each in seconds.items()
            for size in (10, 100)
            for repeat in range(REPEATS)
        ]
    )


def claim(**changes: object) -> Claim:
    measured = {
        "table": "times",
        "name": "lstm",
        "baseline": "adam",
        "value": "seconds",
        "of": {"timed": "lstm", "size": 10},
        "against": {"timed": "adam", "size": 10},
        "pair": "repeat",
        "claimed": "higher",
    }
    return Claim.model_validate(
        {
            "statement": "It is slow.",
            "source": "[S]",
            "comparisons": [],
            "measured": [measured | changes],
        }
    )


def judge(one: Claim, times: pd.DataFrame, protocol: str = "default") -> pd.DataFrame:
    return evaluate_claims({"C14": one}, {}, protocol, {}, measurements={"times": times})


def test_a_slower_step_is_replicated_with_the_ratio_of_means() -> None:
    found = judge(claim(), table(lstm=3.0, adam=1.0))
    told = {
        "recipe": "lstm",
        "baseline": "adam",
        "metric": "measured",
        "loss": "seconds",
        "table": "times",
        "condition": "size 10",
        "claimed": "higher",
        "problems": REPEATS,
        "verdict": "replicated",
        "deciding": True,
    }
    assert found.to_dict("records")[0].items() >= told.items()
    assert found["estimate"].iloc[0] == pytest.approx(2.0)
    # Paired: the drift that both sides share leaves no width.
    assert found["low"].iloc[0] == pytest.approx(2.0)
    assert found["high"].iloc[0] == pytest.approx(2.0)


def test_a_faster_step_is_not_and_a_noisy_one_is_inconclusive() -> None:
    assert judge(claim(), table(lstm=0.5, adam=1.0))["verdict"].iloc[0] == "not replicated"
    assert judge(claim(claimed="lower"), table(lstm=0.5, adam=1.0))["verdict"].iloc[0] == (
        "replicated"
    )
    times = table(lstm=1.0, adam=1.0)
    ours = times["timed"] == "lstm"
    times.loc[ours, "seconds"] *= np.exp(np.random.default_rng(1).normal(0, 0.5, ours.sum()))
    row = judge(claim(), times).iloc[0]
    assert row["verdict"] == "inconclusive"
    pairs = times[times["size"] == 10].pivot(index="repeat", columns="timed", values="seconds")
    ratios = np.log(pairs["lstm"] / pairs["adam"])
    half = stats.t.ppf(0.975, REPEATS - 1) * ratios.std(ddof=1) / np.sqrt(REPEATS)
    width = np.log1p(row["high"]) - np.log1p(row["low"])
    assert 0.5 * 2 * half < width < 2 * 2 * half


def test_what_differs_on_both_sides_and_notes_are_told() -> None:
    times = table(lstm=3.0, adam=1.0).assign(implementation="default")
    times = pd.concat([times, times.assign(implementation="plain", seconds=times["seconds"] / 2)])
    sides = {
        side: {"timed": key, "size": 10, "implementation": implementation}
        for side, key, implementation in (("of", "lstm", "plain"), ("against", "adam", "default"))
    }
    row = judge(claim(**sides, note="one machine"), times).iloc[0]
    assert row["condition"] == "size 10, implementation plain against default; one machine"
    assert row["estimate"] == pytest.approx(0.5)


def test_left_out_values_have_a_jackknifes_interval() -> None:
    times = table(lstm=3.0, adam=1.0)
    times["seconds"] *= np.where(times["timed"] == "lstm", np.exp(0.01 * times["repeat"]), 1)
    independent, left_out = (
        judge(claim(interval=kind), times).iloc[0] for kind in ("repeats", "jackknife")
    )
    widths = [np.log1p(row["high"]) - np.log1p(row["low"]) for row in (independent, left_out)]
    assert widths[1] > 3 * widths[0]


def test_the_weakest_of_several_decides() -> None:
    first = claim().measured[0]
    second = first.model_copy(
        update={"of": {"timed": "lstm", "size": 10}, "against": {"timed": "slow", "size": 10}}
    ).model_copy(update={"baseline": "slow"})
    both = claim().model_copy(update={"measured": (first, second)})
    found = judge(both, table(lstm=3.0, adam=1.0, slow=9.0))
    assert found["verdict"].tolist() == ["replicated", "not replicated"]
    assert found["deciding"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"of": {"timed": "lstm"}}, "several rows with timed = lstm for a value of repeat"),
        ({"of": {"timed": "lstm", "size": 7}}, "no rows with timed = lstm, size = 7"),
    ],
)
def test_what_does_not_fit_the_table_is_one_line(changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        judge(claim(**changes), table(lstm=3.0, adam=1.0))


def test_negative_values_and_unpaired_repeats_are_refused() -> None:
    times = table(lstm=-3.0, adam=1.0)
    with pytest.raises(UserError, match="seconds is negative"):
        judge(claim(), times)
    times = table(lstm=3.0, adam=1.0)
    gap = times[(times["timed"] != "lstm") | (times["repeat"] > 0)]
    with pytest.raises(UserError, match="different values of repeat"):
        judge(claim(), gap)
