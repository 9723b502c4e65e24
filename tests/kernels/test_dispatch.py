"""The choice of an implementation: with and without a compiler, forced, and from a cache."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from l2l.errors import UserError
from l2l.kernels import cpu, cuda, implementation, reference

RUN_ONE_STEP = """
import torch
from l2l.kernels import backward_window, forward_step, zero_state
lstm, head = torch.nn.LSTM(2, 20, 2), torch.nn.Linear(20, 1)
phi = {"lstm." + k: v.detach() for k, v in lstm.named_parameters()}
phi |= {"head." + k: v.detach() for k, v in head.named_parameters()}
x = torch.randn(3, 50, 2)
for step in x:
    y, state = forward_step(phi, step, zero_state(phi, 50))
g = backward_window(phi, x, zero_state(phi, 50), torch.ones(3, 50))
expected = head(lstm(x[-1:])[0])[0, :, 0]
assert torch.allclose(y, expected, atol=1e-5), (y - expected).abs().max()
assert set(g) == set(phi)
from l2l.kernels import implementation
print(implementation(x).__name__)
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("CXX", "L2L_KERNEL")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def failing_compiler(folder: Path) -> str:
    script = folder / "failing-c++"
    script.write_text("#!/bin/sh\necho 'error: no such luck' >&2\nexit 1\n")
    script.chmod(0o755)
    return str(script)


def test_without_a_compiler_the_reference_runs_and_one_line_says_so(tmp_path: Path) -> None:
    done = python(RUN_ONE_STEP, PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "l2l.kernels.reference"
    lines = [line for line in done.stderr.splitlines() if line.startswith("l2l:")]
    assert len(lines) == 1
    assert "no C++ compiler found" in lines[0]
    assert "times slower" in lines[0]


def test_a_failing_compiler_counts_as_none(tmp_path: Path) -> None:
    done = python(RUN_ONE_STEP, CXX=failing_compiler(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "l2l.kernels.reference"
    assert sum("no such luck" in line for line in done.stderr.splitlines()) == 1


def test_forcing_the_fused_kernels_without_a_compiler_is_a_user_error(tmp_path: Path) -> None:
    done = python(RUN_ONE_STEP, PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path), L2L_KERNEL="cpu")
    assert done.returncode != 0
    assert "UserError: L2L_KERNEL=cpu, but no C++ compiler found" in done.stderr


def test_processes_may_build_at_the_same_time(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "L2L_KERNEL": "cpu"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RUN_ONE_STEP],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in running:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert out.strip() == "l2l.kernels.cpu"
    files = [path.suffix for path in (tmp_path / "l2l" / "kernels").iterdir()]
    assert files == [".so"]


def test_l2l_kernel_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.zeros(1)
    monkeypatch.setenv("L2L_KERNEL", "reference")
    assert implementation(x) is reference
    monkeypatch.setenv("L2L_KERNEL", "cpu")
    assert implementation(x) is cpu
    assert implementation(x.double()) is reference
    monkeypatch.setenv("L2L_KERNEL", "cuda")
    assert implementation(x) is cuda
    monkeypatch.setenv("L2L_KERNEL", "gpu")
    with pytest.raises(UserError, match="set it to reference, cpu, cuda, or unset it"):
        implementation(x)
