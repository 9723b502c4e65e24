"""Slopes along the size of all steps against the estimators and against finite differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from tests.small import double, lstm_settings, mlp_family, quadratic_family, random_phi

from l2l.config.measurements import StepSize
from l2l.estimators.adjoint import adjoint
from l2l.estimators.unrolled import unrolled
from l2l.measurements.step_size import Scaled, step_size, tangents
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import CoordinatewiseLSTM, Optimizer
from l2l.problems.base import Problem

START, WINDOW = 3, 6


def prepared() -> tuple[Problem, CoordinatewiseLSTM, Carry]:
    """Three networks after a few steps, in float64."""
    settings = lstm_settings(output_scale=3.0)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    problem = double(mlp_family().sample(("test",), range(3), START + WINDOW))
    return problem, optimizer, rollout(problem, optimizer, begin(problem, optimizer), START)


def losses_of(problem: Problem, optimizer: Optimizer, carry: Carry) -> torch.Tensor:
    """Of the next steps, [K, B]."""
    seen: list[torch.Tensor] = []
    rollout(problem, optimizer, carry, WINDOW, lambda now: seen.append(now.loss))
    return torch.stack(seen)


@pytest.mark.parametrize("kept", [True, False])
def test_they_are_the_meta_gradient_along_the_head(kept: bool) -> None:
    problem, optimizer, carry = prepared()
    _, *slopes = tangents(problem, optimizer, carry, WINDOW)
    equal = lambda losses, first: torch.ones_like(losses)  # noqa: E731
    if kept:
        window = unrolled(problem, optimizer, carry, WINDOW, equal, second_derivatives=True)
    else:
        window = adjoint(problem, optimizer, carry, WINDOW, equal)
    head = {name: weight for name, weight in optimizer.phi.items() if name.startswith("head.")}
    assert len(head) == 2
    along = sum((window.gradient[name] * weight).sum().item() for name, weight in head.items())
    found = slopes[0 if kept else 1].mean(dim=1).sum().item()
    assert found == pytest.approx(along, rel=1e-8)
    other = slopes[1 if kept else 0].mean(dim=1).sum().item()
    assert abs(other / along - 1) > 1e-3, "second derivatives matter here"


def test_kept_ones_are_the_derivatives_of_the_losses() -> None:
    problem, optimizer, carry = prepared()
    losses, slopes, _ = tangents(problem, optimizer, carry, WINDOW)
    factors = (1.0, np.exp(1e-5), np.exp(-1e-5))
    ends = [losses_of(problem, Scaled(optimizer, factor), carry) for factor in factors]
    torch.testing.assert_close(losses, ends[0])
    torch.testing.assert_close(slopes, (ends[1] - ends[2]) / 2e-5, rtol=1e-5, atol=1e-9)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    settings = StepSize(
        recipe="quadratics_lstm",
        problem="quadratic",
        problems=2,
        starts=(0, 4),
        windows=(1, 5),
        factor=1.02,
    )
    kind = lstm_settings()
    optimizer = CoordinatewiseLSTM(kind, random_phi(kind, dtype=torch.float32))
    return step_size(settings, quadratic_family(4), optimizer)


def test_there_is_a_row_for_each_start_window_estimate_and_run(table: pd.DataFrame) -> None:
    keys = ["start", "window", "estimate", "repeat"]
    assert len(table) == 2 * 2 * 3 * 2 == len(table[keys].drop_duplicates())
    wide = table.pivot(index=["start", "window", "repeat"], columns="estimate", values="slope")
    np.testing.assert_allclose(wide["kept"], wide["measured"], rtol=0.02, atol=1e-3)
    one = wide.xs(1, level="window")
    np.testing.assert_allclose(one["kept"], one["dropped"], rtol=1e-4, err_msg="of one step")
    error = table.pivot(index=["start", "window", "repeat"], columns="estimate", values="error")
    np.testing.assert_allclose(error["dropped"], (wide["dropped"] - wide["measured"]).abs())
    assert (error["measured"] == 0).all()
