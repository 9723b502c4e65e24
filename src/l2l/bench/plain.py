"""The baselines: meta-training in plain PyTorch, autograd through the unrolled window.

`CellOptimizer` is how one would write it: an LSTMCell a layer, a linear layer, torch.optim.Adam
(`torch.nn.LSTM`, called for single steps, takes twice as long). `ColumnOptimizer` is as fast as we
could make it without a kernel of our own: the cell written out with the coordinates last, so that
the gates are contiguous and one product serves input and state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from l2l.config.optimizers import LSTMSettings
from l2l.optimizers.base import Phi
from l2l.optimizers.preprocessing import features
from l2l.optimizers.weights import phi_shapes
from l2l.problems.base import Problem

States = list[tuple[Tensor, Tensor]]


class PlainOptimizer(nn.Module):
    """The coordinate-wise LSTM with phi as parameters, in the order of `phi_shapes`.

    Its call takes a gradient [B, n] and (h, c) of each layer, and returns the step [B, n] and the
    next ones.
    """

    def __init__(self, settings: LSTMSettings, phi: Phi) -> None:
        super().__init__()
        self.settings = settings
        self.values = [phi[name] for name in phi_shapes(settings)]

    def zero_states(self, coordinates: int) -> States:
        """(h, c) of each layer at the start of an episode."""
        raise NotImplementedError


class CellOptimizer(PlainOptimizer):
    """With torch.nn.LSTMCell and torch.nn.Linear."""

    def __init__(self, settings: LSTMSettings, phi: Phi) -> None:
        super().__init__(settings, phi)
        widths = [phi["lstm.weight_ih_l0"].shape[1]] + [settings.units] * (settings.layers - 1)
        self.cells = nn.ModuleList(nn.LSTMCell(width, settings.units) for width in widths)
        self.head = nn.Linear(settings.units, 1)
        self.to(phi["head.weight"])  # its dtype and device
        with torch.no_grad():
            for parameter, value in zip(self.parameters(), self.values, strict=True):
                parameter.copy_(value)

    def zero_states(self, coordinates: int) -> States:
        """[coordinates, units] each."""
        zeros = self.head.weight.new_zeros(coordinates, self.settings.units)
        return [(zeros, zeros)] * self.settings.layers

    def forward(self, gradient: Tensor, states: States) -> tuple[Tensor, States]:
        """The step and the next states."""
        settings = self.settings
        below = features(gradient, settings).flatten(0, -2)
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            new.append(cell(below, state))
            below = new[-1][0]
        return settings.output_scale * self.head(below).reshape(gradient.shape), new


class ColumnOptimizer(PlainOptimizer):
    """Written out, a coordinate a column."""

    def __init__(self, settings: LSTMSettings, phi: Phi) -> None:
        super().__init__(settings, phi)
        self.weights = nn.ParameterList(nn.Parameter(value.clone()) for value in self.values)

    def zero_states(self, coordinates: int) -> States:
        """[units, coordinates] each."""
        zeros = self.weights[0].new_zeros(self.settings.units, coordinates)
        return [(zeros, zeros)] * self.settings.layers

    def forward(self, gradient: Tensor, states: States) -> tuple[Tensor, States]:
        """The step and the next states."""
        settings = self.settings
        below = features(gradient, settings).flatten(0, -2).T
        *layers, head_weight, head_bias = self.weights
        new = []
        for layer, (hidden, cell) in enumerate(states):
            weight_ih, weight_hh, bias_ih, bias_hh = layers[4 * layer : 4 * layer + 4]
            weight, bias = torch.cat([weight_ih, weight_hh], dim=1), (bias_ih + bias_hh)[:, None]
            i, f, g, o = torch.addmm(bias, weight, torch.cat([below, hidden])).chunk(4)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            below = o.sigmoid() * cell.tanh()
            new.append((below, cell))
        output = head_weight @ below + head_bias
        return settings.output_scale * output.reshape(gradient.shape), new


class PlainMetaTraining:
    """An episode, window by window, again and again.

    Args:
        optimizer: the learned optimizer; its parameters are trained.
        problems: the episode's problems; every coordinate is computed.
        steps: of an episode.
        unroll: of a window.
        rate: of Adam.
    """

    def __init__(
        self, optimizer: PlainOptimizer, problems: Problem, steps: int, unroll: int, rate: float
    ) -> None:
        self.optimizer = optimizer
        self._problems, self._steps, self._unroll = problems, steps, unroll
        self._adam = torch.optim.Adam(optimizer.parameters(), rate)
        self._begin()

    def _begin(self) -> None:
        self.theta, self._step = self._problems.initial(), 0
        _, self._gradient = self._problems.loss_and_gradient(self.theta, 0)
        self._states = self.optimizer.zero_states(self.theta.numel())

    def window(self) -> None:
        """`unroll` inner steps, backpropagation through them, and a step of Adam."""
        if self._step + self._unroll > self._steps:
            self._begin()
        theta, gradient, states = self.theta, self._gradient, self._states
        meta_loss = theta.new_zeros(())
        for _ in range(self._unroll):
            self._step += 1
            update, states = self.optimizer(gradient, states)
            theta = theta + update
            loss = self._problems.loss(theta, self._step).sum()
            (gradient,) = torch.autograd.grad(loss, theta, retain_graph=True)
            meta_loss = meta_loss + loss
        self._adam.zero_grad()
        meta_loss.backward()
        self._adam.step()
        self.theta, self._gradient = theta.detach(), gradient.detach()
        self._states = [(hidden.detach(), cell.detach()) for hidden, cell in states]
