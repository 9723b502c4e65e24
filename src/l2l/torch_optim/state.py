"""Recurrent states of any kind as named tensors and back, whole or cut along their coordinates.

A state is a tensor, an LSTM's state, or a tuple (of tuples) of such (see `l2l.optimizers`). What
`like` it is says a state of the same structure, whose shapes matter and whose values do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from l2l.kernels import LSTMState
from l2l.kernels.cpu import BlockState
from l2l.optimizers.base import UpdateRule, map_state

State = Any


def tensors(state: State, name: str = "") -> dict[str, Tensor]:
    """The tensors of a state by name, copies where the kernels keep another layout.

    An LSTM has hidden and cell, [layers, coordinates, units]. No name has a dot: PyTorch's
    distributed checkpoints join names with dots.
    """
    if isinstance(state, Tensor):
        return {name or "state": state}
    if isinstance(state, BlockState):
        state = LSTMState(state.hidden, state.cell)
    named: dict[str, Tensor] = {}
    for key, part in zip(getattr(state, "_fields", range(len(state))), state, strict=True):
        named |= tensors(part, f"{name}/{key}" if name else str(key))
    return named


def rebuild(like: State, named: Mapping[str, Tensor]) -> State:
    """The inverse of `tensors`."""
    parts = iter(named.values())
    return map_state(like, lambda _: next(parts))


def split(whole: Mapping[str, Tensor], likes: Sequence[State]) -> list[dict[str, Tensor]]:
    """The tensors of a whole state as views: those of its parts, which look like `likes`.

    A tensor is cut along the axis on which the parts are smaller; without one, each part has it.
    """
    shapes = [{name: like.shape for name, like in tensors(like).items()} for like in likes]
    parts: list[dict[str, Tensor]] = [{} for _ in likes]
    for name, tensor in whole.items():
        own = [shape[name] for shape in shapes]
        cut = (axis for axis, size in enumerate(tensor.shape) if any(x[axis] != size for x in own))
        axis = next(cut, None)
        views = [tensor] * len(own) if axis is None else tensor.split([x[axis] for x in own], axis)
        for part, view in zip(parts, views, strict=True):
            part[name] = view
    return parts


def join(parts: Sequence[State], likes: Sequence[State], like: State) -> dict[str, Tensor]:
    """The inverse of `split`, in new memory: the tensors of parts as those of a whole `like`."""
    first = tensors(parts[0])
    whole = {name: first[name].new_empty(part.shape) for name, part in tensors(like).items()}
    for places, part in zip(split(whole, likes), map(tensors, parts), strict=True):
        for name, place in places.items():
            place.copy_(part[name])
    return whole


def cast(
    state: State, dtype: torch.dtype, device: torch.device | None = None, copy: bool = False
) -> State:
    """The state in another floating dtype or on another device; a copy only where needed."""

    def one(part: Tensor) -> Tensor:
        return part.to(device=device, dtype=dtype if part.is_floating_point() else None, copy=copy)

    return _each(one, state)


def start(rule: UpdateRule, theta: Tensor, dtype: torch.dtype) -> State:
    """A rule's first state, as `keep` has it; its memory is taken before that of what is cast."""
    if dtype == torch.float32:
        return rule.init(theta)
    form = cast(rule.init(theta), dtype, torch.device("meta"))
    memory = _each(lambda part: torch.empty_like(part, device=theta.device), form)
    return keep(rule.init(theta), dtype, memory)


def keep(state: State, dtype: torch.dtype, memory: State) -> State:
    """The state between steps, in its dtype; rounded into the memory of the last one if it fits.

    New memory in each step, of another size than what is freed, would leave holes in the heap.
    """
    if dtype == torch.float32:
        return state
    places: list[Tensor] = []
    _each(places.append, memory)
    sizes: list[torch.Size] = []
    _each(lambda part: sizes.append(part.shape), state)
    if sizes != [place.shape for place in places]:  # loaded: not in the kernels' own layout
        return cast(state, dtype)
    rest = iter(places)

    def one(part: Any) -> Any:
        place = next(rest)
        return place.copy_(part) if place.device == part.device else cast(part, dtype)

    return _each(one, state)


def _each(function: Callable[[Tensor], Any], state: State) -> State:
    """`map_state` for the tensors alone."""
    return map_state(state, lambda part: function(part) if isinstance(part, Tensor) else part)
