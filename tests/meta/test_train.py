"""Meta-training against a loop written with torch.optim; the same bits twice; the best phi kept."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.meta import straight_line
from tests.meta.runs import FAMILY, RICH, assert_same, rows, run, training
from tests.small import CPU, double, lstm_settings, random_phi, recipe
from torch import Tensor

from l2l.config import Recipe
from l2l.meta import train as train_module
from l2l.meta.epoch import ValidationResult, validate
from l2l.meta.train import Training, train
from l2l.optimizers.weights import flatten_phi, initial_phi, unflatten_phi
from l2l.rng import stream


class InDoublePrecision(Training):
    """The same training with phi in float64, so that it can be compared tightly."""

    def initial(self, attempt: int) -> Tensor:
        return super().initial(attempt).double()


class DoubleFamily:
    """Quadratics in float64."""

    def sample(self, *arguments: Any) -> Any:
        return double(FAMILY.sample(*arguments))


def _by_hand(recipe: Recipe) -> tuple[Tensor, Tensor, list[float]]:
    """phi, its average and all norms: autograd, torch.optim.Adam, the text of DESIGN.md."""
    settings = recipe.optimizer
    start = initial_phi(settings, stream(0, "phi", "some", "seed", 0, 0))
    shapes = {name: value.shape for name, value in start.items()}
    flat = torch.nn.Parameter(torch.cat([value.flatten() for value in start.values()]).double())
    average, previous, all_norms = flat.detach().clone(), 0, []
    for episode in range(recipe.episodes):
        length = 5 if episode < recipe.episodes / 2 else 8
        if length != previous:
            adam, previous, norms = torch.optim.Adam([flat]), length, []
        cosine = (1 + math.cos(math.pi * episode / recipe.episodes)) / 2
        adam.param_groups[0]["lr"] = 0.01 * (0.1 + 0.9 * cosine)
        indices = range(4 * episode, 4 * episode + 4)
        drawn = FAMILY.sample(("train", "quadratic", "some", "seed", 0, 0), indices, 0)
        function = straight_line.quadratic(drawn.W.double(), drawn.y.double())
        place = straight_line.Place(drawn.theta0.double())
        while place.step < recipe.steps:
            parts = flat.detach().split([shape.numel() for shape in shapes.values()])
            gradient, _, place = straight_line.window(
                function,
                place,
                settings,
                {n: p.reshape(s) for p, (n, s) in zip(parts, shapes.items(), strict=True)},
                min(length, recipe.steps - place.step),
                lambda loss, t: 1 / (loss + recipe.inverse_offset),
            )
            joined = torch.cat([gradient[name].flatten() for name in shapes])
            norms = [*norms, joined.norm().item()][-100:]
            all_norms.append(norms[-1])
            flat.grad = joined * min(1.0, statistics.median(norms) / norms[-1])
            adam.step()
            average = 0.9 * average + 0.1 * flat.detach()
    return flat.detach(), average, all_norms


def test_equals_a_loop_with_autograd_and_torch_adam(tmp_path: Path) -> None:
    """Windows that grow, moments reset with them, cosine, clipping, averaging, inverse weights."""
    chosen = recipe(**RICH | {"sampling": {"fraction": 1}})
    subject = InDoublePrecision("some", chosen, 0.01, ("seed", 0), 0, CPU, chosen.episodes, "some")
    state = train(subject, DoubleFamily(), tmp_path / "a.state", "digest")
    phi, average, norms = _by_hand(chosen)
    torch.testing.assert_close(state.phi, phi, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(state.average, average, rtol=1e-7, atol=1e-8)
    epochs = [norms[:16], norms[16:30], norms[30:]]  # 4 windows of 5, later 3 of 8, 8 and 4 steps
    assert len(norms) == 6 * 4 + 6 * 3
    assert [row["window"] for row in state.rows] == [5, 8, 8]
    for row, expected in zip(state.rows, epochs, strict=True):
        assert row["meta_gradient_norm"] == pytest.approx(statistics.median(expected), rel=1e-7)


def test_two_runs_give_the_same_bits(tmp_path: Path) -> None:
    chosen = recipe(**RICH)
    assert_same(run(chosen, tmp_path / "a"), run(chosen, tmp_path / "b"))


def test_other_runs_of_the_recipe_differ(tmp_path: Path) -> None:
    first = run(recipe(), tmp_path / "a")
    for number, change in enumerate(({"run": ("seed", 1)}, {"seed": 1}, {"rate": 0.02})):
        other = run(recipe(), tmp_path / str(number), **change)
        assert not torch.equal(first.phi, other.phi), change


def test_a_run_that_stops_early_is_the_beginning_of_the_full_run(tmp_path: Path) -> None:
    """As a trial of the meta learning rate: schedules are those of the whole recipe."""
    chosen = recipe(**RICH)
    full, short = run(chosen, tmp_path / "a"), run(chosen, tmp_path / "b", episodes=8)
    assert short.episode == 8
    assert rows(short) == rows(full)[:2]
    uneven = run(chosen, tmp_path / "c", episodes=7)
    assert [row["episode"] for row in uneven.rows] == [4, 7]


def test_meta_training_learns(tmp_path: Path) -> None:
    chosen = recipe(
        episodes=40,
        steps=20,
        problems_per_episode=32,
        optimizer={"units": 8},
        validation={"every": 10, "problems": 64},
    )
    subject = training(chosen, rate=0.01)
    state = train(subject, FAMILY, tmp_path / "a.state", "digest")
    problems = FAMILY.sample(("fresh",), range(64), 20)
    before, after = (
        validate(problems, subject.optimizer(phi), 20).final
        for phi in (subject.initial(0), state.best)
    )
    assert after < 0.5 * before


def test_the_best_validated_average_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validation losses are given: which of a real run is the smallest depends on digits."""
    losses = [0.9, 0.7, 0.8, 0.5, 0.6, 0.5, 0.9, 1.5, 0.7, 0.6]
    validated: list[Tensor] = []

    def given(problems: Any, optimizer: Any, steps: int, loss: str) -> ValidationResult:
        validated.append(flatten_phi(optimizer.phi, optimizer.settings))
        return ValidationResult(1.0, losses[len(validated) - 1], 1.0)

    monkeypatch.setattr(train_module, "validate", given)
    chosen = recipe(episodes=30, validation={"every": 3, "problems": 4}, averaging=0.5)
    state = train(training(chosen), FAMILY, tmp_path / "a.state", "digest")
    assert [row["episode"] for row in state.rows] == list(range(3, 31, 3))
    assert [row["validation_final"] for row in state.rows] == losses
    assert (state.best_episode, state.best_validation) == (12, 0.5)  # the first of the smallest
    assert torch.equal(state.best, validated[3])
    assert torch.equal(state.average, validated[9])
    assert not torch.equal(state.average, state.phi)


