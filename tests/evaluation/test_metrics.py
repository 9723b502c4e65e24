"""Metrics of a run against loops and closed forms; a diverged run is never dropped."""

import math

import numpy as np
import pandas as pd
import pytest

from l2l.config.claims import (
    FinalLoss,
    Fluctuation,
    MeanLoss,
    Oscillation,
    Progress,
    StepsToTarget,
)
from l2l.errors import UserError
from l2l.evaluation.metrics import run_matrix, values


def curves(loss, train_loss=None) -> pd.DataFrame:
    """A tidy table of [runs, steps + 1] losses: one optimizer, one problem a run."""
    loss = np.asarray(loss, dtype=float)
    train_loss = loss if train_loss is None else np.asarray(train_loss, dtype=float)
    runs, steps = loss.shape
    return pd.DataFrame(
        {
            "experiment": "mnist",
            "problem": np.repeat(np.arange(runs), steps),
            "optimizer": "nag",
            "meta_seed": -1,
            "step": np.tile(np.arange(steps), runs),
            "loss": loss.ravel(),
            "train_loss": train_loss.ravel(),
        }
    )


def mean_loss(horizon):
    return MeanLoss(metric="mean_loss", horizon=horizon)


def final_loss(horizon):
    return FinalLoss(metric="final_loss", horizon=horizon)


def steps_to_target(horizon, target):
    return StepsToTarget(metric="steps_to_target", horizon=horizon, target=target)


def oscillation(first_step, last_step):
    return Oscillation(metric="oscillation", first_step=first_step, last_step=last_step)


def fluctuation(first_step, last_step):
    return Fluctuation(metric="fluctuation", first_step=first_step, last_step=last_step)


@pytest.fixture
def noisy() -> np.ndarray:
    rng = np.random.default_rng(1)
    return 2 * np.exp(-np.arange(61) / 20) + rng.gamma(2, 0.1, size=(7, 61))


def test_mean_loss_is_over_steps_one_to_horizon(noisy):
    got = values(mean_loss(40), curves(noisy)).to_numpy()
    expected = [math.fsum(float(run[t]) for t in range(1, 41)) / 40 for run in noisy]
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_final_loss_is_the_train_loss_at_the_horizon_not_at_the_end(noisy):
    got = values(final_loss(40), curves(noisy, train_loss=noisy + 1))
    assert got.tolist() == [run[40] + 1 for run in noisy]


def test_steps_to_target_agrees_with_a_loop(noisy):
    for target in (0.4, 0.8, 1.3):
        expected = []
        for run in noisy:
            step = 5
            while step < 60 and sum(run[step - 4 : step + 1]) / 5 > target:
                step += 1
            expected.append(step)
        shuffled = curves(noisy).sample(frac=1, random_state=0)
        assert values(steps_to_target(60, target), shuffled).tolist() == expected


def test_one_lucky_minibatch_does_not_reach_the_target():
    loss = np.ones((1, 31))
    loss[0, 10] = 0.0
    assert values(steps_to_target(30, 0.5), curves(loss)).tolist() == [30]


@pytest.mark.parametrize(
    "curve",
    [
        lambda t: 5 - 0.01 * t,
        lambda t: 1 / (1 + t),
        lambda t: np.exp(-t / 3),
        lambda t: np.sqrt(t),
        lambda t: 0 * t + 0.3,
    ],
    ids=["line", "hyperbola", "exponential", "rising", "constant"],
)
def test_a_monotone_curve_does_not_oscillate_however_bent(curve):
    loss = curve(np.arange(101.0))[None]
    assert values(oscillation(20, 100), curves(loss)).iloc[0] == pytest.approx(0, abs=1e-15)


def test_oscillation_of_a_zigzag_is_its_step_size():
    zigzag = 1 + 0.07 * (np.arange(201) % 2)
    assert values(oscillation(100, 200), curves(zigzag[None])).iloc[0] == pytest.approx(0.07)


def test_oscillation_of_a_falling_curve_is_twice_its_rises(noisy):
    expected = [
        2 * sum(max(run[t] - run[t - 1], 0) for t in range(11, 61)) / 50
        for run in noisy
        if run[60] < run[10]
    ]
    assert len(expected) == len(noisy)
    np.testing.assert_allclose(values(oscillation(10, 60), curves(noisy)), expected, rtol=1e-12)


def test_oscillation_ignores_minibatch_noise():
    smooth = np.linspace(2, 1, 101)[None]
    noise = np.random.default_rng(0).normal(0, 0.3, smooth.shape)
    value = values(oscillation(0, 100), curves(smooth + noise, train_loss=smooth)).iloc[0]
    assert value == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_diverged_run_counts_as_worst_and_stays(broken, noisy):
    noisy[3, 30:] = broken
    table = curves(noisy)
    for metric, worst in (
        (mean_loss(60), np.inf),
        (final_loss(60), np.inf),
        (steps_to_target(60, 1.3), 60),
        (oscillation(10, 60), np.nan),
    ):
        got = values(metric, table)
        assert len(got) == 7
        np.testing.assert_equal(got.iloc[3], worst)
        assert np.isfinite(got.drop(got.index[3])).all()


