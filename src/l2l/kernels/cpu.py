"""The fused kernels on a CPU in float32: tensors in, calls of the compiled library, tensors out."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from l2l.kernels.build import library
from l2l.kernels.interface import (
    Normalised,
    Phi,
    Sizes,
    State,
    check_tensor,
    phi_shapes,
    sizes,
)


class BlockState(NamedTuple):
    """The recurrent state in the order in which the library reads it.

    Attributes:
        memory: [blocks, layers, 2 (hidden, cell), units, coordinates of a block].
        coordinates: how many there are; the last block may have lanes that belong to none.
    """

    memory: Tensor
    coordinates: int

    @property
    def hidden(self) -> Tensor:
        """h, [layers, coordinates, units]; a copy."""
        return self._part(0)

    @property
    def cell(self) -> Tensor:
        """c, [layers, coordinates, units]; a copy."""
        return self._part(1)

    def check(self, size: Sizes, coordinates: int, like: Tensor) -> None:
        """Raise ValueError where the state does not fit phi and the inputs."""
        shape = (size.layers, coordinates, size.units)
        actual = (self.memory.shape[1], self.coordinates, self.memory.shape[3])
        if actual != shape:
            raise ValueError(f"state has shape {actual}, expected {shape}")
        check_tensor("state.memory", self.memory, _memory_shape(size, coordinates), like)
        if not self.memory.is_contiguous():
            raise ValueError("state.memory is not contiguous")

    def _part(self, which: int) -> Tensor:
        layers, units = self.memory.shape[1], self.memory.shape[3]
        part = self.memory[:, :, which].permute(1, 0, 3, 2)
        copy = part.clone(memory_format=torch.contiguous_format)
        return copy.view(layers, -1, units)[:, : self.coordinates]


def _memory_shape(size: Sizes, coordinates: int) -> tuple[int, ...]:
    block = library().l2l_block()
    return (-(-coordinates // block), size.layers, 2, size.units, block)


def zero_state(phi: Phi, coordinates: int) -> BlockState:
    """The state at the start of an episode; see `l2l.kernels.zero_state`."""
    shape = _memory_shape(sizes(phi), coordinates)
    return BlockState(phi["head.weight"].new_zeros(shape), coordinates)


def _in_blocks(state: State) -> BlockState:
    """The same state in the library's order."""
    if isinstance(state, BlockState):
        return state
    layers, coordinates, units = state.hidden.shape
    block = library().l2l_block()
    both = torch.stack([state.hidden.detach(), state.cell.detach()], dim=1)
    both = functional.pad(both, (0, 0, 0, -coordinates % block))
    memory = both.reshape(layers, 2, -1, block, units).permute(2, 0, 1, 4, 3)
    return BlockState(memory.contiguous(), coordinates)


def _flat(phi: Phi, size: Sizes) -> Tensor:
    """A tensor at whose address phi lies in one piece, in the library's order.

    Where phi was cut from one vector, as in meta-training, it is phi's first tensor, without a
    copy.
    """
    parts = [phi[name] for name, _ in phi_shapes(size)]
    address = parts[0].data_ptr()
    for part in parts:
        if part.data_ptr() != address or not part.is_contiguous():
            return torch.cat([part.detach().reshape(-1) for part in parts])
        address += part.nbytes
    return parts[0]


def _check(status: int) -> None:
    if status:
        raise MemoryError("the LSTM kernel could not allocate its workspace")


def log_features(gradient: Tensor, p: float) -> Tensor:
    """Equation (6); see `l2l.kernels.log_features`."""
    gradient = gradient.contiguous()
    features = gradient.new_empty((*gradient.shape, 2))
    library().l2l_log_features(
        gradient.numel(), gradient.data_ptr(), p, features.data_ptr(), torch.get_num_threads()
    )
    return features


def forward_step(
    phi: Phi, inputs: Tensor, state: State, reuse: bool = False
) -> tuple[Tensor, BlockState]:
    """One step of the LSTM for all coordinates; see `l2l.kernels.forward_step`."""
    return _forward(phi, inputs, state, reuse, (0, 0.0, None, None, None))


def normalised_step(
    phi: Phi,
    gradient: Tensor,
    moments: Tensor,
    seen: Normalised,
    state: State,
    reuse: bool = False,
) -> tuple[Tensor, Tensor, BlockState]:
    """The same on normalised gradients; see `l2l.kernels.normalised_step`."""
    old, weights = moments.contiguous(), seen.weights.contiguous()
    new = old if reuse else torch.empty_like(old)
    pointers = (weights.data_ptr(), old.data_ptr(), new.data_ptr())
    normalised = (len(moments), seen.p or 0.0, *pointers)
    outputs, state = _forward(phi, gradient, state, reuse, normalised)
    return outputs, new, state


def _forward(
    phi: Phi, inputs: Tensor, state: State, reuse: bool, normalised: tuple[Any, ...]
) -> tuple[Tensor, BlockState]:
    size = sizes(phi)
    flat, inputs, old = _flat(phi, size), inputs.contiguous(), _in_blocks(state)
    new = old.memory if reuse else torch.empty_like(old.memory)
    outputs = inputs.new_empty(old.coordinates)
    status = library().l2l_forward(
        *size,
        flat.data_ptr(),
        old.coordinates,
        inputs.data_ptr(),
        old.memory.data_ptr(),
        new.data_ptr(),
        outputs.data_ptr(),
        torch.get_num_threads(),
        *normalised,
    )
    _check(status)
    return outputs, BlockState(new, old.coordinates)


def backward_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor) -> Phi:
    """The gradient of phi over a window; see `l2l.kernels.backward_window`."""
    return _backward(phi, inputs, state, cotangents, (0, 0.0, None, None))


def normalised_window(
    phi: Phi, gradients: Tensor, moments: Tensor, seen: Normalised, state: State, cotangents: Tensor
) -> Phi:
    """The same on normalised gradients; see `l2l.kernels.normalised_window`."""
    moments, weights = moments.contiguous(), seen.weights.contiguous()
    normalised = (len(moments), seen.p or 0.0, weights.data_ptr(), moments.data_ptr())
    return _backward(phi, gradients, state, cotangents, normalised)


def _backward(
    phi: Phi, inputs: Tensor, state: State, cotangents: Tensor, normalised: tuple[Any, ...]
) -> Phi:
    size = sizes(phi)
    shapes = phi_shapes(size)
    counts = [phi[name].numel() for name, _ in shapes]
    flat, first = _flat(phi, size), _in_blocks(state)
    gradient = inputs.new_empty(sum(counts))
    inputs, cotangents = inputs.contiguous(), cotangents.contiguous()
    status = library().l2l_backward(
        *size,
        flat.data_ptr(),
        *cotangents.shape,
        inputs.data_ptr(),
        first.memory.data_ptr(),
        cotangents.data_ptr(),
        gradient.data_ptr(),
        torch.get_num_threads(),
        *normalised,
    )
    _check(status)
    parts = gradient.split(counts)
    return {name: part.view(shape) for part, (name, shape) in zip(parts, shapes, strict=True)}
