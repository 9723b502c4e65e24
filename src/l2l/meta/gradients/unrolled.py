"""Autograd through the whole unrolled window: slow and memory-hungry, but it can keep everything.

It is the independent check of the adjoint, and with `second_derivatives` the ablation of
equation (5): then d grad[t] / d theta[t] stays in the graph (the dashed edges of figure 2).
"""

from __future__ import annotations

import torch
from torch import Tensor

from l2l.kernels import LSTMState
from l2l.meta.gradients.base import LossWeights, Window
from l2l.meta.rollout import Carry
from l2l.optimizees.base import Optimizee
from l2l.optimizers.lstm import CoordinatewiseLSTM, Phi


def unrolled(
    problems: Optimizee,
    optimizer: CoordinatewiseLSTM,
    carry: Carry,
    steps: int,
    weights: LossWeights,
    second_derivatives: bool = False,
) -> Window:
    """Unroll a window as one autograd graph and differentiate it. Arguments as for `adjoint`."""
    phi = {name: weight.detach().requires_grad_() for name, weight in optimizer.phi.items()}
    theta = carry.theta.detach()
    hidden, cell = carry.state.hidden, carry.state.cell
    gradient, losses, gradients = carry.gradient, [], []
    for step in range(carry.step + 1, carry.step + steps + 1):
        inputs = optimizer.inputs(gradient).flatten(0, -2)
        output, hidden, cell = lstm_step(phi, inputs, hidden, cell)
        theta = theta + optimizer.settings.output_scale * output.reshape(theta.shape)
        loss = problems.loss(theta, step)
        (gradient,) = torch.autograd.grad(
            loss.sum(), theta, create_graph=second_derivatives, retain_graph=True
        )
        losses.append(loss)
        gradients.append(gradient)
    stacked = torch.stack(losses)
    meta_loss = (weights(stacked.detach(), carry.step + 1) * stacked).sum() / stacked.shape[1]
    names = list(phi)
    grads = torch.autograd.grad(meta_loss, [phi[name] for name in names])
    end = Carry(
        carry.step + steps,
        theta.detach(),
        LSTMState(hidden.detach(), cell.detach()),
        stacked[-1].detach(),
        gradients[-1].detach(),
    )
    return Window(end, stacked.detach(), meta_loss.detach(), dict(zip(names, grads, strict=True)))


def lstm_step(
    phi: Phi, inputs: Tensor, hidden: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One differentiable step of the LSTM, written out: the equations, not a kernel.

    Args:
        phi: the weights.
        inputs: [N, inputs].
        hidden: [layers, N, units].
        cell: [layers, N, units].

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
        next_hidden.append(inputs)
        next_cell.append(c)
    output = (inputs @ phi["head.weight"].T + phi["head.bias"]).squeeze(1)
    return output, torch.stack(next_hidden), torch.stack(next_cell)
