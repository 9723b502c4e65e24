"""The baselines against torch.optim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from l2l.optimizers import bind, make_baseline
from l2l.optimizers.handcrafted import NAG, Adam, RMSprop
from l2l.registry import BASELINES

STEPS = 100
TORCH: dict[str, Callable[[list[Tensor], float], torch.optim.Optimizer]] = {
    "sgd": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate),
    "nag": lambda parameters, rate: torch.optim.SGD(
        parameters, lr=rate, momentum=0.9, nesterov=True
    ),
    "rmsprop": lambda parameters, rate: torch.optim.RMSprop(
        parameters, lr=rate, alpha=0.99, eps=1e-8
    ),
    "adam": lambda parameters, rate: torch.optim.Adam(
        parameters, lr=rate, betas=(0.9, 0.999), eps=1e-8
    ),
    "adamw": lambda parameters, rate: torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01),
}


def _gradient(theta: Tensor, step: int) -> Tensor:
    """A gradient that depends on theta and on the step, with scales from 1e-4 to 1e2."""
    scales = torch.logspace(-4, 2, theta.shape[-1], dtype=theta.dtype)
    noise = torch.randn(theta.shape[-1], generator=torch.Generator().manual_seed(step))
    return scales * (theta - 1 + 0.1 * noise.to(theta.dtype))


def _torch_path(name: str, theta: Tensor, rate: float) -> Tensor:
    parameter = torch.nn.Parameter(theta.clone())
    optimizer = TORCH[name]([parameter], rate)
    path = []
    for step in range(STEPS):
        parameter.grad = _gradient(parameter.detach(), step)
        optimizer.step()
        path.append(parameter.detach().clone())
    return torch.stack(path)


def _our_path(name: str, theta: Tensor, rate: float | Tensor, steps: int | None = None) -> Tensor:
    optimizer = bind(make_baseline(name, rate), {}, steps)
    state = optimizer.init(theta)
    path = []
    for step in range(STEPS):
        update, state = optimizer.update(_gradient(theta, step), state)
        theta = theta + update
        path.append(theta)
    return torch.stack(path)


def _theta(rows: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(rows, 7, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("rate", [0.003, 0.011])
def test_equals_torch_optim_over_100_steps(name: str, rate: float) -> None:
    theta = _theta()
    expected = _torch_path(name, theta, rate)
    assert not torch.allclose(expected[-1], theta)
    torch.testing.assert_close(_our_path(name, theta, rate), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", BASELINES)
def test_equals_torch_optim_in_single_precision(name: str) -> None:
    theta = _theta(dtype=torch.float32)
    expected = _torch_path(name, theta, 0.01)
    torch.testing.assert_close(_our_path(name, theta, 0.01), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", BASELINES)
def test_a_learning_rate_per_problem_equals_separate_runs(name: str) -> None:
    theta, rates = _theta(rows=3), [0.001, 0.004, 0.012]
    together = _our_path(name, theta, torch.tensor(rates, dtype=theta.dtype)[:, None])
    for row, rate in enumerate(rates):
        alone = _torch_path(name, theta[row : row + 1], rate)
        torch.testing.assert_close(together[:, row : row + 1], alone, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", BASELINES)
def test_an_update_changes_neither_the_gradient_nor_the_state(name: str) -> None:
    optimizer = make_baseline(name, 0.1)
    theta = _theta()
    _, state = optimizer.update(_gradient(theta, 0), optimizer.init(theta))
    gradient = _gradient(theta, 1)
    before = (gradient.clone(), _copy(state))
    first = optimizer.update(gradient, state)
    second = optimizer.update(gradient, state)
    _assert_equal((gradient, state), before)
    _assert_equal(first, second)


def test_adamw_follows_a_cosine_over_the_length_of_the_run() -> None:
    theta, rate = _theta(), 0.03
    parameter = torch.nn.Parameter(theta.clone())
    optimizer = torch.optim.AdamW([parameter], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    path = []
    for step in range(STEPS):
        parameter.grad = _gradient(parameter.detach(), step)
        optimizer.step()
        schedule.step()
        path.append(parameter.detach().clone())
    found = _our_path("adamw", theta, rate, STEPS)
    torch.testing.assert_close(found, torch.stack(path), rtol=1e-11, atol=1e-12)


def test_a_zero_gradient_moves_nothing_at_the_start() -> None:
    theta = _theta()
    for name in {*BASELINES} - {"adamw"}:  # its weights decay
        optimizer = make_baseline(name, 0.5)
        step, _ = optimizer.update(torch.zeros_like(theta), optimizer.init(theta))
        assert torch.equal(step, torch.zeros_like(theta))


def test_other_values_than_the_defaults_equal_torch_optim_too() -> None:
    theta = _theta()
    pairs: list[tuple[Any, Callable[[list[Tensor]], torch.optim.Optimizer]]] = [
        (NAG(0.01, 0.5), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.5, nesterov=True)),
        (RMSprop(0.01, 0.9, 1e-3), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3)),
        (Adam(0.01, 0.8, 0.95, 1e-3), lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.95), eps=1e-3)),
    ]
    for ours, make in pairs:
        parameter = torch.nn.Parameter(theta.clone())
        theirs = make([parameter])
        current, state = theta, ours.init(theta)
        for step in range(STEPS):
            parameter.grad = _gradient(parameter.detach(), step)
            theirs.step()
            update, state = ours.update(_gradient(current, step), state)
            current = current + update
        torch.testing.assert_close(current, parameter.detach(), rtol=1e-11, atol=1e-12)


def _copy(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.clone()
    return type(state)(*map(_copy, state)) if isinstance(state, tuple) else state


def _assert_equal(found: Any, expected: Any) -> None:
    if isinstance(found, Tensor):
        assert torch.equal(found, expected)
    elif isinstance(found, tuple):
        for one, other in zip(found, expected, strict=True):
            _assert_equal(one, other)
    else:
        assert found == expected
