"""The only loop: any optimizer on any problem, for tuning, meta-training, validation and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from l2l.meta.cuda_graphs import captured_step
from l2l.optimizers.base import Optimizer
from l2l.problems.base import Problem


@dataclass(frozen=True)
class Carry:
    """The state of an episode after `step` updates; windows are chained by passing it on.

    Attributes:
        step: t, the number of updates so far.
        theta: theta[t], [B, n].
        state: the optimizer's state h[t].
        loss: f(theta[t]), [B].
        gradient: the gradient at theta[t], [B, n].
    """

    step: int
    theta: Tensor
    state: Any
    loss: Tensor
    gradient: Tensor


def begin(problems: Problem, optimizer: Optimizer) -> Carry:
    """The start of an episode: theta[0], h[0], and the first loss and gradient."""
    theta = problems.initial()
    loss, gradient = problems.loss_and_gradient(theta, 0)
    return Carry(0, theta, optimizer.init(theta), loss, gradient)


def rollout(
    problems: Problem,
    optimizer: Optimizer,
    carry: Carry,
    steps: int,
    observe: Callable[[Carry], None] | None = None,
) -> Carry:
    """Take `steps` inner steps from `carry`, equations (1) and (3); no graph is kept.

    >>> import torch
    >>> from l2l.config.problems import QuadraticSettings
    >>> from l2l.optimizers import make_baseline
    >>> from l2l.problems.quadratic import QuadraticFamily
    >>> settings = QuadraticSettings(kind="quadratic", dimensions=2, init_std=1.0)
    >>> family = QuadraticFamily(settings, 0, torch.device("cpu"))
    >>> problems = family.sample(("example",), range(3), 10)  # three problems, B = 3
    >>> sgd = make_baseline("sgd", 0.01)
    >>> start = begin(problems, sgd)
    >>> losses = []
    >>> end = rollout(problems, sgd, start, 10, lambda carry: losses.append(carry.loss))
    >>> end.step, tuple(end.theta.shape), len(losses), bool((end.loss < start.loss).all())
    (10, (3, 2), 10, True)

    Args:
        problems: the B problems.
        optimizer: hand-crafted or learned.
        carry: the start.
        steps: how many updates to make.
        observe: called after every update with the new carry, whose `state` the next update may
            overwrite; the first `carry` stays as it is.

    Returns:
        The carry after the last update.
    """
    update, loss_and_gradient = optimizer.update, problems.loss_and_gradient
    if carry.theta.is_cuda:
        inner: Any = captured_step(problems, optimizer)
        update, loss_and_gradient = inner.update, inner.loss_and_gradient
    for number in range(steps):
        with torch.no_grad():
            step, state = update(carry.gradient, carry.state, reuse=number > 0)
            theta = carry.theta + step
        loss, gradient = loss_and_gradient(theta, carry.step + 1)
        carry = Carry(carry.step + 1, theta, state, loss, gradient)
        if observe is not None:
            observe(carry)
    return carry
