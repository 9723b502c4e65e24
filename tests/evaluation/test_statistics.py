"""The interval against scipy, against Student's t by hand, and against a known truth."""

import numpy as np
import pytest
import scipy.stats

from l2l.evaluation.statistics import (
    MOST_NEEDED,
    jackknife_difference,
    needed,
    relative_difference,
    relative_ratio,
)


def test_with_one_seed_the_interval_is_scipys_paired_bootstrap_stretched_for_its_problems():
    rng = np.random.default_rng(3)
    difficulty = rng.gamma(3, size=48)
    learned, baseline = (difficulty * rng.gamma(20, 1 / 20, size=(2, 48))) * [[0.9], [1.0]]

    def ratio(ours, theirs, axis):
        return ours.mean(axis=axis) / theirs.mean(axis=axis) - 1

    expected = scipy.stats.bootstrap(
        (learned, baseline),
        ratio,
        paired=True,
        method="percentile",
        n_resamples=40_000,
        rng=np.random.default_rng(0),
    ).confidence_interval
    effect = relative_difference([learned], [baseline], "ours", resamples=40_000)
    width = expected.high - expected.low
    estimate = learned.sum() / baseline.sum() - 1
    assert effect.estimate == pytest.approx(estimate)
    stretch = np.sqrt(48 / 47) * scipy.stats.t.ppf(0.975, 47) / scipy.stats.norm.ppf(0.975)
    for limit, found in ((expected.low, effect.low), (expected.high, effect.high)):
        stretched = np.log1p(estimate) + stretch * (np.log1p(limit) - np.log1p(estimate))
        assert found == pytest.approx(np.expm1(stretched), abs=0.02 * width)


def test_with_the_same_problem_again_and_again_it_is_students_interval_of_the_seeds():
    means = np.array([0.8, 0.9, 1.1])
    effect = relative_difference(means[:, None] * np.ones((3, 20)), np.full((1, 20), 2), "t")
    seeds = scipy.stats.ttest_1samp(np.log(means), 0).confidence_interval(0.95)
    margin = (seeds.high - seeds.low) / 2
    ratio = means.mean() / 2
    assert effect.estimate == pytest.approx(ratio - 1)
    assert effect.low == pytest.approx(ratio * np.exp(-margin) - 1)
    assert effect.high == pytest.approx(ratio * np.exp(margin) - 1)


def test_for_learned_against_learned_both_sides_count():
    ours, theirs = np.array([0.8, 0.9, 1.1]), np.array([1.0, 1.3])
    effect = relative_difference(np.outer(ours, np.ones(9)), np.outer(theirs, np.ones(9)), "both")
    # 4.303 and 12.706: the tabulated 97.5 % quantiles of t with 2 and 1 degrees of freedom.
    variances = np.log(ours).var(ddof=1) / 3, np.log(theirs).var(ddof=1) / 2
    margin = np.dot(variances, (4.303, 12.706)) / np.sqrt(sum(variances))
    ratio = ours.mean() / theirs.mean()
    assert effect.low == pytest.approx(ratio * np.exp(-margin) - 1, rel=1e-3)
    assert effect.high == pytest.approx(ratio * np.exp(margin) - 1, rel=1e-3)


def test_problems_and_seeds_add_by_the_rule_of_cochran_and_cox():
    rng = np.random.default_rng(8)
    seeds, quality = np.array([[0.9], [1.0], [1.1]]), rng.gamma(9, 1 / 9, size=(1, 40))
    baseline = rng.gamma(4, size=(1, 40))
    problems = relative_difference(quality * baseline, baseline, "same")
    spread = relative_difference(seeds * quality * baseline, baseline, "same")
    quantiles = scipy.stats.t.ppf(0.975, [39, 2])
    for limit, alone in ((spread.low, problems.low), (spread.high, problems.high)):
        total, part = (np.log1p(x) - np.log1p(problems.estimate) for x in (limit, alone))
        variances = np.array([(part / quantiles[0]) ** 2, np.log(seeds).var(ddof=1) / 3])
        assert abs(total) == pytest.approx(variances @ quantiles / np.sqrt(variances.sum()))
        assert np.sign(total) == np.sign(part)


def simulate(
    seeds: int, seed_sd: float, problems: int, ratio: float, effect: str = "means", times: int = 400
) -> tuple[float, float]:
    """How often the interval covers the true ratio, and how often it lies below 1."""
    rng, means = np.random.default_rng(11), effect == "means"

    def around_one(sd: float, size: tuple[int, int]) -> np.ndarray:
        return rng.lognormal(-means * sd**2 / 2, sd, size=size)  # the mean, or the median, is 1

    covered = below = 0
    for index in range(times):
        difficulty = rng.lognormal(0, 0.3, size=problems)
        # How well learned optimizers suit a problem: mostly the same for all meta-seeds.
        fit = around_one(0.2, (1, problems)) * around_one(0.05, (seeds, problems))
        learned = ratio * difficulty * around_one(seed_sd, (seeds, 1)) * fit
        baseline = difficulty * around_one(0.1, (1, problems))
        if means:
            found = relative_difference(learned, baseline, str(index), resamples=500)
        else:
            found = relative_ratio(learned, baseline)
        covered += found.low <= ratio - 1 <= found.high
        below += found.high < 0
    return covered / times, below / times


