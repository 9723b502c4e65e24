"""The LSTM in plain PyTorch: any device, dtype, number of layers and units.

The other implementations are tested against this one, and it runs where there is no C++ compiler.
It works on blocks of coordinates, so that a block's activations stay in the cache, and it keeps
them as [units, coordinates]: the four gates are then contiguous slabs. A row of ones below the
layer's input makes the bias a column of the weights.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from l2l.kernels.interface import (
    LSTMState,
    Normalised,
    Phi,
    State,
    active_part,
    layer_parameters,
    sizes,
)

CPU_BLOCK = 2048
ACCELERATOR_BLOCK = 1 << 18

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
tanh_backward = torch.ops.aten.tanh_backward.grad_input


def _blocks(tensor: Tensor, coordinates: int) -> Iterator[tuple[int, int]]:
    """Cut the coordinates into blocks: [first, last) pairs."""
    block = CPU_BLOCK if tensor.device.type == "cpu" else ACCELERATOR_BLOCK
    for first in range(0, coordinates, block):
        yield first, min(first + block, coordinates)


def _weights(phi: Phi, layer: int) -> Tensor:
    """[weight_ih | weight_hh | bias_ih + bias_hh], [4 units, inputs + units + 1]."""
    weight_ih, weight_hh, bias_ih, bias_hh = layer_parameters(phi, layer)
    return torch.cat([weight_ih, weight_hh, (bias_ih + bias_hh)[:, None]], dim=1)


def _cell(weights: Tensor, augmented: Tensor, cell: Tensor, gates: Tensor) -> tuple[Tensor, Tensor]:
    """One LSTM cell; leaves the activated gates in `gates`, returns the new cell and its tanh."""
    units = cell.shape[0]
    torch.mm(weights, augmented, out=gates)
    gates[: 2 * units].sigmoid_()
    gates[2 * units : 3 * units].tanh_()
    gates[3 * units :].sigmoid_()
    i, f, g, _ = gates.split(units)
    new_cell = torch.mul(f, cell).addcmul_(i, g)
    return new_cell, new_cell.tanh()


def log_features(gradient: Tensor, p: float) -> Tensor:
    """Equation (6); see `l2l.kernels.log_features`."""
    large = gradient.abs() >= math.exp(-p)
    magnitude = gradient.abs().clamp_min(math.exp(-p)).log() / p  # -1 where small
    sign = torch.where(large, gradient.sign(), math.exp(p) * gradient)
    return torch.stack([magnitude, sign], dim=-1)


def normalised_features(
    gradient: Tensor, moments: Tensor, seen: Normalised
) -> tuple[Tensor, Tensor, Tensor]:
    """What the LSTM sees of a gradient beside its own running size; differentiable.

    Args:
        gradient: [coordinates].
        moments: m and v before it, [decays, 2, coordinates].
        seen: its weights, [decays], and p.

    Returns:
        m / sqrt(v) and gradient / sqrt(v) for each decay, then equation (6) if p is given,
        [coordinates, inputs]: 0 where v is 0. Which coordinates have had a gradient other than 0,
        bool [coordinates]. The new moments.
    """
    weights = seen.weights[:, None, None]
    moments = moments + weights * (torch.stack([gradient, gradient.square()]) - moments)
    means, squares = moments.unbind(dim=1)
    some = squares != 0
    inverse = torch.where(some, squares, 1).rsqrt() * some
    inputs = torch.stack([means * inverse, gradient * inverse], dim=1).flatten(0, 1).T
    if seen.p is not None:
        inputs = torch.cat([inputs, log_features(gradient, seen.p)], dim=1)
    return inputs, some.any(dim=0), moments


def zero_state(phi: Phi, coordinates: int) -> LSTMState:
    """The state at the start of an episode; its memory is [layers, units, coordinates]."""
    size = sizes(phi)
    zeros = phi["head.weight"].new_zeros((2, size.layers, size.units, coordinates))
    return LSTMState(*zeros.transpose(2, 3))


@torch.no_grad()
def forward_step(
    phi: Phi, inputs: Tensor, state: State, reuse: bool = False
) -> tuple[Tensor, LSTMState]:
    """One step of the LSTM for all coordinates; see `l2l.kernels.forward_step`."""
    size = sizes(phi)
    coordinates = inputs.shape[0]
    old_hidden, old_cells = state.hidden, state.cell
    outputs = inputs.new_empty(coordinates)
    shape = (size.layers, size.units, coordinates)
    hidden, cell = inputs.new_empty(shape), inputs.new_empty(shape)
    weights = [_weights(phi, layer) for layer in range(size.layers)]
    for first, last in _blocks(inputs, coordinates):
        below = inputs[first:last].T
        gates = inputs.new_empty(4 * size.units, last - first)
        one = inputs.new_ones(1, last - first)
        for layer, layer_weights in enumerate(weights):
            augmented = torch.cat([below, old_hidden[layer, first:last].T, one])
            new_cell, tanh_cell = _cell(
                layer_weights, augmented, old_cells[layer, first:last].T, gates
            )
            below = tanh_cell.mul_(gates[3 * size.units :])
            hidden[layer, :, first:last] = below
            cell[layer, :, first:last] = new_cell
        outputs[first:last] = (phi["head.weight"] @ below)[0] + phi["head.bias"]
    return outputs, LSTMState(hidden.transpose(1, 2), cell.transpose(1, 2))


@torch.no_grad()
def backward_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor) -> Phi:
    """The gradient of phi over a window; see `l2l.kernels.backward_window`."""
    size = sizes(phi)
    inputs, state, cotangents = active_part(inputs, state, cotangents)
    weights = [_weights(phi, layer) for layer in range(size.layers)]
    gradients = [torch.zeros_like(layer_weights) for layer_weights in weights]
    head_gradient = torch.zeros_like(phi["head.weight"])
    for first, last in _blocks(inputs, inputs.shape[1]):
        _backward_block(
            weights,
            phi["head.weight"],
            inputs[:, first:last].transpose(1, 2),
            LSTMState(
                state.hidden[:, first:last].transpose(1, 2),
                state.cell[:, first:last].transpose(1, 2),
            ),
            cotangents[:, first:last],
            gradients,
            head_gradient,
        )
    result: Phi = {}
    for layer, gradient in enumerate(gradients):
        width = gradient.shape[1] - size.units - 1
        result[f"lstm.weight_ih_l{layer}"] = gradient[:, :width].contiguous()
        result[f"lstm.weight_hh_l{layer}"] = gradient[:, width:-1].contiguous()
        result[f"lstm.bias_ih_l{layer}"] = gradient[:, -1].clone()
        result[f"lstm.bias_hh_l{layer}"] = gradient[:, -1].clone()
    result["head.weight"] = head_gradient
    result["head.bias"] = cotangents.sum().reshape(1)
    return result


def _backward_block(
    weights: list[Tensor],
    head_weight: Tensor,
    inputs: Tensor,
    state: LSTMState,
    cotangents: Tensor,
    gradients: list[Tensor],
    head_gradient: Tensor,
) -> None:
    """Recompute a block's window layer by layer, then go back, adding to the gradients.

    `inputs` is [steps, inputs, block], the state [layers, units, block].
    """
    steps, _, block = inputs.shape
    units = head_weight.shape[1]
    below = inputs
    tape: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for layer, layer_weights in enumerate(weights):
        width = below.shape[1]
        augmented = inputs.new_ones(steps + 1, width + units + 1, block)
        augmented[:steps, :width] = below
        augmented[0, width:-1] = state.hidden[layer]
        gates = inputs.new_empty(steps, 4 * units, block)
        cells = inputs.new_empty(steps + 1, units, block)
        tanh_cells = inputs.new_empty(steps, units, block)
        cells[0] = state.cell[layer]
        for step in range(steps):
            cells[step + 1], tanh_cells[step] = _cell(
                layer_weights, augmented[step], cells[step], gates[step]
            )
            torch.mul(tanh_cells[step], gates[step, 3 * units :], out=augmented[step + 1, width:-1])
        below = augmented[1:, width:-1]
        tape.append((augmented, gates, cells, tanh_cells))

    for step in range(steps):
        head_gradient.addmm_(cotangents[step : step + 1], below[step].T)
    from_above = head_weight.T * cotangents[:, None]
    for layer in reversed(range(len(weights))):
        augmented, gates, cells, tanh_cells = tape.pop()
        width = augmented.shape[1] - units - 1
        transposed = weights[layer][:, :-1].T.contiguous()
        below_cotangents = inputs.new_empty(steps, width + units, block)
        d_cell = torch.zeros_like(cells[0])
        d_gates = torch.empty_like(gates[0])
        d_i, d_f, d_g, d_o = d_gates.split(units)
        for step in reversed(range(steps)):
            i, f, g, o = gates[step].split(units)
            d_hidden = from_above[step]
            if step + 1 < steps:
                d_hidden = d_hidden + below_cotangents[step + 1, width:]
            sigmoid_backward(d_hidden * tanh_cells[step], o, grad_input=d_o)
            d_tanh = tanh_backward(d_hidden * o, tanh_cells[step], grad_input=d_i)
            d_cell += d_tanh
            sigmoid_backward(d_cell * cells[step], f, grad_input=d_f)
            tanh_backward(d_cell * i, g, grad_input=d_g)
            sigmoid_backward(d_cell * g, i, grad_input=d_i)
            d_cell *= f
            torch.mm(transposed, d_gates, out=below_cotangents[step])
            gradients[layer].addmm_(d_gates, augmented[step].T)
        from_above = below_cotangents[:, :width]
