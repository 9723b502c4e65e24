"""The adjoint against autograd through the whole window, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.meta import straight_line
from tests.small import (
    PIXELS,
    double,
    lstm_settings,
    mlp_family,
    quadratic_family,
    random_phi,
    recipe,
    relative_error,
)
from torch import Tensor

from l2l.estimators import Estimator, Window, adjoint, unrolled
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.optimizers import CoordinatewiseLSTM

STEPS = 12
LIST = (0.0, 0.5, 2.0, 0.0, 1.0, 0.1, 3.0, 0.7, 0.0, 0.2, 1.5, 0.9)
WEIGHTS: dict[str, tuple[Any, Callable[[Tensor, int], Any]]] = {
    "equal": ("equal", lambda loss, t: 1.0),
    "final": ("final", lambda loss, t: float(t == STEPS)),
    "inverse": ("inverse", lambda loss, t: 1 / (loss + 0.05)),
    "list": (LIST, lambda loss, t: LIST[t - 1]),
}
WINDOWS = {
    "one step": [1] * 3,
    "one window": [STEPS],
    "equal windows": [4, 4, 4],
    "uneven windows": [5, 1, 6],
}


def _problems(kind: str) -> tuple[Any, straight_line.Function]:
    if kind == "quadratic":
        problems = double(quadratic_family(5).sample(("train", "q"), range(3), STEPS))
        return problems, straight_line.quadratic(problems.W, problems.y)
    problems = double(mlp_family((4, 3)).sample(("train", "m"), range(2), STEPS))
    data = problems.data
    widths = [PIXELS, 4, 3, 10]
    return problems, straight_line.network(data.images, data.labels, problems.minibatches, widths)


def _windows(
    estimator: Estimator, problems: Any, optimizer: CoordinatewiseLSTM, lengths: list[int], how: Any
) -> list[Window]:
    weights = loss_weights(recipe(steps=STEPS, loss_weights=how))
    carry, windows = begin(problems, optimizer), []
    for length in lengths:
        windows.append(estimator(problems, optimizer, carry, length, weights))
        carry = windows[-1].carry
    return windows


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("lengths", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize("kind", ["quadratic", "mlp"])
def test_equals_autograd_through_the_whole_window(
    kind: str, lengths: list[int], weights: str
) -> None:
    problems, function = _problems(kind)
    settings = lstm_settings(preprocessing="log" if kind == "mlp" else "none", output_scale=0.3)
    phi = random_phi(settings)
    how, by_hand = WEIGHTS[weights]
    optimizer = CoordinatewiseLSTM(settings, phi)
    found = [_windows(e, problems, optimizer, lengths, how) for e in (adjoint, unrolled)]
    place = straight_line.Place(problems.initial())
    for number, length in enumerate(lengths):
        gradient, losses, place = straight_line.window(
            function, place, settings, phi, length, by_hand
        )
        for window in (found[0][number], found[1][number]):
            assert window.gradient.keys() == gradient.keys()
            for name, value in gradient.items():
                assert relative_error(window.gradient[name], value) < 1e-10, name
            torch.testing.assert_close(window.losses, losses, rtol=1e-11, atol=0)
            torch.testing.assert_close(window.carry.theta, place.theta, rtol=1e-11, atol=1e-13)
            assert window.carry.step == place.step


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("preprocessing", ["none", "log"])
def test_equals_autograd_for_any_depth_and_preprocessing(layers: int, preprocessing: str) -> None:
    problems, function = _problems("quadratic")
    settings = lstm_settings(layers=layers, preprocessing=preprocessing, p=1.5, output_scale=1.0)
    phi = random_phi(settings, seed=layers)
    place = straight_line.Place(problems.initial())
    for window in _windows(adjoint, problems, CoordinatewiseLSTM(settings, phi), [6, 6], "equal"):
        gradient, _, place = straight_line.window(
            function, place, settings, phi, 6, lambda loss, t: 1.0
        )
        for name, value in gradient.items():
            assert relative_error(window.gradient[name], value) < 1e-10, name


def test_the_first_window_alone_is_not_the_whole_story() -> None:
    """Guards the tests above: weights, the carried state and the window's length all matter."""
    problems, _ = _problems("quadratic")
    settings = lstm_settings(preprocessing="none", output_scale=0.3)
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))

    def flat(window: Window) -> Tensor:
        return torch.cat([value.flatten() for value in window.gradient.values()])

    first, second = _windows(adjoint, problems, optimizer, [6, 6], "equal")
    (whole,) = _windows(adjoint, problems, optimizer, [12], "equal")
    assert relative_error(flat(first) + flat(second), flat(whole)) > 0.01
    assert relative_error(flat(second), flat(first)) > 0.01
    inverse, _ = _windows(adjoint, problems, optimizer, [6, 6], "inverse")
    assert relative_error(flat(inverse), flat(first)) > 0.01


def test_the_batch_gives_the_mean_of_single_problems() -> None:
    settings = lstm_settings(preprocessing="log")
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings))
    family = mlp_family((4, 3))
    together = double(family.sample(("train", "m"), range(3), STEPS))
    (batch,) = _windows(adjoint, together, optimizer, [STEPS], "inverse")
    singles = [
        _windows(
            adjoint, double(family.sample(("train", "m"), [i], STEPS)), optimizer, [12], "inverse"
        )
        for i in range(3)
    ]
    for name, value in batch.gradient.items():
        mean = torch.stack([single[0].gradient[name] for single in singles]).mean(dim=0)
        assert relative_error(value, mean) < 1e-10, name


@pytest.mark.parametrize("kind", ["quadratic", "mlp"])
def test_single_precision_is_close_to_double(kind: str) -> None:
    """The default path: float32, with the fused kernels where they can be built."""
    settings = lstm_settings(units=20, preprocessing="log" if kind == "mlp" else "none")
    phi = random_phi(settings)
    problems, _ = _problems(kind)
    (exact,) = _windows(adjoint, problems, CoordinatewiseLSTM(settings, phi), [STEPS], "equal")
    family = quadratic_family(5) if kind == "quadratic" else mlp_family((4, 3))
    names = ("train", kind[0])
    single = family.sample(names, range(len(problems.initial())), STEPS)
    optimizer = CoordinatewiseLSTM(settings, {name: value.float() for name, value in phi.items()})
    (window,) = _windows(adjoint, single, optimizer, [STEPS], "equal")
    for name, value in exact.gradient.items():
        assert window.gradient[name].dtype == torch.float32
        assert relative_error(window.gradient[name].double(), value) < 1e-3, name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_window_changes_neither_its_start_nor_phi(dtype: torch.dtype) -> None:
    problems = quadratic_family(5).sample(("train", "q"), range(3), STEPS)
    problems = double(problems) if dtype == torch.float64 else problems
    settings = lstm_settings(preprocessing="none")
    optimizer = CoordinatewiseLSTM(settings, random_phi(settings, dtype=dtype))
    weights = loss_weights(recipe(steps=STEPS))
    middle = adjoint(problems, optimizer, begin(problems, optimizer), 5, weights).carry

    def everything() -> list[torch.Tensor]:
        state = [middle.state.hidden, middle.state.cell]
        return [middle.theta, middle.gradient, middle.loss, *state, *optimizer.phi.values()]

    before = [tensor.clone() for tensor in everything()]
    first = adjoint(problems, optimizer, middle, 5, weights)
    second = adjoint(problems, optimizer, middle, 5, weights)
    assert all(map(torch.equal, everything(), before))
    for name, value in first.gradient.items():
        assert torch.equal(value, second.gradient[name])
    assert not any(value.requires_grad for value in first.gradient.values())
