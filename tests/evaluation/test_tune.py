"""Tuning against a brute-force search with torch.optim and the closed form of gradient descent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import convnet_family, experiment, mlp_family, quadratic_family

from l2l.config import Experiment
from l2l.errors import UserError
from l2l.evaluation.rates import BOTH, FINAL, MEAN, chosen, chosen_rates, final_rates
from l2l.evaluation.tune import tune

HORIZON = 25
PROBLEMS = 5
FAMILY = quadratic_family(4)


def _experiment(
    low: float,
    high: float,
    per_decade: int = 4,
    max_widenings: int = 8,
    horizon: int = HORIZON,
    problems: int = PROBLEMS,
) -> Experiment:
    grid = {"low": low, "high": high}
    tuning: dict[str, Any] = {"problems": problems, "points_per_decade": per_decade}
    tuning |= {"max_widenings": max_widenings}
    grids = {"grids": dict.fromkeys(("sgd", "nag", "adam", "rmsprop"), grid)}
    return experiment(steps=40, horizon=horizon, tuning=tuning | grids)


def _tune(low: float, high: float, baseline: str = "sgd", **changes: Any) -> pd.DataFrame:
    return tune("exp", _experiment(low, high, **changes), baseline, "quadratic", FAMILY)


def _chosen(table: pd.DataFrame) -> float:
    return final_rates(chosen_rates(table))["quadratic"]


def _torch_losses(baseline: str, rate: float) -> tuple[float, float]:
    """(final, mean) over problems, each problem alone, with torch.optim."""
    problems = FAMILY.sample(("tune", "quadratic"), range(PROBLEMS), 0)
    make: dict[str, Any] = {
        "sgd": lambda p: torch.optim.SGD(p, lr=rate),
        "nag": lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9, nesterov=True),
        "adam": lambda p: torch.optim.Adam(p, lr=rate),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=rate),
    }
    finals, means = [], []
    for W, y, start in zip(problems.W, problems.y, problems.initial(), strict=True):
        theta = torch.nn.Parameter(start.double())
        optimizer = make[baseline]([theta])
        losses = []
        for _ in range(HORIZON):
            optimizer.zero_grad()
            ((W.double() @ theta - y.double()) ** 2).sum().backward()
            optimizer.step()
            losses.append(((W.double() @ theta - y.double()) ** 2).sum().item())
        finals.append(losses[-1])
        means.append(sum(losses) / HORIZON)
    return sum(finals) / PROBLEMS, sum(means) / PROBLEMS


@pytest.mark.parametrize("baseline", ["sgd", "nag", "adam", "rmsprop"])
def test_every_row_equals_a_search_with_torch_optim(baseline: str) -> None:
    table = _tune(1e-3, 0.1, baseline, per_decade=2)
    finite = table[table["final_loss"] < 1e4]
    for row in finite.itertuples():
        final, mean = _torch_losses(baseline, row.learning_rate)
        assert row.final_loss == pytest.approx(final, rel=2e-3, abs=1e-5)
        assert row.mean_loss == pytest.approx(mean, rel=2e-3, abs=1e-5)
    best = min(finite["learning_rate"], key=lambda rate: _torch_losses(baseline, rate)[0])
    assert _chosen(table) == best


def test_the_table_is_tidy() -> None:
    table = _tune(1e-3, 0.1)
    assert list(table.columns) == [
        "experiment",
        "family",
        "optimizer",
        "learning_rate",
        "final_loss",
        "mean_loss",
        "chosen_for",
        "widened",
    ]
    assert set(table["experiment"]) == {"exp"}
    assert set(table["optimizer"]) == {"sgd"}
    rates = table["learning_rate"].to_numpy()
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10**0.25)  # a log grid without holes
    for metric in (FINAL, MEAN):
        assert table[metric].min() == chosen(table, metric)[metric].item()
    assert {*table["chosen_for"]} in ({"", BOTH}, {"", FINAL, MEAN})


def test_a_grid_covers_its_range() -> None:
    table = _tune(1e-3, 0.1)
    first = table.loc[~table["widened"], "learning_rate"]
    assert first.min() == pytest.approx(1e-3)
    assert first.max() == pytest.approx(0.1)
    assert len(first) == 9


@pytest.mark.parametrize(
    ("low", "high"), [(1e-6, 1e-5), (10**0.5, 10**1.5)], ids=["too low", "too high"]
)
@pytest.mark.parametrize("baseline", ["sgd", "nag"])
def test_a_best_value_at_the_edge_widens_the_grid_until_it_is_inside(
    low: float, high: float, baseline: str
) -> None:
    wide = _tune(1e-5, 10.0, baseline)
    assert not wide["widened"].any()
    table = _tune(low, high, baseline)
    assert _chosen(table) == pytest.approx(_chosen(wide))
    first = table["learning_rate"].between(0.999 * low, 1.001 * high)
    assert (table["widened"] == ~first).all()
    for metric in (FINAL, MEAN):
        position = chosen(table, metric).index.item()
        assert 0 < position < len(table) - 1


def test_rates_that_diverge_are_infinite_and_never_chosen() -> None:
    table = _tune(1e-3, 1e4, horizon=40)
    diverged = table[table["learning_rate"] > 100]
    assert (diverged["final_loss"] == math.inf).all()
    assert (diverged["mean_loss"] == math.inf).all()
    assert math.isfinite(chosen(table, FINAL)["final_loss"].item())


def test_a_grid_on_which_everything_diverges_is_left_downwards() -> None:
    """Several widenings in a row find nothing finite; an infinite rate must not win the tie."""
    table = _tune(1e6, 1e7, max_widenings=12, horizon=40)
    assert (table.loc[~table["widened"], "final_loss"] == math.inf).all()
    assert math.isfinite(chosen(table, FINAL)["final_loss"].item())
    wide = _tune(1e-5, 10.0, horizon=40)
    assert _chosen(table) == pytest.approx(_chosen(wide))


@pytest.mark.parametrize("widenings", [0, 1, 3])
@pytest.mark.parametrize(("low", "high"), [(1e-9, 1e-8), (1e8, 1e9)])
def test_too_many_widenings_are_an_error_that_names_the_setting(
    low: float, high: float, widenings: int
) -> None:
    with pytest.raises(UserError, match=r"experiments\.exp\.tuning\.grids\.sgd") as caught:
        _tune(low, high, max_widenings=widenings, horizon=40)
    assert "\n" not in str(caught.value)
    assert "edge" in str(caught.value) or "diverge" in str(caught.value)


class NamedFamily:
    """Remembers which problems it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, list[int]]] = []

    def apart(self) -> Any:
        return self

    def sample(self, names: Any, indices: Any, steps: int) -> Any:
        self.asked.append((tuple(names), list(indices)))
        return FAMILY.sample(names, indices, steps)


