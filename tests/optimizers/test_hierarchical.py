"""The hierarchical RNN: its equations in plain loops, finite differences, symmetries."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import PIXELS, hierarchical_settings, mlp_family, quadratic_family, relative_error
from torch import Tensor, nn

from l2l.errors import UserError
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import checkpoint, hierarchical
from l2l.optimizers.base import Phi, UpdateRule
from l2l.optimizers.hierarchical import HierarchicalRNN
from l2l.optimizers.weights import initial_phi, phi_shapes
from l2l.problems.base import Problem
from l2l.problems.mlp import ImageSet
from l2l.rng import stream

SIZES = (5, 1, 3)
N, STEPS, PROBLEMS = sum(SIZES), 4, 2


def places(sizes: tuple[int, ...] = SIZES) -> dict[str, Tensor]:
    parts = torch.arange(sum(sizes)).split(sizes)
    return {f"tensor {k}": part for k, part in enumerate(parts)}


def made(dtype: torch.dtype = torch.float64, **changes: Any) -> HierarchicalRNN:
    """An optimizer with weights far from their special values at the start."""
    settings = hierarchical_settings(**changes)
    phi = initial_phi(settings, stream(3, "tests"))
    noise = torch.Generator().manual_seed(4)
    moved = {
        name: (value + 0.2 * torch.randn(value.shape, generator=noise)).to(dtype)
        for name, value in phi.items()
    }
    return HierarchicalRNN(settings, moved)


def made_up(steps: int = STEPS, problems: int = PROBLEMS) -> Tensor:
    """Gradients of very different sizes, [K, B, n]."""
    generator = torch.Generator().manual_seed(5)
    shape = (steps, problems, N)
    sizes = 10 ** (4 * torch.rand(shape[1:], generator=generator, dtype=torch.float64) - 3)
    return sizes * torch.randn(shape, generator=generator, dtype=torch.float64)


def followed(optimizer: UpdateRule, gradients: Tensor) -> Tensor:
    """All steps, [K, B, n]."""
    state, steps = optimizer.init(gradients[0]), []
    for gradient in gradients:
        step, state = optimizer.update(gradient, state)
        steps.append(step)
    return torch.stack(steps)


def cell(phi: Phi, name: str, bias: Tensor, inputs: Tensor, hidden: Tensor) -> Tensor:
    """PyTorch's GRU of one vector, with an additional bias of its gates."""
    unit = nn.GRUCell(inputs.numel(), hidden.numel(), dtype=torch.float64)
    weights = {key: phi[f"{name}.{key}"] for key in ("weight_ih", "weight_hh", "bias_hh")}
    unit.load_state_dict(weights | {"bias_ih": phi[f"{name}.bias_ih"] + bias})
    with torch.no_grad():
        return unit(inputs[None], hidden[None])[0]


