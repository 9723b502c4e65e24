"""The coordinate-wise LSTM's kernels, and the choice of an implementation: the fastest that fits.

There are kernels for the LSTM's inputs, for a forward step of all coordinates, and for a backward
pass over a window from its inputs, its first state and the cotangents of its outputs to the
gradient of phi. A window keeps the inputs and a cotangent for each coordinate and step; activations
are recomputed.
"""

import functools
import os
import sys
from types import ModuleType

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

from l2l.errors import UserError
from l2l.kernels import cpu, cuda, reference
from l2l.kernels.build import BuildError, library
from l2l.kernels.interface import (
    LSTMState,
    Normalised,
    Phi,
    State,
    check_normalised,
    check_window,
)

__all__ = [
    "LSTMState",
    "Normalised",
    "Phi",
    "State",
    "backward_window",
    "forward_step",
    "implementation",
    "log_features",
    "normalised_step",
    "normalised_window",
    "zero_state",
]

CHOICES = ("reference", "cpu", "cuda")
SLOWDOWN = "3 to 4 times slower"


def log_features(gradient: Tensor, p: float) -> Tensor:
    """The input preprocessing, equation (6) of the paper.

    Args:
        gradient: [...], any float dtype; autograd, in reverse and forward, goes through.
        p: gradients from e^-p up count as large.

    Returns:
        [..., 2]: (log|grad| / p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad).
    """
    followed = gradient.requires_grad or unpack_dual(gradient).tangent is not None
    chosen = reference if followed else implementation(gradient)
    return chosen.log_features(gradient, p)


def zero_state(phi: Phi, coordinates: int) -> State:
    """The state at the start of an episode: zeros, like phi in dtype and device.

    Args:
        phi: the optimizer's parameters.
        coordinates: number of coordinates of theta.

    Returns:
        A new state, in the order of memory of the implementation that serves phi.
    """
    return implementation(phi["head.weight"]).zero_state(phi, coordinates)


def forward_step(
    phi: Phi, inputs: Tensor, state: State, reuse: bool = False
) -> tuple[Tensor, State]:
    """One step of the LSTM and its linear output layer for all coordinates, without a graph.

    Args:
        phi: the optimizer's parameters.
        inputs: the preprocessed gradients, [coordinates, inputs].
        state: the state before the step, from `zero_state`, an earlier step, or an `LSTMState`.
        reuse: whether the new state may take the old one's memory, which is then overwritten:
            faster, for callers that do not look at the old state again.

    Returns:
        The outputs [coordinates] (before the output scale), and the state after the step.

    Raises:
        ValueError: where shapes, dtypes or devices do not belong together.
        UserError: see `implementation`.
        MemoryError: no memory for the compiled kernel's workspace.
    """
    check_window(phi, inputs, state, None)
    return implementation(inputs).forward_step(phi, inputs, state, reuse)


def backward_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor) -> Phi:
    """The gradient of sum(cotangents * outputs) over a window with respect to phi.

    Coordinates whose cotangents are zero at all steps add nothing and are skipped.

    Args:
        phi: the optimizer's parameters.
        inputs: the inputs of the window's steps, [steps, coordinates, inputs].
        state: the state before the window's first step; not changed.
        cotangents: dL / d outputs, [steps, coordinates].

    Returns:
        The gradient, under the names and with the shapes of phi.

    Raises:
        ValueError: where shapes, dtypes or devices do not belong together.
        UserError: see `implementation`.
        MemoryError: no memory for the compiled kernel's workspace.
    """
    check_window(phi, inputs, state, cotangents)
    return implementation(inputs).backward_window(phi, inputs, state, cotangents)