def test_divergence_after_the_horizon_does_not_count(noisy):
    noisy[3, 30:] = np.nan
    assert np.isfinite(values(mean_loss(29), curves(noisy))).all()
    assert np.isfinite(values(final_loss(29), curves(noisy))).all()


def test_a_missing_step_is_an_error_not_a_divergence(noisy):
    table = curves(noisy).drop(index=5 * 61 + 17)
    with pytest.raises(UserError, match=r"mnist.*nag.*problem 5 has 59 of the 60 steps 1 to 60"):
        run_matrix(table, "loss", 1, 60)


def test_a_repeated_step_is_an_error(noisy):
    table = curves(noisy)
    with pytest.raises(UserError, match="problem 4 has a step twice"):
        values(mean_loss(60), pd.concat([table, table.iloc[[4 * 61 + 9]]]))


def test_a_train_loss_that_was_not_measured_is_an_error_and_no_divergence(noisy):
    gaps = noisy.copy()
    gaps[:, 1:30] = np.nan
    table = curves(noisy, gaps)
    assert values(final_loss(40), table).tolist() == pytest.approx(noisy[:, 40].tolist())
    with pytest.raises(UserError, match="train_loss was not measured at step 20"):
        values(final_loss(20), table)
    with pytest.raises(UserError, match="train_loss was not measured at step 25"):
        values(oscillation(25, 50), table)
    diverged = curves(np.full_like(noisy, np.nan))
    assert np.isinf(values(final_loss(20), diverged)).all()


def test_the_end_is_the_last_step_of_the_curves(noisy):
    table = curves(noisy, train_loss=noisy + 1)
    for metric in (mean_loss, final_loss):
        pd.testing.assert_series_equal(values(metric("end"), table), values(metric(60), table))
        assert metric("end").last_step == 1


def test_the_final_loss_may_be_that_on_held_out_data(noisy):
    table = curves(noisy).assign(test_loss=lambda t: t["loss"] + 2)
    held_out = FinalLoss(metric="final_loss", horizon=40, of="test_loss")
    np.testing.assert_allclose(values(held_out, table), noisy[:, 40] + 2)
    assert "held-out" in held_out.label
    with pytest.raises(UserError, match="test_loss was not measured at step 40"):
        values(held_out, table.assign(test_loss=np.nan))


def test_the_mean_of_a_held_out_loss_is_over_the_steps_at_which_it_was_measured(noisy):
    table = curves(noisy).assign(test_loss=lambda t: (t["loss"] + 2).where(t["step"] % 20 == 0))
    held_out = MeanLoss(metric="mean_loss", horizon=45, of="test_loss")
    np.testing.assert_allclose(values(held_out, table), noisy[:, [20, 40]].mean(axis=1) + 2)
    assert held_out.label == "mean held-out loss, steps 1-45"
    with pytest.raises(UserError, match="test_loss was not measured"):
        values(held_out, table.assign(test_loss=np.nan))


def test_a_run_whose_held_out_loss_is_not_finite_has_an_infinite_mean(noisy):
    table = curves(noisy).assign(test_loss=lambda t: t["loss"])
    table.loc[(table["problem"] == 2) & (table["step"] >= 30), "test_loss"] = np.nan
    means = values(MeanLoss(metric="mean_loss", horizon=45, of="test_loss"), table)
    assert np.isinf(means.to_numpy()[2])
    assert np.isfinite(np.delete(means.to_numpy(), 2)).all()


def test_fluctuation_is_the_residual_of_a_fitted_line_of_minibatch_losses(noisy):
    got = values(fluctuation(20, 60), curves(noisy, np.ones_like(noisy))).to_numpy()
    for run, found in zip(noisy[:, 20:], got, strict=True):
        _, residual, *_ = np.polyfit(np.arange(41), run, 1, full=True)
        assert found == pytest.approx(np.sqrt(residual[0] / 39))
    steep = values(fluctuation(0, 60), curves(np.linspace(9, 1, 61)[None])).item()
    assert steep == pytest.approx(0, abs=1e-12)
    noisy[0, 30] = np.inf
    assert np.isnan(values(fluctuation(20, 60), curves(noisy)).iloc[0])


def test_progress_is_the_ratio_of_two_train_losses(noisy):
    metric = Progress(metric="progress", first_step=20, last_step=50)
    got = values(metric, curves(np.ones_like(noisy), noisy)).to_numpy()
    np.testing.assert_allclose(got, noisy[:, 50] / noisy[:, 20])
    noisy[0, 50] = np.nan
    assert values(metric, curves(noisy)).iloc[0] == np.inf