def in_loops(optimizer: HierarchicalRNN, gradients: Tensor) -> Tensor:
    """The attended location of one problem after each step, from 0, in loops over coordinates.

    Args:
        optimizer: settings and phi in float64.
        gradients: [K, n].
    """
    phi, settings = optimizer.phi, optimizer.settings
    scales, tensor_of = (
        range(settings.scales),
        [k for k, size in enumerate(SIZES) for _ in range(size)],
    )
    m = [[0.0 for _ in scales] for _ in range(N)]
    v = [[0.0 for _ in scales] for _ in range(N)]
    decays = [(0.0, 0.0)] * N
    running = [math.log(settings.learning_rate)] * N
    base, places_seen = [0.0] * N, []
    of_parameter = [torch.zeros(settings.parameter_units).double()] * N
    of_tensor = [torch.zeros(settings.tensor_units).double()] * len(SIZES)
    of_all = torch.zeros(settings.global_units).double()
    momentum, offset = torch.sigmoid(phi["rate.momentum"]).item(), phi["rate.base"].item()
    for gradient in gradients.tolist():
        mean_rate = sum(running) / N
        raw, rates, above = [], [], []
        for i in range(N):
            scaled, logs = [], []
            for s in scales:
                b_m, b_v = (decay ** (0.5**s) for decay in decays[i])
                m[i][s] = b_m * m[i][s] + (1 - b_m) * gradient[i]
                v[i][s] = b_v * v[i][s] + (1 - b_v) * m[i][s] ** 2
                scaled.append(m[i][s] / math.sqrt(v[i][s] + 1e-24))
                logs.append(math.log(v[i][s] + 1e-24))
            relative = [log - sum(logs) / len(logs) for log in logs]
            inputs = torch.tensor([*scaled, *relative, running[i] - mean_rate], dtype=torch.float64)
            bias = phi["parameter.from_tensor"] @ of_tensor[tensor_of[i]]
            bias = bias + phi["parameter.from_global"] @ of_all
            above.append(cell(phi, "parameter", bias, inputs, of_parameter[i]))
            shortcut = phi["direction.shortcut"] @ inputs[: settings.scales]
            raw.append(phi["direction.weight"] @ above[i] + shortcut)
            change = (phi["rate.weight"] @ above[i] + phi["rate.bias"]).item()
            rates.append(running[i] + change)
            logits = phi["decay.weight"] @ above[i] + phi["decay.bias"]
            decays[i] = tuple(torch.sigmoid(logits).tolist())
        running = [momentum * R + (1 - momentum) * r for R, r in zip(running, rates, strict=True)]
        seen = []
        for i in range(N):
            own = torch.stack([raw[j] for j in range(N) if tensor_of[j] == tensor_of[i]])
            d, a = (raw[i] / torch.sqrt((own**2).mean(dim=0) + 1e-8)).tolist()
            seen.append(base[i] + math.exp(rates[i]) * a)
            base[i] += math.exp(offset + rates[i]) * d
        places_seen.append(torch.tensor(seen, dtype=torch.float64))
        of_parameter = above
        bias = phi["tensor.from_global"] @ of_all
        for k in range(len(SIZES)):
            mean = torch.stack([above[i] for i in range(N) if tensor_of[i] == k]).mean(dim=0)
            of_tensor[k] = cell(phi, "tensor", bias, mean, of_tensor[k])
        nothing = torch.zeros(3 * settings.global_units).double()
        of_all = cell(phi, "global", nothing, torch.stack(of_tensor).mean(dim=0), of_all)
    return torch.stack(places_seen)


CUT = {"tensor_units": 0, "global_units": 0}


@pytest.mark.parametrize("cut", [{}, {"global_units": 0}, CUT], ids=["whole", "no global", "cut"])
def test_it_does_what_its_equations_say(cut: dict[str, int]) -> None:
    optimizer, gradients = made(**cut), made_up()
    found = followed(optimizer.bind(places()), gradients).cumsum(dim=0)
    for problem in range(PROBLEMS):
        expected = in_loops(optimizer, gradients[:, problem])
        torch.testing.assert_close(found[:, problem], expected, rtol=1e-9, atol=1e-12)


def value(optimizer: UpdateRule, phi: Phi, gradients: Tensor, outer: Tensor) -> float:
    return (followed(optimizer.with_phi(phi), gradients) * outer).sum().item()


@pytest.mark.parametrize(
    ("kept", "cut"), [(800_000, {}), (2 * PROBLEMS * N, {}), (1, {}), (2 * PROBLEMS * N, CUT)]
)
def test_backward_is_the_slope_of_every_weight(
    kept: int, cut: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hierarchical, "STEPS_KEPT", kept)
    optimizer, gradients = made(**cut).bind(places()), made_up()
    outer = torch.randn(gradients.shape, generator=torch.Generator().manual_seed(6)).double()
    found = optimizer.backward(gradients, optimizer.init(gradients[0]), outer)
    assert found.keys() == optimizer.phi.keys()
    directions = torch.Generator().manual_seed(7)
    for name, weight in optimizer.phi.items():
        way = torch.randn(weight.shape, generator=directions).double()
        up, down = (
            value(optimizer, optimizer.phi | {name: weight + s * way}, gradients, outer)
            for s in (1e-6, -1e-6)
        )
        slope = (up - down) / 2e-6
        assert (found[name] * way).sum().item() == pytest.approx(slope, rel=1e-5, abs=1e-7), name


