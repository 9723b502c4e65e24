"""What callers may rely on: pure, repeatable, exact savings, visible failures."""

from types import ModuleType

import pytest
import torch
from tests.kernels.oracle import Case, make_case, relative_error

from l2l.kernels import (
    LSTMState,
    backward_window,
    cpu,
    cuda,
    forward_step,
    reference,
    zero_state,
)

MODULES = pytest.mark.parametrize("module", [reference, cpu, cuda])


def backward(module: ModuleType, case: Case) -> torch.Tensor:
    gradient = module.backward_window(case.phi, case.inputs, case.state, case.cotangents)
    return torch.cat([value.flatten() for value in gradient.values()])


@pytest.fixture
def case() -> Case:
    return make_case(3001, 2, 20).to(torch.float32)


@MODULES
def test_repeats_are_bit_identical(module: ModuleType, case: Case) -> None:
    first, again = backward(module, case), backward(module, case)
    assert torch.equal(first, again)
    outputs = [module.forward_step(case.phi, case.inputs[0], case.state) for _ in range(2)]
    assert torch.equal(outputs[0][0], outputs[1][0])
    assert torch.equal(outputs[0][1].cell, outputs[1][1].cell)


def test_the_fused_results_do_not_depend_on_the_number_of_threads(case: Case) -> None:
    threads = torch.get_num_threads()
    try:
        results = []
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            results.append(backward(cpu, case))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


@MODULES
def test_coordinates_without_cotangents_are_skipped_exactly(module: ModuleType, case: Case) -> None:
    """Equal to the bit to a window without them, even where their inputs are not finite."""
    kept = torch.rand(3001, generator=torch.Generator().manual_seed(0)) < 0.4
    sparse = case._replace(
        cotangents=case.cotangents * kept,
        inputs=torch.where(kept[None, :, None], case.inputs, torch.nan),
    )
    dense = case._replace(
        cotangents=case.cotangents[:, kept],
        inputs=case.inputs[:, kept],
        state=LSTMState(case.state.hidden[:, kept], case.state.cell[:, kept]),
    )
    assert torch.equal(backward(module, sparse), backward(module, dense))


@MODULES
def test_a_coordinate_with_a_single_cotangent_counts(module: ModuleType) -> None:
    exact = make_case(40, 1, 7)
    mask = torch.zeros_like(exact.cotangents)
    mask[-1, 17] = 1
    sparse = exact._replace(cotangents=exact.cotangents * mask).to(torch.float32)
    alone = exact._replace(
        cotangents=exact.cotangents[:, 17:18] * mask[:, 17:18],
        inputs=exact.inputs[:, 17:18],
        state=LSTMState(exact.state.hidden[:, 17:18], exact.state.cell[:, 17:18]),
    )
    assert relative_error(backward(module, sparse), backward(reference, alone)) < 1e-5


@MODULES
def test_no_cotangents_give_a_zero_gradient(module: ModuleType, case: Case) -> None:
    silent = case._replace(cotangents=torch.zeros_like(case.cotangents))
    assert torch.equal(backward(module, silent), torch.zeros_like(backward(module, case)))


@MODULES
def test_arguments_are_not_changed(module: ModuleType, case: Case) -> None:
    arguments = [*case.phi.values(), case.inputs, *case.state, case.cotangents]
    before = [value.clone() for value in arguments]
    _, state = module.forward_step(case.phi, case.inputs[0], case.state)
    backward(module, case)
    kept = LSTMState(state.hidden.clone(), state.cell.clone())
    later = state
    for x in case.inputs:
        _, later = module.forward_step(case.phi, x, later)
    assert all(torch.equal(a, b) for a, b in zip(arguments, before, strict=True))
    assert torch.equal(state.hidden, kept.hidden), "a later step wrote into an earlier state"
    assert torch.equal(state.cell, kept.cell), "a later step wrote into an earlier state"


@MODULES
def test_a_step_that_reuses_the_state_gives_the_same_bits(module: ModuleType, case: Case) -> None:
    kept = reused = case.state
    for x in case.inputs:
        expected, kept = module.forward_step(case.phi, x, kept)
        outputs, reused = module.forward_step(case.phi, x, reused, reuse=reused is not case.state)
        assert torch.equal(outputs, expected)
    assert torch.equal(reused.hidden, kept.hidden)
    assert torch.equal(reused.cell, kept.cell)


def test_the_fused_kernel_reuses_memory_where_it_may(case: Case) -> None:
    _, first = cpu.forward_step(case.phi, case.inputs[0], case.state)
    _, other = cpu.forward_step(case.phi, case.inputs[1], first)
    assert other.memory.data_ptr() != first.memory.data_ptr()
    _, same = cpu.forward_step(case.phi, case.inputs[1], first, reuse=True)
    assert same.memory.data_ptr() == first.memory.data_ptr()


