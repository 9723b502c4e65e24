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
WIDTHS = {"x86-64": 4, "x86-64-v3": 8, "x86-64-v4": 16}  # floats in a vector


@pytest.fixture(params=list(WIDTHS))
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A kind of CPU; the kernels are built for it."""
    kind = request.param
    if not build.LEVELS.get(kind, frozenset()) <= set(build._cpu_features().split()):
        pytest.skip(f"this CPU cannot run {kind}")
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


@pytest.mark.parametrize(
    ("flags", "there", "chosen"),
    [
        (build.AVX2 | build.AVX512, ["v3", "v4"], "v4"),
        (build.AVX2 | build.AVX512, ["v3"], "v3"),
        (build.AVX2 | {"avx512f"}, ["v3", "v4"], "v3"),
        (build.AVX512, ["v3", "v4"], None),
        (build.AVX2 | build.AVX512, [], None),
    ],
)
def test_the_wheels_best_library_that_the_cpu_can_run_is_chosen(
    flags: frozenset[str],
    there: list[str],
    chosen: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(build, "_cpu_features", lambda: "x86_64\nflags : sse2 " + " ".join(flags))
    monkeypatch.setattr(build, "SHIPPED", tmp_path)
    for level in there:
        (tmp_path / f"x86-64-{level}.so").touch()
    expected = None if chosen is None else tmp_path / f"x86-64-{chosen}.so"
    assert build._shipped() == expected


def test_a_library_of_the_wheel_that_cannot_be_loaded_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "x86-64-v3.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(build, "_shipped", lambda: broken)
    assert build.library.__wrapped__().l2l_block() > 0
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(build.BuildError, match=r"no C\+\+ compiler"):
        build.library.__wrapped__()
