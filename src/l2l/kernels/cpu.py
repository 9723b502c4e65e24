"""The fused kernels on a CPU in float32: tensors in, calls of the compiled library, tensors out."""

import ctypes
import weakref

import numpy as np
import torch
from torch import Tensor

from l2l.kernels.build import library
from l2l.kernels.interface import LAYER_PARAMETERS, LSTMState, Phi, sizes

MAX_FREE_BUFFERS = 4
MAX_FREE_SHAPES = 4
_free_buffers: dict[tuple[int, ...], list[np.ndarray]] = {}


def _release(buffer: np.ndarray) -> None:
    """Keep a buffer for the next tensor of its shape; runs as a finalizer, at any moment."""
    if buffer.shape not in _free_buffers and len(_free_buffers) >= MAX_FREE_SHAPES:
        _free_buffers.clear()
    free = _free_buffers.setdefault(buffer.shape, [])
    if len(free) < MAX_FREE_BUFFERS:
        free.append(buffer)


def _recycled(shape: tuple[int, ...]) -> Tensor:
    """An uninitialised tensor in memory that an earlier, now forgotten one has used.

    New memory for a state costs a page fault for each 4 KiB: as much time as the forward step.
    The buffer comes back when the last tensor that shares the storage is gone: perhaps in the
    middle of this function, so that a buffer is found and taken in a single atomic pop.
    """
    try:
        buffer = _free_buffers.get(shape, []).pop()
    except IndexError:
        buffer = np.empty(shape, dtype=np.float32)
    lent = buffer[...]
    weakref.finalize(lent, _release, buffer).atexit = False
    return torch.from_numpy(lent)


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
def forward_step(phi: Phi, inputs: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
    """One step of the LSTM for all coordinates; see `l2l.kernels.forward_step`.

    The new state's memory is [layers, units, coordinates], which the kernel reads without gathers.
    """
    size, coordinates, flat = sizes(phi), inputs.shape[0], _flat(phi)
    inputs = inputs.contiguous()
    hidden = state.hidden.transpose(1, 2).contiguous()
    cell = state.cell.transpose(1, 2).contiguous()
    new = _recycled((2, size.layers, size.units, coordinates))
    outputs = inputs.new_empty(coordinates)
    status = library().l2l_forward(
        *size_arguments(phi, flat),
        coordinates,
        inputs.data_ptr(),
        hidden.data_ptr(),
        cell.data_ptr(),
        new[0].data_ptr(),
        new[1].data_ptr(),
        outputs.data_ptr(),
        torch.get_num_threads(),
    )
    _check(status)
    return outputs, LSTMState(new[0].transpose(1, 2), new[1].transpose(1, 2))


def size_arguments(phi: Phi, flat: Tensor) -> tuple[int, int, int, int]:
    """The first arguments of both calls: inputs, layers, units and the address of phi."""
    return (*sizes(phi), flat.data_ptr())


@torch.no_grad()
def backward_window(phi: Phi, inputs: Tensor, state: LSTMState, cotangents: Tensor) -> Phi:
    """The gradient of phi over a window; see `l2l.kernels.backward_window`."""
    names, flat = _names(phi), _flat(phi)
    gradient = torch.empty_like(flat)
    inputs, cotangents = inputs.contiguous(), cotangents.contiguous()
    hidden_strides = (ctypes.c_int64 * 3)(*state.hidden.stride())
    cell_strides = (ctypes.c_int64 * 3)(*state.cell.stride())
    status = library().l2l_backward(
        *size_arguments(phi, flat),
        *cotangents.shape,
        inputs.data_ptr(),
        state.hidden.data_ptr(),
        ctypes.addressof(hidden_strides),
        state.cell.data_ptr(),
        ctypes.addressof(cell_strides),
        cotangents.data_ptr(),
        gradient.data_ptr(),
        torch.get_num_threads(),
    )
    _check(status)
    parts = gradient.split([phi[name].numel() for name in names])
    return {name: part.view(phi[name].shape) for name, part in zip(names, parts, strict=True)}
