"""The inner step as functions of tensors, which a GPU captures; here they are called each time."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.gpu.cases import ALL_PROBLEMS, OPTIMIZERS, PROBLEMS, STEPS, bound

from l2l.estimators.perturbation import Population
from l2l.meta import cuda_graphs
from l2l.meta.cuda_graphs import captured_step
from l2l.meta.rollout import begin
from l2l.optimizers import CoordinatewiseLSTM, Grouped
from l2l.optimizers.handcrafted import Adam
from l2l.problems.mlp import MLP


@pytest.fixture(autouse=True)
def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L2L_KERNEL", "cuda")
    monkeypatch.setattr(cuda_graphs, "CALLS_BEFORE", 1 << 30)
    monkeypatch.setattr(cuda_graphs, "_last", [])


def roll(problems: Any, chosen: Any, inner: Any) -> list[torch.Tensor]:
    """theta, loss and gradient after each step, by the two halves of `inner`."""
    start = begin(problems, chosen)
    theta, gradient, state, visited = start.theta, start.gradient, start.state, []
    for step in range(1, STEPS):
        moved, state = inner.update(gradient, state, step > 1)
        theta = theta + moved
        loss, gradient = inner.loss_and_gradient(theta, step)
        visited += [theta, loss, gradient]
    return visited


class Eager:
    def __init__(self, problems: Any, chosen: Any) -> None:
        self.update, self.loss_and_gradient = chosen.update, problems.loss_and_gradient


def assert_same(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


@pytest.mark.parametrize("problem", ALL_PROBLEMS)
@pytest.mark.parametrize("kind", [*OPTIMIZERS, "population", "adam"])
def test_a_step_is_that_of_optimizer_and_problem(kind: str, problem: str) -> None:
    problems, chosen = ALL_PROBLEMS[problem](), None
    if kind == "population":
        chosen = Population(tuple(bound("lstm", problems, seed) for seed in range(2)))
        problems = problems.repeat(2)
    elif kind == "adam":
        chosen = Adam(0.01)
    else:
        chosen = bound(kind, problems)
    expected = roll(problems, chosen, Eager(problems, chosen))
    assert_same(roll(problems, chosen, captured_step(problems, chosen)), expected)


def test_the_graphs_of_an_episode_are_kept_and_follow_phi() -> None:
    problems = PROBLEMS["mlp"]()
    first, second = (bound("lstm", problems, seed) for seed in range(2))
    inner = captured_step(problems, first)
    roll(problems, first, inner)
    assert captured_step(problems, second) is inner
    assert_same(roll(problems, second, inner), roll(problems, second, Eager(problems, second)))


@pytest.mark.parametrize("other", ["problems", "settings", "kind", "what is not captured"])
def test_others_get_graphs_of_their_own(other: str) -> None:
    problems = PROBLEMS["mlp"]()
    first = bound("lstm", problems)
    inner = captured_step(problems, first)
    if other == "problems":
        assert captured_step(PROBLEMS["mlp"](), first) is not inner
    elif other == "settings":
        changed = first.settings.model_copy(update={"output_scale": 0.7})
        assert captured_step(problems, type(first)(changed, first.phi)) is not inner
    elif other == "kind":
        assert captured_step(problems, bound("rnn", problems)) is not inner
    else:
        assert captured_step(problems, Adam(0.1)) is not inner


def test_weights_are_taken_by_name() -> None:
    """A loaded file has them in another order."""
    problems = PROBLEMS["mlp"]()
    first = bound("lstm", problems)
    inner = captured_step(problems, first)
    other = first.with_phi(dict(sorted(bound("lstm", problems, 1).phi.items())))
    assert captured_step(problems, other) is inner
    assert_same(roll(problems, other, inner), roll(problems, other, Eager(problems, other)))


def test_constants_of_an_optimizer_are_compared_by_value() -> None:
    problems = PROBLEMS["mlp"]()
    first = bound("lstm", problems)
    here, there = torch.arange(problems.coordinates).split([5, problems.coordinates - 5])
    phi = {f"{name}/{key}": weight for name in "ab" for key, weight in first.phi.items()}
    groups = Grouped(first.settings, phi, {"a": here, "b": there})
    same = Grouped(first.settings, phi, {"a": here.clone(), "b": there})
    other = Grouped(first.settings, phi, {"a": here + 1, "b": there})
    inner = captured_step(problems, groups)
    assert captured_step(problems, same) is inner
    assert captured_step(problems, other) is not inner


@dataclass(frozen=True)
class Counting(CoordinatewiseLSTM):
    """One whose state has a number."""

    def init(self, theta: torch.Tensor) -> Any:
        return super().init(theta), 0

    def update(self, gradient: torch.Tensor, state: Any, reuse: bool = False) -> Any:
        step, after = super().update(gradient, state[0], reuse)
        return (1 + state[1]) * step, (after, state[1] + 1)


def test_an_update_with_a_state_of_more_than_tensors_is_called() -> None:
    problems = PROBLEMS["quadratic"]()
    lstm = bound("lstm", problems)
    counting = Counting(lstm.settings, lstm.phi)
    found = roll(problems, counting, captured_step(problems, counting))
    assert_same(found, roll(problems, counting, Eager(problems, counting)))


def test_nothing_is_left_of_the_last_problems() -> None:
    problems = PROBLEMS["mlp"]()
    chosen = bound("lstm", problems)
    inner = captured_step(problems, chosen)
    roll(problems, chosen, inner)
    before = weakref.ref(inner)
    del inner
    captured_step(PROBLEMS["mlp"](), chosen)
    assert before() is None, "it would wait for the garbage collection, with all its memory"


def test_the_step_of_a_minibatch_may_be_a_tensor() -> None:
    problems = PROBLEMS["mlp"]()
    assert isinstance(problems, MLP)
    theta = problems.initial()
    by_tensor = problems.loss_and_gradient(theta, torch.tensor(3))
    assert_same(list(by_tensor), list(problems.loss_and_gradient(theta, 3)))
