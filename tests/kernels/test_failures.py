"""What goes wrong is refused or reported: misfits in phi, memory, caches that cannot be written."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.kernels.oracle import Case, make_case, relative_error
from tests.kernels.test_dispatch import RUN_ONE_STEP, python

from l2l.kernels import backward_window, build, cpu, forward_step


@pytest.fixture
def case() -> Case:
    return make_case(30, 2, 7).to(torch.float32)


@pytest.mark.parametrize(
    "name", ["lstm.weight_ih_l0", "lstm.weight_hh_l1", "lstm.bias_hh_l0", "head.weight"]
)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda value: value[..., :-1], id="too-small"),
        pytest.param(lambda value: torch.cat([value, value]), id="too-large"),
        pytest.param(lambda value: value.reshape(-1, 1, 1), id="dimensions"),
        pytest.param(lambda value: value.double(), id="dtype"),
        pytest.param(lambda value: value.to("meta"), id="device"),
    ],
)
def test_phi_whose_tensors_do_not_fit_each_other_is_refused(
    case: Case, name: str, change: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    phi = case.phi | {name: change(case.phi[name])}
    for call in (
        lambda: forward_step(phi, case.inputs[0], case.state),
        lambda: backward_window(phi, case.inputs, case.state, case.cotangents),
    ):
        with pytest.raises(ValueError, match=r"(lstm|head)\.\w+ (has|is) .*, expected|inputs has"):
            call()


def test_the_refusal_names_the_tensor_and_what_was_expected(case: Case) -> None:
    def refused(phi: dict[str, torch.Tensor], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            forward_step(phi, case.inputs[0], case.state)

    bias = case.phi["lstm.bias_hh_l1"]
    refused(
        case.phi | {"lstm.bias_hh_l1": bias[:9]},
        r"lstm\.bias_hh_l1 has shape \(9,\), expected \(28,\)",
    )
    refused(
        case.phi | {"lstm.bias_hh_l1": bias.double()},
        r"lstm\.bias_hh_l1 is torch\.float64 on cpu, expected torch\.float32 on cpu",
    )
    for missing in ("lstm.bias_hh_l1", "lstm.weight_ih_l0", "head.bias"):
        refused({k: v for k, v in case.phi.items() if k != missing}, missing)


def test_the_default_dtype_does_not_matter() -> None:
    exact = make_case(30, 2, 7)
    case = exact.to(torch.float32)
    torch.set_default_dtype(torch.float64)
    try:
        outputs, _ = cpu.forward_step(case.phi, case.inputs[0], case.state)
    finally:
        torch.set_default_dtype(torch.float32)
    assert outputs.dtype == torch.float32
    assert relative_error(outputs, exact.outputs[0]) < 1e-5


OUT_OF_MEMORY = """
import re, resource, torch
from l2l.kernels import cpu, zero_state
torch.set_num_threads(2)

def phi_of(units, inputs):
    shapes = {"weight_ih": (4 * units, inputs), "weight_hh": (4 * units, units)}
    shapes |= {"bias_ih": (4 * units,), "bias_hh": (4 * units,)}
    phi = {f"lstm.{name}_l0": torch.zeros(shape) for name, shape in shapes.items()}
    return phi | {"head.weight": torch.zeros(1, units), "head.bias": torch.ones(1)}

def run(kind, phi, steps):
    x, state = torch.zeros(steps, 3, phi["lstm.weight_ih_l0"].shape[1]), zero_state(phi, 3)
    if kind == "forward":
        return cpu.forward_step(phi, x[0], state)
    return cpu.backward_window(phi, x, state, torch.ones(steps, 3))

phi = phi_of(1, 1 << 22) if KIND == "forward" else phi_of(64, 1)
steps = 1 if KIND == "forward" else 40000
run(KIND, phi_of(2, 2), 3)  # starts the threads
used = 1024 * int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1])
resource.setrlimit(resource.RLIMIT_AS, (used + (230 << 20),) * 2)
try:
    run(KIND, phi, steps)
except MemoryError as error:
    print(error)
assert run("forward", phi_of(2, 2), 1)[0].tolist() == [1, 1, 1]
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's RLIMIT_AS")
@pytest.mark.parametrize("kind", ["forward", "backward"])
def test_a_workspace_that_does_not_fit_into_memory_is_a_memory_error(kind: str) -> None:
    done = python(f"KIND = {kind!r}\n{OUT_OF_MEMORY}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "the LSTM kernel could not allocate its workspace"


def test_a_cache_that_cannot_be_written_counts_as_no_compiler(tmp_path: Path) -> None:
    gone = (
        "import pathlib, l2l.kernels.build as build\n"
        f"build._cache_directory = lambda: pathlib.Path({str(tmp_path / 'gone')!r})\n"
    )
    done = python(gone + RUN_ONE_STEP)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "l2l.kernels.reference"
    assert done.stderr.count("cannot be written") == 1


def test_without_a_home_that_can_be_written_the_kernels_are_compiled_once(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    home = str(tmp_path / "home")
    environment = {"HOME": home, "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path), "L2L_KERNEL": "cpu"}
    libraries = []
    for _ in range(2):
        done = python(RUN_ONE_STEP, **environment)
        assert done.returncode == 0, done.stderr
        (folder,) = tmp_path.glob("l2l*")
        assert folder.stat().st_mode & 0o777 == 0o700
        (library,) = folder.iterdir()
        libraries.append(library.stat().st_mtime_ns)
    assert libraries[0] == libraries[1]


def test_kernels_of_another_user_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    monkeypatch.setattr(os, "getuid", lambda: 987_654_321)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(build.BuildError, match="belongs to another user"):
        build.library.__wrapped__()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(build.BuildError, match="cannot be written"):
        build.library.__wrapped__()


def test_cxx_may_have_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = tmp_path / "wrapper of mine"
    wrapper.write_text('#!/bin/sh\necho "$@" >> "$0.log"\nexec "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", f"'{wrapper}' c++ -DSOME=1")
    build.library.__wrapped__()
    calls = (tmp_path / "wrapper of mine.log").read_text().splitlines()
    assert [call.startswith("c++ -DSOME=1 ") for call in calls] == [True, True]
    monkeypatch.setenv("CXX", str(wrapper))  # a path with spaces
    assert build._compiler() == [str(wrapper)]
