"""The plain RNN and the memoryless network against loops over coordinates, layers and units."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from l2l.config import load_config
from l2l.config.optimizers import RNNSettings
from l2l.optimizers.base import Phi
from l2l.optimizers.rnn import CoordinatewiseRNN
from l2l.optimizers.weights import initial_phi, make_optimizer, phi_shapes
from l2l.rng import stream

STEPS, PROBLEMS, N, UNITS = 4, 2, 3, 3
KINDS = pytest.mark.parametrize("recurrence", ["tanh", "none"])
# By hand: an RNN has 40 (inputs + 40 + 1) + 40 (40 + 40 + 1) + 41, of one or two inputs.
WEIGHTS = {"quadratics_base": 5221, "quadratics_rnn": 4961, "quadratics_memoryless": 5181}
WEIGHTS |= {"mnist_base": 5301, "mnist_rnn": 5001, "mnist_memoryless": 5251}


def made(recurrence: str, **changes: Any) -> CoordinatewiseRNN:
    values = {"kind": "rnn", "recurrence": recurrence, "layers": 2, "units": UNITS}
    values |= {"preprocessing": "log", "p": 10.0, "input_scale": 1.0}
    values |= {"output_scale": 0.37, "head_init_scale": 1.0}
    settings = RNNSettings.model_validate(values | changes)
    phi = initial_phi(settings, stream(0, "tests"))
    return CoordinatewiseRNN(settings, {name: weight.double() for name, weight in phi.items()})


def made_up() -> Tensor:
    """Gradients of very different sizes, [K, B, n]."""
    generator = torch.Generator().manual_seed(3)
    return torch.randn(STEPS, PROBLEMS, N, generator=generator, dtype=torch.float64).pow(5)


def in_loops(optimizer: CoordinatewiseRNN, gradients: list[float]) -> list[float]:
    """The steps of one coordinate, number by number."""
    settings, phi = optimizer.settings, {k: v.tolist() for k, v in optimizer.phi.items()}
    hidden = [[0.0] * settings.units for _ in range(settings.layers)]
    steps = []
    for g in gradients:
        if settings.preprocessing == "none":
            below = [settings.input_scale * g]
        elif abs(g) >= math.exp(-settings.p):
            below = [math.log(abs(g)) / settings.p, math.copysign(1, g)]
        else:
            below = [-1, math.exp(settings.p) * g]
        for layer in range(settings.layers):
            above = []
            for unit in range(settings.units):
                total = phi[f"rnn.bias_l{layer}"][unit]
                for weight, value in zip(phi[f"rnn.weight_ih_l{layer}"][unit], below, strict=True):
                    total += weight * value
                for other, value in enumerate(hidden[layer]):
                    if settings.recurrence == "tanh":
                        total += phi[f"rnn.weight_hh_l{layer}"][unit][other] * value
                above.append(math.tanh(total))
            hidden[layer] = below = above
        output = sum(w * value for w, value in zip(phi["head.weight"][0], below, strict=True))
        steps.append(settings.output_scale * (output + phi["head.bias"][0]))
    return steps


def followed(optimizer: CoordinatewiseRNN, gradients: Tensor, method: str) -> Tensor:
    """All steps, [K, B, n]."""
    state, steps = optimizer.init(gradients[0]), []
    for gradient in gradients:
        step, state = getattr(optimizer, method)(gradient, state)
        steps.append(step.detach())
    return torch.stack(steps)


@KINDS
@pytest.mark.parametrize("method", ["step", "update"])
@pytest.mark.parametrize(
    "changes", [{}, {"preprocessing": "none", "input_scale": 3.0}, {"layers": 1}, {"layers": 3}]
)
def test_it_does_what_its_equations_say(recurrence: str, method: str, changes: dict) -> None:
    optimizer, gradients = made(recurrence, **changes), made_up()
    found = followed(optimizer, gradients, method)
    for b in range(PROBLEMS):
        for i in range(N):
            expected = in_loops(optimizer, gradients[:, b, i].tolist())
            assert found[:, b, i].tolist() == pytest.approx(expected, rel=1e-12)


def test_only_the_recurrent_one_remembers() -> None:
    gradients = made_up()[:1].repeat(2, 1, 1)
    for recurrence, remembers in (("tanh", True), ("none", False)):
        optimizer = made(recurrence)
        state = optimizer.init(gradients[0])
        assert state.shape == (2 if remembers else 0, PROBLEMS * N, UNITS)
        assert optimizer.update(gradients[0], state)[1].shape == state.shape
        first, second = followed(optimizer, gradients, "update")
        assert bool(((first - second).abs() > 1e-4).all()) == remembers


def total(optimizer: CoordinatewiseRNN, state: Tensor, phi: Phi, cotangents: Tensor) -> float:
    steps, optimizer = [], optimizer.with_phi(phi)
    for gradient in made_up():
        step, state = optimizer.update(gradient, state)
        steps.append(step)
    return (torch.stack(steps) * cotangents).sum().item()


@KINDS
def test_the_backward_pass_equals_finite_differences(recurrence: str) -> None:
    """From a state that is not zero; a coordinate without cotangents adds nothing."""
    optimizer = made(recurrence)
    generator = torch.Generator().manual_seed(5)
    state = optimizer.init(made_up()[0])
    state = torch.rand(state.shape, generator=generator, dtype=torch.float64) - 0.5
    cotangents = torch.randn(made_up().shape, generator=generator, dtype=torch.float64)
    cotangents[:, 1, 0] = 0
    found = optimizer.backward(made_up(), state, cotangents)
    assert found.keys() == optimizer.phi.keys()
    for name, weight in optimizer.phi.items():
        for place in range(weight.numel()):
            values = []
            for sign in (1, -1):
                moved = weight.clone()
                moved.view(-1)[place] += sign * 1e-5
                values.append(total(optimizer, state, optimizer.phi | {name: moved}, cotangents))
            slope = (values[0] - values[1]) / 2e-5
            assert found[name].flatten()[place].item() == pytest.approx(slope, rel=1e-6, abs=1e-8)


@KINDS
def test_a_sampled_backward_pass_is_that_of_the_sampled_cotangents(recurrence: str) -> None:
    optimizer, gradients = made(recurrence), made_up()
    state, cotangents = optimizer.init(gradients[0]), torch.ones_like(gradients)
    weights = torch.tensor([0.0, 2.0, 0.0, 0.0, 1.5, 0.0], dtype=torch.float64)
    found = optimizer.backward(gradients, state, cotangents, lambda outer: outer * weights)
    expected = optimizer.backward(gradients, state, cotangents * weights.view(PROBLEMS, N))
    torch.testing.assert_close(found, expected)
    nothing = optimizer.backward(gradients, state, cotangents, torch.zeros_like)
    assert not any(bool(gradient.any()) for gradient in nothing.values())


@pytest.mark.parametrize(("recipe", "weights"), WEIGHTS.items())
def test_the_configured_ones_have_about_as_many_weights_as_the_lstm(
    recipe: str, weights: int
) -> None:
    settings = load_config().recipes[recipe].optimizer
    assert sum(math.prod(shape) for shape in phi_shapes(settings).values()) == weights
    phi = initial_phi(settings, stream(0, "tests"))
    assert {name: tuple(value.shape) for name, value in phi.items()} == phi_shapes(settings)
    if settings.kind == "rnn":
        bound = 1 / math.sqrt(settings.units)
        sizes = {name: value.abs().max().item() for name, value in phi.items()}
        assert 0.9 * bound < sizes["rnn.weight_ih_l1"] <= bound
        assert 0.8 * 0.1 * bound < sizes["head.weight"] <= 0.1 * bound
        assert isinstance(make_optimizer(settings, phi), CoordinatewiseRNN)
