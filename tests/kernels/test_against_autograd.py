"""Both implementations agree with torch.nn.LSTM and autograd in float64."""

from types import ModuleType

import pytest
import torch
from tests.kernels.oracle import Case, make_case, relative_error

from l2l.kernels import LSTMState, cpu, cuda, reference

SHAPES = [
    (coordinates, layers, units)
    for layers in (1, 2, 3)
    for units in (1, 7, 20, 50)
    for coordinates in (1, 63, 129)
] + [(77, 4, 20)]
# float32: of one coordinate and unit, head.weight is a sum that cancels (1e-5 on some CPUs).
IMPLEMENTATIONS = [
    pytest.param(reference, torch.float64, 1e-12, id="reference-float64"),
    pytest.param(reference, torch.float32, 3e-5, id="reference-float32"),
    pytest.param(cpu, torch.float32, 3e-5, id="cpu"),
    pytest.param(cuda, torch.float64, 1e-12, id="cuda-float64"),
    pytest.param(cuda, torch.float32, 3e-5, id="cuda-float32"),
]


def unroll(module: ModuleType, case: Case) -> tuple[torch.Tensor, LSTMState]:
    outputs, state = [], case.state
    for x in case.inputs:
        output, state = module.forward_step(case.phi, x, state)
        outputs.append(output)
    return torch.stack(outputs), state


@pytest.mark.parametrize(("module", "dtype", "tolerance"), IMPLEMENTATIONS)
@pytest.mark.parametrize(("coordinates", "layers", "units"), SHAPES)
def test_forward_steps_equal_the_lstm(
    module: ModuleType,
    dtype: torch.dtype,
    tolerance: float,
    coordinates: int,
    layers: int,
    units: int,
) -> None:
    exact = make_case(coordinates, layers, units)
    outputs, state = unroll(module, exact.to(dtype))
    assert outputs.dtype == dtype
    assert relative_error(outputs, exact.outputs) < tolerance
    assert relative_error(state.hidden, exact.last_state.hidden) < tolerance
    assert relative_error(state.cell, exact.last_state.cell) < tolerance


@pytest.mark.parametrize(("module", "dtype", "tolerance"), IMPLEMENTATIONS)
@pytest.mark.parametrize(("coordinates", "layers", "units"), SHAPES)
def test_window_gradient_equals_autograd(
    module: ModuleType,
    dtype: torch.dtype,
    tolerance: float,
    coordinates: int,
    layers: int,
    units: int,
) -> None:
    exact = make_case(coordinates, layers, units)
    case = exact.to(dtype)
    gradient = module.backward_window(case.phi, case.inputs, case.state, case.cotangents)
    assert gradient.keys() == exact.gradient.keys()
    for name, expected in exact.gradient.items():
        assert gradient[name].shape == expected.shape
        assert relative_error(gradient[name], expected) < tolerance, name


@pytest.mark.parametrize("module", [reference, cpu, cuda])
@pytest.mark.parametrize(("steps", "inputs"), [(1, 1), (40, 5), (100, 2)])
def test_any_window_length_and_number_of_inputs(
    module: ModuleType, steps: int, inputs: int
) -> None:
    exact = make_case(70, 2, 20, steps=steps, inputs=inputs)
    case = exact.to(torch.float32)
    gradient = module.backward_window(case.phi, case.inputs, case.state, case.cotangents)
    assert relative_error(unroll(module, case)[0], exact.outputs) < 1e-5
    for name, expected in exact.gradient.items():
        assert relative_error(gradient[name], expected) < 2e-5, name


@pytest.mark.parametrize("module", [reference, cpu, cuda])
@pytest.mark.parametrize("gain", [1e-4, 30.0, 1e6])
def test_tiny_inputs_and_saturated_gates_are_accurate(module: ModuleType, gain: float) -> None:
    exact = make_case(130, 2, 20, gain=gain)
    outputs, state = unroll(module, exact.to(torch.float32))
    assert relative_error(outputs, exact.outputs) < 1e-5
    assert relative_error(state.cell, exact.last_state.cell) < 1e-5


@pytest.mark.parametrize("module", [reference, cpu, cuda])
def test_blocks_do_not_change_a_coordinate(module: ModuleType) -> None:
    """Over many blocks and threads' shares, each coordinate gets what it gets in a small run."""
    case = make_case(5003, 2, 20, steps=1).to(torch.float32)
    outputs, state = module.forward_step(case.phi, case.inputs[0], case.state)
    for part in (slice(0, 10), slice(4990, 5003)):
        small = LSTMState(case.state.hidden[:, part], case.state.cell[:, part])
        expected, new = module.forward_step(case.phi, case.inputs[0, part], small)
        torch.testing.assert_close(outputs[part], expected, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(state.cell[:, part], new.cell, rtol=1e-5, atol=1e-6)


def test_the_chunks_of_the_cuda_path_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = make_case(53, 2, 7)
    monkeypatch.setattr(cuda, "STEPS_AT_ONCE", 6 * 10)  # ten coordinates at a time
    found = cuda.backward_window(exact.phi, exact.inputs, exact.state, exact.cotangents)
    for name, expected in exact.gradient.items():
        assert relative_error(found[name], expected) < 1e-12, name
    monkeypatch.setattr(cuda, "STEPS_AT_ONCE", 10)
    outputs, state = unroll(cuda, exact)
    assert relative_error(outputs, exact.outputs) < 1e-12
    assert relative_error(state.hidden, exact.last_state.hidden) < 1e-12
