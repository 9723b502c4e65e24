"""The LSTM on normalised gradients against ADAM's formulas, torch.nn.LSTM and autograd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import double, normalised_settings, quadratic_family, random_phi, relative_error
from torch import Tensor, nn

from l2l.config.optimizers import NormalisedSettings
from l2l.estimators.adjoint import adjoint
from l2l.estimators.unrolled import unrolled
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import bind, checkpoint
from l2l.optimizers.normalised import NormalisedLSTM, NormalisedState
from l2l.problems.base import Problem

KERNELS = {"reference": torch.float64, "cpu": torch.float32, "cuda": torch.float32}
CASES: list[dict[str, Any]] = [
    {},
    {"decays": [0.95], "units": 12},
    {"decays": [0.9, 0.99, 0.999], "p": 4.0, "layers": 2, "units": 7},
    {"p": 6.0, "tensor_size": None},
]
STEPS, BEFORE, PROBLEMS, SIZE = 7, 3, 2, 37


def by_formulas(
    settings: NormalisedSettings, phi: dict[str, Tensor], theta: Tensor, gradients: Tensor
) -> Tensor:
    """The steps [STEPS, B, n], with a graph to phi: m and v as Kingma and Ba 2015 have them."""
    inputs = 2 * len(settings.decays) + (2 if settings.p else 0)
    lstm = nn.LSTM(inputs, settings.units, settings.layers, dtype=torch.float64)
    head = nn.Linear(settings.units, 1, dtype=torch.float64)
    columns, ever = [], (gradients != 0).cumsum(dim=0) > 0
    for decay in settings.decays:
        m = v = torch.zeros_like(gradients[0])
        rows = []
        for t, g in enumerate(gradients, start=1):
            m = decay * m + (1 - decay) * g
            v = decay * v + (1 - decay) * g**2
            root = (v / (1 - decay**t)).sqrt().clamp_min(1e-150)
            rows.append(torch.stack([m / (1 - decay**t) / root, g / root], dim=-1))
        columns.append(torch.stack(rows))
    if settings.p:
        edge = torch.tensor(-settings.p, dtype=torch.float64).exp()
        large = gradients.abs() >= edge
        log = torch.where(large, gradients.abs().clamp_min(edge).log() / settings.p, -1)
        sign = torch.where(large, gradients.sign(), gradients / edge)
        columns.append(torch.stack([log, sign], dim=-1))
    x = torch.cat(columns, dim=-1).flatten(1, 2)
    named = {name.removeprefix("lstm."): value for name, value in phi.items() if "lstm" in name}
    sequence, _ = torch.func.functional_call(lstm, named, (x,))
    own = {name.removeprefix("head."): value for name, value in phi.items() if "head" in name}
    output = torch.func.functional_call(head, own, (sequence,))[..., 0].view_as(gradients)
    scale = torch.full_like(theta[:, :1], settings.output_scale)
    if bounds := settings.tensor_size:
        sizes = theta.square().mean(dim=1, keepdim=True).sqrt()
        scale = scale * sizes.clamp(bounds.low, bounds.high)
    return torch.where(ever, output, 0) * scale


def draw(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def made_gradients() -> Tensor:
    """Of many sizes; coordinate 3 of the first problem has none, coordinate 5 a late one."""
    gradients = draw(STEPS, PROBLEMS, SIZE).pow(5)
    gradients[:, 0, 3] = 0
    gradients[: BEFORE + 1, 0, 5] = 0
    return gradients


def run(
    optimizer: NormalisedLSTM, theta: Tensor, gradients: Tensor
) -> tuple[Tensor, NormalisedState]:
    """The steps, and the state after the first ones."""
    steps, kept, state = [], optimizer.init(theta), optimizer.init(theta)
    for number, gradient in enumerate(gradients):
        if number == BEFORE:
            kept = state
        step, state = optimizer.update(gradient, state, reuse=number not in (0, BEFORE))
        steps.append(step)
    return torch.stack(steps), kept


@pytest.mark.parametrize("changes", CASES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_steps_and_their_gradients_equal_autograd_through_the_formulas(
    kernel: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("L2L_KERNEL", kernel)
    settings, dtype = normalised_settings(**changes), KERNELS[kernel]
    phi = {name: w.requires_grad_() for name, w in random_phi(settings).items()}
    theta, gradients = 0.3 * draw(PROBLEMS, SIZE), made_gradients()
    cotangents = draw(STEPS - BEFORE, PROBLEMS, SIZE)
    cotangents[:, 0, 10:30] = 0
    expected = by_formulas(settings, phi, theta, gradients)
    wanted = torch.autograd.grad((expected[BEFORE:] * cotangents).sum(), list(phi.values()))
    # The formulas' LSTM goes back beyond the window, to where its state is a constant.
    own = {name: w.detach().to(dtype) for name, w in phi.items()}
    steps, state = run(NormalisedLSTM(settings, own), theta.to(dtype), gradients.to(dtype))
    exact = dtype == torch.float64
    assert relative_error(steps.double(), expected.detach()) < (1e-12 if exact else 2e-5)
    whole = torch.cat([torch.zeros(BEFORE, PROBLEMS, SIZE), cotangents]).to(dtype)
    start = NormalisedLSTM(settings, own).init(theta.to(dtype))
    found = NormalisedLSTM(settings, own).backward(gradients.to(dtype), start, whole)
    for name, value in zip(phi, wanted, strict=True):
        assert relative_error(found[name].double(), value) < (1e-11 if exact else 5e-5), name
    # The window alone: the same through the differentiable step, which the test above covers.
    window = (gradients[BEFORE:].to(dtype), state, cotangents.to(dtype))
    found = NormalisedLSTM(settings, own).backward(*window)
    plain = super(NormalisedLSTM, NormalisedLSTM(settings, own)).backward(*window)
    for name, value in plain.items():
        assert relative_error(found[name], value) < (1e-12 if exact else 5e-5), name


def test_the_gradient_of_a_window_equals_finite_differences() -> None:
    settings = normalised_settings(p=5.0)
    phi, theta, gradients = random_phi(settings), 0.3 * draw(PROBLEMS, SIZE), made_gradients()
    cotangents = draw(STEPS, PROBLEMS, SIZE)
    optimizer = NormalisedLSTM(settings, phi)
    found = optimizer.backward(gradients, optimizer.init(theta), cotangents)
    for name, weight in phi.items():
        direction = draw(*weight.shape)

        def total(size: float, name: str = name, direction: Tensor = direction) -> float:
            moved = optimizer.with_phi(phi | {name: phi[name] + size * direction})
            return float((run(moved, theta, gradients)[0] * cotangents).sum())

        slope = (total(1e-5) - total(-1e-5)) / 2e-5
        assert float((found[name] * direction).sum()) == pytest.approx(slope, rel=1e-6), name


def test_a_coordinate_moves_from_its_first_gradient_on() -> None:
    settings = normalised_settings(p=5.0)
    for dtype in (torch.float32, torch.float64):
        optimizer = NormalisedLSTM(settings, random_phi(settings, dtype=dtype))
        theta = torch.ones(PROBLEMS, SIZE, dtype=dtype)
        steps, _ = run(optimizer, theta, made_gradients().to(dtype))
        assert not steps[:, 0, 3].any()
        assert not steps[: BEFORE + 1, 0, 5].any()
        assert bool(steps[BEFORE + 1 :, 0, 5].all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_not_finite_stays_visible(dtype: torch.dtype) -> None:
    settings = normalised_settings()
    optimizer = NormalisedLSTM(settings, random_phi(settings, dtype=dtype))
    theta = torch.ones(1, 3, dtype=dtype)
    gradient = torch.tensor([[torch.nan, torch.inf, 1.0]], dtype=dtype)
    step, _ = optimizer.update(gradient, optimizer.init(theta))
    assert step.isfinite().tolist() == [[False, False, True]]


def test_the_unit_of_the_loss_does_not_matter() -> None:
    settings = normalised_settings()
    optimizer = NormalisedLSTM(settings, random_phi(settings))
    gradients, theta = made_gradients(), draw(PROBLEMS, SIZE)
    steps, _ = run(optimizer, theta, gradients)
    torch.testing.assert_close(run(optimizer, theta, 1e6 * gradients)[0], steps)


def test_a_step_is_relative_to_its_tensor_within_bounds() -> None:
    settings = normalised_settings(output_scale=2.0)
    theta = torch.tensor([[3.0, -4.0, 0.2, 0.2, 0.0, 0.0, 0.3], [0.1, 0.1, 9, 9, 0.2, 0.2, 0.0]])
    places = {"a": torch.tensor([0, 1]), "b": torch.tensor([2, 3, 6]), "c": torch.tensor([4, 5])}
    phi = random_phi(settings, dtype=torch.float32)
    state = bind(NormalisedLSTM(settings, phi), places).init(theta)
    rms = (0.17 / 3) ** 0.5
    sizes = [[0.5, 0.5, rms, rms, 0.1, 0.1, rms], [0.1, 0.1, 0.5, 0.5, 0.2, 0.2, 0.5]]
    torch.testing.assert_close(state.scale, 2 * torch.tensor(sizes))
    state = NormalisedLSTM(settings, phi).init(theta / torch.tensor([[10.0], [1.0]]))  # one tensor
    torch.testing.assert_close(state.scale, torch.tensor([[2 * (25.17 / 700) ** 0.5], [1.0]]))
    free = NormalisedLSTM(normalised_settings(tensor_size=None, output_scale=2.0), phi)
    assert bind(free, places).init(theta).scale.tolist() == [[2.0], [2.0]]


@pytest.mark.parametrize("kernel", ["reference", "cpu"])
@pytest.mark.parametrize(
    ("schedule", "warm_up", "by_step"),
    [
        ("linear", 0.0, [1, 0.8, 0.6, 0.4, 0.2, 0, 0]),
        ("constant", 0.4, [0.5, 1, 1, 1, 1, 1, 1]),
        ("linear", 0.6, [1 / 3, 0.8 * 2 / 3, 0.6, 0.4, 0.2, 0, 0]),
    ],
)
def test_steps_grow_and_shrink_over_a_run_whose_length_is_known(
    schedule: str,
    warm_up: float,
    by_step: list[float],
    kernel: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("L2L_KERNEL", kernel)
    dtype = KERNELS[kernel]
    settings = normalised_settings(schedule=schedule, warm_up=warm_up)
    free = NormalisedLSTM(settings, random_phi(settings, dtype=dtype))
    bound = bind(free, {"theta": torch.arange(SIZE)}, 5)
    gradients, theta = made_gradients().to(dtype), draw(PROBLEMS, SIZE).to(dtype)
    steps, _ = run(free, theta, gradients)
    factors = torch.tensor(by_step, dtype=dtype)[:, None, None]
    torch.testing.assert_close(run(bound, theta, gradients)[0], factors * steps)
    state, cotangents = bound.init(theta), draw(STEPS, PROBLEMS, SIZE).to(dtype)
    found = bound.backward(gradients, state, cotangents)
    expected = free.backward(gradients, state, factors * cotangents)
    by_autograd = super(NormalisedLSTM, bound).backward(gradients, state, cotangents)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
        assert relative_error(by_autograd[name], value) < (1e-12 if kernel == "reference" else 5e-5)


def equal(losses: Tensor, first: int) -> Tensor:
    return torch.ones_like(losses)


def test_the_adjoint_equals_autograd_through_the_unrolled_windows() -> None:
    settings = normalised_settings(p=3.0)
    problems = double(quadratic_family(6).sample(("train", "q"), range(3), 10))
    optimizer = bind(NormalisedLSTM(settings, random_phi(settings)), problems.places())
    one = other = begin(problems, optimizer)
    for _ in range(2):
        found = adjoint(problems, optimizer, one, 5, equal)
        expected = unrolled(problems, optimizer, other, 5, equal)
        for name, value in expected.gradient.items():
            assert relative_error(found.gradient[name], value) < 1e-11, name
        torch.testing.assert_close(found.losses, expected.losses, rtol=1e-12, atol=0)
        one, other = found.carry, expected.carry


def test_with_second_derivatives_the_gradient_is_that_of_the_meta_loss() -> None:
    settings = normalised_settings(p=3.0, layers=1, units=3)
    problems: Problem = double(quadratic_family(4).sample(("train", "q"), range(2), 5))
    phi = random_phi(settings)
    optimizer = NormalisedLSTM(settings, phi)
    found = unrolled(problems, optimizer, begin(problems, optimizer), 5, equal, True).gradient
    for name, weight in phi.items():
        direction = draw(*weight.shape)

        def total(size: float, name: str = name, direction: Tensor = direction) -> float:
            moved = optimizer.with_phi(phi | {name: phi[name] + size * direction})
            losses: list[float] = []
            start = begin(problems, moved)
            rollout(problems, moved, start, 5, lambda c: losses.append(float(c.loss.mean())))
            return sum(losses)

        slope = (total(1e-6) - total(-1e-6)) / 2e-6
        assert float((found[name] * direction).sum()) == pytest.approx(slope, rel=1e-5), name


def test_a_file_keeps_all_bits(tmp_path: Path) -> None:
    settings = normalised_settings(p=None, tensor_size=None)
    saved = NormalisedLSTM(settings, random_phi(settings, dtype=torch.float32))
    checkpoint.save(tmp_path / "it.safetensors", saved, {"recipe": "some"})
    loaded = checkpoint.load(tmp_path / "it.safetensors")
    assert loaded.optimizer.settings == settings
    assert loaded.provenance == {"recipe": "some"}
    assert all(torch.equal(saved.phi[name], w) for name, w in loaded.optimizer.phi.items())
