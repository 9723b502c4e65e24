"""What every kernel shares: the recurrent state, and the sizes that phi implies."""

from typing import NamedTuple

from torch import Tensor

Phi = dict[str, Tensor]
"""The optimizer's parameters under the names of `torch.nn.LSTM` ("lstm.weight_ih_l0", ...) and of
its linear output layer ("head.weight", "head.bias"); gates in torch's order i, f, g, o."""

LAYER_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class LSTMState(NamedTuple):
    """The recurrent state of all coordinates.

    Attributes:
        hidden: h, [layers, coordinates, units].
        cell: c, the same shape.
    """

    hidden: Tensor
    cell: Tensor


class Sizes(NamedTuple):
    """Number of inputs of a coordinate, LSTM layers and units in a layer."""

    inputs: int
    layers: int
    units: int


def sizes(phi: Phi) -> Sizes:
    """Read the sizes from the shapes of phi.

    Args:
        phi: the optimizer's parameters.

    Returns:
        The number of inputs, layers and units.
    """
    four_units, inputs = phi["lstm.weight_ih_l0"].shape
    layers = sum(name.startswith("lstm.weight_ih_l") for name in phi)
    return Sizes(inputs, layers, four_units // 4)


def layer_parameters(phi: Phi, layer: int) -> list[Tensor]:
    """The parameters of one layer.

    Args:
        phi: the optimizer's parameters.
        layer: 0 for the layer that sees the inputs.

    Returns:
        weight_ih [4 units, inputs], weight_hh [4 units, units], bias_ih and bias_hh [4 units].
    """
    return [phi[f"lstm.{name}_l{layer}"] for name in LAYER_PARAMETERS]


def check_window(phi: Phi, inputs: Tensor, state: LSTMState, cotangents: Tensor | None) -> None:
    """Refuse shapes, dtypes and devices that do not belong together.

    Args:
        phi: the optimizer's parameters.
        inputs: [steps, coordinates, inputs].
        state: the state before the first step.
        cotangents: [steps, coordinates], or None in a forward pass.

    Raises:
        ValueError: with the expected and the found shape, dtype or device.
    """
    size = sizes(phi)
    steps, coordinates = inputs.shape[:2]
    state_shape = (size.layers, coordinates, size.units)
    expected: dict[str, tuple[Tensor, tuple[int, ...]]] = {
        "inputs": (inputs, (steps, coordinates, size.inputs)),
        "state.hidden": (state.hidden, state_shape),
        "state.cell": (state.cell, state_shape),
    }
    if cotangents is not None:
        expected["cotangents"] = (cotangents, (steps, coordinates))
    weight = phi["head.weight"]
    for name, (tensor, shape) in expected.items():
        if tuple(tensor.shape) != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {shape}")
        if tensor.dtype != weight.dtype or tensor.device != weight.device:
            raise ValueError(
                f"{name} is {tensor.dtype} on {tensor.device}, "
                f"phi is {weight.dtype} on {weight.device}"
            )


def zero_state(phi: Phi, coordinates: int) -> LSTMState:
    """The state at the start of an episode: zeros, like phi in dtype and device.

    Its memory is [layers, units, coordinates], the order in which all implementations are fastest.

    Args:
        phi: the optimizer's parameters.
        coordinates: number of coordinates of theta.

    Returns:
        A new state.
    """
    size = sizes(phi)
    weight = phi["head.weight"]
    shape = (size.layers, size.units, coordinates)
    return LSTMState(
        weight.new_zeros(shape).transpose(1, 2),
        weight.new_zeros(shape).transpose(1, 2),
    )
