"""Random search of the meta learning rate."""

from __future__ import annotations

import math

import pytest

from l2l.config.recipes import MetaLearningRate
from l2l.errors import UserError
from l2l.meta.schedule import choose_rate, trial_rate


def _range(low: float = 1e-4, high: float = 1e-1, trials: int = 5) -> MetaLearningRate:
    return MetaLearningRate(
        low=low, high=high, trials=trials, episodes=5, schedule="constant", final_fraction=1
    )


def test_draws_are_log_uniform_within_the_range() -> None:
    rates = [trial_rate(_range(), 0, "some", trial) for trial in range(2000)]
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    positions = sorted((math.log10(rate) + 4) / 3 for rate in rates)
    # Kolmogorov-Smirnov against the uniform distribution; 1.95 is its 0.1 % point
    distance = max(abs(p - (k + 0.5) / 2000) + 0.5 / 2000 for k, p in enumerate(positions))
    assert distance < 1.95 / 2000**0.5


def test_a_trial_draws_the_same_whatever_ran_before_and_however_many_there_are() -> None:
    backwards = {k: trial_rate(_range(), 0, "some", k) for k in reversed(range(6))}
    forwards = {k: trial_rate(_range(trials=99), 0, "some", k) for k in range(6)}
    assert backwards == forwards
    assert len(set(forwards.values())) == 6


def test_recipes_and_seeds_draw_their_own() -> None:
    assert trial_rate(_range(), 0, "a", 0) != trial_rate(_range(), 0, "b", 0)
    assert trial_rate(_range(), 0, "a", 0) != trial_rate(_range(), 1, "a", 0)


def test_a_range_of_one_value_gives_that_value() -> None:
    assert trial_rate(_range(0.003, 0.003), 0, "a", 1) == pytest.approx(0.003)


def test_without_trials_it_is_the_geometric_mean() -> None:
    assert trial_rate(_range(trials=0), 0, "a", 0) == pytest.approx(10**-2.5)


def test_the_best_finite_trial_is_chosen() -> None:
    rates = [0.1, 0.2, 0.3, 0.4]
    assert choose_rate(rates, [0.5, 0.3, math.inf, math.nan], "a") == 0.2
    assert choose_rate(rates, [math.nan, math.inf, 9.0, math.nan], "a") == 0.3


def test_no_finite_trial_is_an_error_that_names_the_settings() -> None:
    with pytest.raises(UserError, match=r"recipes\.mine\.meta_learning_rate") as caught:
        choose_rate([0.1, 0.2], [math.inf, math.nan], "mine")
    assert "\n" not in str(caught.value)
