"""The vectors of other CPUs than this one, as far as this one can run them."""

import ctypes
import platform
from pathlib import Path

import pytest
import torch
from tests.kernels.oracle import make_case, relative_error

from l2l.kernels import build, cpu, reference

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


def test_the_preprocessing_is_right_with_every_vector(kind: str) -> None:
    gradient = torch.randn(1001, generator=torch.Generator().manual_seed(0)).pow(9)
    found = cpu.log_features(gradient, 6.0)
    torch.testing.assert_close(found, reference.log_features(gradient, 6.0), rtol=3e-6, atol=1e-7)
    broken = cpu.log_features(torch.tensor([torch.nan, torch.inf, -torch.inf]), 6.0)
    assert broken[0].isnan().all()
    assert broken[1:].tolist() == [[torch.inf, 1], [torch.inf, -1]]
