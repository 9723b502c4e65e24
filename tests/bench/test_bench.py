"""The benchmark: its baseline computes the same thing, and its figures are what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import (
    CPU,
    double,
    lstm_settings,
    mlp_family,
    normalised_settings,
    quadratic_family,
    random_phi,
    recipe,
)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from l2l import bench as bench_module
from l2l import kernels
from l2l.bench import run_benchmark, scaling, summary
from l2l.bench.plain import Form, PlainMetaTraining, cells, columns
from l2l.bench.workload import KernelWindow, Workload
from l2l.cli.bench import bench
from l2l.compute import interleaved
from l2l.config import load_config
from l2l.estimators import adjoint
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import make_optimizer
from l2l.optimizers.handcrafted import Adam
from l2l.optimizers.weights import flatten_phi, unflatten_phi
from l2l.run import Run

KEYS = {
    *("machine", "workload", "plain_pytorch_ms", "forward_ms", "backward_ms", "optimizee_ms"),
    *("meta_step_ms", "speedup", "meta_step_sampled_ms", "speedup_sampled", "sgemm_gflops"),
    *("sgemm_fraction", "gradient_error", "scaling", "spread", "column_pytorch_ms"),
    *("speedup_over_columns", "speedup_sampled_over_columns"),
}


@pytest.mark.parametrize("form", [cells, columns])
@pytest.mark.parametrize(
    "settings",
    [*(lstm_settings(layers=n) for n in (1, 2, 3)), normalised_settings(tensor_size=None)],
    ids=lambda settings: f"{settings.kind} {settings.layers}",
)
def test_plain_pytorch_takes_the_same_meta_training_steps(form: Form, settings: Any) -> None:
    phi = random_phi(settings)
    problems = double(mlp_family((4,)).sample(("train",), [0], 10))
    plain = PlainMetaTraining(form, settings, phi, problems, 10, 5, 0.01)
    optimizer, adam = make_optimizer(settings, phi), Adam(0.01)
    flat, carry = flatten_phi(phi, settings), begin(problems, optimizer)
    state = adam.init(flat)
    weights = loss_weights(recipe(steps=10))
    for _ in range(2):
        plain.window()
        window = adjoint(problems, optimizer, carry, 5, weights)
        step, state = adam.update(flatten_phi(window.gradient, settings), state)
        flat, carry = flat + step, window.carry
        optimizer = make_optimizer(settings, unflatten_phi(flat, settings))
        found = torch.cat([value.flatten() for value in plain.phi])
        torch.testing.assert_close(found, flat, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(plain.theta, carry.theta, rtol=1e-9, atol=1e-11)


def window(steps: int, coordinates: int, layers: int, units: int) -> KernelWindow:
    settings = lstm_settings(layers=layers, units=units)
    phi = random_phi(settings, dtype=torch.float32)
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(steps, coordinates, 2, generator=generator)
    cotangents = torch.randn(steps, coordinates, generator=generator)
    return KernelWindow(phi, inputs, kernels.zero_state(phi, coordinates), cotangents)


@pytest.mark.parametrize(("layers", "units"), [(1, 7), (2, 20), (3, 5)])
def test_the_operations_are_those_that_pytorch_counts(layers: int, units: int) -> None:
    """Of LSTM cells and autograd; the backward kernel recomputes the forward products."""
    steps, coordinates = 6, 40
    subject = window(steps, coordinates, layers, units)
    plain = [nn.LSTMCell(units if layer else 2, units) for layer in range(layers)]
    hidden = [(torch.zeros(coordinates, units),) * 2 for _ in range(layers)]
    outputs = []
    with FlopCounterMode(display=False) as forward:
        for inputs in subject.inputs:
            below, new = inputs, []
            for cell, state in zip(plain, hidden, strict=True):
                new.append(cell(below, state))
                below = new[-1][0]
            hidden = new
            outputs.append(below)
    with FlopCounterMode(display=False) as backward:
        torch.stack(outputs).sum().backward()
    expected = forward.get_total_flops(), forward.get_total_flops() + backward.get_total_flops()
    assert subject.operations() == expected


def test_coordinates_that_are_skipped_are_not_counted() -> None:
    subject = window(4, 30, 2, 5)
    subject.cotangents[:, :10] = 0
    forward, backward = subject.operations()
    assert subject.active == 20
    assert forward == window(4, 30, 2, 5).operations()[0]
    assert backward == window(4, 20, 2, 5).operations()[1]


def test_the_error_is_small_and_sees_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = window(5, 50, 2, 20)
    assert 0 < subject.error() < 1e-5
    right = kernels.backward_window

    def wrong(*arguments: object) -> kernels.Phi:
        gradient = right(*arguments)  # type: ignore[arg-type]
        return gradient | {"lstm.bias_ih_l1": 1.01 * gradient["lstm.bias_ih_l1"]}

    monkeypatch.setattr(kernels, "backward_window", wrong)
    assert subject.error() == pytest.approx(0.01, rel=1e-3)


def test_work_is_done_in_turn_and_the_first_round_does_not_count() -> None:
    done: list[str] = []
    work = {name: lambda name=name: done.append(name) for name in "ab"}
    times = interleaved(work, 3, CPU, "some")
    assert done == ["a", "b"] * 4
    assert [len(values) for values in times.values()] == [3, 3]


def test_sizes_that_do_not_fit_are_named() -> None:
    rows, skipped = scaling(window(2, 10, 2, 5), [50, 10**13], CPU)
    assert [row["coordinates"] for row in rows] == [50]
    assert rows[0]["bytes_per_coordinate"] == 2 * (2 * 2 * 5 * 4) + 20 * 3 * 4
    assert rows[0]["ns_per_coordinate_step"] > 0
    assert len(skipped) == 1
    assert "1e+13" in skipped[0]
    assert "GiB" in skipped[0]


def test_the_result_has_every_figure_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "QUICK_SIZES", [100, 200])
    workload = Workload("some", recipe(), quadratic_family(3), 0, CPU, 0.5)
    result = json.loads(json.dumps(run_benchmark(workload, CPU, quick=True)))
    assert result.keys() >= KEYS
    assert result["speedup"] == result["plain_pytorch_ms"] / result["meta_step_ms"]
    assert result["workload"]["coordinates"] == 12  # four problems of three dimensions
    assert result["workload"]["unroll"] == 10
    for name, (low, high) in result["spread"].items():
        assert low <= result[name] <= high
    text = summary(result)
    assert f"{result['speedup']:.1f} times exact" in text
    assert "1e+02" in text


def test_the_command_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "QUICK_SIZES", [100])
    threads = torch.get_num_threads()
    small = ["recipes.quadratics_lstm.problems_per_episode=2"]
    try:
        run = Run(load_config(settings=small))
        bench(run, "quadratics_lstm", quick=True, json=tmp_path / "b.json", threads=1)
    finally:
        torch.set_num_threads(threads)
    result = json.loads((tmp_path / "b.json").read_text())
    assert result.keys() >= KEYS
    assert result["machine"]["threads"] == 1
    assert result["workload"]["coordinates"] == 20
