"""Phi counts as it is when a kernel is called, wherever its tensors lie."""

from types import ModuleType

import pytest
import torch
from tests.kernels.oracle import Case, make_case

from l2l.kernels import Phi, cpu, cuda, reference

MODULES = pytest.mark.parametrize("module", [reference, cpu, cuda])


@pytest.fixture
def case() -> Case:
    return make_case(130, 2, 20).to(torch.float32)


def in_one_piece(phi: Phi) -> Phi:
    """The same phi cut from one vector, as in meta-training."""
    flat = torch.cat([value.flatten() for value in phi.values()])
    parts = flat.split([value.numel() for value in phi.values()])
    return {name: part.view_as(phi[name]) for name, part in zip(phi, parts, strict=True)}


@MODULES
@pytest.mark.parametrize("layout", ["one piece", "backwards", "transposed"])
def test_any_memory_layout_of_phi(module: ModuleType, case: Case, layout: str) -> None:
    phi = in_one_piece(case.phi)
    if layout == "backwards":
        phi |= in_one_piece(dict(reversed(case.phi.items())))
    elif layout == "transposed":  # at the right address, in another order
        phi["lstm.weight_hh_l1"] = phi["lstm.weight_hh_l1"].view(20, 80).T
    plain = {
        name: value.clone(memory_format=torch.contiguous_format) for name, value in phi.items()
    }
    expected, _ = module.forward_step(plain, case.inputs[0], case.state)
    outputs, _ = module.forward_step(phi, case.inputs[0], case.state)
    assert torch.equal(outputs, expected)
    window = (case.inputs, case.state, case.cotangents)
    gradient = module.backward_window(phi, *window)
    for name, value in module.backward_window(plain, *window).items():
        assert torch.equal(gradient[name], value), name


@MODULES
@pytest.mark.parametrize("cut", [True, False])
def test_a_changed_phi_counts_at_once(module: ModuleType, case: Case, cut: bool) -> None:
    phi = in_one_piece(case.phi) if cut else dict(case.phi)

    def output() -> torch.Tensor:
        return module.forward_step(phi, case.inputs[0], case.state)[0]

    before = output()
    phi["head.bias"].numpy()[:] += 1
    torch.testing.assert_close(output(), before + 1)
    phi["head.bias"] = phi["head.bias"] + 1
    torch.testing.assert_close(output(), before + 2)
    phi["head.bias"].data = phi["head.bias"] + 1
    torch.testing.assert_close(output(), before + 3)
