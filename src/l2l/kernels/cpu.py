"""The fused kernels on a CPU in float32: tensors in, calls of the compiled library, tensors out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from l2l.kernels.build import library
from l2l.kernels.interface import LAYER_PARAMETERS, Phi, Sizes, State, check_tensor, sizes


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
        found = (self.memory.shape[1], self.coordinates, self.memory.shape[3])
        if found != shape:
            raise ValueError(f"state has shape {found}, expected {shape}")
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
    return BlockState(torch.zeros(shape, dtype=torch.float32), coordinates)


def _in_blocks(state: State) -> BlockState:
    """The same state in the library's order."""
    if isinstance(state, BlockState):
        return state
    layers, coordinates, units = state.hidden.shape
    block = library().l2l_block()
    both = functional.pad(
        torch.stack([state.hidden, state.cell], dim=1), (0, 0, 0, -coordinates % block)
    )
    memory = both.reshape(layers, 2, -1, block, units).permute(2, 0, 1, 4, 3)
    return BlockState(memory.contiguous(), coordinates)


def _names(phi: Phi) -> list[str]:
    """The names of phi in the order of the library's flat buffer."""
    layers = range(sizes(phi).layers)
    names = [f"lstm.{name}_l{layer}" for layer in layers for name in LAYER_PARAMETERS]
    return [*names, "head.weight", "head.bias"]


def _flat(phi: Phi) -> Tensor:
    return torch.cat([phi[name].reshape(-1) for name in _names(phi)])


def _check(status: int) -> None:
    if status:
        raise MemoryError("the LSTM kernel could not allocate its workspace")


@torch.no_grad()
def log_features(gradient: Tensor, p: float) -> Tensor:
    """Equation (6); see `l2l.kernels.log_features`."""
    gradient = gradient.contiguous()
    features = gradient.new_empty(*gradient.shape, 2)
    library().l2l_log_features(
        gradient.numel(), gradient.data_ptr(), p, features.data_ptr(), torch.get_num_threads()
    )
    return features


@torch.no_grad()
def forward_step(
    phi: Phi, inputs: Tensor, state: State, reuse: bool = False
) -> tuple[Tensor, BlockState]:
    """One step of the LSTM for all coordinates; see `l2l.kernels.forward_step`."""
    flat, inputs, old = _flat(phi), inputs.contiguous(), _in_blocks(state)
    new = old.memory if reuse else torch.empty_like(old.memory)
    outputs = inputs.new_empty(old.coordinates)
    status = library().l2l_forward(
        *sizes(phi),
        flat.data_ptr(),
        old.coordinates,
        inputs.data_ptr(),
        old.memory.data_ptr(),
        new.data_ptr(),
        outputs.data_ptr(),
        torch.get_num_threads(),
    )
    _check(status)
    return outputs, BlockState(new, old.coordinates)


@torch.no_grad()
def backward_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor) -> Phi:
    """The gradient of phi over a window; see `l2l.kernels.backward_window`."""
    names, flat, first = _names(phi), _flat(phi), _in_blocks(state)
    gradient = torch.empty_like(flat)
    inputs, cotangents = inputs.contiguous(), cotangents.contiguous()
    status = library().l2l_backward(
        *sizes(phi),
        flat.data_ptr(),
        *cotangents.shape,
        inputs.data_ptr(),
        first.memory.data_ptr(),
        cotangents.data_ptr(),
        gradient.data_ptr(),
        torch.get_num_threads(),
    )
    _check(status)
    parts = gradient.split([phi[name].numel() for name in names])
    return {name: part.view(phi[name].shape) for name, part in zip(names, parts, strict=True)}
