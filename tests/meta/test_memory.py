"""What meta-training keeps: inputs and cotangents of one window, whatever the number of windows."""

from pathlib import Path

import psutil
import pytest
import torch
from tests.small import lstm_settings, quadratic_family, random_phi, recipe

from l2l.kernels import backward_window, zero_state
from l2l.meta.gradients import adjoint
from l2l.meta.gradients.adjoint import roll_window
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM

MIB = 1 << 20


def _optimizer(units: int = 20) -> CoordinatewiseLSTM:
    settings = lstm_settings(units=units)
    return CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))


def test_memory_does_not_grow_with_the_number_of_windows() -> None:
    """60 windows of 20,000 coordinates; one of them keeps 5 MiB, a state 6 MiB."""
    optimizer = _optimizer()
    problems = quadratic_family(10).sample(("train",), range(2000), 1)
    weights = loss_weights(recipe(steps=1200))
    carry, used = begin(problems, optimizer), []
    for _ in range(60):
        carry = adjoint(problems, optimizer, carry, 20, weights).carry
        used.append(psutil.Process().memory_info().rss)
    assert max(used[10:]) - max(used[:10]) < 10 * MIB


def test_a_window_keeps_inputs_and_cotangents_and_no_activations() -> None:
    optimizer = _optimizer()
    problems = quadratic_family(10).sample(("train",), range(30), 1)
    rolled = roll_window(
        problems, optimizer, begin(problems, optimizer), 20, loss_weights(recipe(steps=20))
    )
    kept = rolled.inputs.nbytes + rolled.cotangents.nbytes
    assert kept == 20 * 300 * 3 * 4  # steps, coordinates, (two inputs, a cotangent), bytes


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak can be reset on Linux only"
)
def test_the_backward_pass_needs_a_workspace_that_does_not_grow_with_the_coordinates() -> None:
    """Activations of 200,000 coordinates over 20 steps would be 3.6 GiB."""
    optimizer, coordinates = _optimizer(), 200_000
    inputs, cotangents = torch.randn(20, coordinates, 2), torch.randn(20, coordinates)
    state = zero_state(optimizer.phi, coordinates)

    def peak() -> int:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])

    backward_window(
        optimizer.phi, inputs[:, :100], zero_state(optimizer.phi, 100), cotangents[:, :100]
    )
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    backward_window(optimizer.phi, inputs, state, cotangents)
    assert peak() - before < 30 * MIB
