"""The coordinate-wise LSTM: one small LSTM, shared by all coordinates, each with its own state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from l2l import kernels
from l2l.config.recipes import LSTMSettings, ParameterGroup
from l2l.errors import UserError
from l2l.optimizers.preprocessing import features, width

Phi = dict[str, Tensor]
ONE_GROUP = (ParameterGroup(name="all", parameters=("*",)),)
"""The parameter groups of an optimizer with one LSTM for everything."""


@dataclass(frozen=True)
class CoordinatewiseLSTM:
    """The learned optimizer m(grad, h, phi) (section 2.1 of the paper).

    Attributes:
        settings: architecture, preprocessing and output scale.
        phi: its weights under the names of torch.nn.LSTM and torch.nn.Linear:
            `lstm.weight_ih_l0` [4 units, inputs], ..., `head.weight` [1, units], `head.bias` [1].
            With several parameter groups each name has its group's before it, and the optimizer is
            bound to a problem's parameters before it is used (`l2l.optimizers.groups.bind`).
    """

    settings: LSTMSettings
    phi: Phi

    def init(self, theta: Tensor) -> kernels.State:
        """Hidden and cell state of every coordinate, zero: [layers, B n, units] each.

        Raises:
            UserError: there are several parameter groups, and it is not bound to a problem.
        """
        if len(self.settings.groups) > 1:
            raise UserError(
                "this optimizer has an LSTM for each of the parameter groups "
                f"{', '.join(group.name for group in self.settings.groups)}: bind it to the "
                "parameters first (l2l.optimizers.bind)"
            )
        return kernels.zero_state(self.phi, theta.numel())

    def update(
        self, gradient: Tensor, state: kernels.State, reuse: bool = False
    ) -> tuple[Tensor, kernels.State]:
        """The step [B, n] for a gradient [B, n], and the next state; no graph is kept."""
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
        """The gradient of phi over a window of K steps, through the LSTM alone.

        Args:
            gradients: what `update` saw at each step, [K, B, n].
            state: h before the first step.
            cotangents: dL / d step, [K, B, n].
            sample: what to make of the cotangents of the LSTM's outputs, [K, B n].
        """
        inputs = self.inputs(gradients).flatten(1, 2)
        outer = cotangents.flatten(1) * self.settings.output_scale
        return kernels.backward_window(self.phi, inputs, state, sample(outer) if sample else outer)

    def group(self, name: str) -> Phi:
        """The weights of one parameter group, without its name."""
        prefix = group_prefix(name)
        own = {key: value for key, value in self.phi.items() if key.startswith(prefix)}
        return {key.removeprefix(prefix): value for key, value in own.items()}

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
    for name, weight in phi.items():
        if "head." in name:
            weight *= settings.head_init_scale
        if "lstm.bias_ih" in name:
            weight[settings.units : 2 * settings.units] += settings.forget_bias
    return phi


def phi_shapes(settings: LSTMSettings) -> dict[str, tuple[int, ...]]:
    """Names and shapes of phi; they depend on the optimizer alone, never on theta (claim C12)."""
    one = _shapes_of_one(settings)
    if len(settings.groups) == 1:
        return one
    prefixes = [group_prefix(group.name) for group in settings.groups]
    return {prefix + name: shape for prefix in prefixes for name, shape in one.items()}


def group_prefix(group: str) -> str:
    """What stands before the names of a group's weights, where there are several groups."""
    return f"{group}/"


def _shapes_of_one(settings: LSTMSettings) -> dict[str, tuple[int, ...]]:
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


def gone_on_from(trained: CoordinatewiseLSTM, settings: LSTMSettings) -> Tensor:
    """The weights of a trained optimizer as the start of another's meta-training, flat.

    Args:
        trained: with the same architecture; where it has one group, all groups start from it.
        settings: of the new optimizer, whose p and output_scale may be others.

    Raises:
        UserError: the architectures differ.
    """
    one = len(trained.settings.groups) == 1
    prefixes = [group_prefix(group.name) for group in settings.groups]
    phi = trained.phi
    if one and len(prefixes) > 1:
        phi = {prefix + name: weight for prefix in prefixes for name, weight in phi.items()}
    expected, found = phi_shapes(settings), {name: tuple(w.shape) for name, w in phi.items()}
    if found != expected:
        raise UserError(
            "start_from: the trained optimizer has other layers, units, preprocessing or groups "
            "than the recipe; give both the same"
        )
    return flatten_phi(phi, settings)


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