def test_autograd_goes_through_a_step_to_gradient_and_state() -> None:
    optimizer, gradients = made().bind(places()), made_up()
    state = optimizer.init(gradients[0])
    for gradient in gradients[:2]:
        _, state = optimizer.step(gradient, state)
    parts = [part.detach().requires_grad_() for part in state]

    def function(gradient: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:
        step, after = optimizer.step(gradient, type(state)(*parts))
        return step, *after[2:]  # m and v themselves differ by many orders of magnitude

    scale = 1 + gradients[2].abs()  # of order 1, which finite differences can resolve
    parts[0] = torch.rand_like(parts[0]).requires_grad_()
    parts[1] = (0.5 + torch.rand_like(parts[1])).requires_grad_()
    assert torch.autograd.gradcheck(function, (scale.requires_grad_(), *parts), fast_mode=True)


def test_a_problem_takes_the_same_steps_alone_and_in_any_batch() -> None:
    optimizer, gradients = made().bind(places()), made_up(problems=3)
    together = followed(optimizer, gradients)
    for problem in range(3):
        alone = followed(optimizer, gradients[:, problem : problem + 1])
        torch.testing.assert_close(together[:, problem], alone[:, 0], rtol=1e-10, atol=1e-13)


def test_coordinates_within_a_tensor_and_tensors_may_stand_in_any_order() -> None:
    optimizer, gradients = made(), made_up()
    steps = followed(optimizer.bind(places()), gradients)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(8))
    where = order.argsort()  # coordinate i now stands at where[i]
    moved = {name: where[place] for name, place in reversed(places().items())}
    found = followed(optimizer.bind(moved), gradients[..., order])
    torch.testing.assert_close(found, steps[..., order], rtol=1e-10, atol=1e-13)


def test_which_tensor_a_coordinate_belongs_to_matters() -> None:
    optimizer, gradients = made(), made_up()
    steps = followed(optimizer.bind(places()), gradients)
    assert relative_error(followed(optimizer.bind(places((4, 2, 3))), gradients), steps) > 1e-3
    one = {"all": torch.arange(N)}
    unbound = followed(optimizer, gradients)
    torch.testing.assert_close(unbound, followed(optimizer.bind(one), gradients))
    assert relative_error(unbound, steps) > 1e-3


@pytest.mark.parametrize("connection", ["parameter.from_global", "rate.weight", None])
def test_coordinates_feel_other_tensors_by_the_global_state_and_the_mean_rate(
    connection: str | None,
) -> None:
    optimizer, gradients = made().bind(places()), made_up()
    connections = {"parameter.from_global", "tensor.from_global", "rate.weight"}
    cut = {name: torch.zeros_like(optimizer.phi[name]) for name in connections - {connection}}
    optimizer = optimizer.with_phi(optimizer.phi | cut)
    other = gradients.clone()
    other[0, :, : SIZES[0]] *= -1
    change = (followed(optimizer, other) - followed(optimizer, gradients))[..., SIZES[0] :].abs()
    assert change[0].max() == 0
    assert change[1].max() > 1e-6 if connection else change.max() == 0


def test_with_the_upper_cells_cut_another_tensor_is_felt_by_the_mean_rate_alone() -> None:
    optimizer, gradients = made(**CUT).bind(places()), made_up()
    other = gradients.clone()
    other[0, :, : SIZES[0]] *= -1
    for weight, felt in ((optimizer.phi["rate.weight"], True), (torch.zeros(1, 3).double(), False)):
        now = optimizer.with_phi(optimizer.phi | {"rate.weight": weight})
        change = (followed(now, other) - followed(now, gradients))[..., SIZES[0] :].abs()
        assert (change.max() > 1e-9) == felt


def test_a_global_rnn_without_tensor_rnns_is_refused() -> None:
    with pytest.raises(ValueError, match="global_units = 2 with tensor_units = 0"):
        hierarchical_settings(tensor_units=0)


