"""On a GPU: the same numbers as on the CPU, to rounding, and the same bits each time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.gpu.cases import ALL_PROBLEMS, OPTIMIZERS, PROBLEMS, STEPS, bound
from tests.gpu.moved import GPU, moved
from tests.kernels.oracle import make_case
from tests.meta.runs import RICH, assert_same, training
from tests.small import CPU, ESTIMATORS, recipe, relative_error

import l2l
from l2l.compute import prepare
from l2l.config import Recipe
from l2l.config.problems import QuadraticSettings
from l2l.config.schema import Compute
from l2l.estimators import Episode, make_estimator, sample_cotangents
from l2l.kernels import backward_window, cuda, forward_step
from l2l.meta import cuda_graphs
from l2l.meta.rollout import begin, rollout
from l2l.meta.schedule import loss_weights
from l2l.meta.train import train
from l2l.optimizers.handcrafted import Adam
from l2l.problems.quadratic import Quadratic, QuadraticFamily
from l2l.rng import stream

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")


@pytest.fixture(autouse=True)
def _as_the_commands_compute() -> None:
    assert prepare(Compute(device="cuda", devices={}, threads=1)) == GPU


@pytest.mark.parametrize(("layers", "units"), [(1, 1), (2, 20), (3, 50)])
@pytest.mark.parametrize("coordinates", [1, 129, 5003])
def test_the_kernels_equal_the_lstm_in_float64(coordinates: int, layers: int, units: int) -> None:
    exact = moved(make_case(coordinates, layers, units))
    case = moved(make_case(coordinates, layers, units).to(torch.float32))
    outputs, state = [], case.state
    for x in case.inputs:
        output, state = forward_step(case.phi, x, state, reuse=bool(outputs))
        outputs.append(output)
    assert relative_error(torch.stack(outputs).double(), exact.outputs) < 1e-5
    assert relative_error(state.cell.double(), exact.last_state.cell) < 1e-5
    found = backward_window(case.phi, case.inputs, case.state, case.cotangents)
    for name, expected in exact.gradient.items():
        assert relative_error(found[name].double(), expected) < 3e-5, name


def test_tf32_that_a_program_of_the_users_allows_does_not_reach_the_kernels() -> None:
    exact = moved(make_case(129, 2, 20))
    case = moved(make_case(129, 2, 20).to(torch.float32))
    torch.backends.cudnn.allow_tf32 = True  # PyTorch's default
    output, _ = cuda.forward_step(case.phi, case.inputs[0], case.state)
    found = cuda.backward_window(case.phi, case.inputs, case.state, case.cotangents)
    assert relative_error(output.double(), exact.outputs[0]) < 1e-5
    for name, expected in exact.gradient.items():
        assert relative_error(found[name].double(), expected) < 3e-5, name


def recipe_of(estimator: str, optimizer: str, **changes: Any) -> Recipe:
    """A small recipe with one of each, whose backward pass has all coordinates."""
    changes = {"estimator": ESTIMATORS[estimator], "sampling": {"fraction": 1}} | changes
    return recipe(**changes).model_copy(update={"optimizer": OPTIMIZERS[optimizer]})


def window(estimator: str, optimizer: str, kind: str, fraction: float, where: Any) -> Any:
    """The second of two windows: theta, losses and the meta-gradient."""
    of = recipe_of(estimator, optimizer, steps=STEPS)
    problems = moved(PROBLEMS[kind](), where)
    chosen = bound(optimizer, problems)
    sampling = of.sampling.model_copy(update={"fraction": fraction})
    draws = partial(sample_cotangents, settings=sampling, generator=stream(0, "coordinates"))
    found = make_estimator(of.estimator)
    memory = torch.zeros(found.remembers(STEPS), device=where)
    sample = draws if fraction < 1 else None
    episode = Episode(problems, loss_weights(of), stream(0, "estimator"), sample, memory)
    carry = found.begin(episode, chosen)
    carry = found.window(episode, chosen, carry, STEPS // 2).carry
    return found.window(episode, chosen, carry, STEPS // 2)


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_windows_of_every_estimator_and_optimizer_are_those_of_the_cpu(
    estimator: str, optimizer: str, kind: str
) -> None:
    here = window(estimator, optimizer, kind, 1, CPU)
    there = window(estimator, optimizer, kind, 1, GPU)
    assert there.losses.is_cuda
    torch.testing.assert_close(there.losses.cpu(), here.losses, rtol=1e-4, atol=1e-5)
    norm = sum(float(part.norm()) for part in here.gradient.values())
    for name, expected in here.gradient.items():
        assert float((there.gradient[name].cpu() - expected).norm()) < 5e-3 * norm, name


def test_the_same_coordinates_are_drawn() -> None:
    here, there = (window("adjoint", "lstm", "mlp", 0.3, where) for where in (CPU, GPU))
    for name, expected in here.gradient.items():
        assert relative_error(there.gradient[name].cpu(), expected) < 1e-3, name


@pytest.mark.parametrize("kind", ALL_PROBLEMS)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "adam"])
def test_graphs_give_what_kernel_by_kernel_gives(
    optimizer: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems, chosen, visited = moved(ALL_PROBLEMS[kind]()), Adam(0.01), []
    if optimizer != "adam":
        chosen = bound(optimizer, problems)
    for calls_before in (2, 1 << 30):
        monkeypatch.setattr(cuda_graphs, "CALLS_BEFORE", calls_before)
        monkeypatch.setattr(cuda_graphs, "_last", [])
        losses: list[torch.Tensor] = []
        rollout(
            problems,
            chosen,
            begin(problems, chosen),
            STEPS,
            lambda now, losses=losses: losses.append(now.loss),
        )
        (inner,) = cuda_graphs._last
        assert (inner._loss._graph is None) == (calls_before > 2)
        assert optimizer == "adam" or (inner._update._graph is None) == (calls_before > 2)
        visited.append(torch.stack(losses))
    assert torch.equal(*visited)


class Asking(Quadratic):
    """One that looks at a value, which no graph can."""

    def loss_and_gradient(self, theta: torch.Tensor, step: Any) -> Any:
        assert float(theta.sum()) == float(theta.sum())
        return super().loss_and_gradient(theta, step)


def test_a_problem_that_cannot_be_captured_is_computed_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Told once, and not tried again."""
    problems, adam = moved(PROBLEMS["quadratic"]()), Adam(0.01)
    asking = Asking(problems.W, problems.y, problems.theta0)
    again = Asking(problems.W, problems.y, problems.theta0)
    ends = [rollout(p, adam, begin(p, adam), STEPS) for p in (problems, asking, again, problems)]
    assert all(torch.equal(ends[0].loss, end.loss) for end in ends)
    said = capsys.readouterr().err
    assert said.startswith("l2l: the gradient of Asking runs kernel by kernel: ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_hand_crafted_optimizer_goes_the_way_of_the_cpu(kind: str) -> None:
    ends = []
    for where in (CPU, GPU):
        problems, adam = moved(PROBLEMS[kind](), where), Adam(0.01)
        end = rollout(problems, adam, begin(problems, adam), STEPS)
        ends.append((end.loss.cpu(), problems.train_loss(end.theta).cpu()))
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_meta_training_has_the_same_bits_each_time(
    estimator: str, optimizer: str, tmp_path: Path
) -> None:
    samples = estimator == "adjoint" and optimizer in ("lstm", "normalised", "rnn")
    of = recipe_of(estimator, optimizer, **(RICH if samples else {}))
    problems = QuadraticSettings(kind="quadratic", dimensions=3, init_std=0.5)
    family = QuadraticFamily(problems, 0, GPU)
    one, other = (
        train(training(of, device=GPU), family, tmp_path / name, "digest") for name in "ab"
    )
    assert one.phi.is_cuda
    assert_same(one, other)


@pytest.mark.parametrize("name", ["mnist", "cifar:connected", "neural_art"])
def test_a_released_optimizer_trains_a_network_on_the_gpu(name: str) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(256, 12), torch.randint(0, 3, (256,))
    losses = {}
    for where in (CPU, GPU):
        torch.manual_seed(1)
        model = torch.nn.Sequential(
            torch.nn.Linear(12, 16), torch.nn.Sigmoid(), torch.nn.Linear(16, 3)
        ).to(where)
        optimizer = l2l.LearnedOptimizer(model.parameters(), name)
        for _ in range(20):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x.to(where)), y.to(where))
            loss.backward()
            optimizer.step()
        losses[where.type] = loss.item()
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=2e-3)
