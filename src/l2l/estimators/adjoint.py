"""The adjoint: exact meta-gradients, when second derivatives are dropped, without a second pass.

With d grad[t] / d phi = 0 (equation 5), d theta[s] / d g[t] = 1 for every s > t. So the cotangent
of the step g[t] is dL/dg[t] = sum over s > t of w[s] grad f(theta[s]): the reversed running sum of
gradients that the rollout has computed anyway. What remains is backpropagation through the LSTM
alone, from those cotangents, over the window's inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from l2l.estimators.base import Episode, Estimator, LossWeights, Window, follow
from l2l.meta.rollout import Carry
from l2l.optimizers.base import Optimizer, UpdateRule
from l2l.problems.base import Problem


class Adjoint(Estimator):
    """`adjoint` as an estimator of the configuration."""

    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """The window and its gradient, exact or sampled."""
        return adjoint(episode.problems, optimizer, carry, steps, episode.weights, episode.sample)


@dataclass(frozen=True)
class RolledWindow:
    """A window of K inner steps without a graph, and what backpropagation through the LSTM needs.

    Attributes:
        end: where the episode stands after the window.
        losses: f(theta[t]) after each update, [K, B].
        meta_loss: mean over B of sum over t of w[t] f(theta[t]), a scalar.
        gradients: what the optimizer saw at each step, [K, B, n].
        cotangents: dL / d g[t], of the optimizer's steps, [K, B, n].
    """

    end: Carry
    losses: Tensor
    meta_loss: Tensor
    gradients: Tensor
    cotangents: Tensor


@torch.no_grad()
def roll_window(
    problems: Problem, optimizer: Optimizer, carry: Carry, steps: int, weights: LossWeights
) -> RolledWindow:
    """Roll a window forward and find its cotangents. Arguments as for `adjoint`."""
    end, losses, gradients, seen = follow(problems, optimizer, carry, steps)
    weight = weights(losses, carry.step + 1) / losses.shape[1]
    cotangents = _reversed_running_sum(weight[:, :, None] * gradients)
    return RolledWindow(end, losses, (weight * losses).sum(), seen, cotangents)


def adjoint(
    problems: Problem,
    optimizer: UpdateRule,
    carry: Carry,
    steps: int,
    weights: LossWeights,
    sample: Callable[[Tensor], Tensor] | None = None,
) -> Window:
    """Roll a window forward without a graph, then backpropagate through the LSTM alone.

    Args:
        problems: the B problems.
        optimizer: the learned optimizer.
        carry: the start of the window.
        steps: K, the window's length.
        weights: w[t], see `LossWeights`.
        sample: maps the cotangents of the LSTM's outputs [K, B n] to others, most of them zero, so
            that only a part of the coordinates is backpropagated (`l2l.estimators.sampling`).

    Returns:
        The window. Its gradient is autograd's to rounding; where it is sampled, an unbiased
        estimate of that.
    """
    rolled = roll_window(problems, optimizer, carry, steps, weights)
    gradient = optimizer.backward(rolled.gradients, carry.state, rolled.cotangents, sample)
    return Window(rolled.end, rolled.losses, rolled.meta_loss, gradient)


def _reversed_running_sum(terms: Tensor) -> Tensor:
    """sum over s >= t of terms[s], along the first dimension, in place."""
    for t in range(terms.shape[0] - 2, -1, -1):
        terms[t] += terms[t + 1]
    return terms
