"""The interval for statistics that were found without one repeat each."""

import numpy as np
import pytest
import scipy.stats

from l2l.evaluation.statistics import jackknife_difference


def _left_out(values: np.ndarray) -> np.ndarray:
    return (values.sum() - values) / (len(values) - 1)


def test_of_means_it_is_students_interval() -> None:
    """The jackknife of a mean is its usual standard error; so is that of its logarithm, nearly."""
    values = 1 + 1e-4 * np.random.default_rng(0).normal(size=12)
    found = jackknife_difference(_left_out(values), np.full(12, 0.5))
    expected = scipy.stats.ttest_1samp(np.log(values / 0.5), 0).confidence_interval(0.95)
    assert found.estimate == pytest.approx(values.mean() / 0.5 - 1, rel=1e-6)
    assert np.log1p(found.high) - np.log1p(found.low) == pytest.approx(
        expected.high - expected.low, rel=1e-3
    )
    assert found.problems == 12


def test_it_covers_the_ratio_of_two_standard_deviations_nineteen_times_in_twenty() -> None:
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        samples = rng.normal(size=(2, 20)) * [[3.0], [2.0]]
        left = [[np.delete(side, i).std(ddof=1) for i in range(20)] for side in samples]
        found = jackknife_difference(*left)
        hits += found.low <= 0.5 <= found.high
    assert 0.91 < hits / 400 < 0.99


def test_what_shares_its_drift_leaves_no_width() -> None:
    drift = np.exp(np.random.default_rng(2).normal(size=8))
    found = jackknife_difference(3 * drift, drift)
    assert (found.low, found.estimate, found.high) == pytest.approx((2, 2, 2))
    assert found.wins == 0


@pytest.mark.parametrize("bad", [0.0, np.inf, np.nan])
def test_without_a_number_the_interval_has_no_end(bad: float) -> None:
    for ours, theirs in (([1.0, bad, 2.0], [1.0, 1.0, 1.0]), ([1.0, 1.0, 1.0], [1.0, bad, 2.0])):
        found = jackknife_difference(ours, theirs)
        assert (found.low, found.high) == (-1, np.inf)
