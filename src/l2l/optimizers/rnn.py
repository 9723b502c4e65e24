"""Coordinate-wise optimizers with plainer cells: a tanh RNN, and none at all (claim C17).

Inputs and outputs are the LSTM's; only the cell differs. They run in plain PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from l2l.config.optimizers import RNNSettings
from l2l.optimizers.base import Phi, UpdateRule
from l2l.optimizers.preprocessing import INPUTS, features, width
from l2l.optimizers.weights import cells_and_head


@dataclass(frozen=True)
class CoordinatewiseRNN(UpdateRule):
    """h = tanh(W_ih x + b + W_hh h), layer by layer; without recurrence W_hh is left out.

    Attributes:
        settings: architecture, preprocessing and output scale.
        phi: `rnn.weight_ih_l0` [units, inputs], `rnn.weight_hh_l0` [units, units], `rnn.bias_l0`
            [units], ..., `head.weight` [1, units], `head.bias` [1].
    """

    settings: RNNSettings
    phi: Phi

    @staticmethod
    def shapes(settings: RNNSettings) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi."""
        shapes: dict[str, tuple[int, ...]] = {}
        units = settings.units
        for layer in range(settings.layers):
            shapes[f"rnn.weight_ih_l{layer}"] = (units, units if layer else width(settings))
            if settings.recurrence == "tanh":
                shapes[f"rnn.weight_hh_l{layer}"] = (units, units)
            shapes[f"rnn.bias_l{layer}"] = (units,)
        return shapes | {"head.weight": (1, units), "head.bias": (1,)}

    @staticmethod
    def initial(settings: RNNSettings, generator: torch.Generator) -> Phi:
        """U(+-1/sqrt(units)), the output layer times `head_init_scale`, as for the LSTM."""
        shapes = CoordinatewiseRNN.shapes(settings)
        return cells_and_head(shapes, settings.units, settings.head_init_scale, generator)

    @staticmethod
    def conventions(settings: RNNSettings) -> dict[str, str]:
        """What stands in the file beside the weights."""
        return {
            "input": INPUTS[settings.preprocessing],
            "output": "theta[t+1] = theta[t] + output_scale * head(rnn(input))",
            "state": "one h for each coordinate and layer, zero at the start",
        }

    def init(self, theta: Tensor) -> Tensor:
        """Hidden states, zero: [layers, B n, units]; of no layers where there is no recurrence."""
        layers = self.settings.layers if self.settings.recurrence == "tanh" else 0
        return theta.new_zeros(layers, theta.numel(), self.settings.units)

    def step(self, gradient: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The step [B, n] for a gradient [B, n], and the next state."""
        below = features(gradient, self.settings).flatten(0, -2)
        hidden = []
        for layer in range(self.settings.layers):
            weight, bias = self.phi[f"rnn.weight_ih_l{layer}"], self.phi[f"rnn.bias_l{layer}"]
            before = torch.addmm(bias, below, weight.T)
            if self.settings.recurrence == "tanh":
                before = torch.addmm(before, state[layer], self.phi[f"rnn.weight_hh_l{layer}"].T)
            below = torch.tanh(before)
            hidden.append(below)
        output = torch.addmm(self.phi["head.bias"], below, self.phi["head.weight"].T)
        after = torch.stack(hidden) if self.settings.recurrence == "tanh" else state
        return self.settings.output_scale * output.view(gradient.shape), after

    def backward(
        self,
        gradients: Tensor,
        state: Tensor,
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of phi over a window; coordinates without cotangents are left out."""
        outer = cotangents.flatten(1)
        outer = sample(outer) if sample else outer
        active = (outer != 0).any(dim=0)
        seen = gradients.flatten(1)[:, active]
        return super().backward(seen[:, None], state[:, active], outer[:, None, active])
