"""What meta-training keeps: inputs and cotangents of one window, whatever the number of windows."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from tests.small import lstm_settings, quadratic_family, random_phi, recipe

from l2l.estimators import adjoint
from l2l.estimators.adjoint import roll_window
from l2l.kernels import backward_window, cpu, implementation, zero_state
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM

MIB = 1 << 20


def _optimizer(units: int = 20) -> CoordinatewiseLSTM:
    settings = lstm_settings(units=units)
    return CoordinatewiseLSTM(settings, random_phi(settings, dtype=torch.float32))


def test_memory_does_not_grow_with_the_number_of_windows() -> None:
    """30 windows of 20,000 coordinates; one of them keeps 5 MiB, a state 6 MiB."""
    optimizer = _optimizer()
    problems = quadratic_family(10).sample(("train",), range(2000), 1)
    weights = loss_weights(recipe(steps=600))
    carry, used = begin(problems, optimizer), []
    for _ in range(30):
        carry = adjoint(problems, optimizer, carry, 20, weights).carry
        used.append(psutil.Process().memory_info().rss)
    assert max(used[10:]) - max(used[:10]) < 60 * MIB  # 20 windows of 5; malloc's own steps: 28


@pytest.fixture
def peak() -> Callable[[Callable[[], object]], int]:
    """How far the process's memory rises above its start during a call, in bytes."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak can be reset on Linux only")

    def measure(work: Callable[[], object]) -> int:
        Path("/proc/self/clear_refs").write_text("5")
        before = psutil.Process().memory_info().rss
        work()
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1]) - before

    return measure


def test_a_window_keeps_inputs_and_cotangents_and_no_activations(
    peak: Callable[[Callable[[], object]], int],
) -> None:
    """200,000 coordinates, 20 steps: 46 MiB of them, as many gradients on the way, two states of
    61 MiB; the activations would be 3.6 GiB."""
    optimizer = _optimizer()
    problems = quadratic_family(10).sample(("train",), range(20_000), 1)
    weights, start = loss_weights(recipe(steps=20)), begin(problems, optimizer)
    assert peak(lambda: adjoint(problems, optimizer, start, 20, weights)) < 250 * MIB
    rolled = roll_window(problems, optimizer, start, 20, weights)
    assert rolled.gradients.nbytes + rolled.cotangents.nbytes == 20 * 200_000 * 2 * 4


def test_the_backward_pass_needs_a_workspace_that_does_not_grow_with_the_coordinates(
    peak: Callable[[Callable[[], object]], int],
) -> None:
    optimizer, coordinates = _optimizer(), 200_000
    inputs, cotangents = torch.randn(20, coordinates, 2), torch.randn(20, coordinates)
    state = zero_state(optimizer.phi, coordinates)
    limit = 30 if implementation(inputs) is cpu else 120  # a block of the reference's takes 70
    assert peak(lambda: backward_window(optimizer.phi, inputs, state, cotangents)) < limit * MIB
