"""The table of a test: its shape, its first step, and what it does not depend on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import (
    convnet_family,
    experiment,
    lstm_settings,
    mlp_family,
    quadratic_family,
    random_phi,
)

from l2l.evaluation.evaluate import HANDCRAFTED, evaluate
from l2l.optimizers import CoordinatewiseLSTM, make_baseline

STEPS = 7
PROBLEMS = 5
COLUMNS = ["experiment", "family", "problem", "optimizer", "meta_seed", "rate_for"]
COLUMNS += ["step", "coordinates", "weights", "loss", "train_loss", "test_loss"]
FAMILIES = {"quadratic": quadratic_family(4), "mnist": mlp_family((4,))}


def _learned() -> CoordinatewiseLSTM:
    settings = lstm_settings()
    return CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))


def _evaluate(problem: str, optimizer: Any, batch: int = 2, seed: int = -1) -> pd.DataFrame:
    settings = experiment(
        problems=(problem,),
        steps=STEPS,
        horizon=1,  # train_loss at every step
        evaluation={"problems": PROBLEMS, "batch": batch},
    )
    family = {problem: FAMILIES[problem]}
    return evaluate("exp", settings, family, "it", {problem: optimizer}, seed).curves


@pytest.mark.parametrize("problem", FAMILIES)
def test_there_is_one_tidy_row_for_each_problem_and_step(problem: str) -> None:
    table = _evaluate(problem, make_baseline("sgd", 0.01))
    assert list(table.columns) == COLUMNS
    assert len(table) == PROBLEMS * (STEPS + 1)
    assert not table.duplicated(["problem", "step"]).any()
    assert sorted(table["problem"].unique()) == list(range(PROBLEMS))
    assert sorted(table["step"].unique()) == list(range(STEPS + 1))
    assert set(table["experiment"]) == {"exp"}
    assert set(table["optimizer"]) == {"it"}
    assert set(table["meta_seed"]) == {HANDCRAFTED} == {-1}
    assert not table[COLUMNS[:-1]].isna().any().any()
    assert table["test_loss"].isna().all()  # no held-out data here
    assert set(table["family"]) == {problem}
    assert set(_evaluate(problem, _learned(), seed=3)["meta_seed"]) == {3}


@pytest.mark.parametrize("problem", FAMILIES)
def test_every_row_equals_a_loop_over_single_problems(problem: str) -> None:
    table = _evaluate(problem, make_baseline("nag", 0.02), batch=3).set_index(["problem", "step"])
    for i in range(PROBLEMS):
        single = FAMILIES[problem].sample(("test", problem), [i], STEPS)
        theta = torch.nn.Parameter(single.initial().clone())
        nag = torch.optim.SGD([theta], lr=0.02, momentum=0.9, nesterov=True)
        for step in range(STEPS + 1):
            row = table.loc[(i, step)]
            assert row["loss"] == pytest.approx(single.loss(theta, step).item(), rel=1e-4)
            assert row["train_loss"] == pytest.approx(single.train_loss(theta).item(), rel=1e-4)
            nag.zero_grad()
            single.loss(theta, step).sum().backward()
            nag.step()


def test_the_train_loss_is_the_loss_where_there_is_no_minibatch() -> None:
    table = _evaluate("quadratic", make_baseline("adam", 0.1))
    assert (table["loss"] == table["train_loss"]).all()
    noisy = _evaluate("mnist", make_baseline("adam", 0.1))
    assert (noisy["loss"] != noisy["train_loss"]).any()


def test_the_train_loss_is_measured_from_the_horizon_on_and_now_and_then_before() -> None:
    settings = experiment(
        problems=("mnist",), steps=27, horizon=23, evaluation={"problems": 2, "measure_every": 8}
    )
    sgd = {"mnist": make_baseline("sgd", 0.1)}
    table = evaluate("exp", settings, {"mnist": FAMILIES["mnist"]}, "sgd", sgd).curves
    measured = table.loc[table["train_loss"].notna(), "step"]
    assert sorted(measured.unique()) == [0, 8, 16, 23, 24, 25, 26, 27]
    assert len(measured) == 2 * 8
    assert table["loss"].notna().all()


@pytest.mark.parametrize("problem", FAMILIES)
@pytest.mark.parametrize("learned", [False, True])
def test_how_many_run_at_once_does_not_matter(problem: str, learned: bool) -> None:
    optimizer = _learned() if learned else make_baseline("rmsprop", 0.05)
    tables = [_evaluate(problem, optimizer, batch) for batch in (1, 2, PROBLEMS, 99)]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], rtol=1e-4, atol=1e-6)


def test_all_optimizers_get_the_same_problems() -> None:
    for problem in FAMILIES:
        optimizers = [make_baseline("sgd", 1e-9), make_baseline("adam", 0.1), _learned()]
        tables = [_evaluate(problem, optimizer) for optimizer in optimizers]
        starts = [
            table[table["step"] == 0].drop(columns="weights").reset_index(drop=True)
            for table in tables
        ]
        for start in starts[1:]:
            pd.testing.assert_frame_equal(start, starts[0])
        assert not np.allclose(tables[0]["loss"], tables[1]["loss"])


def test_test_problems_are_not_those_of_tuning_training_or_validation() -> None:
    for problem, family in FAMILIES.items():
        table = _evaluate(problem, make_baseline("sgd", 0.01))
        tested = set(table.loc[table["step"] == 0, "train_loss"].round(6))
        for stage, *run in (["tune"], ["validation"], ["train", "some", "seed", 0, 0]):
            others = family.sample((stage, problem, *run), range(PROBLEMS), STEPS)
            seen = {round(x, 6) for x in others.train_loss(others.initial()).tolist()}
            assert not tested & seen, stage


def test_several_families_of_one_experiment_are_those_of_each_alone() -> None:
    """Each with the learning rate that was tuned for it."""
    optimizers = {"quadratic": make_baseline("sgd", 0.01), "mnist": make_baseline("sgd", 0.5)}
    settings = experiment(
        problems=tuple(FAMILIES), steps=STEPS, horizon=1, evaluation={"problems": PROBLEMS}
    )
    table = evaluate("exp", settings, FAMILIES, "it", optimizers).curves
    for family, part in table.groupby("family"):
        alone = _evaluate(family, optimizers[family])
        pd.testing.assert_frame_equal(part.reset_index(drop=True), alone)


def test_held_out_data_are_measured_with_the_train_loss() -> None:
    family = convnet_family()
    settings = experiment(steps=4, horizon=4, evaluation={"measure_every": 3, "problems": 2})
    optimizers = {"quadratic": make_baseline("sgd", 0.1)}
    table = evaluate("exp", settings, {"quadratic": family}, "sgd", optimizers).curves
    assert table["test_loss"].notna().equals(table["train_loss"].notna())
    assert sorted(table.loc[table["test_loss"].notna(), "step"].unique()) == [0, 3, 4]
    problems = family.sample(("test", "quadratic"), range(2), 4)
    first = table[table["step"] == 0]
    np.testing.assert_allclose(first["test_loss"], problems.test_loss(problems.initial()))


def test_a_loss_that_diverged_is_infinite_and_not_a_gap() -> None:
    """NaN is left to what was not measured."""
    table = _evaluate("quadratic", make_baseline("sgd", 1e30))
    assert table["loss"].notna().all()
    assert table["train_loss"].notna().all()
    assert np.isinf(table.loc[table["step"] == STEPS, ["loss", "train_loss"]]).all().all()
