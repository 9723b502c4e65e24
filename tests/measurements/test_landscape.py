"""The landscape of the meta-loss: what is moved, how far, and what is averaged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import lstm_settings, quadratic_family, random_phi

from l2l.config.measurements import Landscape
from l2l.measurements.landscape import landscape, random_direction
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import CoordinatewiseLSTM
from l2l.rng import stream

SETTINGS = Landscape.model_validate(
    {
        "slices": {"here": {"title": "t", "recipe": "quadratics_lstm", "problem": "quadratic"}},
        "directions": 2,
        "reach": 0.5,
        "points": 5,
        "horizons": [3, 8],
        "problems": 2,
    }
)


def optimizer() -> CoordinatewiseLSTM:
    kind = lstm_settings()
    return CoordinatewiseLSTM(kind, random_phi(kind, dtype=torch.float32))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return landscape(SETTINGS, {"quadratic": quadratic_family(4)}, {"here": optimizer()}, 0)


def test_a_loss_is_the_mean_over_the_steps_of_an_episode_with_moved_weights(
    table: pd.DataFrame,
) -> None:
    problems = quadratic_family(4).sample(("landscape", "quadratic"), range(2), 8)
    base = optimizer()
    way = random_direction(base.phi, stream(0, "landscape", "here", 1))
    moved = base.with_phi({key: weight - 0.25 * way[key] for key, weight in base.phi.items()})
    losses: list[torch.Tensor] = []
    rollout(problems, moved, begin(problems, moved), 8, lambda now: losses.append(now.loss))
    here = table[(table["direction"] == 1) & (table["place"] == -0.25)]
    for horizon in (3, 8):
        own = here[here["horizon"] == horizon].set_index("problem")["loss"]
        np.testing.assert_allclose(own, torch.stack(losses[:horizon]).mean(dim=0), rtol=1e-5)


def test_all_lines_cross_at_the_trained_weights_and_part_elsewhere(table: pd.DataFrame) -> None:
    assert len(table) == 2 * 5 * 2 * 2
    wide = table.pivot(index=["place", "horizon", "problem"], columns="direction", values="loss")
    np.testing.assert_array_equal(wide.loc[0.0, 0], wide.loc[0.0, 1])
    assert (wide.loc[0.5, 0] != wide.loc[0.5, 1]).all()
    assert sorted(set(table["place"])) == [-0.5, -0.25, 0, 0.25, 0.5]


def test_each_tensor_of_a_direction_is_as_long_as_that_of_phi() -> None:
    phi = {"a": torch.full((3, 4), 2.0), "b": torch.zeros(5), "c": torch.zeros(0, 3)}
    way = random_direction(phi, stream(0, "x"))
    lengths = {key: part.norm().item() for key, part in way.items()}
    assert lengths == pytest.approx({"a": phi["a"].norm().item(), "b": 0, "c": 0})
    assert way["a"].std() > 0.5
