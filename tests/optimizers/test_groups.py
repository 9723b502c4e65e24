"""Parameter groups: each group's LSTM is that LSTM alone on the group's coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import (
    convnet_family,
    double,
    lstm_settings,
    mlp_family,
    random_phi,
    relative_error,
)

from l2l.config.optimizers import LSTMSettings
from l2l.errors import UserError
from l2l.estimators import adjoint
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import CoordinatewiseLSTM, Grouped, bind, checkpoint, make_optimizer
from l2l.optimizers.weights import (
    continued_phi,
    flatten_phi,
    initial_phi,
    phi_shapes,
    unflatten_phi,
)
from l2l.problems import live_part
from l2l.rng import stream

TWO = (
    {"name": "odd", "parameters": ["layers.0.weight", "layers.1.bias"]},
    {"name": "rest", "parameters": ["*"]},
)


def _grouped(groups: Any = TWO, dtype: torch.dtype = torch.float32) -> Any:
    settings = lstm_settings(groups=groups)
    return make_optimizer(settings, random_phi(settings, dtype=dtype))


def _alone(optimizer: Grouped, group: str) -> CoordinatewiseLSTM:
    single = lstm_settings()
    prefix = f"{group}/"
    phi = {k[len(prefix) :]: v for k, v in optimizer.phi.items() if k.startswith(prefix)}
    assert {name: tuple(value.shape) for name, value in phi.items()} == phi_shapes(single)
    return CoordinatewiseLSTM(single, phi)


def test_each_group_takes_the_steps_of_its_own_lstm() -> None:
    problems = mlp_family((4,)).sample(("train",), range(3), 5)
    optimizer = _grouped()
    bound = bind(optimizer, problems.places())
    start = begin(problems, bound)
    seen = [start.gradient]
    end = rollout(problems, bound, start, 5, lambda now: seen.append(now.gradient))
    moved = torch.zeros_like(end.theta)
    first = torch.zeros(problems.coordinates, dtype=torch.bool)
    first[: 4 * 9] = True  # layers.0.weight; the coordinates by hand
    first[-10:] = True  # layers.1.bias
    for group, mask in (("odd", first), ("rest", ~first)):
        lstm = _alone(optimizer, group)
        state = lstm.init(start.theta[:, mask])
        for gradient in seen[:-1]:
            step, state = lstm.update(gradient[:, mask], state)
            moved[:, mask] += step
    torch.testing.assert_close(end.theta - start.theta, moved, rtol=1e-4, atol=1e-6)


def test_the_meta_gradient_is_autograds_through_the_whole_window() -> None:
    """Independent of the adjoint: theta moves by both LSTMs, gradients are constants (eq. 5)."""
    problems: Any = double(convnet_family().sample(("train",), range(2), 4))
    groups = (
        {"name": "convolutional", "parameters": ["conv*"]},
        {"name": "connected", "parameters": ["hidden*", "output*"]},
    )
    optimizer = _grouped(groups, torch.float64)
    bound = bind(optimizer, problems.places())
    weights = lambda losses, first: torch.ones_like(losses)  # noqa: E731
    window = adjoint(problems, bound, begin(problems, bound), 4, weights)

    leaves = {name: value.clone().requires_grad_() for name, value in optimizer.phi.items()}
    theta = problems.initial()
    states: dict[str, Any] = {}
    loss = torch.zeros((), dtype=torch.float64)
    for step in range(4):
        gradient = problems.loss_and_gradient(theta.detach(), step)[1]
        update = torch.zeros_like(gradient)
        for group in groups:
            name = str(group["name"])
            masks = [
                problems.places()[p]
                for p in problems.shapes
                if (p[:4] == "conv") == (name == "convolutional")
            ]
            place = torch.cat(masks)
            module = torch.nn.LSTM(2, 5, 2).double()
            own = {k.split("/")[1]: v for k, v in leaves.items() if k.startswith(name)}
            inputs = bound.alone(name).inputs(gradient[:, place]).reshape(1, -1, 2)
            lstm = {k[5:]: v for k, v in own.items() if k.startswith("lstm.")}
            zeros = torch.zeros(2, inputs.shape[1], 5, dtype=torch.float64)
            state = states.get(name, (zeros, zeros))
            out, states[name] = torch.func.functional_call(module, lstm, (inputs, state))
            value = out[0] @ own["head.weight"].T + own["head.bias"]
            part = (optimizer.settings.output_scale * value).reshape(2, -1)
            update = update.index_copy(1, place, part)
        theta = theta + update
        loss = loss + problems.loss(theta, step + 1).mean()
    names = list(leaves)
    expected = torch.autograd.grad(loss, [leaves[name] for name in names])
    # loss(theta) is differentiated along theta alone, so this is the dropped-derivative gradient.
    for name, value in zip(names, expected, strict=True):
        assert relative_error(window.gradient[name], value) < 1e-8, name
    torch.testing.assert_close(window.meta_loss, loss.detach())


def test_one_group_is_the_plain_optimizer() -> None:
    optimizer = CoordinatewiseLSTM(lstm_settings(), random_phi(lstm_settings()))
    problems = mlp_family().sample(("train",), [0], 0)
    assert bind(optimizer, problems.places()) is optimizer


def test_groups_follow_a_problem_without_its_dark_pixels() -> None:
    family = mlp_family((4,), batch_size=2)
    family.data.images[:, [1, 5]] = 0
    problems = family.sample(("train",), range(2), 3)
    live = live_part(problems, train_loss=False)
    assert live is not problems
    ends = []
    for each in (problems, live):
        bound = bind(_grouped(), each.places())
        end = rollout(each, bound, begin(each, bound), 3)
        ends.append(end.loss)
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-4, atol=1e-6)


def test_a_group_without_parameters_in_this_problem_is_left_out_of_the_work() -> None:
    groups = ({"name": "none", "parameters": ["conv*"]}, {"name": "rest", "parameters": ["*"]})
    problems = mlp_family().sample(("train",), [0], 2)
    bound = bind(_grouped(groups), problems.places())
    assert isinstance(bound, Grouped)
    assert [len(part.place) for part in bound.parts] == [0, problems.coordinates]
    alone = _alone(_grouped(groups), "rest")
    torch.testing.assert_close(
        rollout(problems, bound, begin(problems, bound), 2).theta,
        rollout(problems, alone, begin(problems, alone), 2).theta,
    )


def test_a_parameter_of_no_group_is_named() -> None:
    groups = ({"name": "a", "parameters": ["*weight"]}, {"name": "b", "parameters": ["conv*"]})
    problems = mlp_family().sample(("train",), [0], 0)
    with pytest.raises(UserError, match=r"'layers\.0\.bias' is in none of the groups a, b"):
        bind(_grouped(groups), problems.places())
    lone = ({"name": "a", "parameters": ["*weight"]},)
    with pytest.raises(UserError, match=r"'layers\.0\.bias' is in none of the groups a;"):
        bind(_grouped(lone), problems.places())


def test_what_is_not_bound_says_so() -> None:
    with pytest.raises(UserError, match=r"groups odd, rest: bind it to the parameters first"):
        _grouped().init(torch.zeros(1, 50))


def test_a_group_has_the_shapes_and_the_start_of_the_optimizer_alone() -> None:
    """Whatever its kind is; groups draw one after the other."""
    settings = lstm_settings(groups=TWO, forget_bias=1.0)
    single = lstm_settings(forget_bias=1.0)
    drawn = initial_phi(settings, stream(0, "groups"))
    generator = stream(0, "groups")
    for name in ("odd", "rest"):
        expected = initial_phi(single, generator)
        own = make_optimizer(settings, drawn).alone(name)  # type: ignore[attr-defined]
        assert type(own) is CoordinatewiseLSTM
        assert own.settings == single
        assert list(own.phi) == list(expected)
        assert all(torch.equal(own.phi[key], value) for key, value in expected.items())


def test_a_file_keeps_the_groups(tmp_path: Path) -> None:
    optimizer = _grouped()
    checkpoint.save(tmp_path / "a.safetensors", optimizer, {})
    loaded = checkpoint.load(tmp_path / "a.safetensors").optimizer
    assert loaded.settings == optimizer.settings
    assert all(torch.equal(loaded.phi[name], value) for name, value in optimizer.phi.items())


def test_all_groups_go_on_from_an_optimizer_with_one() -> None:
    single = CoordinatewiseLSTM(lstm_settings(), random_phi(lstm_settings(), dtype=torch.float32))
    settings = lstm_settings(groups=TWO, p=6.0, output_scale=0.01)
    phi = unflatten_phi(continued_phi(single, settings), settings)
    for name, value in single.phi.items():
        assert torch.equal(phi[f"odd/{name}"], value)
        assert torch.equal(phi[f"rest/{name}"], value)
    same = continued_phi(single, lstm_settings())
    assert torch.equal(same, flatten_phi(single.phi, single.settings))
    with pytest.raises(UserError, match="other layers, units"):
        continued_phi(single, lstm_settings(units=6))


def test_the_forget_bias_and_the_output_layer_of_every_group_are_initialised_alike() -> None:
    def phi(**changes: Any) -> dict[str, torch.Tensor]:
        settings: LSTMSettings = lstm_settings(groups=TWO, **changes)
        return random_phi(settings, dtype=torch.float32)

    plain, changed = phi(), phi(forget_bias=1.0, head_init_scale=0.5)
    for name, value in plain.items():
        difference = changed[name] - value
        if "head" in name:
            torch.testing.assert_close(changed[name], 0.5 * value)
        elif "bias_ih" in name:
            torch.testing.assert_close(difference[5:10], torch.ones(5))
            assert not difference[:5].any()
            assert not difference[10:].any()
        else:
            assert not difference.any()
