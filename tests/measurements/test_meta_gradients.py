"""The study of meta-gradients against what must hold between its estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import quadratic_family, random_phi, recipe

from l2l.config import load_config
from l2l.config.measurements import MetaGradients
from l2l.measurements.meta_gradients import _table, meta_gradients
from l2l.optimizers import CoordinatewiseLSTM

STEPS = 10


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    stage = {
        "title": "t",
        "recipe": "quadratics_lstm",
        "problem": "quadratic",
        "problems": 4,
    }
    settings = MetaGradients.model_validate(
        {
            "steps": STEPS,
            "windows": [1, 5, STEPS],
            "repeats": 3,
            "stages": {"now": stage, "short": {**stage, "estimators": ["kept"]}},
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
    optimizers = dict.fromkeys(("now", "short"), CoordinatewiseLSTM(kind, backwards))
    return meta_gradients(settings, {"quadratic": quadratic_family(4)}, optimizers, 0)


def _of(table: pd.DataFrame, estimator: str, window: int) -> pd.DataFrame:
    here = table[table["stage"] == "now"]
    return here[(here["estimator"] == estimator) & (here["window"] == window)]


def test_windows_of_one_step_have_no_second_derivatives(table: pd.DataFrame) -> None:
    kept, dropped = (_of(table, name, 1) for name in ("kept", "dropped"))
    for column in ("norm", "variance", "cosine", "agreement"):
        np.testing.assert_allclose(kept[column], dropped[column], rtol=1e-3, atol=1e-5)


def test_one_window_with_second_derivatives_is_the_true_gradient(table: pd.DataFrame) -> None:
    whole = _of(table, "kept", STEPS)
    np.testing.assert_allclose(whole["cosine"], 1, atol=1e-6)
    np.testing.assert_allclose(whole["agreement"], 1, atol=1e-6)
    assert (_of(table, "kept", 1)["cosine"] < 1 - 1e-4).all(), "short windows differ"


def test_a_stage_has_the_estimators_that_it_names_and_the_same_numbers(table: pd.DataFrame) -> None:
    short = table[table["stage"] == "short"]
    assert set(short["estimator"]) == {"kept"}
    same = table[(table["stage"] == "now") & (table["estimator"] == "kept")]
    np.testing.assert_array_equal(short["norm"], same["norm"])


def test_the_columns_by_hand() -> None:
    estimates = np.array([[[2.0, 0.0], [0.0, 2.0]], [[4.0, 4.0], [4.0, 4.0]], [[0, -3], [0, -1]]])
    true = np.tile([1.0, 0.0], (3, 2, 1))
    found = _table(estimates, true, 5)
    np.testing.assert_allclose(found["norm"], [np.sqrt(2), np.sqrt(32), 2])
    np.testing.assert_allclose(found["variance"], [5 / 2 * 8, 0, 5 / 2 * 4])
    np.testing.assert_allclose(found["cosine"], [np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-12)
    np.testing.assert_allclose(found["agreement"], (1 + found["cosine"]) / 2)


def test_the_variance_is_the_trace_of_the_covariance_of_one_problems_gradient() -> None:
    rng = np.random.default_rng(0)
    scale = np.array([3.0, 1.0, 0.5, 0.1])
    single = 100 + scale * rng.normal(size=(4000, 2, 6, 4))  # repeats, halves, problems, phi
    halves = single.mean(axis=2)
    found = _table(halves, halves, 6)["variance"].mean()
    assert found == pytest.approx((scale**2).sum(), rel=0.05)


def test_an_estimator_that_is_not_there_is_refused() -> None:
    settings = load_config().measurements.meta_gradients.model_dump(mode="json")
    settings["stages"]["mnist"]["estimators"] = ["keep"]
    with pytest.raises(ValueError, match="'keep' is none of kept"):
        MetaGradients.model_validate(settings)
