"""The baselines: meta-training in plain PyTorch, autograd through the unrolled window.

`cells` is how one would write it: an LSTMCell a layer and a linear layer (`torch.nn.LSTM`, called
for single steps, takes twice as long). `columns` is as fast as we could make it without a kernel of
our own: the cell written out with the coordinates last, so that the gates are contiguous and one
product serves input and state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from l2l.config.optimizers import LSTMSettings, NormalisedSettings
from l2l.optimizers.base import Phi
from l2l.optimizers.preprocessing import features
from l2l.optimizers.weights import make_optimizer, phi_shapes
from l2l.problems.base import Problem

States = list[tuple[Tensor, Tensor]]
"""h and c of each layer, [coordinates, units]; in `columns` [units, coordinates]."""
Form = Callable[[Sequence[Tensor], Tensor, States], tuple[Tensor, States]]
"""phi as `phi_shapes` orders it, inputs [coordinates, inputs], states -> outputs, next states."""


def cells(phi: Sequence[Tensor], inputs: Tensor, states: States) -> tuple[Tensor, States]:
    """With what torch.nn.LSTMCell and torch.nn.Linear call."""
    new, below = [], inputs
    for layer, state in enumerate(states):
        new.append(torch.lstm_cell(below, state, *phi[4 * layer : 4 * layer + 4]))
        below = new[-1][0]
    return functional.linear(below, *phi[-2:]), new


def columns(phi: Sequence[Tensor], inputs: Tensor, states: States) -> tuple[Tensor, States]:
    """Written out, a coordinate a column."""
    new, below = [], inputs.T
    for layer, (hidden, cell) in enumerate(states):
        weight_ih, weight_hh, bias_ih, bias_hh = phi[4 * layer : 4 * layer + 4]
        weight, bias = torch.cat([weight_ih, weight_hh], dim=1), (bias_ih + bias_hh)[:, None]
        i, f, g, o = torch.addmm(bias, weight, torch.cat([below, hidden])).chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        below = o.sigmoid() * cell.tanh()
        new.append((below, cell))
    weight, bias = phi[-2:]
    return weight @ below + bias, new


class PlainMetaTraining:
    """An episode, window by window, again and again.

    Args:
        form: `cells` or `columns`.
        settings: of the learned optimizer.
        phi: its weights, which are copied and trained.
        problems: the episode's problems; every coordinate is computed.
        steps: of an episode.
        unroll: of a window.
        rate: of Adam.
    """

    def __init__(
        self,
        form: Form,
        settings: LSTMSettings | NormalisedSettings,
        phi: Phi,
        problems: Problem,
        steps: int,
        unroll: int,
        rate: float,
    ) -> None:
        self._form, self._settings, self._problems = form, settings, problems
        self._rule: Any = make_optimizer(settings, phi)
        self._steps, self._unroll = steps, unroll
        self.phi = [phi[name].clone().requires_grad_() for name in phi_shapes(settings)]
        self._adam = torch.optim.Adam(self.phi, rate)
        self._begin()

    def _begin(self) -> None:
        self.theta, self._step = self._problems.initial(), 0
        _, self._gradient = self._problems.loss_and_gradient(self.theta, 0)
        shape = (self.theta.numel(), self._settings.units)
        zeros = self.phi[0].new_zeros(shape if self._form is cells else shape[::-1])
        self._states: States = [(zeros, zeros)] * self._settings.layers
        self._state = self._rule.init(self.theta)

    def window(self) -> None:
        """`unroll` inner steps, backpropagation through them, and a step of Adam."""
        if self._step + self._unroll > self._steps:
            self._begin()
        theta, gradient, states = self.theta, self._gradient, self._states
        meta_loss = theta.new_zeros(())
        for _ in range(self._unroll):
            self._step += 1
            if isinstance(self._settings, NormalisedSettings):
                inputs, moves, self._state = self._rule.see(gradient, self._state)
                output, states = self._form(self.phi, inputs, states)
                step = self._state.scale * torch.where(moves, output.flatten(), 0).view_as(theta)
            else:
                inputs = features(gradient, self._settings).flatten(0, -2)
                output, states = self._form(self.phi, inputs, states)
                step = self._settings.output_scale * output.reshape(theta.shape)
            theta = theta + step
            loss = self._problems.loss(theta, self._step).sum()
            (gradient,) = torch.autograd.grad(loss, theta, retain_graph=True)
            meta_loss = meta_loss + loss
        self._adam.zero_grad()
        meta_loss.backward()
        self._adam.step()
        self.theta, self._gradient = theta.detach(), gradient.detach()
        self._states = [(hidden.detach(), cell.detach()) for hidden, cell in states]
