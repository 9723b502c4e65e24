"""The study of meta-gradients against what must hold between its estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import quadratic_family, random_phi, recipe

from l2l.config.meta_gradients import MetaGradients
from l2l.measurements.meta_gradients import _table, meta_gradients
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
    for column in ("norm", "cosine", "ratio", "noise", "bias"):
        np.testing.assert_allclose(kept[column], dropped[column], rtol=1e-3, atol=1e-5)


def test_one_window_with_second_derivatives_is_the_true_gradient(table: pd.DataFrame) -> None:
    whole = _of(table, "kept", STEPS)
    np.testing.assert_allclose(whole["cosine"], 1, atol=1e-6)
    np.testing.assert_allclose(whole["ratio"], 1, rtol=1e-6)
    np.testing.assert_allclose(whole["bias"], 0, atol=1e-6)
    assert (_of(table, "kept", 1)["bias"] > 1e-4).all(), "short windows differ"


def test_noise_and_bias_by_hand() -> None:
    estimates = np.array([[2.0, 0.0], [0.0, 2.0]])
    true = np.array([[1.0, 0.0], [1.0, 0.0]])
    found = _table(estimates, true)
    # mean (1, 1), norm sqrt 2; each is sqrt 2 from it; times sqrt(2 / 1)
    np.testing.assert_allclose(found["noise"], np.sqrt(2))
    np.testing.assert_allclose(found["cosine"], [1, 0])
    np.testing.assert_allclose(found["ratio"], 2)
    np.testing.assert_allclose(found["bias"], 1 - 1 / np.sqrt(2))
    np.testing.assert_allclose(found["bias_left_out"], [1, 0])
