"""What PyTorch documents of an Optimizer, and the same steps as the project's own loop."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from tests.torch_optim.conftest import PARTS, Write, batch, learn, network, same
from torch import Tensor, nn

import l2l
from l2l.errors import UserError
from l2l.optimizers.checkpoint import load


def test_its_steps_are_those_of_the_projects_own_loop(lstm: Write) -> None:
    path = lstm()
    learned = load(Path(path)).optimizer
    theta = torch.linspace(-1, 1, 40).view(1, 40)
    parameter = nn.Parameter(theta.view(5, 8).clone())
    optimizer, state = l2l.LearnedOptimizer([parameter], path), learned.init(theta)
    for _ in range(5):
        optimizer.zero_grad()
        parameter.cos().sum().backward()
        optimizer.step()
        step, state = learned.update(-theta.sin(), state)
        theta = theta + step
    assert torch.equal(parameter.detach(), theta.view(5, 8))


def test_a_tensor_in_pieces_is_one_tensor(normalised: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is that of the whole tensor, at the first step that it has a gradient in."""
    monkeypatch.setattr("l2l.torch_optim.optimizer.PIECE", 7)
    learned = load(Path(normalised)).optimizer
    theta = torch.linspace(0, 0.6, 40).view(1, 40)
    parameter = nn.Parameter(torch.zeros(5, 8))
    optimizer, state = l2l.LearnedOptimizer([parameter], normalised), learned.init(theta)
    optimizer.step()
    with torch.no_grad():
        parameter.copy_(theta.view(5, 8))
    for _ in range(5):
        optimizer.zero_grad()
        (parameter - 2).cos().sum().backward()
        optimizer.step()
        step, state = learned.update(-(theta - 2).sin(), state)
        theta = theta + step
    torch.testing.assert_close(parameter.detach(), theta.view(5, 8))


@pytest.mark.parametrize("learned", ["mnist", "hierarchical"])
def test_defaults_of_dtype_and_device_change_nothing(learned: str) -> None:
    models = [network(), network()]
    learn(models[0], l2l.LearnedOptimizer(models[0].parameters(), learned), 3)
    optimizer = l2l.LearnedOptimizer(models[1].parameters(), learned)
    x, y = batch()
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(models[1](x), y).backward()
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        try:
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_default_device(None)
    assert same(*models)


def test_a_released_optimizer_lowers_the_loss_of_an_unknown_network() -> None:
    assert "neural_art" in l2l.released()
    model = network()
    optimizer = l2l.LearnedOptimizer(model.parameters(), "neural_art")
    assert learn(model, optimizer, 40) < 0.7 * learn(network(), optimizer, 1)


def test_a_parameter_without_a_gradient_is_left_alone_and_its_state_too(lstm: Write) -> None:
    model = network()
    optimizer = l2l.LearnedOptimizer(model.parameters(), lstm())
    before = model[0].weight.clone()
    model[0].weight.requires_grad_(False)
    learn(model, optimizer, 3)
    assert torch.equal(model[0].weight, before)
    assert model[0].weight not in optimizer.state
    model[0].weight.requires_grad_(True)
    learn(model, optimizer, 1)
    assert not torch.equal(model[0].weight, before)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_parameters_of_other_dtypes_keep_them_with_a_float32_state(
    dtype: torch.dtype, lstm: Write
) -> None:
    model = network().to(dtype)
    optimizer = l2l.LearnedOptimizer(model.parameters(), lstm())
    before = [p.clone() for p in model.parameters()]
    learn(model, optimizer, 3)
    for old, new in zip(before, model.parameters(), strict=True):
        assert new.dtype == dtype
        assert new.isfinite().all()
        assert not torch.equal(old, new)
    saved = optimizer.state_dict()
    tensors = [t for entry in saved["state"].values() for t in entry["learned"].values()]
    assert {t.dtype for t in tensors} == {torch.float32}
    again = l2l.LearnedOptimizer(model.parameters(), lstm())
    again.load_state_dict(saved)
    loaded = again.state_dict()["state"][0]["learned"]
    assert torch.equal(loaded["cell"], saved["state"][0]["learned"]["cell"])


def test_a_state_dtype_that_would_do_harm_is_refused(lstm: Write, hierarchical: str) -> None:
    parameters = list(network().parameters())
    with pytest.raises(UserError, match=r"float16: expected torch.float32 or torch.bfloat16"):
        l2l.LearnedOptimizer(parameters, lstm(), state_dtype=torch.float16)
    with pytest.raises(UserError, match="sums over all steps"):
        l2l.LearnedOptimizer(parameters, hierarchical, state_dtype=torch.bfloat16)


