"""The coordinate-wise LSTM: one small LSTM, shared by all coordinates, each with its own state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from l2l import kernels
from l2l.config.optimizers import LSTMSettings
from l2l.kernels import LSTMState
from l2l.kernels.interface import Sizes, phi_shapes
from l2l.optimizers.base import Phi, UpdateRule
from l2l.optimizers.preprocessing import INPUTS, features, width
from l2l.optimizers.weights import uniform


@dataclass(frozen=True)
class CoordinatewiseLSTM(UpdateRule):
    """The learned optimizer m(grad, h, phi) (section 2.1 of the paper).

    With global averaging cells (the paper's appendix) the outgoing activations of the last
    `averaged_cells` units of each layer are averaged over the coordinates of a problem at each
    step. The kernels cannot do that: it runs in plain PyTorch.

    Attributes:
        settings: architecture, preprocessing and output scale.
        phi: its weights under the names of torch.nn.LSTM and torch.nn.Linear:
            `lstm.weight_ih_l0` [4 units, inputs], ..., `head.weight` [1, units], `head.bias` [1].
    """

    settings: LSTMSettings
    phi: Phi

    def init(self, theta: Tensor) -> kernels.State:
        """Hidden and cell state of every coordinate, zero: [layers, B n, units] each."""
        return kernels.zero_state(self.phi, theta.numel())

    def step(self, gradient: Tensor, state: kernels.State) -> tuple[Tensor, LSTMState]:
        """The step [B, n] for a gradient [B, n], and the next state: for autograd."""
        inputs = self.inputs(gradient).flatten(0, -2)
        averaged = (self.settings.averaged_cells, gradient.shape[0])
        output, hidden, cell = lstm_step(self.phi, inputs, state.hidden, state.cell, *averaged)
        return output.reshape(gradient.shape) * self.settings.output_scale, LSTMState(hidden, cell)

    def update(
        self, gradient: Tensor, state: kernels.State, reuse: bool = False
    ) -> tuple[Tensor, kernels.State]:
        """The step [B, n] for a gradient [B, n], and the next state; no graph is kept."""
        if self.settings.averaged_cells:
            return super().update(gradient, state)
        inputs = self.inputs(gradient).flatten(0, -2)
        output, state = kernels.forward_step(self.phi, inputs, state, reuse)
        return output.reshape(gradient.shape).mul_(self.settings.output_scale), state

    def backward(
        self,
        gradients: Tensor,
        state: kernels.State,
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of phi over a window; see `UpdateRule.backward`."""
        if self.settings.averaged_cells:
            return super().backward(gradients, state, cotangents, sample)
        inputs = self.inputs(gradients).flatten(1, 2)
        outer = cotangents.flatten(1) * self.settings.output_scale
        return kernels.backward_window(self.phi, inputs, state, sample(outer) if sample else outer)

    def inputs(self, gradient: Tensor) -> Tensor:
        """What the LSTM sees of a gradient [...]: [..., 1 or 2]."""
        return features(gradient, self.settings)

    @staticmethod
    def shapes(settings: LSTMSettings) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi."""
        return dict(phi_shapes(Sizes(width(settings), settings.layers, settings.units)))

    @staticmethod
    def initial(settings: LSTMSettings, generator: torch.Generator) -> Phi:
        """PyTorch's initialisation, U(+-1/sqrt(units)), with the two changes of the settings.

        Args:
            settings: `forget_bias` is added to the forget gates' biases; `head_init_scale`
                multiplies the output layer (at 1 most seeds saturate MNIST's networks and get
                stuck, see `l2l.meta.epoch`; the recipes have 0.1).
            generator: the stream to draw from.

        Returns:
            float32 tensors on the CPU.
        """
        shapes = CoordinatewiseLSTM.shapes(settings)
        phi = uniform(shapes, 1 / math.sqrt(settings.units), generator)
        for name, weight in phi.items():
            if "head." in name:
                weight *= settings.head_init_scale
            if "lstm.bias_ih" in name:
                weight[settings.units : 2 * settings.units] += settings.forget_bias
        return phi

    @staticmethod
    def conventions(settings: LSTMSettings) -> dict[str, str]:
        """In the words of torch.nn.LSTM."""
        return {
            "input": INPUTS[settings.preprocessing],
            "gates": "i, f, g, o, as in torch.nn.LSTM; a forget bias is already part of bias_ih",
            "output": "theta[t+1] = theta[t] + output_scale * head(lstm(input))",
            "state": "one (h, c) for each coordinate, zero at the start",
        }


def lstm_step(
    phi: Phi,
    inputs: Tensor,
    hidden: Tensor,
    cell: Tensor,
    averaged_cells: int = 0,
    problems: int = 1,
) -> tuple[Tensor, Tensor, Tensor]:
    """One differentiable step of the LSTM, written out: the equations, not a kernel.

    Args:
        phi: the weights.
        inputs: [N, inputs].
        hidden: [layers, N, units].
        cell: [layers, N, units].
        averaged_cells: of the last ones of each layer, h is averaged over each problem.
        problems: the N coordinates are those of so many problems, one after the other.

    Returns:
        Outputs [N], and the next hidden and cell states.
    """
    next_hidden, next_cell = [], []
    for layer in range(hidden.shape[0]):
        gates = (
            inputs @ phi[f"lstm.weight_ih_l{layer}"].T
            + phi[f"lstm.bias_ih_l{layer}"]
            + hidden[layer] @ phi[f"lstm.weight_hh_l{layer}"].T
            + phi[f"lstm.bias_hh_l{layer}"]
        )
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * cell[layer] + torch.sigmoid(i) * torch.tanh(g)
        inputs = torch.sigmoid(o) * torch.tanh(c)
        if averaged_cells:
            own, shared = inputs.split([inputs.shape[1] - averaged_cells, averaged_cells], dim=1)
            grouped = shared.view(problems, -1, averaged_cells)
            mean = grouped.mean(dim=1, keepdim=True).expand_as(grouped).flatten(0, 1)
            inputs = torch.cat([own, mean], dim=1)
        next_hidden.append(inputs)
        next_cell.append(c)
    output = (inputs @ phi["head.weight"].T + phi["head.bias"]).squeeze(1)
    return output, torch.stack(next_hidden), torch.stack(next_cell)
