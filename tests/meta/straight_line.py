"""Meta-gradients by autograd alone: torch.nn.LSTM, one graph per window, nothing of the package.

The problem is a plain function f(theta, step) -> losses [B]. Gradients enter the LSTM detached,
as equation (5) says; theta and the state keep their graph within a window and are cut at its
start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from l2l.config import LSTMSettings

Function = Callable[[Tensor, int], Tensor]
Weights = Callable[[Tensor, int], Tensor]
"""(the losses [B] of step t, t from 1) -> w[t] [B] or a number."""


@dataclass
class Place:
    """Where an episode stands: theta [B, n], the LSTM's (h, c) or None at the start, the step."""

    theta: Tensor
    state: Any = None
    step: int = 0


def window(
    function: Function,
    start: Place,
    settings: LSTMSettings,
    phi: dict[str, Tensor],
    length: int,
    weights: Weights,
) -> tuple[dict[str, Tensor], Tensor, Place]:
    """The meta-gradient of one window, its losses [length, B], and where it ends."""
    inputs = 1 if settings.preprocessing == "none" else 2
    theta, state, dtype = start.theta, start.state, start.theta.dtype
    lstm = nn.LSTM(inputs, settings.units, settings.layers, dtype=dtype)
    model = nn.ModuleDict({"lstm": lstm, "head": nn.Linear(settings.units, 1, dtype=dtype)})
    model.load_state_dict(phi)
    objective, losses = torch.zeros((), dtype=dtype), []
    for step in range(start.step, start.step + length):
        leaf = theta.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(function(leaf, step).sum(), leaf)
        x = _inputs(gradient, settings).reshape(1, -1, inputs)
        output, state = model["lstm"](x, state)
        theta = theta + settings.output_scale * model["head"](output).reshape(theta.shape)
        loss = function(theta, step + 1)
        objective = objective + (weights(loss.detach(), step + 1) * loss).mean()
        losses.append(loss.detach())
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(objective, parameters)
    end = Place(theta.detach(), tuple(part.detach() for part in state), start.step + length)
    return dict(zip(names, gradients, strict=True)), torch.stack(losses), end


def _inputs(gradient: Tensor, settings: LSTMSettings) -> Tensor:
    if settings.preprocessing == "none":
        return gradient
    edge = math.exp(-settings.p)
    rows = [
        (math.log(abs(g)) / settings.p, math.copysign(1, g)) if abs(g) >= edge else (-1.0, g / edge)
        for g in gradient.flatten().tolist()
    ]
    return torch.tensor(rows, dtype=gradient.dtype)


def quadratic(W: Tensor, y: Tensor) -> Function:
    """||W theta - y||^2 of each problem."""

    def function(theta: Tensor, step: int) -> Tensor:
        return torch.stack([((w @ x - v) ** 2).sum() for w, v, x in zip(W, y, theta, strict=True)])

    return function


def network(images: Tensor, labels: Tensor, minibatches: Tensor, widths: Sequence[int]) -> Function:
    """Cross-entropy of sigmoid networks, one at a time; minibatches [B, steps + 1, batch]."""

    def function(theta: Tensor, step: int) -> Tensor:
        losses = []
        for flat, chosen in zip(theta, minibatches[:, step], strict=True):
            hidden = images[chosen].to(theta.dtype) / 255
            used = 0
            for layer, (inputs, outputs) in enumerate(pairwise(widths)):
                weight = flat[used : used + inputs * outputs].reshape(outputs, inputs)
                used += inputs * outputs
                bias = flat[used : used + outputs]
                used += outputs
                hidden = torch.sigmoid(hidden) if layer else hidden
                hidden = nn.functional.linear(hidden, weight, bias)
            losses.append(nn.functional.cross_entropy(hidden, labels[chosen]))
        return torch.stack(losses)

    return function
