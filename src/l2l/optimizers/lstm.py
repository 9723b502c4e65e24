"""The coordinate-wise LSTM: one small LSTM, shared by all coordinates, each with its own state."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from l2l import kernels
from l2l.config.schema import LSTMSettings
from l2l.optimizers.preprocessing import features, width

Phi = dict[str, Tensor]


@dataclass(frozen=True)
class CoordinatewiseLSTM:
    """The learned optimizer m(grad, h, phi) (section 2.1 of the paper).

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

    def update(
        self, gradient: Tensor, state: kernels.State, reuse: bool = False
    ) -> tuple[Tensor, kernels.State]:
        """The step [B, n] for a gradient [B, n], and the next state; no graph is kept."""
        inputs = self.inputs(gradient).flatten(0, -2)
        output, state = kernels.forward_step(self.phi, inputs, state, reuse)
        return output.reshape(gradient.shape).mul_(self.settings.output_scale), state

    def inputs(self, gradient: Tensor) -> Tensor:
        """What the LSTM sees of a gradient [...]: [..., 1 or 2]."""
        return features(gradient, self.settings.preprocessing, self.settings.p)


def initial_phi(settings: LSTMSettings, generator: torch.Generator) -> Phi:
    """PyTorch's initialisation, U(+-1/sqrt(units)), with the two changes of the settings.

    Args:
        settings: `forget_bias` is added to the forget gates' biases; `head_init_scale` multiplies
            the output layer (DESIGN: 0.1, or most seeds saturate the optimizee and get stuck).
        generator: the stream to draw from.

    Returns:
        float32 tensors on the CPU.
    """
    bound = 1 / math.sqrt(settings.units)
    phi = {
        name: (2 * torch.rand(shape, generator=generator) - 1) * bound
        for name, shape in phi_shapes(settings).items()
    }
    for name in ("head.weight", "head.bias"):
        phi[name] *= settings.head_init_scale
    for layer in range(settings.layers):
        phi[f"lstm.bias_ih_l{layer}"][settings.units : 2 * settings.units] += settings.forget_bias
    return phi


def phi_shapes(settings: LSTMSettings) -> dict[str, tuple[int, ...]]:
    """Names and shapes of phi; they depend on the optimizer alone, never on theta (claim C12)."""
    gates = 4 * settings.units
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(settings.layers):
        inputs = width(settings.preprocessing) if layer == 0 else settings.units
        shapes[f"lstm.weight_ih_l{layer}"] = (gates, inputs)
        shapes[f"lstm.weight_hh_l{layer}"] = (gates, settings.units)
        shapes[f"lstm.bias_ih_l{layer}"] = (gates,)
        shapes[f"lstm.bias_hh_l{layer}"] = (gates,)
    shapes["head.weight"] = (1, settings.units)
    shapes["head.bias"] = (1,)
    return shapes


def flatten_phi(phi: Phi, settings: LSTMSettings) -> Tensor:
    """All weights in one vector."""
    return torch.cat([phi[name].flatten() for name in phi_shapes(settings)])


def unflatten_phi(flat: Tensor, settings: LSTMSettings) -> Phi:
    """The inverse of `flatten_phi`."""
    shapes = phi_shapes(settings)
    parts = flat.split([math.prod(shape) for shape in shapes.values()])
    return {
        name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }
