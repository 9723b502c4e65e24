"""The vectors of other CPUs than this one, as far as this one can run them."""

import ctypes
import platform
from pathlib import Path

import pytest
import torch
from tests.kernels.oracle import make_case, relative_error

from l2l.kernels import Normalised, build, cpu, reference

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="these are options for x86"
)
WIDTHS = {"x86-64": 4, "haswell": 8, "skylake-avx512": 16}  # floats in a vector
NEEDED = {"x86-64": "sse2", "haswell": "avx2", "skylake-avx512": "avx512f"}


@pytest.fixture(params=list(WIDTHS))
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A kind of CPU; the kernels are built for it."""
    kind = request.param
    if NEEDED[kind] not in build._cpu_features():
        pytest.skip(f"this CPU cannot run {NEEDED[kind]}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(build, "_instruction_set", lambda: f"-march={kind}")
    library: ctypes.CDLL = build.library.__wrapped__()
    monkeypatch.setattr(cpu, "library", lambda: library)
    return kind


def test_the_kernels_are_right_with_every_vector(kind: str) -> None:
    assert cpu.library().l2l_block() % WIDTHS[kind] == 0
    for coordinates, layers, units in [(1, 1, 1), (129, 2, 20), (70, 3, 7), (200, 4, 50)]:
        exact = make_case(coordinates, layers, units)
        case, state = exact.to(torch.float32), exact.to(torch.float32).state
        outputs = []
        for inputs in case.inputs:
            output, state = cpu.forward_step(case.phi, inputs, state)
            outputs.append(output)
        assert relative_error(torch.stack(outputs), exact.outputs) < 1e-5
        assert relative_error(state.cell, exact.last_state.cell) < 1e-5
        gradient = cpu.backward_window(case.phi, case.inputs, case.state, case.cotangents)
        for name, expected in exact.gradient.items():
            assert relative_error(gradient[name], expected) < 2e-5, name


def test_normalised_gradients_are_right_with_every_vector(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    gradient, moments, weights = draw(203).pow(5), draw(2, 2, 203), torch.tensor([0.1, 0.7])
    gradient[:9] = moments[..., :9] = 0
    moments[:, 1].square_()
    case = make_case(203, 2, 7, inputs=6).to(torch.float32)
    seen, phi = Normalised(weights, 6.0), case.phi
    found, after, state = cpu.normalised_step(phi, gradient, moments, seen, case.state)
    inputs, moves, expected = reference.normalised_features(gradient, moments, seen)
    output, new = reference.forward_step(phi, inputs, case.state)
    assert moves.tolist() == [False] * 9 + [True] * 194
    torch.testing.assert_close(found, torch.where(moves, output, 0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(after, expected, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(state.cell, new.cell, rtol=1e-5, atol=1e-5)


def test_the_preprocessing_is_right_with_every_vector(kind: str) -> None:
    gradient = torch.randn(1001, generator=torch.Generator().manual_seed(0)).pow(9)
    found = cpu.log_features(gradient, 6.0)
    torch.testing.assert_close(found, reference.log_features(gradient, 6.0), rtol=3e-6, atol=1e-7)
    broken = cpu.log_features(torch.tensor([torch.nan, torch.inf, -torch.inf]), 6.0)
    assert broken[0].isnan().all()
    assert broken[1:].tolist() == [[torch.inf, 1], [torch.inf, -1]]