ERROR = 0.011  # of a share of 0.95 in 400 simulations


@pytest.mark.parametrize(
    ("seeds", "seed_sd"),
    [(1, 0), (3, 0), (3, 0.02), (3, 0.04), (3, 0.1), (3, 0.2), (5, 0.04), (5, 0.1), (5, 0.2)],
)
def test_both_intervals_cover_the_truth_in_about_95_percent_of_simulations(seeds, seed_sd):
    """One selected optimizer, and recipes, at the number of problems of the default protocol."""
    assert 0.93 - ERROR < simulate(seeds, seed_sd, 128, 0.8)[0] < 0.97 + ERROR


@pytest.mark.parametrize(("seeds", "seed_sd"), [(1, 0), (3, 0.05), (3, 0.2)])
def test_means_of_ratios_are_covered_as_well(seeds, seed_sd):
    """15 pairs of a photograph and a style."""
    assert 0.93 - ERROR < simulate(seeds, seed_sd, 15, 0.8, "ratios")[0] < 0.98 + ERROR


def test_what_the_default_protocol_can_see():
    """A recipe with a spread of 3 % between meta-seeds, 128 problems: 10 % mostly, 5 % seldom."""
    assert simulate(1, 0, 128, 0.95)[1] > 0.6  # the selected optimizer alone
    assert simulate(1, 0, 128, 0.9)[1] > 0.98
    assert 0.7 < simulate(3, 0.03, 128, 0.9)[1] < 0.9
    assert 0.2 < simulate(3, 0.03, 128, 0.95)[1] < 0.4
    assert simulate(5, 0.03, 128, 0.95)[1] > 0.4


@pytest.mark.parametrize("problems", [5, 8, 16])
def test_few_problems_are_covered_as_well(problems):
    # With 3 a bootstrap alone would cover 0.67, with 8 0.88.
    assert 0.92 < simulate(1, 0, problems, 0.8)[0] < 0.98


def test_one_seed_that_stands_for_others_is_covered_far_too_seldom():
    # What the module's docstring warns of: the interval is over problems only.
    assert simulate(1, 0.2, 64, 0.8)[0] < 0.4


def test_sides_exchanged_give_the_inverse_ratios():
    rng = np.random.default_rng(2)
    one, other = rng.gamma(4, size=(3, 30)), rng.gamma(4, size=(4, 30))
    there = relative_difference(one, other, "symmetric", resamples=999)
    back = relative_difference(other, one, "symmetric", resamples=999)
    assert 1 + back.estimate == pytest.approx(1 / (1 + there.estimate))
    assert 1 + back.low == pytest.approx(1 / (1 + there.high))
    assert 1 + back.high == pytest.approx(1 / (1 + there.low))


def test_the_order_of_problems_and_of_seeds_changes_nothing_but_the_draws():
    rng = np.random.default_rng(4)
    learned, baseline = rng.gamma(4, size=(3, 30)), rng.gamma(4, size=(1, 30))
    order = rng.permutation(30)
    first = relative_difference(learned, baseline, "order")
    other = relative_difference(learned[::-1, order], baseline[:, order], "order")
    width = first.high - first.low
    assert other.estimate == pytest.approx(first.estimate)
    assert other.low == pytest.approx(first.low, abs=0.03 * width)
    assert other.high == pytest.approx(first.high, abs=0.03 * width)


def test_pairing_removes_the_difficulty_of_the_problems():
    baseline = np.random.default_rng(0).lognormal(0, 2, size=(1, 64))
    effect = relative_difference(0.9 * baseline, baseline, "proportional")
    assert effect.low == pytest.approx(-0.1)
    assert effect.high == pytest.approx(-0.1)


def test_the_interval_depends_on_the_name_alone():
    rng = np.random.default_rng(0)
    learned, baseline = rng.gamma(4, size=(3, 30)), rng.gamma(4, size=(1, 30))
    first = relative_difference(learned, baseline, "a")
    other = relative_difference(learned, baseline, "b")
    assert relative_difference(learned, baseline, "a") == first
    assert (other.low, other.high) != (first.low, first.high)
    assert other.low == pytest.approx(first.low, abs=0.02)


def test_a_diverged_learned_run_makes_the_effect_infinite():
    values = np.ones((1, 20))
    diverged = values.copy()
    diverged[0, 7] = np.inf
    effect = relative_difference(diverged, values, "learned diverged")
    assert effect.estimate == np.inf
    # One of 20 problems is left out of (1 - 1/20)^20 = 36 % of the resamples.
    assert (effect.low, effect.high) == (0.0, np.inf)


def test_a_diverged_baseline_run_makes_the_effect_minus_one():
    values = np.ones((1, 20))
    diverged = values.copy()
    diverged[0, 7] = np.inf
    effect = relative_difference(values, diverged, "baseline diverged")
    assert (effect.estimate, effect.low, effect.high) == (-1.0, -1.0, 0.0)


