"""Meta-trainings at which nothing is learned: seen, said, and started again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.meta.runs import FAMILY, InterruptedFamily, PowerCutError, assert_same
from tests.small import CPU, mlp_family, recipe
from torch import Tensor

from l2l.config import Recipe
from l2l.errors import UserError
from l2l.meta import train as train_module
from l2l.meta.train import Training, train
from l2l.optimizers.weights import flatten_phi, unflatten_phi
from l2l.problems import Family
from l2l.problems.mlp import ImageSet


def _learnable() -> ImageSet:
    """Ten noisy patterns, one for each label."""
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(0, 10, (400,), generator=generator)
    patterns = torch.randint(0, 256, (10, 16), generator=generator)
    noise = torch.randint(-20, 21, (400, 16), generator=generator)
    images = (patterns[labels] + noise).clamp(0, 255).to(torch.uint8)
    return ImageSet.of(images, labels, torch.arange(100))


NETWORKS = mlp_family((6,), batch_size=32, data=_learnable())


class BadStart(Training):
    """The same training, but its first initialisation is spoilt."""

    spoil: Callable[[dict[str, Tensor]], None]

    def initial(self, attempt: int) -> Tensor:
        flat = super().initial(attempt)
        if attempt == 0:
            settings = self.recipe.optimizer
            phi = {k: v.clone() for k, v in unflatten_phi(flat, settings).items()}
            type(self).spoil(phi)
            flat = flatten_phi(phi, settings)
        return flat


def _explode(phi: dict[str, Tensor]) -> None:
    phi["head.weight"] *= 1e30


def _saturate(phi: dict[str, Tensor]) -> None:
    """Every step moves every coordinate far up: all sigmoids are 1, and no score differs."""
    phi["head.bias"] += 100.0


def _network_recipe() -> Recipe:
    return recipe(
        "mnist_paper",
        episodes=60,
        steps=20,
        problems_per_episode=2,
        unroll=[{"start": 0, "window": 5}],
        optimizer={"units": 8},
        validation={"every": 30, "problems": 4},
        attempts=3,
    )


def _bad_start(spoil: Callable[[dict[str, Tensor]], None], recipe: Recipe) -> Training:
    kind = type("Spoilt", (BadStart,), {"spoil": staticmethod(spoil)})
    return kind("mine", recipe, 0.005, ("seed", 0), 0, CPU, recipe.episodes, "mine")


@pytest.mark.parametrize(
    ("spoil", "chosen", "family", "why"),
    [
        pytest.param(_explode, recipe(attempts=3), FAMILY, "non-finite", id="exploding"),
        pytest.param(_saturate, _network_recipe(), NETWORKS, "stuck", id="saturated"),
    ],
)
def test_a_collapse_is_seen_at_the_first_validation_and_the_next_start_is_taken(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[dict[str, Tensor]], None],
    chosen: Recipe,
    family: Family,
    why: str,
) -> None:
    training = _bad_start(spoil, chosen)
    state = train(training, family, tmp_path / "a.state", "digest")
    said = capsys.readouterr().err
    assert "attempt 0 collapsed: " in said
    assert why in said
    assert state.attempt == 1
    assert len(state.collapsed) == 1
    assert why in state.collapsed[0]
    assert state.episode == chosen.episodes  # all of them, again
    every = chosen.validation.every
    assert [row["episode"] for row in state.rows if row["attempt"] == 1] == list(
        range(every, chosen.episodes + 1, every)
    )
    assert all(row["episode"] <= every for row in state.rows if row["attempt"] == 0)
    healthy = min(row["validation_final"] for row in state.rows if row["attempt"] == 1)
    assert state.best_validation == healthy


def test_the_next_attempt_owes_nothing_to_the_one_that_collapsed(tmp_path: Path) -> None:
    """Two different ways to spoil the first attempt end with the same second one."""

    def explode_otherwise(phi: dict[str, Tensor]) -> None:
        phi["head.weight"] *= -3e32

    states = [
        train(_bad_start(spoil, recipe()), FAMILY, tmp_path / f"{k}.state", "digest")
        for k, spoil in enumerate((_explode, explode_otherwise))
    ]
    assert states[0].attempt == states[1].attempt == 1
    for name in ("phi", "average", "best", "adam_mean", "adam_square"):
        assert torch.equal(getattr(states[0], name), getattr(states[1], name)), name


def test_a_healthy_run_is_left_alone(tmp_path: Path) -> None:
    training = Training("mine", _network_recipe(), 0.005, ("seed", 0), 0, CPU, 60, "mine")
    state = train(training, NETWORKS, tmp_path / "a.state", "digest")
    assert state.attempt == 0
    assert state.collapsed == []
    assert state.rows[0]["validation_final"] < 0.9 * 2.3


def test_a_slow_start_of_a_few_updates_is_no_collapse(tmp_path: Path) -> None:
    """As in the smoke protocol: after two episodes an averaged phi has hardly moved."""
    chosen = recipe(
        "mnist_long_unroll",
        episodes=4,
        steps=20,
        unroll=[{"start": 0, "window": 5}],
        validation={"every": 2, "problems": 2},
        attempts=1,
    )
    training = Training("mine", chosen, 0.0005, ("seed", 0), 0, CPU, 4, "mine")
    state = train(training, NETWORKS, tmp_path / "a.state", "digest")
    assert state.collapsed == []


@pytest.mark.parametrize(
    ("scale", "why"), [(1e-12, "stuck"), (1e25, "non-finite")], ids=["no steps", "huge steps"]
)
def test_when_every_attempt_collapses_it_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scale: float, why: str
) -> None:
    chosen = recipe(
        episodes=60,
        unroll=[{"start": 0, "window": 5}],
        optimizer={"units": 4, "output_scale": scale},
        validation={"every": 30, "problems": 2},
        attempts=3,
    )
    training = Training("mine", chosen, 0.001, ("seed", 0), 0, CPU, 60, "mine")
    with pytest.raises(UserError, match="all 3 attempts") as caught:
        train(training, FAMILY, tmp_path / "a.state", "digest")
    message = str(caught.value)
    assert message.startswith("mine: ")
    assert why in message
    assert "\n" not in message
    said = capsys.readouterr().err
    for attempt in range(3):
        assert f"attempt {attempt} collapsed" in said


@pytest.mark.parametrize("episode", [0, 2, 5])
def test_a_run_interrupted_after_a_collapse_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, episode: int
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    training = _bad_start(_explode, recipe())
    path = tmp_path / "a.state"
    with pytest.raises(PowerCutError):
        train(training, InterruptedFamily(episode, attempt=1), path, "digest")
    resumed = train(training, FAMILY, path, "digest")
    calm = train(training, FAMILY, tmp_path / "calm.state", "digest")
    assert_same(resumed, calm)
    assert resumed.attempt == 1
