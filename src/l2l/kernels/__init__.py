"""The coordinate-wise LSTM's kernels, and the choice between their implementations.

What the LSTM sees of a gradient, a forward step for all coordinates, and a backward pass over a
window from its inputs, its first state and the cotangents of its outputs to the gradient of phi.
What a window keeps for each coordinate and step is the inputs and a cotangent; activations are
recomputed.
"""

from torch import Tensor

from l2l.kernels import reference
from l2l.kernels.dispatch import implementation
from l2l.kernels.interface import LSTMState, Phi, State, check_window

__all__ = [
    "LSTMState",
    "Phi",
    "State",
    "backward_window",
    "forward_step",
    "log_features",
    "zero_state",
]


def log_features(gradient: Tensor, p: float) -> Tensor:
    """The input preprocessing, equation (6) of the paper.

    Args:
        gradient: [...], any float dtype; where it requires a gradient, so does the result.
        p: gradients from e^-p up count as large.

    Returns:
        [..., 2]: (log|grad| / p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad).
    """
    chosen = reference if gradient.requires_grad else implementation(gradient)
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
        UserError: see `l2l.kernels.dispatch.implementation`.
        MemoryError: the compiled kernel found no memory for its workspace.
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
        UserError: see `l2l.kernels.dispatch.implementation`.
        MemoryError: the compiled kernel found no memory for its workspace.
    """
    check_window(phi, inputs, state, cotangents)
    return implementation(inputs).backward_window(phi, inputs, state, cotangents)