def test_schedulers_scale_the_updates(lstm: Write) -> None:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = l2l.LearnedOptimizer([parameter], lstm(), lr=2.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    plain = nn.Parameter(torch.ones(3))
    unscaled = l2l.LearnedOptimizer([plain], lstm())
    for factor in (2.0, 1.0, 0.5):
        before, reference = parameter.detach().clone(), plain.detach().clone()
        parameter.grad, plain.grad = torch.full((3,), 0.1), torch.full((3,), 0.1)
        optimizer.step()
        unscaled.step()
        scheduler.step()
        torch.testing.assert_close(
            parameter.detach() - before, factor * (plain.detach() - reference), rtol=1e-3, atol=1e-6
        )


def test_groups_have_optimizers_of_their_own(lstm: Write) -> None:
    one, two = lstm("one"), lstm("two", seed=1)
    model = network()
    optimizer = l2l.LearnedOptimizer([{"params": model[0].parameters(), "learned": two}], one)
    optimizer.add_param_group({"params": model[2].parameters(), "lr": 0.0})
    assert [group["learned"] for group in optimizer.param_groups] == [two, one]
    before = copy.deepcopy(model)
    learn(model, optimizer, 2)
    assert not torch.equal(model[0].weight, before[0].weight)
    assert torch.equal(model[2].weight, before[2].weight), "lr = 0"


def test_closures_hooks_and_named_parameters(lstm: Write) -> None:
    model, seen = network(), []
    optimizer = l2l.LearnedOptimizer(model.named_parameters(), lstm())
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    x, y = batch()

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    first = optimizer.step(closure)
    assert first.item() == pytest.approx(nn.functional.cross_entropy(network()(x), y).item())
    assert seen == ["before", "after"]
    assert optimizer.param_groups[0]["param_names"][0] == "0.weight"
    optimizer.zero_grad()
    assert model[0].weight.grad is None


def test_clipped_gradients_and_compiled_models_work_as_usual(lstm: Write) -> None:
    model = network()
    compiled = torch.compile(model, backend="eager")
    optimizer = l2l.LearnedOptimizer(compiled.parameters(), lstm())
    x, y = batch()
    before = model[0].weight.clone()
    nn.functional.cross_entropy(compiled(x), y).backward()
    nn.utils.clip_grad_norm_(compiled.parameters(), 1e-3)
    optimizer.step()
    assert not torch.equal(model[0].weight, before)


def test_a_part_of_an_optimizer_with_several(lstm: Write) -> None:
    path = lstm(groups=PARTS)
    parameter = nn.Parameter(torch.ones(4))
    with pytest.raises(UserError, match="a part for each of convolutional, connected"):
        l2l.LearnedOptimizer([parameter], path)
    with pytest.raises(UserError, match="there is no such part; it has convolutional"):
        l2l.LearnedOptimizer([parameter], f"{path}:dense")
    steps = []
    for part in ("convolutional", "connected"):
        theta = nn.Parameter(torch.ones(4))
        optimizer = l2l.LearnedOptimizer([theta], f"{path}:{part}")
        theta.grad = torch.ones(4)
        optimizer.step()
        steps.append(theta.detach() - 1)
    assert not torch.equal(*steps)


def test_one_that_looks_at_all_parameters_together(hierarchical: str) -> None:
    learned = load(Path(hierarchical)).optimizer
    model = network()
    parameters = list(model.parameters())
    theta = torch.cat([p.detach().flatten() for p in parameters])[None]
    optimizer = l2l.LearnedOptimizer(parameters, hierarchical)
    ends = [0, 30, 35, 50, 53]
    places = {str(n): torch.arange(ends[n], ends[n + 1]) for n in range(4)}
    learn(model, optimizer, 1)
    gradient = torch.cat([p.grad.flatten() for p in parameters])[None]
    bound = learned.bind(places)
    step, _ = bound.update(gradient, bound.init(theta))
    after = torch.cat([p.detach().flatten() for p in parameters])
    torch.testing.assert_close(after, (theta + step)[0], rtol=0, atol=0)
    optimizer.zero_grad()
    optimizer.step()  # nothing has a gradient: nothing happens
    assert torch.equal(after, torch.cat([p.detach().flatten() for p in parameters]))
    learn(model, optimizer, 1)
    parameters[0].grad = None
    with pytest.raises(UserError, match="other ones have a gradient now"):
        optimizer.step()


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (torch.eye(3).to_sparse(), "sparse gradient"),
        (torch.eye(3, dtype=torch.complex64), "is complex"),
    ],
)
def test_gradients_that_do_not_fit_are_told(gradient: Tensor, said: str, lstm: Write) -> None:
    parameter = nn.Parameter(torch.zeros(3, 3, dtype=gradient.dtype))
    optimizer = l2l.LearnedOptimizer([parameter], lstm())
    parameter.grad = gradient
    with pytest.raises(UserError, match=said):
        optimizer.step()


@pytest.mark.parametrize("lr", [-1.0, float("nan"), float("inf"), "fast"])
def test_a_bad_factor_is_told(lr: object) -> None:
    with pytest.raises(UserError, match="lr = "):
        l2l.LearnedOptimizer([nn.Parameter(torch.zeros(1))], "neural_art", lr=lr)


def test_an_unknown_name_tells_what_there_is() -> None:
    with pytest.raises(UserError, match=r"no optimizer 'adamw': give one of .*neural_art"):
        l2l.LearnedOptimizer([nn.Parameter(torch.zeros(1))], "adamw")
    with pytest.raises(UserError, match=r"no optimizer 'mnst' \(did you mean 'mnist'\?\)"):
        l2l.LearnedOptimizer([nn.Parameter(torch.zeros(1))], "mnst")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_parameters_may_move_to_a_gpu_and_back(lstm: Write) -> None:
    model = network()
    optimizer = l2l.LearnedOptimizer(model.parameters(), lstm())
    learn(model, optimizer, 2)
    stayed, follower = copy.deepcopy([model, optimizer])
    learn(stayed, follower, 1)
    model.cuda()
    x, y = (part.cuda() for part in batch())
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    model.cpu()
    for one, other in zip(model.parameters(), stayed.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    learn(model, optimizer, 1)
