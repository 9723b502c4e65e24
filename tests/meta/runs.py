"""Small meta-trainings on quadratics, shared by the tests of training, resuming and collapse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tests.small import CPU, quadratic_family

from l2l.config import Recipe
from l2l.meta.state import TrainingState
from l2l.meta.train import Training, train

FAMILY = quadratic_family(3)
RICH: dict[str, Any] = {  # changes of `tests.small.recipe`: everything at once
    "unroll": [{"start": 0, "window": 5}, {"start": 0.5, "window": 8}],
    "loss_weights": "inverse",
    "clip": "running_median",
    "sampling": {"fraction": 0.6},
    "averaging": 0.9,
    "meta_learning_rate": {"schedule": "cosine", "final_fraction": 0.1},
}


def training(recipe: Recipe, **changes: Any) -> Training:
    values: dict[str, Any] = {
        "name": "some",
        "label": "some",
        "rate": 0.01,
        "run": ("seed", 0),
        "seed": 0,
    }
    values |= {"recipe": recipe, "device": CPU, "episodes": recipe.episodes}
    return Training(**(values | changes))


def run(recipe: Recipe, folder: Path, **changes: Any) -> TrainingState:
    return train(training(recipe, **changes), FAMILY, folder / "a.state", "digest")


def rows(state: TrainingState) -> list[dict[str, Any]]:
    """The log without its clock."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in state.rows]


def assert_same(one: TrainingState, other: TrainingState) -> None:
    for name in ("phi", "average", "best", "adam_mean", "adam_square"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert rows(one) == rows(other)
    assert one.collapsed == other.collapsed
    assert one.attempt == other.attempt
    assert one.best_validation == other.best_validation


class PowerCutError(Exception):
    """Ends a run in the middle."""


class InterruptedFamily:
    """Ends the run when an attempt asks for the problems of some episode (4 an episode)."""

    def __init__(self, episode: int, attempt: int = 0):
        self.episode, self.attempt = episode, attempt

    def sample(self, names: Any, indices: Any, steps: int) -> Any:
        place = (names[0], names[-1], indices[0])
        if place == ("train", self.attempt, 4 * self.episode):
            raise PowerCutError
        return FAMILY.sample(names, indices, steps)
