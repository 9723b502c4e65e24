"""Meta-trainings that diverge after they have learned: they step back, or stop; nothing is NaN."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.meta.runs import FAMILY, InterruptedFamily, PowerCutError, assert_same, rows, training
from tests.small import ESTIMATORS, recipe

from l2l.cli.commands import choose_rate, trial
from l2l.config import Recipe, load_config
from l2l.errors import UserError
from l2l.layout import Layout
from l2l.meta import train as train_module
from l2l.meta.epoch import ValidationResult
from l2l.meta.state import TrainingState
from l2l.meta.train import Training, train
from l2l.run import Run

each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
ALIVE = 25
"""Episodes of four windows: a hundred updates, after which a run is not started again."""


class TooHighForAWhile(Training):
    """The same training, at a meta learning rate 10^30 times as high in episodes 25 to 29."""

    def rate_at(self, state: TrainingState, episode: int) -> float:
        spike = 1e30 if ALIVE <= episode < ALIVE + 5 else 1.0
        return spike * super().rate_at(state, episode)


class SpoiltFamily:
    """The same problems, but those of training are too large for float32 in some episodes."""

    def __init__(self, first: int, last: int = 10**6):
        self.spoilt = range(4 * first, 4 * last)

    def sample(self, names: Any, indices: Any, steps: int) -> Any:
        problems = FAMILY.sample(names, indices, steps)
        if names[0] != "train" or indices[0] not in self.spoilt:
            return problems
        return replace(problems, W=1e25 * problems.W)


def _recipe(estimator: dict[str, Any] = ESTIMATORS["adjoint"], **changes: Any) -> Recipe:
    small = {
        "like": "quadratics_lstm",
        "optimizer": {"layers": 1, "units": 4},
        "episodes": 45,
        "unroll": [{"start": 0, "window": 5}],
        "sampling": {"fraction": 1},
        "estimator": estimator,
        "clip": "none",
        "validation": {"every": 5, "problems": 4},
    }
    return recipe("tried", **(small | changes))


def _spiked(chosen: Recipe) -> Training:
    plain = training(chosen)
    return TooHighForAWhile(**{key: getattr(plain, key) for key in plain.__dataclass_fields__})


def _assert_no_silent_nan(state: TrainingState) -> None:
    for row in state.rows:
        numbers = [value for value in row.values() if not isinstance(value, str)]
        assert not any(math.isnan(number) for number in numbers), row
        if not all(map(math.isfinite, numbers)):
            assert row["stepped_back_to"] >= 0, row
    for name in ("phi", "average", "best", "adam_mean", "adam_square", "memory"):
        assert getattr(state, name).isfinite().all(), name


@each_estimator
def test_weights_that_explode_are_stepped_back_from(
    estimator: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = train(_spiked(_recipe(estimator)), FAMILY, tmp_path / "a.state", "digest")
    _assert_no_silent_nan(state)
    assert state.attempt == 0
    back = {row["episode"]: row["stepped_back_to"] for row in state.rows}
    best = min(state.rows[:5], key=lambda row: row["validation_final"])["episode"]
    assert {episode: to for episode, to in back.items() if to >= 0} == {30: best}
    assert list(back) == list(range(5, 46, 5))  # and it goes on to its end
    assert state.diverged[0].startswith("diverged at episode 30 (the validation problems diverged)")
    assert state.diverged[0] in capsys.readouterr().err
    later = {row["episode"]: row["meta_learning_rate"] for row in state.rows}
    usual = training(_recipe(estimator))
    for episode in (35, 40, 45):
        assert later[episode] == usual.rate_at(TrainingState.start(state.phi), episode - 1) / 2
    assert state.adam_count == 15 * 4  # updates since then, from fresh moments


@each_estimator
def test_problems_whose_loss_is_not_a_number_are_stepped_back_from(
    estimator: dict[str, Any], tmp_path: Path
) -> None:
    """A whole epoch of them; what was learned before is what training goes on from."""
    family = SpoiltFamily(ALIVE, ALIVE + 5)
    state = train(training(_recipe(estimator)), family, tmp_path / "a.state", "digest", FAMILY)
    _assert_no_silent_nan(state)
    (bad,) = (row for row in state.rows if row["stepped_back_to"] >= 0)
    assert bad["episode"] == 30
    assert bad["skipped_windows"] == 20
    assert bad["train_loss"] == bad["meta_gradient_norm"] == math.inf
    assert "every meta-gradient was non-finite" in state.diverged[0]


@each_estimator
def test_a_single_window_that_diverges_is_skipped_and_said(
    estimator: dict[str, Any], tmp_path: Path
) -> None:
    family = SpoiltFamily(27, 28)
    state = train(training(_recipe(estimator)), family, tmp_path / "a.state", "digest", FAMILY)
    _assert_no_silent_nan(state)
    assert state.diverged == []
    assert [row["skipped_windows"] for row in state.rows] == [0] * 5 + [4] + [0] * 3
    assert all(row["stepped_back_to"] == -1 for row in state.rows)


@each_estimator
def test_a_run_killed_around_a_step_back_ends_with_the_same_bits(
    estimator: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    subject, killed = _spiked(_recipe(estimator)), tmp_path / "killed.state"
    for episode in (27, 30, 33):
        with pytest.raises(PowerCutError):
            train(subject, InterruptedFamily(episode), killed, "digest")
    resumed = train(subject, FAMILY, killed, "digest")
    calm = train(subject, FAMILY, tmp_path / "calm.state", "digest")
    assert len(calm.diverged) == 1
    assert_same(resumed, calm)
    assert resumed.diverged == calm.diverged
    assert torch.equal(resumed.memory, calm.memory)


@pytest.mark.parametrize(("times", "seen"), [(1001.0, True), (999.0, False)])
def test_a_finite_explosion_is_seen(
    times: float, seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A validation loss of thousands is a number, yet no use. (Given, as a real one is chaotic.)"""
    results: list[ValidationResult] = []

    def given(problems: Any, optimizer: Any, steps: int, loss: str) -> ValidationResult:
        final = 0.5 * 0.9 ** len(results) if len(results) != 5 else times
        results.append(ValidationResult(1.0, final, final))
        return results[-1]

    monkeypatch.setattr(train_module, "validate", given)
    state = train(training(_recipe()), FAMILY, tmp_path / "a.state", "digest")
    _assert_no_silent_nan(state)
    assert state.rows[5]["validation_final"] == times
    assert [row["stepped_back_to"] for row in state.rows if row["stepped_back_to"] >= 0] == (
        [25] if seen else []
    )
    assert [entry.partition("(")[2][:28] for entry in state.diverged] == (
        ["the validation loss exploded"] if seen else []
    )
    assert state.best_validation == results[-1].final


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_a_run_that_diverges_ever_again_stops_with_one_line(limit: int, tmp_path: Path) -> None:
    chosen = _recipe(step_backs=limit)
    with pytest.raises(UserError) as caught:
        train(training(chosen), SpoiltFamily(ALIVE), tmp_path / "a.state", "digest", FAMILY)
    message = str(caught.value)
    assert message.startswith(f"some: diverged at episode {30 + 5 * limit}")
    assert ("after" in message) == (limit > 0)
    assert "recipes.some.meta_learning_rate" in message
    assert f"recipes.some.step_backs = {limit}" in message
    assert "\n" not in message


