"""Variants against their reference, on a table whose ratios are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.small import experiment

from l2l.errors import UserError
from l2l.figures.variants import variants

DIFFICULTY = (1.0, 2.0, 4.0, 0.5)
TRIED = experiment(
    reference="base",
    learned=("better", "base", "worse"),
    baselines=("adam",),
    steps=3,
    horizon=2,
)


def runs(optimizer: str, seeds: tuple[int, ...], loss: list[float], last: float) -> pd.DataFrame:
    """The same curve on every problem, times its difficulty; train_loss is `last` at step 2."""
    rows = [
        {"experiment": "tried", "family": "quadratic", "problem": problem, "optimizer": optimizer}
        | {"meta_seed": seed, "step": step, "loss": difficulty * loss[step]}
        | {"train_loss": difficulty * (last if step == 2 else 7.0)}
        for seed in seeds
        for problem, difficulty in enumerate(DIFFICULTY)
        for step in range(4)
    ]
    return pd.DataFrame(rows)


def table() -> pd.DataFrame:
    """Means of steps 1 and 2: 3, 1.5, 6 and 3; step 0, and 3 beyond the horizon, play no role."""
    return pd.concat(
        [
            runs("adam", (-1,), [99.0, 5.0, 1.0, 99.0], 4.0),
            runs("worse", (0,), [1.0, 8.0, 4.0, 0.0], 2.5),
            runs("better", (0, 1, 2), [50.0, 2.0, 1.0, 77.0], 0.5),
            runs("base", (0, 1, 2), [9.0, 4.0, 2.0, 1.0], 2.0),
        ]
    )


def test_the_reference_comes_first_the_others_in_the_experiments_order() -> None:
    found = variants(table(), TRIED)
    assert [one.optimizer for one in found] == ["base", "better", "worse", "adam"]
    assert [len(one.mean) for one in found] == [len(one.final) for one in found] == [3, 3, 1, 1]
    assert [one.mean.mean() for one in found] == pytest.approx([1, 0.5, 2.0, 1.0])
    assert [one.final.mean() for one in found] == pytest.approx([1, 0.25, 1.25, 2.0])


def test_each_meta_seed_is_divided_by_the_mean_of_the_references() -> None:
    curves = table()
    seed = {0: 0.8, 1: 1.0, 2: 1.2}
    for optimizer in ("better", "base"):
        own = curves["optimizer"] == optimizer
        curves.loc[own, "loss"] *= curves.loc[own, "meta_seed"].map(seed)
    base, better, *_ = variants(curves, TRIED)
    np.testing.assert_allclose(base.mean, [0.8, 1.0, 1.2])
    np.testing.assert_allclose(better.mean, [0.4, 0.5, 0.6])
    np.testing.assert_allclose(better.final, [0.25, 0.25, 0.25])


def test_what_diverged_is_infinitely_worse() -> None:
    curves = table()
    hit = (curves["optimizer"] == "worse") & (curves["problem"] == 2) & (curves["step"] == 2)
    curves.loc[hit, ["loss", "train_loss"]] = np.nan
    _, better, worse, _ = variants(curves, TRIED)
    assert [*worse.mean, *worse.final] == [np.inf, np.inf]
    assert better.mean.mean() == pytest.approx(0.5)


def test_a_gap_in_the_curves_is_an_error() -> None:
    curves = table()
    gap = (curves["optimizer"] == "better") & (curves["meta_seed"] == 1) & (curves["problem"] == 3)
    with pytest.raises(UserError, match="tried: the meta-seeds of better ran on different"):
        variants(curves[~gap], TRIED)
