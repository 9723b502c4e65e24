"""Effect size and its 95 % interval, for a learned optimizer against a baseline.

The effect is the relative difference of means, mean(learned) / mean(baseline) - 1: -0.1 means
10 % lower. Its interval adds two things drawn by chance, in the logarithm of the ratio of means:

- Problems: a percentile bootstrap (Efron & Tibshirani 1993, chapter 13) that resamples the problems
  with replacement, the same ones for both sides, which keeps the pairing; the meta-seeds are fixed.
  A bootstrap of n problems is too narrow by sqrt(1 - 1/n), and knows nothing of Student's t: with
  4 problems without any difference one in five intervals would miss 0. So each distance from the
  estimate to a limit is stretched by t(0.975, n - 1) / z(0.975) sqrt(n / (n - 1)): 1.9 for 4
  problems, 1.3 for 8, 1.04 for 64.
- Meta-seeds: m = t(0.975, S - 1) sd / sqrt(S), Student's interval of the S meta-seeds, with sd the
  standard deviation of the logarithms of their means over problems. A bootstrap of three values
  could not look beyond their range; t at 2 degrees of freedom, 4.3, does.

The parts have different degrees of freedom, so their margins do not add as the sides of a right
angle. With v_i = (margin_i / t_i)^2 the variance of a part and t_i its quantile of Student's t, the
whole margin is sum(v_i t_i) / sqrt(sum v_i) (Cochran & Cox 1957, section 4.14). In simulations (the
tests) such intervals cover the truth in 94 to 97 % of cases. The means of meta-seeds differ by the
sampling of problems too, so the interval is somewhat wide where the meta-seeds hardly differ.

One meta-seed says nothing about others. Where neither side has more, the interval is over problems
only: about this one optimizer, not about its recipe. (A hand-crafted baseline has no meta-seeds to
be drawn.)

Where the losses of different problems have different sizes, a mean is that of the largest ones.
Then the effect is the geometric mean of the problems' ratios, with Student's interval
(`relative_ratio`).
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

RESAMPLES = 10_000
CONFIDENCE = 0.95
MOST_NEEDED = 10_000
"""More problems or meta-seeds are not asked for: the difference is too small to be settled."""


@dataclass(frozen=True)
class Effect:
    """A relative difference of means with its interval.

    Attributes:
        estimate: mean(learned) / mean(baseline) - 1; NaN where that is not defined.
        low: lower limit of the 95 % interval, -1 at least; over problems only where no side has
            more than one meta-seed.
        high: upper limit, possibly infinite.
        wins: fraction of (problem, meta-seed) pairs in which learned is lower; ties, and pairs in
            which a value is undefined, count one half.
        problems: number of paired problems.
        geometric: geometric mean of the ratios of all pairs, - 1; NaN where that is not defined.
        problem_margin: the part of the interval, as a distance in the logarithm of the ratio, that
            comes from the sampling of problems.
        seed_margin: the part that comes from the meta-seeds; 0 where no side has several.
    """

    estimate: float
    low: float
    high: float
    wins: float
    problems: int
    geometric: float
    problem_margin: float
    seed_margin: float


def relative_difference(
    learned: ArrayLike, baseline: ArrayLike, name: str, resamples: int = RESAMPLES
) -> Effect:
    """The effect of using `learned` in place of `baseline`, with its interval (see the module).

    What is infinite, zero or undefined is never dropped, it widens the interval:

    - A mean with an infinite value is infinite. Where a ratio is undefined (infinite over infinite,
      zero over zero, a NaN among the values), that resample counts as -1 for the lower limit and as
      infinite for the upper.
    - Where some meta-seeds of a side have a mean that is infinite or zero and others do not, or one
      has a NaN, their spread has no bound: the interval is [-1, infinite].
    - With several meta-seeds and an estimate of infinite or -1, a limit of the bootstrap stands
      where it equals the estimate; any other has no known distance, and becomes -1 or infinite.

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
    counts = _resampled_counts(named_generator(name), ours.shape[1], resamples)
    ratios = _ratios(ours, theirs, counts)
    undefined = np.isnan(ratios)
    # Order statistics: interpolating between a finite and an infinite one would give NaN.
    tail = int((1 - CONFIDENCE) / 2 * (resamples - 1))
    low = float(np.sort(np.where(undefined, 0.0, ratios))[tail])
    high = float(np.sort(np.where(undefined, np.inf, ratios))[resamples - 1 - tail])
    estimate = float(_ratios(ours, theirs, np.ones((1, ours.shape[1])))[0])
    stretch = _stretch(ours.shape[1])
    low, high = (_stretched(estimate, limit, stretch) for limit in (low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        problem_margin = float(np.log(np.float64(high) / low)) / 2
    seeds = [(_seed_margin(side), len(side) - 1) for side in (ours, theirs)]
    if max(len(ours), len(theirs)) > 1:
        low = _widened(estimate, low, ours.shape[1] - 1, seeds, -1)
        high = _widened(estimate, high, ours.shape[1] - 1, seeds, +1)
    return Effect(
        estimate - 1,
        low - 1,
        high - 1,
        _wins(ours, theirs),
        ours.shape[1],
        float(np.exp(_log_ratios(ours, theirs).mean())) - 1,
        problem_margin,
        _together(*seeds),
    )


def relative_ratio(learned: ArrayLike, baseline: ArrayLike) -> Effect:
    """The geometric mean of the problems' ratios, with Student's interval in the logarithm.

    The ratios of a problem's meta-seeds are averaged first; meta-seeds widen the interval as in
    `relative_difference`, by the spread of their geometric means.

    Args:
        learned: see `relative_difference`.
        baseline: likewise.

    Returns:
        The effect; [-1, infinite] where a ratio is zero, infinite or undefined.
    """
    ours, theirs = (np.asarray(side, dtype=np.float64) for side in (learned, baseline))
    logs = _log_ratios(ours, theirs)
    estimate, wins, count = float(logs.mean()), _wins(ours, theirs), ours.shape[1]
    if not np.isfinite(logs).all():
        ratio = float(np.exp(estimate)) - 1
        return Effect(ratio, -1.0, math.inf, wins, count, ratio, math.inf, 0.0)
    problems = _student(logs.mean(axis=(0, 1)))
    parts = [
        (_student(logs.mean(axis=(1, 2))), len(ours) - 1),
        (_student(logs.mean(axis=(0, 2))), len(theirs) - 1),
    ]
    margin, seeds = _together((problems, count - 1), *parts), _together(*parts)
    with np.errstate(over="ignore"):
        low, ratio, high = (np.exp(estimate + np.array([-margin, 0, margin])) - 1).tolist()
    return Effect(ratio, low, high, wins, count, ratio, problems, seeds)


def _student(values: NDArray[np.float64]) -> float:
    """Half the width of Student's interval of the mean; 0 for one value, which has none."""
    if len(values) == 1:
        return 0.0
    t = stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)
    return float(t * values.std(ddof=1) / math.sqrt(len(values)))


def _log_ratios(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(ours / theirs) of every pair, [our meta-seeds, their meta-seeds, problems]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(ours)[:, None] - np.log(theirs)[None])


def needed(margin: float, count: int, wanted: float) -> int:
    """How many values Student's interval needs to be half as wide as `wanted`, from `count` values.

    Args:
        margin: half the width with `count` values, >= 0.
        count: >= 2.
        wanted: half the width that is wanted, > 0.

    Returns:
        At least `count`; MOST_NEEDED where even that many are not enough.
    """
    spread = margin * math.sqrt(count) / float(stdtrit(count - 1, (1 + CONFIDENCE) / 2))
    for number in itertools.chain(range(count, 200), itertools.count(200, 50)):
        t = float(stdtrit(number - 1, (1 + CONFIDENCE) / 2))
        if number >= MOST_NEEDED or t * spread / math.sqrt(number) <= wanted:
            return min(number, MOST_NEEDED)
    raise AssertionError


def jackknife_difference(ours: ArrayLike, theirs: ArrayLike) -> Effect:
    """The relative difference of two statistics of the same repeats, with a jackknife interval.

    With r_i the logarithm of the ratio of both statistics without repeat i, its standard error is
    sqrt((n - 1) / n sum_i (r_i - mean r)^2) (Efron & Tibshirani 1993, chapter 11), the interval
    Student's with n - 1 degrees of freedom. Leave-one-out values are nearly the same, so to take
    them for independent repeats would make it n - 1 times too narrow.

    Args:
        ours: the statistic without each of n >= 2 repeats, > 0, [n].
        theirs: the other one, without the same repeats, [n].

    Returns:
        The effect; [-1, infinite] where a value is zero, infinite or undefined. `problems` is n.
    """
    ours, theirs = (np.asarray(side, dtype=np.float64) for side in (ours, theirs))
    count = len(ours)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(ours) - np.log(theirs)
        mean = logs.mean()
        wins = float((ours < theirs).mean())
        if not np.isfinite(logs).all():
            ratio = float(np.exp(mean) - 1)
            return Effect(ratio, -1.0, math.inf, wins, count, ratio, math.inf, 0.0)
    error = math.sqrt((count - 1) / count * float(((logs - mean) ** 2).sum()))
    margin = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    with np.errstate(over="ignore"):
        low, estimate, high = np.exp(np.array([mean - margin, mean, mean + margin])) - 1
    ratio = float(estimate)
    return Effect(ratio, float(low), float(high), wins, count, ratio, margin, 0.0)


def named_generator(name: str) -> np.random.Generator:
    """A generator of random numbers that depends on `name` only (the same on every machine)."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))


def _resampled_counts(rng: np.random.Generator, size: int, resamples: int) -> NDArray[np.float64]:
    """How often each of `size` things comes up in `size` draws, [resamples, size]."""
    draws = rng.integers(size, size=(resamples, size))
    flat = draws + size * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * size)
    return counts.reshape(resamples, size).astype(np.float64)


def _ratios(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """mean(ours) / mean(theirs) of [S, P] each, [resamples], for counts [resamples, P]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_means(ours, counts) / _means(theirs, counts))