def test_tuning_problems_have_a_stream_of_their_own() -> None:
    family = NamedFamily()
    tune("exp", _experiment(1e-3, 0.1), "sgd", "quadratic", family)
    assert family.asked == [(("tune", "quadratic"), list(range(PROBLEMS)))]


def test_each_metric_has_its_own_rate_and_one_may_be_left_out() -> None:
    """The rate by which ADAM ends lowest is not the one by which it gets there fastest."""
    table = _tune(1e-3, 0.1, "adam", horizon=40)
    assert {*chosen_rates(table)} == {FINAL, MEAN}
    settings = _experiment(1e-3, 0.1, horizon=40)
    alone = settings.tuning.model_copy(update={"metrics": ("mean_loss",)})
    alone = tune("exp", settings.model_copy(update={"tuning": alone}), "adam", "quadratic", FAMILY)
    assert chosen_rates(alone) == {MEAN: chosen_rates(table)[MEAN]}


def test_held_out_losses_are_those_of_data_that_no_test_has() -> None:
    family = convnet_family()
    settings = experiment(
        problems=("cifar10",),
        shown="test_loss",
        steps=6,
        horizon=5,
        evaluation={"measure_every": 2},
    )
    row = tune("exp", settings, "adam", "cifar10", family).iloc[0]
    images, labels = family.data.images, family.data.labels  # 40, of which 4 are kept apart
    finals, means = [], []
    for i in range(settings.tuning.problems):
        problem = family.apart().sample(("tune", "cifar10"), [i], 5)
        assert problem.minibatches.max() < 36
        order = [
            (images[36:] == image).flatten(1).all(1).nonzero().item()
            for image in problem.test_sample.images
        ]
        assert sorted(order) == [0, 1, 2, 3]
        assert problem.test_sample.labels.tolist() == labels[36:][order].tolist()
        theta = torch.nn.Parameter(problem.initial().clone())
        adam = torch.optim.Adam([theta], lr=row.learning_rate)
        losses = []
        for step in range(5):
            adam.zero_grad()
            problem.loss(theta, step).sum().backward()
            adam.step()
            losses.append(problem.test_loss(theta.detach()).item())
        finals.append(losses[4])
        means.append(np.mean([losses[k - 1] for k in (2, 4, 5)]))
    assert row.final_loss == pytest.approx(np.mean(finals), rel=1e-4)
    assert row.mean_loss == pytest.approx(np.mean(means), rel=1e-4)


def test_networks_are_judged_by_the_train_loss_at_the_horizon() -> None:
    family = mlp_family((4,))
    settings = _experiment(1e-2, 1.0, per_decade=2, horizon=6)
    table = tune("exp", settings, "adam", "mnist", family)
    row = table.iloc[1]
    finals, means = [], []
    for i in range(PROBLEMS):
        problem = family.sample(("tune", "mnist"), [i], 6)
        theta = torch.nn.Parameter(problem.initial().clone())
        adam = torch.optim.Adam([theta], lr=row.learning_rate)
        for step in range(6):
            adam.zero_grad()
            problem.loss(theta, step).sum().backward()
            adam.step()
            means.append(problem.loss(theta.detach(), step + 1).item())
        finals.append(problem.train_loss(theta.detach()).item())
    assert row.final_loss == pytest.approx(np.mean(finals), rel=1e-4)
    assert row.mean_loss == pytest.approx(np.mean(means), rel=1e-4)
