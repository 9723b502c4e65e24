"""The kernels by `torch.nn.LSTM`, which on a GPU is cuDNN's fused LSTM.

With the adjoint a window's backward pass needs the LSTM alone: a sequence [steps, coordinates,
inputs] goes through it forwards and backwards in two calls. Coordinates go in chunks, so that
cuDNN's memory stays bounded. Everything here runs on any device.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from l2l.kernels.interface import LSTMState, Phi, Sizes, State, active_part, sizes
from l2l.kernels.reference import log_features

__all__ = ["backward_window", "forward_step", "log_features", "zero_state"]

STEPS_AT_ONCE = 1 << 21
"""Coordinates times steps of a chunk. For each, layer and unit, cuDNN keeps some ten numbers."""


@contextmanager
def _not_rounded() -> Iterator[None]:
    """Without TF32, inputs of 10 bits, which PyTorch allows cuDNN's LSTM by default."""
    rnn: Any = torch.backends.cudnn.rnn
    before = rnn.fp32_precision
    rnn.fp32_precision = "ieee"
    try:
        yield
    finally:
        rnn.fp32_precision = before


@functools.cache  # for ever: CUDA graphs hold on to its memory
def _module(size: Sizes, dtype: torch.dtype, device: torch.device) -> nn.LSTM:
    """An LSTM whose weights lie together, as cuDNN wants them; they are set anew in each call."""
    module = nn.LSTM(size.inputs, size.units, size.layers, device="meta", dtype=dtype)
    module = module.to_empty(device=device)
    module.flatten_parameters()
    return module


def _lstm(phi: Phi, differentiable: bool) -> nn.LSTM:
    """The LSTM with the weights of phi; cuDNN differentiates it in training mode only."""
    weight = phi["head.weight"]
    module = _module(sizes(phi), weight.dtype, weight.device).train(differentiable)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(phi[f"lstm.{name}"])
    return module


def zero_state(phi: Phi, coordinates: int) -> LSTMState:
    """The state at the start of an episode; see `l2l.kernels.zero_state`."""
    size = sizes(phi)
    shape = (size.layers, coordinates, size.units)
    weight = phi["head.weight"]
    return LSTMState(weight.new_zeros(shape), weight.new_zeros(shape))


@torch.no_grad()
@_not_rounded()
def forward_step(
    phi: Phi, inputs: Tensor, state: State, reuse: bool = False
) -> tuple[Tensor, LSTMState]:
    """One step of the LSTM for all coordinates; see `l2l.kernels.forward_step`."""
    lstm, old_hidden, old_cell = _lstm(phi, False), state.hidden, state.cell
    outputs, hidden, cell = [], [], []
    for first in range(0, max(1, inputs.shape[0]), STEPS_AT_ONCE):
        part = slice(first, first + STEPS_AT_ONCE)
        before = (old_hidden[:, part].contiguous(), old_cell[:, part].contiguous())
        sequence, after = lstm(inputs[None, part].contiguous(), before)
        output = nn.functional.linear(sequence[0], phi["head.weight"], phi["head.bias"])
        outputs.append(output[:, 0])
        hidden.append(after[0])
        cell.append(after[1])
    return torch.cat(outputs), LSTMState(torch.cat(hidden, dim=1), torch.cat(cell, dim=1))


@_not_rounded()
def backward_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor) -> Phi:
    """The gradient of phi over a window; see `l2l.kernels.backward_window`."""
    inputs, state, cotangents = active_part(inputs, state, cotangents)
    lstm = _lstm(phi, True)
    head = {name: phi[name].detach().requires_grad_() for name in ("head.weight", "head.bias")}
    leaves = {f"lstm.{name}": parameter for name, parameter in lstm.named_parameters()} | head
    total = {name: torch.zeros_like(phi[name]) for name in leaves}
    chunk = max(1, STEPS_AT_ONCE // inputs.shape[0])
    for first in range(0, inputs.shape[1], chunk):
        part = slice(first, first + chunk)
        before = (state.hidden[:, part].contiguous(), state.cell[:, part].contiguous())
        with torch.enable_grad():
            sequence, _ = lstm(inputs[:, part].contiguous(), before)
            outputs = nn.functional.linear(sequence, head["head.weight"], head["head.bias"])
            gradients = torch.autograd.grad(
                outputs[..., 0], list(leaves.values()), cotangents[:, part]
            )
        for sum_, gradient in zip(total.values(), gradients, strict=True):
            sum_ += gradient
    return {name: total[name] for name in phi}