def _means(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means [resamples] over the meta-seeds and problems of values [S, P]."""
    finite = np.where(np.isfinite(values), values, 0.0)
    means = np.asarray(counts @ finite.sum(axis=0)) / values.size
    # Apart from the others: a count of zero times infinity would be NaN.
    means[counts @ np.isinf(values).sum(axis=0) > 0] = np.inf
    means[counts @ np.isnan(values).sum(axis=0) > 0] = np.nan
    return means


def _seed_margin(values: NDArray[np.float64]) -> float:
    """Half the width of Student's interval of the log of the mean, for meta-seeds [S, P]."""
    means = values.mean(axis=1)
    if len(means) == 1 or np.isposinf(means).all() or (means == 0).all():
        return 0.0  # nothing to differ
    if not (np.isfinite(means) & (means > 0)).all():
        return np.inf
    return _student(np.log(means))


def _stretch(problems: int) -> float:
    """How much wider than a bootstrap of so many problems an interval has to be."""
    if problems == 1:  # of no width: nothing can be said of other problems
        return 1.0
    t, z = stdtrit(problems - 1, (1 + CONFIDENCE) / 2), ndtri((1 + CONFIDENCE) / 2)
    return float(t / z * math.sqrt(problems / (problems - 1)))


def _stretched(estimate: float, limit: float, stretch: float) -> float:
    """A limit of a ratio, its distance from the estimate in the logarithm times `stretch`."""
    if not (0 < estimate < np.inf and 0 < limit < np.inf):
        return limit
    return float(estimate * math.exp(stretch * math.log(limit / estimate)))


def _together(*parts: tuple[float, int]) -> float:
    """The margin of a sum of independent parts: their margins and degrees of freedom."""
    if any(math.isinf(margin) for margin, _ in parts):
        return math.inf
    quantiles = [
        (margin, float(stdtrit(freedom, (1 + CONFIDENCE) / 2)))
        for margin, freedom in parts
        if margin > 0
    ]
    variances = sum((margin / t) ** 2 for margin, t in quantiles)
    return sum(margin**2 / t for margin, t in quantiles) / math.sqrt(variances or 1)


def _widened(
    estimate: float, limit: float, freedom: int, seeds: Sequence[tuple[float, int]], direction: int
) -> float:
    """A limit of a ratio with the parts that come from meta-seeds, see `_together`.

    The limit is that of problems, with `freedom` degrees of freedom. `direction` is -1 for the
    lower limit, +1 for the upper.
    """
    unlimited = 0.0 if direction < 0 else np.inf
    if not 0 < estimate < np.inf:  # no distance to add to
        return limit if limit == estimate and math.isfinite(_together(*seeds)) else unlimited
    if not 0 < limit < np.inf:
        return unlimited
    log_limit = direction * _together((abs(math.log(limit / estimate)), freedom), *seeds)
    with np.errstate(over="ignore"):
        return float(estimate * np.exp(log_limit))


def _wins(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    lower = ours[:, None, :] < theirs[None, :, :]
    higher = ours[:, None, :] > theirs[None, :, :]
    return float((lower + 0.5 * ~(lower | higher)).mean())
