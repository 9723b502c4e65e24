"""Small meta-trainings with any estimator: that they train, and go on after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.meta.runs import FAMILY, RICH, InterruptedFamily, PowerCutError, assert_same, training
from tests.small import recipe

from l2l.meta import train as train_module
from l2l.meta.epoch import validate
from l2l.meta.train import train

SMALL: dict[str, Any] = {
    "like": "quadratics_lstm",
    "optimizer": {"layers": 1, "units": 5},
    "sampling": {"fraction": 1},
}


def assert_it_trains(
    estimator: dict[str, Any], folder: Path, factor: float = 0.6, **changes: Any
) -> None:
    """The final validation loss falls below `factor` of the untrained optimizer's."""
    values: dict[str, Any] = {
        "estimator": estimator,
        "episodes": 60,
        "problems_per_episode": 16,
        "validation": {"every": 20, "problems": 16},
    }
    chosen = recipe("tried", **(SMALL | values | changes))
    made = training(chosen, rate=0.02)
    problems = FAMILY.sample(("validation", chosen.problem), range(16), 20)
    before = validate(problems, made.optimizer(made.initial(0)), 20).final
    state = train(made, FAMILY, folder / "a.state", "digest")
    assert state.attempt == 0
    assert state.best_validation < factor * before
    assert sum(row["skipped_windows"] for row in state.rows) == 0


def assert_resumes_with_the_same_bits(
    estimator: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after 3 and, resumed, after 7 of 12 episodes; windows of changing lengths."""
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    chosen = recipe("tried", **(RICH | SMALL | {"estimator": estimator}))
    killed = folder / "killed.state"
    for episode in (3, 7):
        with pytest.raises(PowerCutError):
            train(training(chosen), InterruptedFamily(episode), killed, "digest")
    resumed = train(training(chosen), FAMILY, killed, "digest")
    calm = train(training(chosen), FAMILY, folder / "calm.state", "digest")
    assert_same(resumed, calm)
    assert torch.equal(resumed.memory, calm.memory)
    other = train(training(chosen, seed=1), FAMILY, folder / "other.state", "digest")
    assert not torch.equal(other.phi, calm.phi)