def test_what_is_logged_is_the_validation_of_the_average(tmp_path: Path) -> None:
    subject = training(recipe(episodes=4, averaging=0.5))
    state = train(subject, FAMILY, tmp_path / "a.state", "digest")
    problems = FAMILY.sample(("validation", "quadratic"), range(4), 20)
    again = validate(problems, subject.optimizer(state.average), 20)
    assert again.final == state.rows[-1]["validation_final"] == state.best_validation


def test_the_last_epoch_is_validated_even_where_it_is_short(tmp_path: Path) -> None:
    state = run(recipe(episodes=7, validation={"every": 5, "problems": 2}), tmp_path)
    assert [row["episode"] for row in state.rows] == [5, 7]


def test_a_mean_over_windows_is_logged(tmp_path: Path) -> None:
    state = run(recipe(episodes=4, validation={"every": 4, "problems": 2}), tmp_path)
    (row,) = state.rows
    assert math.isfinite(row["train_loss"])
    assert row["skipped_windows"] == 0
    assert row["attempt"] == 0
    assert row["seconds"] >= 0


def test_phi_is_flattened_and_back() -> None:
    settings = lstm_settings(layers=2)
    phi = random_phi(settings)
    again = unflatten_phi(flatten_phi(phi, settings), settings)
    assert list(again) == list(phi)
    assert all(torch.equal(again[name], phi[name]) for name in phi)


def test_a_start_is_gone_on_from_at_every_attempt() -> None:
    start = torch.arange(10.0)
    given = training(recipe(), start=start)
    assert torch.equal(given.initial(0), start)
    assert torch.equal(given.initial(3), start)


def test_long_episodes_go_through_all_their_windows(tmp_path: Path) -> None:
    """6 episodes of 20 steps with windows of 10, 6 of 45 with windows of 20 (the last one of 5)."""
    stages = [{"start": 0, "window": 10}, {"start": 0.5, "window": 20, "steps": 45}]
    state = run(recipe(unroll=stages), tmp_path)
    assert state.adam_count == 6 * 3  # of the second stage: the optimizer of phi starts anew
