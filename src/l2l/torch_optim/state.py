"""Recurrent states of any kind as named tensors and back, for state_dict, and to other devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.kernels import LSTMState

State = Any
"""A tensor, an LSTM's state, or a tuple (of tuples) of such (see `l2l.optimizers.UpdateRule`); in
another dtype than float32, between steps, a dictionary of tensors."""


def pack(state: State, name: str = "state") -> dict[str, Tensor]:
    """The tensors of a state by name, copies where the kernels keep another layout.

    An LSTM has state.hidden and state.cell, [layers, coordinates, units].
    """
    if isinstance(state, Tensor):
        return {name: state}
    if isinstance(state, dict):  # of `narrow`
        return state
    tensors: dict[str, Tensor] = {}
    for key, part in _parts(state).items():
        tensors |= pack(part, f"{name}.{key}")
    return tensors


def unpack(tensors: Mapping[str, Tensor], like: State, name: str = "state") -> State:
    """The inverse of `pack`.

    Args:
        tensors: name -> tensor.
        like: a state of the same optimizer and parameters: structure, shapes, dtype, device.
        name: the first part of the tensors' names.

    Raises:
        UserError: a tensor is missing or has another shape.
    """
    if isinstance(like, Tensor):
        saved = tensors.get(name)
        if saved is None or saved.shape != like.shape:
            actual = "missing" if saved is None else f"of shape {tuple(saved.shape)}"
            raise UserError(
                f"the saved {name} is {actual}, expected {tuple(like.shape)}: it is the state of "
                "another optimizer, or of other parameters"
            )
        return saved.detach().to(device=like.device, dtype=like.dtype, copy=True)
    parts = {key: unpack(tensors, part, f"{name}.{key}") for key, part in _parts(like).items()}
    if _is_lstm(like):
        return LSTMState(**parts)
    return type(like)(**parts) if hasattr(like, "_fields") else tuple(parts.values())


def narrow(state: State, dtype: torch.dtype) -> State:
    """The state in a dtype between steps: itself in float32, else as `pack` has it, rounded."""
    if dtype == torch.float32:
        return state
    return {name: tensor.to(dtype) for name, tensor in pack(state).items()}


def ready(state: State, device: torch.device) -> bool:
    """Whether the state can go into a step there as it is: not packed, and on that device."""
    if isinstance(state, Tensor | tuple):
        return state.device == device if isinstance(state, Tensor) else ready(state[0], device)
    return False


def _is_lstm(state: State) -> bool:
    return hasattr(state, "hidden") and hasattr(state, "cell")


def _parts(state: State) -> dict[str, State]:
    if _is_lstm(state):  # whatever its layout, the kernels take these two
        return {"hidden": state.hidden, "cell": state.cell}
    if hasattr(state, "_fields"):
        return dict(zip(state._fields, state, strict=True))
    return {str(number): part for number, part in enumerate(state)}
