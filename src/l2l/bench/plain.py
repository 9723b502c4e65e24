"""The baseline: meta-training as one would write it in plain PyTorch.

An LSTMCell a layer and a linear layer, applied step by step to all coordinates, autograd through
the unrolled window, torch.optim.Adam. Of the ways to write it without a kernel of one's own this
was the fastest measured: `torch.nn.LSTM` called for single steps takes longer, and so did
torch.compile (docs/engine.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from l2l.config.schema import LSTMSettings
from l2l.optimizees.base import Optimizee
from l2l.optimizers.lstm import Phi
from l2l.optimizers.preprocessing import features


class PlainOptimizer(nn.Module):
    """The coordinate-wise LSTM as modules of PyTorch, with the weights of phi."""

    def __init__(self, settings: LSTMSettings, phi: Phi) -> None:
        super().__init__()
        self.settings = settings
        widths = [phi["lstm.weight_ih_l0"].shape[1]] + [settings.units] * (settings.layers - 1)
        weight = phi["head.weight"]
        like: dict[str, Any] = {"dtype": weight.dtype, "device": weight.device}
        self.cells = nn.ModuleList(nn.LSTMCell(width, settings.units, **like) for width in widths)
        self.head = nn.Linear(settings.units, 1, **like)
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        names = [f"lstm.{part}_l{layer}" for layer in range(settings.layers) for part in parts]
        with torch.no_grad():
            for name, parameter in zip(
                [*names, "head.weight", "head.bias"], self.parameters(), strict=True
            ):
                parameter.copy_(phi[name])

    def forward(
        self, gradient: Tensor, states: list[tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """The step [B, n] for a gradient [B, n], and the next (h, c) of each layer."""
        settings = self.settings
        hidden = features(gradient, settings.preprocessing, settings.p).flatten(0, -2)
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            new.append(cell(hidden, state))
            hidden = new[-1][0]
        return settings.output_scale * self.head(hidden).reshape(gradient.shape), new


class PlainMetaTraining:
    """An episode, window by window, again and again: each call takes one meta-training step.

    Args:
        settings: the learned optimizer's.
        phi: its first weights.
        problems: the episode's problems; every coordinate is computed.
        steps: of an episode.
        unroll: of a window.
        rate: of Adam.
    """

    def __init__(
        self,
        settings: LSTMSettings,
        phi: Phi,
        problems: Optimizee,
        steps: int,
        unroll: int,
        rate: float,
    ) -> None:
        self._problems, self._steps, self._unroll = problems, steps, unroll
        self._optimizer = PlainOptimizer(settings, phi)
        self._adam = torch.optim.Adam(self._optimizer.parameters(), rate)
        self._begin()

    def _begin(self) -> None:
        self._theta, self._step = self._problems.initial(), 0
        _, self._gradient = self._problems.loss_and_gradient(self._theta, 0)
        zeros = self._theta.new_zeros(self._theta.numel(), self._optimizer.settings.units)
        self._states = [(zeros, zeros) for _ in self._optimizer.cells]

    def window(self) -> None:
        """`unroll` inner steps, backpropagation through them, and a step of Adam."""
        if self._step + self._unroll > self._steps:
            self._begin()
        theta, gradient, states = self._theta, self._gradient, self._states
        meta_loss = theta.new_zeros(())
        for _ in range(self._unroll):
            self._step += 1
            update, states = self._optimizer(gradient, states)
            theta = theta + update
            loss = self._problems.loss(theta, self._step).sum()
            (gradient,) = torch.autograd.grad(loss, theta, retain_graph=True)
            meta_loss = meta_loss + loss
        self._adam.zero_grad()
        meta_loss.backward()
        self._adam.step()
        self._theta, self._gradient = theta.detach(), gradient.detach()
        self._states = [(hidden.detach(), cell.detach()) for hidden, cell in states]
