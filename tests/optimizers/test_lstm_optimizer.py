"""The coordinate-wise LSTM against torch.nn.LSTM and torch.nn.Linear."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from tests.small import lstm_settings, random_phi
from torch import Tensor, nn

from l2l.optimizers import CoordinatewiseLSTM
from l2l.optimizers.weights import initial_phi, phi_shapes
from l2l.rng import stream

STEPS = 8


def _equation_6(gradient: Tensor, p: float) -> Tensor:
    rows = [
        (math.log(abs(g)) / p, math.copysign(1, g))
        if abs(g) >= math.exp(-p)
        else (-1.0, math.exp(p) * g)
        for g in gradient.flatten().tolist()
    ]
    return torch.tensor(rows, dtype=gradient.dtype)


def _torch_steps(settings: Any, phi: dict[str, Tensor], gradients: list[Tensor]) -> list[Tensor]:
    dtype = phi["head.bias"].dtype
    inputs = 2 if settings.preprocessing == "log" else 1
    lstm = nn.LSTM(inputs, settings.units, settings.layers, dtype=dtype)
    head = nn.Linear(settings.units, 1, dtype=dtype)
    lstm.load_state_dict({k[5:]: v for k, v in phi.items() if k.startswith("lstm.")})
    head.load_state_dict({k[5:]: v for k, v in phi.items() if k.startswith("head.")})
    state, steps = None, []
    with torch.no_grad():
        for gradient in gradients:
            log = settings.preprocessing == "log"
            x = _equation_6(gradient, settings.p) if log else gradient.reshape(-1, 1)
            output, state = lstm(x[None], state)
            steps.append(settings.output_scale * head(output)[0, :, 0].reshape(gradient.shape))
    return steps


def _gradients(dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [
        torch.randn(3, 7, generator=generator, dtype=torch.float64).pow(5).to(dtype)
        for _ in range(STEPS)
    ]


def _our_steps(settings: Any, phi: dict[str, Tensor], gradients: list[Tensor]) -> list[Tensor]:
    optimizer = CoordinatewiseLSTM(settings, phi)
    state, steps = optimizer.init(torch.zeros_like(gradients[0])), []
    for gradient in gradients:
        step, state = optimizer.update(gradient, state)
        steps.append(step)
    return steps


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("preprocessing", ["none", "log"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["f64", "f32"]
)
def test_equals_torch_lstm_and_linear_over_several_steps(
    layers: int, preprocessing: str, dtype: torch.dtype, tolerance: float
) -> None:
    settings = lstm_settings(layers=layers, preprocessing=preprocessing, output_scale=0.37)
    phi = random_phi(settings, dtype=dtype)
    gradients = _gradients(dtype)
    ours, theirs = _our_steps(settings, phi, gradients), _torch_steps(settings, phi, gradients)
    for found, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    assert (ours[0] - ours[-1]).abs().max() > 1e-3  # the state matters


def test_coordinates_do_not_see_each_other() -> None:
    settings = lstm_settings()
    phi = random_phi(settings)
    gradients = _gradients(torch.float64)
    together = _our_steps(settings, phi, gradients)
    alone = _our_steps(settings, phi, [g[1:2, 4:5] for g in gradients])
    for all_steps, one in zip(together, alone, strict=True):
        torch.testing.assert_close(all_steps[1:2, 4:5], one, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_update_changes_neither_gradient_nor_state_nor_phi(dtype: torch.dtype) -> None:
    settings = lstm_settings()
    phi = random_phi(settings, dtype=dtype)
    optimizer = CoordinatewiseLSTM(settings, phi)
    gradients = _gradients(dtype)
    _, state = optimizer.update(gradients[0], optimizer.init(gradients[0]))

    def everything() -> list[torch.Tensor]:
        return [gradients[1], state.hidden, state.cell, *phi.values()]

    before = [tensor.clone() for tensor in everything()]
    first, _ = optimizer.update(gradients[1], state)
    first = first.clone()
    second, _ = optimizer.update(gradients[1], state)
    assert all(map(torch.equal, everything(), before))
    assert torch.equal(first, second)


def test_states_that_are_kept_are_not_overwritten_by_later_steps() -> None:
    settings = lstm_settings()
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))
    state = optimizer.init(torch.zeros(3, 7))
    kept, copies = [], []
    for gradient in _gradients(torch.float32) * 3:
        _, state = optimizer.update(gradient, state)
        kept.append(state)
        copies.append([state.hidden.clone(), state.cell.clone()])
    for state, copy in zip(kept, copies, strict=True):
        assert all(map(torch.equal, (state.hidden, state.cell), copy))


def test_the_state_starts_at_zero() -> None:
    settings = lstm_settings(layers=3)
    state = CoordinatewiseLSTM(settings, random_phi(settings)).init(torch.ones(2, 4))
    for part in (state.hidden, state.cell):
        assert part.shape == (3, 8, settings.units)
        assert not part.any()


@pytest.mark.parametrize("layers", [1, 3])
def test_phi_has_the_names_and_shapes_of_torch(layers: int) -> None:
    settings = lstm_settings(layers=layers)
    lstm, head = nn.LSTM(2, settings.units, layers), nn.Linear(settings.units, 1)
    expected = {f"lstm.{name}": tuple(v.shape) for name, v in lstm.named_parameters()}
    expected |= {f"head.{name}": tuple(v.shape) for name, v in head.named_parameters()}
    assert phi_shapes(settings) == expected


def test_the_initialisation_is_uniform_within_one_over_root_units() -> None:
    settings = lstm_settings(units=25)
    phi = initial_phi(settings, stream(0, "init"))
    bound = 1 / 5
    for name, value in phi.items():
        assert value.dtype == torch.float32, name
        assert value.abs().max() <= bound, name
    numbers = torch.cat([v.flatten() for k, v in phi.items() if k.startswith("lstm.weight_hh")])
    assert numbers.abs().max() > 0.99 * bound
    assert abs(numbers.mean().item()) < 4 * bound / math.sqrt(3 * len(numbers))
    assert numbers.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)


def test_the_forget_bias_is_added_to_the_forget_gates_alone() -> None:
    plain = initial_phi(lstm_settings(forget_bias=0.0), stream(0, "init"))
    biased = initial_phi(lstm_settings(forget_bias=1.5), stream(0, "init"))
    for name in plain:
        change = biased[name] - plain[name]
        if name.startswith("lstm.bias_ih"):
            i, f, g, o = change.chunk(4)
            torch.testing.assert_close(f, torch.full_like(f, 1.5), rtol=1e-6, atol=1e-6)
            assert not torch.cat([i, g, o]).any()
        else:
            assert not change.any(), name


def test_the_head_scale_multiplies_the_output_layer_alone() -> None:
    plain = initial_phi(lstm_settings(head_init_scale=1.0), stream(0, "init"))
    scaled = initial_phi(lstm_settings(head_init_scale=0.1), stream(0, "init"))
    for name in plain:
        factor = 0.1 if name.startswith("head.") else 1.0
        torch.testing.assert_close(scaled[name], factor * plain[name], rtol=1e-6, atol=0)


def test_the_initialisation_is_that_of_its_stream() -> None:
    settings = lstm_settings()
    first, again = (initial_phi(settings, stream(0, "phi", 0)) for _ in range(2))
    other = initial_phi(settings, stream(0, "phi", 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
