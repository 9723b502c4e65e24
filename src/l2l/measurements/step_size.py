"""What the meta-gradient says of the size of steps, against what happens: kept, dropped, measured.

All steps of a window, from theta[s] on, are e^a times as large. The slope is the derivative of the
window's mean loss by a, at a = 0. For an LSTM it is the component of the meta-gradient along the
weights and the bias of phi's head. It is found in three ways on the same minibatches:

    kept      theta'[t+1] = theta'[t] + u[t] + J (g'[t], h'[t]) with g'[t] = H[t] theta'[t]
    dropped   the same with g' = 0, as equation (5) has it; then theta'[t] = theta[t] - theta[s]
    measured  (L(factor) - L(1 / factor)) / (2 log factor), with steps so many times as large

with u the steps, H the Hessian of f, J the derivative of the optimizer's step and state. A slope is
the mean of grad f(theta[t]) theta'[t] over the window's steps. Derivatives go forward in time, so
a window may be of any length, and one pass gives the slopes of all windows that begin at s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor
from torch.autograd import forward_ad

from l2l.config.measurements import ESTIMATES, META_SEED, StepSize
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import Optimizer, bind
from l2l.optimizers.base import UpdateRule
from l2l.problems import Family, Problem
from l2l.progress import Progress

if TYPE_CHECKING:
    from l2l.run import Run


def measure(run: Run) -> pd.DataFrame:
    """The table of `step_size` for the trained optimizer that a run names.

    Raises:
        UserError: it is not trained.
    """
    settings: StepSize = run.config.measurements.step_size
    families, device = run.open_problems([settings.problem], "measure")
    optimizer = run.trained(settings.recipe, META_SEED, device)
    return step_size(settings, families[settings.problem], optimizer)


def step_size(settings: StepSize, family: Family, optimizer: UpdateRule) -> pd.DataFrame:
    """Slopes at every start, for every window and run.

    Args:
        settings: what is measured, and how often.
        family: of `settings.problem`.
        optimizer: with its weights.

    Returns:
        A row for each (start, window, estimate, repeat), a repeat being a problem: loss, the mean
        over the window; slope, in units of the loss, above 0 where smaller steps lower it; error,
        |slope - measured slope| on the same problem.
    """
    progress = Progress("step size", settings.problems * len(settings.starts), unit="start")
    longest, rows = max(settings.windows), list[dict[str, Any]]()
    for repeat in range(settings.problems):
        length = max(settings.starts) + longest
        problem = family.sample(("step_size", settings.problem), [repeat], length)
        bound = bind(optimizer, problem.places())
        carry = begin(problem, bound)
        for start in sorted(settings.starts):
            carry = rollout(problem, bound, carry, start - carry.step)
            losses, kept, dropped = tangents(problem, bound, carry, longest)
            larger, smaller = (
                _losses(problem, Scaled(bound, factor), carry, longest)
                for factor in (settings.factor, 1 / settings.factor)
            )
            measured = (larger - smaller) / (2 * math.log(settings.factor))
            for window in settings.windows:
                means = [part[:window].mean().item() for part in (kept, dropped, measured)]
                rows += [
                    {
                        "start": start,
                        "window": window,
                        "estimate": estimate,
                        "repeat": repeat,
                        "loss": losses[:window].mean().item(),
                        "slope": slope,
                        "error": abs(slope - means[-1]),
                    }
                    for estimate, slope in zip(ESTIMATES, means, strict=True)
                ]
            progress.advance()
    progress.close()
    return pd.DataFrame(rows)


def tangents(
    problem: Problem, optimizer: UpdateRule, carry: Carry, steps: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The losses of the next steps and their derivatives by the log of all steps' size.

    Args:
        problem: B problems.
        optimizer: bound to them.
        carry: where the window begins.
        steps: of the window, K.

    Returns:
        Losses, derivatives with second derivatives kept, and with them dropped, [K, B] each.
    """
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    with forward_ad.dual_level():
        one = torch.ones_like(carry.theta[:, :1])
        scale = forward_ad.make_dual(one, one)  # e^a and its derivative at a = 0
        theta, gradient, state = carry.theta, carry.gradient, carry.state
        for step in range(carry.step + 1, carry.step + steps + 1):
            update, state = optimizer.step(gradient, state)
            theta = theta + scale * update
            now, kept = forward_ad.unpack_dual(theta)
            with torch.enable_grad():
                leaf = now.detach().requires_grad_()
                loss = problem.loss(leaf, step)
                (live,) = torch.autograd.grad(loss.sum(), leaf, create_graph=True)
                (curved,) = torch.autograd.grad((live * kept).sum(), leaf)
            value = live.detach()
            gradient = forward_ad.make_dual(value, curved)
            slopes = ((value * way).sum(dim=1) for way in (kept, now - carry.theta))
            found.append((loss.detach(), *slopes))
    losses, of_kept, of_dropped = (torch.stack(part) for part in zip(*found, strict=True))
    return losses, of_kept, of_dropped


@dataclass(frozen=True)
class Scaled:
    """An optimizer with all its steps so many times as large."""

    optimizer: Optimizer
    factor: float

    def init(self, theta: Tensor) -> Any:
        """The optimizer's own state."""
        return self.optimizer.init(theta)

    def update(self, gradient: Tensor, state: Any, reuse: bool = False) -> tuple[Tensor, Any]:
        """The step, scaled, and the next state."""
        step, state = self.optimizer.update(gradient, state, reuse)
        return self.factor * step, state


def _losses(problem: Problem, optimizer: Optimizer, carry: Carry, steps: int) -> Tensor:
    """The losses of the next steps, [K, B]."""
    losses: list[Tensor] = []
    rollout(problem, optimizer, carry, steps, lambda now: losses.append(now.loss))
    return torch.stack(losses)