def normalised_step(
    phi: Phi,
    gradient: Tensor,
    moments: Tensor,
    seen: Normalised,
    state: State,
    reuse: bool = False,
) -> tuple[Tensor, Tensor, State]:
    """`forward_step` on the gradient and its running mean, both relative to its running size.

    Args:
        phi: the optimizer's parameters.
        gradient: [coordinates].
        moments: m and v before the step, [decays, 2, coordinates].
        seen: the weights [decays] of this gradient in m and v, and p.
        state: as in `forward_step`.
        reuse: as in `forward_step`; for the moments too.

    Returns:
        The outputs [coordinates], 0 where no gradient has ever been anything but 0; the moments,
        and the state after the step.

    Raises:
        ValueError, UserError, MemoryError: as in `forward_step`.
    """
    check_normalised(phi, gradient, moments, seen, state, None)
    chosen = implementation(gradient)
    if chosen is cpu:
        return cpu.normalised_step(phi, gradient, moments, seen, state, reuse)
    inputs, moves, moments = reference.normalised_features(gradient, moments, seen)
    outputs, state = chosen.forward_step(phi, inputs, state, reuse)
    return torch.where(moves, outputs, 0), moments, state


def normalised_window(
    phi: Phi, gradients: Tensor, moments: Tensor, seen: Normalised, state: State, cotangents: Tensor
) -> Phi:
    """`backward_window` of `normalised_step`; moments depend on gradients alone, never on phi.

    Args:
        phi: the optimizer's parameters.
        gradients: of the window's steps, [steps, coordinates].
        moments: before the window's first step, [decays, 2, coordinates]; not changed.
        seen: the weights [steps, decays] of these gradients, and p.
        state: as in `backward_window`.
        cotangents: as in `backward_window`.

    Returns:
        As `backward_window`, and raises what it does.
    """
    check_normalised(phi, gradients, moments, seen, state, cotangents)
    chosen = implementation(gradients)
    if chosen is cpu:
        return cpu.normalised_window(phi, gradients, moments, seen, state, cotangents)
    active = (cotangents != 0).any(dim=0)
    before, inputs, moves = moments[..., active], [], []
    for gradient, weights in zip(gradients[:, active], seen.weights, strict=True):
        of_step, some, before = reference.normalised_features(
            gradient, before, Normalised(weights, seen.p)
        )
        inputs.append(of_step)
        moves.append(some)
    state = LSTMState(state.hidden[:, active], state.cell[:, active])
    cotangents = torch.where(torch.stack(moves), cotangents[:, active], 0)
    return chosen.backward_window(phi, torch.stack(inputs), state, cotangents)


def implementation(tensor: Tensor) -> ModuleType:
    """The module whose log_features, zero_state, forward_step, backward_window serve such tensors.

    Args:
        tensor: the LSTM's inputs or a part of phi; its device and dtype decide.

    Returns:
        `l2l.kernels.cuda` on a GPU; `l2l.kernels.cpu` for float32 on a CPU, where there is a C++
        compiler; else `l2l.kernels.reference`. The environment variable L2L_KERNEL overrides:
        "reference" everywhere, "cuda" (runs on a CPU too), "cpu" (an error if it cannot be built).

    Raises:
        UserError: where L2L_KERNEL is something else, or is "cpu" and the kernels cannot be built.
    """
    choice = os.environ.get("L2L_KERNEL", "")
    if choice and choice not in CHOICES:
        raise UserError(f"L2L_KERNEL is {choice!r}; set it to {', '.join(CHOICES)}, or unset it")
    if choice == "reference":
        return reference
    if choice == "cuda" or tensor.is_cuda:
        return cuda
    fits = tensor.is_cpu and tensor.dtype == torch.float32
    return cpu if fits and _fused_kernels_wanted(choice) else reference


@functools.cache
def _fused_kernels_wanted(choice: str) -> bool:
    """Whether the compiled kernels can and may be used; says so once where they cannot."""
    try:
        library()
    except BuildError as error:
        if choice == "cpu":
            raise UserError(
                f"L2L_KERNEL=cpu, but {error}; install g++ or unset L2L_KERNEL"
            ) from None
        print(
            f"l2l: the LSTM runs in plain PyTorch, {SLOWDOWN} than the compiled kernels: {error}",
            file=sys.stderr,
        )
        return False
    return True