@MODULES
@pytest.mark.parametrize("coordinates", [1, 10, 64, 65])
def test_what_was_read_of_a_state_stays_when_its_memory_is_reused(
    module: ModuleType, coordinates: int
) -> None:
    case = make_case(coordinates, 2, 7).to(torch.float32)
    _, state = module.forward_step(case.phi, case.inputs[0], case.state)
    hidden, cell = state.hidden, state.cell
    before = hidden.clone(), cell.clone()
    module.forward_step(case.phi, case.inputs[1], state, reuse=True)
    assert torch.equal(hidden, before[0])
    assert torch.equal(cell, before[1])


@MODULES
@pytest.mark.parametrize("other", [reference, cpu, cuda])
def test_any_implementation_goes_on_from_anothers_state(
    module: ModuleType, other: ModuleType, case: Case
) -> None:
    _, state = other.forward_step(case.phi, case.inputs[0], case.state)
    plain = LSTMState(state.hidden, state.cell)
    expected, _ = module.forward_step(case.phi, case.inputs[1], plain)
    outputs, _ = module.forward_step(case.phi, case.inputs[1], state)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)
    windows = [
        module.backward_window(case.phi, case.inputs, first, case.cotangents)
        for first in (state, plain)
    ]
    for name, gradient in windows[0].items():
        torch.testing.assert_close(gradient, windows[1][name], rtol=1e-4, atol=1e-4)


@MODULES
def test_results_carry_no_graph(module: ModuleType, case: Case) -> None:
    phi = {name: value.clone().requires_grad_() for name, value in case.phi.items()}
    outputs, state = module.forward_step(phi, case.inputs[0], case.state)
    gradient = module.backward_window(phi, case.inputs, case.state, case.cotangents)
    assert not any(t.requires_grad for t in (outputs, state.hidden, state.cell, *gradient.values()))


@MODULES
def test_nan_stays_visible(module: ModuleType, case: Case) -> None:
    inputs = case.inputs.clone()
    inputs[0, 5] = torch.nan
    outputs, _ = module.forward_step(case.phi, inputs[0], case.state)
    assert outputs.isnan().nonzero().flatten().tolist() == [5]
    assert backward(module, case._replace(inputs=inputs)).isnan().any()


@MODULES
@pytest.mark.parametrize("layout", ["coordinates last", "units last", "sliced"])
def test_any_memory_layout_of_the_state(module: ModuleType, case: Case, layout: str) -> None:
    def arrange(value: torch.Tensor) -> torch.Tensor:
        if layout == "coordinates last":
            return value.transpose(1, 2).contiguous().transpose(1, 2)
        if layout == "sliced":
            return torch.stack([value, value], dim=1)[:, 0]
        return value.contiguous()

    arranged = case._replace(state=LSTMState(*(arrange(part) for part in case.state)))
    assert torch.equal(backward(module, arranged), backward(module, case))
    expected, new = module.forward_step(case.phi, case.inputs[0], case.state)
    outputs, arranged_new = module.forward_step(case.phi, case.inputs[0], arranged.state)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(arranged_new.cell, new.cell, rtol=1e-5, atol=1e-6)


@MODULES
def test_the_zero_state_fits_phi(module: ModuleType, case: Case) -> None:
    for count in (1, 12, 64, 65):
        state = module.zero_state(case.phi, count)
        assert state.hidden.shape == state.cell.shape == (2, count, 20)
        assert not state.hidden.any()
        module.forward_step(case.phi, case.inputs[0, :count], state)


def test_callers_get_the_state_of_the_implementation_that_serves_phi(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("L2L_KERNEL", raising=False)
    assert type(zero_state(case.phi, 3)) is cpu.BlockState
    monkeypatch.setenv("L2L_KERNEL", "reference")
    assert type(zero_state(case.phi, 3)) is LSTMState


def test_arguments_that_do_not_fit_are_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="inputs has shape"):
        forward_step(case.phi, torch.zeros(3001, 3), case.state)
    with pytest.raises(ValueError, match=r"cotangents has shape \(6, 2\), expected \(6, 3001\)"):
        backward_window(case.phi, case.inputs, case.state, case.cotangents[:, :2])
    with pytest.raises(ValueError, match=r"state has shape \(2, 3000, 20\), expected \(2, 3001"):
        forward_step(case.phi, case.inputs[0], cpu.zero_state(case.phi, 3000))
    few = cpu.BlockState(cpu.zero_state(case.phi, 64).memory, 3001)
    with pytest.raises(ValueError, match=r"state\.memory has shape .*, expected"):
        forward_step(case.phi, case.inputs[0], few)
    turned = cpu.zero_state(case.phi, 3001).memory.transpose(3, 4).contiguous().transpose(3, 4)
    with pytest.raises(ValueError, match="not contiguous"):
        forward_step(case.phi, case.inputs[0], cpu.BlockState(turned, 3001))
    with pytest.raises(ValueError, match=r"state\.cell has shape \(2, 3000, 20\), expected"):
        forward_step(case.phi, case.inputs[0], case.state._replace(cell=case.state.cell[:, 1:]))
    with pytest.raises(ValueError, match=r"torch\.float64.*torch\.float32"):
        forward_step(case.phi, case.inputs[0].double(), case.state)
