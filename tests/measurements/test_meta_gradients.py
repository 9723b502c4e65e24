"""The study of meta-gradients against what must hold between its estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import quadratic_family, random_phi, recipe

from l2l.config.measurements import MetaGradients
from l2l.measurements.meta_gradients import _table, meta_gradients, relative_noise
from l2l.optimizers import CoordinatewiseLSTM

STEPS = 10


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    settings = MetaGradients.model_validate(
        {
            "problem": "quadratic",
            "steps": STEPS,
            "windows": [1, 5, STEPS],
            "problems": 3,
            "repeats": 3,
            "stages": {"now": {"title": "t", "recipe": "quadratics_lstm", "weights": "initial"}},
            "estimators": {
                "kept": {
                    "title": "kept",
                    "estimator": {"kind": "unrolled", "second_derivatives": "kept"},
                },
                "dropped": {"title": "dropped", "estimator": {"kind": "adjoint"}},
                "es": {"title": "ES", "estimator": {"kind": "es", "pairs": 2, "sigma": 0.01}},
            },
        }
    )
    kind = recipe().optimizer
    phi = random_phi(kind, dtype=torch.float32)
    backwards = {name: phi[name] for name in reversed(phi)}  # as a file may give them
    optimizers = {"now": CoordinatewiseLSTM(kind, backwards)}
    return meta_gradients(settings, quadratic_family(4), optimizers, 0)


def _of(table: pd.DataFrame, estimator: str, window: int) -> pd.DataFrame:
    return table[(table["estimator"] == estimator) & (table["window"] == window)]


def test_windows_of_one_step_have_no_second_derivatives(table: pd.DataFrame) -> None:
    kept, dropped = (_of(table, name, 1) for name in ("kept", "dropped"))
    for column in ("norm", "cosine", "ratio", "noise", "noise_left_out", "bias"):
        np.testing.assert_allclose(kept[column], dropped[column], rtol=1e-3, atol=1e-5)


def test_one_window_with_second_derivatives_is_the_true_gradient(table: pd.DataFrame) -> None:
    whole = _of(table, "kept", STEPS)
    np.testing.assert_allclose(whole["cosine"], 1, atol=1e-6)
    np.testing.assert_allclose(whole["ratio"], 1, rtol=1e-6)
    np.testing.assert_allclose(whole["bias"], 0, atol=1e-6)
    assert (_of(table, "kept", 1)["bias"] > 1e-4).all(), "short windows differ"


def test_noise_and_bias_by_hand() -> None:
    estimates = np.array([[2.0, 0.0], [0.0, 2.0], [4.0, 4.0]])
    true = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    found = _table(estimates, true)
    # Mean (2, 2); squared distances 4, 4, 8, so S^2 = 8; |mean|^2 - S^2 / 3 = 8 - 8 / 3.
    np.testing.assert_allclose(found["noise"], np.sqrt(8 / (8 - 8 / 3)))
    np.testing.assert_allclose(found["cosine"], [1, 0, 1 / np.sqrt(2)])
    np.testing.assert_allclose(found["ratio"], [2, 2, np.sqrt(32)])
    np.testing.assert_allclose(found["bias"], 1 - 1 / np.sqrt(2))
    others = [(2, 3), (3, 2), (1, 1)]  # means of two
    np.testing.assert_allclose(found["bias_left_out"], [1 - x / np.hypot(x, y) for x, y in others])
    # Without the third: mean (1, 1), S^2 = 4, and nothing is left of |mean|^2 = 2.
    assert np.isinf(found["noise_left_out"].iloc[2])


def test_noise_is_that_of_the_distribution_and_not_of_the_number_of_repeats() -> None:
    rng = np.random.default_rng(0)
    expectation = np.full(5000, 0.1)  # of length 7.07; deviations of length 28.3
    for repeats in (8, 64):
        drawn = expectation + rng.normal(0, 0.4, (repeats, 5000))
        assert relative_noise(drawn) == pytest.approx(4, rel=0.1)
    assert relative_noise(rng.normal(0, 1, (8, 5000))) > 20  # of expectation zero