def test_what_is_undefined_widens_the_interval_to_all_there_is():
    baseline = np.ones((1, 20))
    for learned, other in (
        (np.full((3, 20), np.nan), baseline),
        (np.full((3, 20), np.inf), np.full((1, 20), np.inf)),
        (np.zeros((3, 20)), 0 * baseline),
    ):
        effect = relative_difference(learned, other, "undefined")
        assert np.isnan(effect.estimate)
        assert (effect.low, effect.high) == (-1.0, np.inf)


def test_some_seeds_that_diverge_or_reach_zero_leave_nothing_to_conclude():
    baseline = np.ones((1, 20))
    for value, estimate in ((np.inf, np.inf), (0.0, -2 / 3), (np.nan, np.nan)):
        learned = np.full((3, 20), 0.5)
        learned[1] = value
        effect = relative_difference(learned, baseline, "one seed of three")
        assert effect.estimate == pytest.approx(estimate, nan_ok=True)
        assert (effect.low, effect.high) == (-1.0, np.inf)


def test_seeds_that_all_diverge_or_all_reach_zero_are_sure():
    baseline = np.ones((1, 20))
    for value, sure in ((np.inf, np.inf), (0.0, -1.0)):
        effect = relative_difference(np.full((3, 20), value), baseline, "all seeds")
        assert (effect.estimate, effect.low, effect.high) == (sure, sure, sure)


def test_seeds_that_all_diverge_on_one_problem_alone_are_not_sure():
    learned, baseline = np.ones((3, 20)), np.ones((1, 20))
    learned[:, 7] = np.inf  # 36 % of the resamples leave it out
    effect = relative_difference(learned, baseline, "rare")
    assert (effect.estimate, effect.low, effect.high) == (np.inf, -1.0, np.inf)


def test_wins_counts_pairs_in_which_learned_is_lower_and_ties_as_half():
    learned = [[1.0, 2.0, 3.0, np.inf], [9.0, 9.0, 3.0, np.nan]]
    baseline = [[2.0, 2.0, 4.0, np.inf]]
    effect = relative_difference(learned, baseline, "wins")
    assert effect.wins == (1 + 0.5 + 1 + 0.5 + 0 + 0 + 1 + 0.5) / 8
    assert effect.problems == 4


def test_sides_with_different_problems_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 5\) and \(1, 4\) in 'odd'"):
        relative_difference(np.ones((3, 5)), np.ones((1, 4)), "odd")


def left_out(values: np.ndarray) -> np.ndarray:
    return (values.sum() - values) / (len(values) - 1)


def test_the_jackknife_of_means_is_students_interval():
    """The jackknife of a mean is its usual standard error; so is that of its logarithm, nearly."""
    values = 1 + 1e-4 * np.random.default_rng(0).normal(size=12)
    found = jackknife_difference(left_out(values), np.full(12, 0.5))
    expected = scipy.stats.ttest_1samp(np.log(values / 0.5), 0).confidence_interval(0.95)
    assert found.estimate == pytest.approx(values.mean() / 0.5 - 1, rel=1e-6)
    assert np.log1p(found.high) - np.log1p(found.low) == pytest.approx(
        expected.high - expected.low, rel=1e-3
    )
    assert found.problems == 12


def test_the_jackknife_covers_the_ratio_of_two_standard_deviations_nineteen_times_in_twenty():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        samples = rng.normal(size=(2, 20)) * [[3.0], [2.0]]
        left = [[np.delete(side, i).std(ddof=1) for i in range(20)] for side in samples]
        found = jackknife_difference(*left)
        hits += found.low <= 0.5 <= found.high
    assert 0.91 < hits / 400 < 0.99


def test_a_shared_drift_leaves_no_width():
    drift = np.exp(np.random.default_rng(2).normal(size=8))
    found = jackknife_difference(3 * drift, drift)
    assert (found.low, found.estimate, found.high) == pytest.approx((2, 2, 2))
    assert found.wins == 0


@pytest.mark.parametrize("bad", [0.0, np.inf, np.nan])
def test_without_a_number_the_jackknife_has_no_end(bad: float):
    for ours, theirs in (([1.0, bad, 2.0], [1.0, 1.0, 1.0]), ([1.0, 1.0, 1.0], [1.0, bad, 2.0])):
        found = jackknife_difference(ours, theirs)
        assert (found.low, found.high) == (-1, np.inf)


@pytest.mark.parametrize(("margin", "count"), [(0.2, 3), (0.1, 3), (0.5, 16), (0.09, 128)])
def test_the_number_that_is_needed_is_the_first_whose_interval_is_narrow_enough(margin, count):
    """Brute force over Student's interval with the spread that was seen."""
    t = scipy.stats.t.ppf
    spread = margin * np.sqrt(count) / t(0.975, count - 1)
    numbers = np.arange(count, 20_000)
    widths = t(0.975, numbers - 1) * spread / np.sqrt(numbers)
    first = int(numbers[widths <= 0.05][0])
    assert first <= needed(margin, count, 0.05) <= max(first + 50, 200)
    assert needed(0.01, count, 0.05) == count
    assert needed(margin, count, 1e-9) == MOST_NEEDED
