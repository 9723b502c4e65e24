"""Effect size and its 95 % interval, for a learned optimizer against a baseline.

The effect is the relative difference of means, mean(learned) / mean(baseline) - 1: -0.1 means
10 % lower. Its interval is a percentile bootstrap that resamples both things drawn by chance, as a
crossed design: the problems (with replacement, the same ones for both sides, which keeps the
pairing) and, independently, each side's meta-seeds (McCullagh 2000, "Resampling and exchangeable
arrays"; Owen 2007, "The pigeonhole bootstrap").

Few meta-seeds: no bootstrap of three values can look beyond their range. Where the meta-seeds
differ by more than the sampling of problems blurs, the interval of three seeds is about the range
of the three, and simulations (tests/evaluation/test_statistics.py) see it cover the truth in about
three cases of four, not 95 %. An interval wholly on one side of zero then says: so for every one
of the meta-seeds that were trained.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Effect:
    """A relative difference of means with its interval.

    Attributes:
        estimate: mean(learned) / mean(baseline) - 1; NaN where that is not defined.
        low: lower limit of the 95 % interval, -1 at least.
        high: upper limit, possibly infinite.
        wins: fraction of (problem, meta-seed) pairs in which learned is lower; ties, and pairs in
            which a value is undefined, count one half.
        problems: number of paired problems.
    """

    estimate: float
    low: float
    high: float
    wins: float
    problems: int


def relative_difference(
    learned: ArrayLike, baseline: ArrayLike, name: str, resamples: int = RESAMPLES
) -> Effect:
    """The effect of using `learned` in place of `baseline`, with a crossed bootstrap interval.

    A mean with an infinite value is infinite. Where a ratio is undefined (infinite over infinite,
    zero over zero, a NaN among the values), that resample counts as -1 for the lower limit and as
    infinite for the upper: it widens the interval and is never dropped.

    Args:
        learned: one metric, >= 0 (infinite: diverged; NaN: undefined), [meta-seeds, problems].
        baseline: the same metric on the same problems, [meta-seeds or 1, problems].
        name: names the comparison; the resamples depend on it alone, so neither the order of the
            comparisons nor a new one changes an interval.
        resamples: number of bootstrap resamples.

    Returns:
        The effect, unitless.

    Raises:
        ValueError: the two sides are not two matrices with the same number of problems, >= 1.
    """
    ours, theirs = (np.asarray(side, dtype=np.float64) for side in (learned, baseline))
    if ours.ndim != 2 or theirs.ndim != 2 or ours.shape[1] != theirs.shape[1] or not ours.size:
        raise ValueError(
            f"expected [meta-seeds, problems] twice, the same problems: got {ours.shape} and "
            f"{theirs.shape} in {name!r}"
        )
    rng = named_generator(name)
    problems = _resampled_counts(rng, ours.shape[1], resamples)
    ratios = _ratio(
        _weighted_mean(ours, _resampled_counts(rng, len(ours), resamples), problems),
        _weighted_mean(theirs, _resampled_counts(rng, len(theirs), resamples), problems),
    )
    undefined = np.isnan(ratios)
    # Order statistics: interpolating between a finite and an infinite one would give NaN.
    tail = int((1 - CONFIDENCE) / 2 * (resamples - 1))
    low = np.sort(np.where(undefined, -1.0, ratios))[tail]
    high = np.sort(np.where(undefined, np.inf, ratios))[resamples - 1 - tail]
    estimate = _ratio(_plain_mean(ours), _plain_mean(theirs))[0]
    return Effect(float(estimate), float(low), float(high), _wins(ours, theirs), ours.shape[1])


def named_generator(name: str) -> np.random.Generator:
    """A generator of random numbers that depends on `name` only (the same on every machine)."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))


def _resampled_counts(rng: np.random.Generator, size: int, resamples: int) -> NDArray[np.float64]:
    """How often each of `size` things comes up in `size` draws, [resamples, size]."""
    draws = rng.integers(size, size=(resamples, size))
    flat = draws + size * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def _weighted_mean(
    values: NDArray[np.float64], seeds: NDArray[np.float64], problems: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Means [resamples] of values [S, P], with weights seeds [resamples, S] x problems [.., P].

    Values that are not finite are summed apart: a weight of zero times infinity would be NaN.
    """

    def total(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(((seeds @ of) * problems).sum(axis=1))

    means = total(np.where(np.isfinite(values), values, 0.0)) / values.size
    means[total(np.isinf(values).astype(np.float64)) > 0] = np.inf
    means[total(np.isnan(values).astype(np.float64)) > 0] = np.nan
    return means


def _plain_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    seeds, problems = values.shape
    return _weighted_mean(values, np.ones((1, seeds)), np.ones((1, problems)))


def _ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return ours / theirs - 1.0


def _wins(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    lower = ours[:, None, :] < theirs[None, :, :]
    higher = ours[:, None, :] > theirs[None, :, :]
    return float((lower + 0.5 * ~(lower | higher)).mean())
