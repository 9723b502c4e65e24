"""Autograd through the whole unrolled window: slow and memory-hungry, but complete.

It is the independent check of the adjoint. With `second_derivatives` it is the ablation of
equation (5): d grad[t] / d theta[t] stays in the graph (the dashed edges of figure 2).
"""

from __future__ import annotations

from typing import Any

import torch

from l2l.estimators.base import Episode, Estimator, LossWeights, Window
from l2l.meta.rollout import Carry
from l2l.optimizers.base import UpdateRule, detach_state, gradient_of, require_gradients
from l2l.problems.base import Problem


class Unrolled(Estimator):
    """`unrolled` as an estimator of the configuration."""

    def window(self, episode: Episode, optimizer: UpdateRule, carry: Any, steps: int) -> Window:
        """The window and its gradient, exact."""
        keep = self.settings.second_derivatives == "kept"
        return unrolled(episode.problems, optimizer, carry, steps, episode.weights, keep)


def unrolled(
    problems: Problem,
    optimizer: UpdateRule,
    carry: Carry,
    steps: int,
    weights: LossWeights,
    second_derivatives: bool = False,
) -> Window:
    """Unroll a window as one autograd graph and differentiate it. Arguments as for `adjoint`."""
    with torch.enable_grad():
        live = optimizer.with_phi(require_gradients(optimizer.phi))
        theta, state, gradient = carry.theta.detach(), carry.state, carry.gradient
        losses, gradients = [], []
        for step in range(carry.step + 1, carry.step + steps + 1):
            update, state = live.step(gradient, state)
            theta = theta + update
            loss = problems.loss(theta, step)
            (gradient,) = torch.autograd.grad(
                loss.sum(), theta, create_graph=second_derivatives, retain_graph=True
            )
            losses.append(loss)
            gradients.append(gradient)
        stacked = torch.stack(losses)
        meta_loss = (weights(stacked.detach(), carry.step + 1) * stacked).sum() / stacked.shape[1]
        meta_gradient = gradient_of(meta_loss, live.phi)
    end = Carry(
        carry.step + steps,
        theta.detach(),
        detach_state(state),
        stacked[-1].detach(),
        gradients[-1].detach(),
    )
    return Window(end, stacked.detach(), meta_loss.detach(), meta_gradient)
