"""Equation (6) against the scalar formula of the paper, written with math."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
import torch

from l2l.config.optimizers import Preprocessing
from l2l.kernels import cpu, reference
from l2l.optimizers.preprocessing import features, width


def _log(p: float) -> Preprocessing:
    return Preprocessing(preprocessing="log", p=p, input_scale=1)


def _scaled(factor: float) -> Preprocessing:
    return Preprocessing(preprocessing="none", p=10, input_scale=factor)


def _equation_6(gradient: float, p: float) -> tuple[float, float]:
    if abs(gradient) >= math.exp(-p):
        return math.log(abs(gradient)) / p, math.copysign(1.0, gradient)
    return -1.0, math.exp(p) * gradient


@pytest.mark.parametrize("p", [1.0, 6.0, 10.0])
def test_equals_equation_6_over_all_magnitudes(p: float) -> None:
    values = [sign * 10.0**k for k in range(-40, 30) for sign in (-1, 1)]
    values += [sign * math.exp(-p) * (1 + e) for e in (-1e-9, 1e-9) for sign in (-1, 1)]
    found = features(torch.tensor(values, dtype=torch.float64), _log(p))
    expected = torch.tensor([_equation_6(value, p) for value in values], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("p", [2.0, 10.0])
def test_the_boundary_counts_as_large(p: float) -> None:
    edge = math.exp(-p)
    below = math.nextafter(edge, 0)
    found = features(torch.tensor([edge, -edge, below], dtype=torch.float64), _log(p))
    torch.testing.assert_close(
        found,
        torch.tensor([[-1, 1], [-1, -1], [-1, math.exp(p) * below]], dtype=torch.float64),
        rtol=1e-13,
        atol=0,
    )


def test_is_continuous_at_the_boundary() -> None:
    p, edge = 10.0, math.exp(-10.0)
    around = torch.tensor([edge * (1 - 1e-8), edge * (1 + 1e-8)], dtype=torch.float64)
    below, above = features(around, _log(p))
    torch.testing.assert_close(below, above, rtol=0, atol=1e-7)


def test_zero_and_tiny_gradients_stay_finite() -> None:
    gradient = torch.tensor([0.0, -0.0, 1e-45, -1e-45, 1e-38], dtype=torch.float32)
    found = features(gradient, _log(10.0))
    assert torch.equal(found[:, 0], -torch.ones(5))
    assert found[:2, 1].abs().max() == 0
    assert bool(found.isfinite().all())


def test_huge_gradients_stay_of_order_one() -> None:
    gradient = torch.tensor([3e38, -3e38], dtype=torch.float32)
    found = features(gradient, _log(10.0))
    expected = torch.tensor([_equation_6(3e38, 10.0), _equation_6(-3e38, 10.0)])
    torch.testing.assert_close(found, expected)
    assert found.abs().max() < 10


def test_single_precision_equals_the_formula_to_rounding() -> None:
    gradient = torch.randn(500, generator=torch.Generator().manual_seed(0)).pow(9)
    found = features(gradient, _log(10.0))
    expected = torch.tensor([_equation_6(value, 10.0) for value in gradient.tolist()])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("module", [cpu, reference])
@pytest.mark.parametrize("count", [1, 7, 16, 33, 1000])
def test_every_kernel_gives_the_formula_for_any_number_of_gradients(
    module: ModuleType, count: int
) -> None:
    exponents = torch.linspace(-44, 38, count)
    signs = torch.where(torch.arange(count) % 2 == 0, 1.0, -1.0)
    gradient = signs * 10.0**exponents
    found = module.log_features(gradient, 10.0)
    expected = torch.tensor([_equation_6(value, 10.0) for value in gradient.tolist()])
    torch.testing.assert_close(found, expected, rtol=3e-6, atol=1e-7)


@pytest.mark.parametrize("module", [cpu, reference])
def test_what_is_not_finite_stays_visible(module: ModuleType) -> None:
    gradient = torch.tensor([math.nan, math.inf, -math.inf, 1.0])
    found = module.log_features(gradient, 10.0)
    assert found[0].isnan().all()
    assert found[1:].tolist() == [[math.inf, 1], [math.inf, -1], [0, 1]]


def test_a_gradient_with_a_graph_keeps_it() -> None:
    """Second derivatives go through the preprocessing: its derivative, by hand."""
    gradient = torch.tensor([0.5, -2.0, 1e-6], requires_grad=True)
    found = features(gradient, _log(10.0))
    (slope,) = torch.autograd.grad(found.sum(), gradient)
    expected = torch.tensor([1 / 0.5 / 10, -1 / 2.0 / 10, math.exp(10)])
    torch.testing.assert_close(slope, expected)


def test_the_shape_gains_one_dimension() -> None:
    gradient = torch.randn(2, 3, 4)
    assert features(gradient, _log(10.0)).shape == (2, 3, 4, width(_log(10.0)))
    assert features(gradient, _scaled(1)).shape == (2, 3, 4, width(_scaled(1)))


def test_none_is_the_gradient_itself_or_its_multiple() -> None:
    gradient = torch.randn(5, 2)
    assert torch.equal(features(gradient, _scaled(1))[..., 0], gradient)
    assert torch.equal(features(gradient, _scaled(8))[..., 0], 8 * gradient)