@pytest.mark.parametrize("constant", [1e-6, 1e6])
def test_steps_do_not_depend_on_the_scale_of_the_loss(constant: float) -> None:
    optimizer, gradients = made().bind(places()), made_up()
    expected = followed(optimizer, gradients)
    assert relative_error(followed(optimizer, constant * gradients), expected) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zero_tiny_and_huge_gradients_give_finite_steps_and_meta_gradients(
    dtype: torch.dtype,
) -> None:
    optimizer = made(dtype).bind(places())
    sizes = torch.tensor([0.0, 1e-20, 1e10, 0.0, 1e-8, 1e-20, 1.0, math.inf, 0.0], dtype=dtype)
    for series in (sizes, sizes.flip(0), torch.zeros_like(sizes)):
        gradients = series[:, None, None] * made_up(1)[0].sign().to(dtype)
        gradients[:, :, 0] = 0
        steps = followed(optimizer, gradients)
        found = optimizer.backward(gradients, optimizer.init(gradients[0]), torch.ones_like(steps))
        assert steps.isfinite().all()
        assert all(part.isfinite().all() for part in found.values())


def test_an_untrained_one_steps_at_the_learning_rate_against_the_gradient() -> None:
    settings = hierarchical_settings(head_init_scale=0.0)
    optimizer = HierarchicalRNN(settings, initial_phi(settings, stream(0, "tests"))).bind(places())
    steps = followed(optimizer, made_up(1).float())
    torch.testing.assert_close(steps, -settings.learning_rate * made_up(1).float().sign())


def brightest_pixel() -> ImageSet:
    """Images whose label can be learned, unlike those of `tests.small.image_set`."""
    generator = torch.Generator().manual_seed(9)
    images = torch.randint(0, 256, (100, PIXELS), generator=generator, dtype=torch.uint8)
    return ImageSet.of(images, images.argmax(dim=1), torch.arange(50))


@pytest.mark.parametrize(
    "problems",
    [
        quadratic_family(4),
        mlp_family(hidden=(10,), batch_size=50, data=brightest_pixel()),
        mlp_family(hidden=(10,), activation="relu", batch_size=50, data=brightest_pixel()),
    ],
    ids=["quadratic", "sigmoid", "relu"],
)
def test_an_untrained_one_descends_and_windows_go_on_where_the_last_ended(problems: Any) -> None:
    sampled: Problem = problems.sample(("test",), range(2), 60)
    settings = hierarchical_settings(learning_rate=0.03, head_init_scale=0.1)
    phi = initial_phi(settings, stream(0, "tests"))
    optimizer = HierarchicalRNN(settings, phi).bind(sampled.places())
    carry = begin(sampled, optimizer)
    half = rollout(sampled, optimizer, carry, 30)
    end = rollout(sampled, optimizer, half, 30)
    assert torch.equal(end.theta, rollout(sampled, optimizer, carry, 60).theta)
    assert sampled.train_loss(end.theta).mean() < 0.9 * sampled.train_loss(carry.theta).mean()


@pytest.mark.parametrize("cut", [{}, CUT], ids=["whole", "cut"])
def test_a_file_brings_the_same_optimizer_back(cut: dict[str, int], tmp_path: Path) -> None:
    optimizer, gradients = made(torch.float32, **cut), made_up().float()
    checkpoint.save(tmp_path / "file", optimizer, {"recipe": "a"})
    loaded = checkpoint.load(tmp_path / "file").optimizer
    assert loaded.settings == optimizer.settings
    steps = [followed(each.bind(places()), gradients) for each in (optimizer, loaded)]
    assert torch.equal(*steps)


def test_weights_have_their_names_and_shapes_and_do_not_grow_with_theta() -> None:
    settings = hierarchical_settings()
    phi = initial_phi(settings, stream(0, "tests"))
    assert {name: tuple(value.shape) for name, value in phi.items()} == phi_shapes(settings)
    assert all(value.dtype == torch.float32 for value in phi.values())


def test_theta_of_another_size_than_it_is_bound_to_is_refused() -> None:
    with pytest.raises(
        UserError, match=f"bound to parameters with {N} coordinates, but theta has 4"
    ):
        made().bind(places()).init(torch.zeros(2, 4))