def test_a_run_that_stopped_goes_on_where_more_steps_back_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "SECONDS_BETWEEN_SAVES", -1.0)
    family, path = SpoiltFamily(ALIVE, ALIVE + 5), tmp_path / "a.state"
    with pytest.raises(UserError):
        train(training(_recipe(step_backs=0)), family, path, "digest", FAMILY)
    patient = training(_recipe(step_backs=1))
    gone_on = train(patient, family, path, "digest", FAMILY)
    at_once = train(patient, family, tmp_path / "b.state", "digest", FAMILY)
    assert_same(gone_on, at_once)
    assert rows(gone_on)[5]["stepped_back_to"] >= 0


def _smoke(settings: list[str]) -> Run:
    return Run(load_config("smoke", settings=settings))


def test_a_trial_that_diverges_is_never_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However well it validated before; its JSON has no NaN."""
    monkeypatch.chdir(tmp_path)
    high = 'recipes.quadratics_lstm={"meta_learning_rate": {"low": 1e20, "high": 1e20}}'
    settings = ["recipes.quadratics_lstm.episodes=6", "recipes.quadratics_lstm.attempts=2"]
    settings += ["recipes.quadratics_lstm.meta_learning_rate={trials: 2, episodes: 4}"]
    trial(_smoke([*settings, high]), "quadratics_lstm", 0)
    trial(_smoke(settings), "quadratics_lstm", 1)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    layout = Layout("smoke")
    outcomes = [
        json.loads(layout.trial("quadratics_lstm", number).read_text(), parse_constant=refuse)
        for number in range(2)
    ]
    assert outcomes[0]["validation"] is None
    assert outcomes[0]["failed"].startswith("quadratics_lstm: all 2 attempts collapsed")
    assert outcomes[1]["validation"] > 0
    choose_rate(_smoke(settings), "quadratics_lstm")
    chosen = json.loads(layout.rate("quadratics_lstm").read_text())["meta_learning_rate"]
    assert chosen == outcomes[1]["meta_learning_rate"]


def test_a_trial_that_diverges_late_is_an_outcome_without_a_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It validated well before: that must not count."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_module, "Training", TooHighForAWhile)
    name = "recipes.quadratics_lstm"
    settings = [f"{name}.unroll=[{{start: 0, window: 5}}]", f"{name}.episodes=40"]
    settings += [f"{name}.steps=20", f"{name}.meta_learning_rate={{trials: 1, episodes: 35}}"]
    trial(_smoke(settings), "quadratics_lstm", 0)
    outcome = json.loads(Layout("smoke").trial("quadratics_lstm", 0).read_text())
    assert outcome["validation"] is None
    assert outcome["failed"].startswith("quadratics_lstm: diverged at episode 30")
    with pytest.raises(UserError, match="no trial of the meta learning rate came through"):
        choose_rate(_smoke(settings), "quadratics_lstm")
