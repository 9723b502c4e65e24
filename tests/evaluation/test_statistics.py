"""The crossed bootstrap against scipy, against full enumeration, and against a known truth."""

import itertools

import numpy as np
import pytest
import scipy.stats

from l2l.evaluation.statistics import relative_difference


def test_with_one_seed_the_interval_is_scipys_paired_bootstrap():
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
    assert effect.estimate == pytest.approx(learned.sum() / baseline.sum() - 1)
    assert effect.low == pytest.approx(expected.low, abs=0.02 * width)
    assert effect.high == pytest.approx(expected.high, abs=0.02 * width)


def test_seeds_and_problems_are_crossed_as_in_full_enumeration():
    rng = np.random.default_rng(5)
    learned, baseline = rng.gamma(4, size=(3, 4)), rng.gamma(4, size=(2, 4))
    ratios = []
    for problems in itertools.product(range(4), repeat=4):
        ours, theirs = learned[:, problems].mean(axis=1), baseline[:, problems].mean(axis=1)
        ratios += [
            ours[list(a)].mean() / theirs[list(b)].mean() - 1
            for a in itertools.product(range(3), repeat=3)
            for b in itertools.product(range(2), repeat=2)
        ]
    effect = relative_difference(learned, baseline, "enumerated", resamples=100_000)
    assert effect.low == pytest.approx(np.quantile(ratios, 0.025), abs=0.02 * np.std(ratios))
    assert effect.high == pytest.approx(np.quantile(ratios, 0.975), abs=0.05 * np.std(ratios))


def coverage(seeds: int, seed_sd: float, simulations: int = 400) -> float:
    """How often the interval covers the true relative difference of -0.2, with 64 problems."""
    rng = np.random.default_rng(11)
    covered = 0
    for index in range(simulations):
        difficulty = rng.lognormal(0, 0.3, size=64)
        quality = rng.lognormal(-(seed_sd**2) / 2, seed_sd, size=(seeds, 1))
        learned = 0.8 * difficulty * quality * rng.lognormal(-0.005, 0.1, size=(seeds, 64))
        baseline = difficulty * rng.lognormal(-0.005, 0.1, size=(1, 64))
        effect = relative_difference(learned, baseline, str(index), resamples=1000)
        covered += effect.low <= -0.2 <= effect.high
    return covered / simulations


@pytest.mark.parametrize(("seeds", "seed_sd"), [(1, 0.0), (3, 0.01), (20, 0.1)])
def test_the_interval_covers_a_known_truth_in_95_percent_of_simulations(seeds, seed_sd):
    # Binomial standard error of 400 simulations: 0.011.
    assert 0.91 < coverage(seeds, seed_sd) < 0.985


def test_three_seeds_that_differ_much_are_covered_in_three_of_four_simulations_only():
    # What the module's docstring warns of.
    assert 0.65 < coverage(3, 0.2) < 0.82


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


def test_wins_counts_pairs_in_which_learned_is_lower_and_ties_as_half():
    learned = [[1.0, 2.0, 3.0, np.inf], [9.0, 9.0, 3.0, np.nan]]
    baseline = [[2.0, 2.0, 4.0, np.inf]]
    effect = relative_difference(learned, baseline, "wins")
    assert effect.wins == (1 + 0.5 + 1 + 0.5 + 0 + 0 + 1 + 0.5) / 8
    assert effect.problems == 4


def test_sides_with_different_problems_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 5\) and \(1, 4\) in 'odd'"):
        relative_difference(np.ones((3, 5)), np.ones((1, 4)), "odd")
