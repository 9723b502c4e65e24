"""What every kernel shares: the recurrent state, and the sizes that phi implies."""

import functools
from typing import NamedTuple, Protocol

from torch import Tensor

Phi = dict[str, Tensor]
"""The optimizer's parameters under the names of `torch.nn.LSTM` ("lstm.weight_ih_l0", ...) and of
its linear output layer ("head.weight", "head.bias"); gates in torch's order i, f, g, o."""

LAYER_PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Sizes(NamedTuple):
    """Number of inputs of a coordinate, LSTM layers and units in a layer."""

    inputs: int
    layers: int
    units: int


def check_tensor(name: str, tensor: Tensor, shape: tuple[int, ...], like: Tensor) -> None:
    """Raise ValueError where a tensor's shape is another, or its dtype or device is not like's."""
    if tensor.shape != shape:
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {shape}")
    if tensor.dtype != like.dtype or tensor.device != like.device:
        raise ValueError(
            f"{name} is {tensor.dtype} on {tensor.device}, "
            f"expected {like.dtype} on {like.device} as phi's head.weight"
        )


class LSTMState(NamedTuple):
    """The recurrent state of all coordinates as two tensors: every implementation takes it.

    Attributes:
        hidden: h, [layers, coordinates, units].
        cell: c, the same shape.
    """

    hidden: Tensor
    cell: Tensor

    def check(self, size: Sizes, coordinates: int, like: Tensor) -> None:
        """Raise ValueError where the state does not fit phi and the inputs."""
        shape = (size.layers, coordinates, size.units)
        check_tensor("state.hidden", self.hidden, shape, like)
        check_tensor("state.cell", self.cell, shape, like)


class Normalised(NamedTuple):
    """How gradients are related to their own running size.

    Running means m and v of the gradient and of its square are ADAM's, without bias: with decay b
    the t-th gradient has the weight (1 - b) / (1 - b^t) in them.

    Attributes:
        weights: of the new gradient, [decays], or of each of a window's, [steps, decays].
        p: of equation (6), whose two inputs come after the others; None: there are none.
    """

    weights: Tensor
    p: float | None


class State(Protocol):
    """The recurrent state as any implementation may keep it; callers pass it on.

    `hidden` and `cell` are what `LSTMState` says, perhaps as copies.
    """

    @property
    def hidden(self) -> Tensor:
        """h, [layers, coordinates, units]."""
        ...

    @property
    def cell(self) -> Tensor:
        """c, [layers, coordinates, units]."""
        ...

    def check(self, size: Sizes, coordinates: int, like: Tensor) -> None:
        """Raise ValueError where the state does not fit phi and the inputs."""
        ...


def sizes(phi: Phi) -> Sizes:
    """The number of inputs, layers and units that the shapes of phi say."""
    four_units, inputs = phi["lstm.weight_ih_l0"].shape
    return Sizes(inputs, _layers(tuple(phi)), four_units // 4)


@functools.lru_cache(maxsize=64)
def _layers(names: tuple[str, ...]) -> int:
    """The number of layers by the names of phi; kept, as every step asks for it."""
    return sum(name.startswith("lstm.weight_ih_l") for name in names)


def layer_parameters(phi: Phi, layer: int) -> list[Tensor]:
    """weight_ih [4 units, inputs], weight_hh [4 units, units], bias_ih, bias_hh [4 units]."""
    return [phi[f"lstm.{name}_l{layer}"] for name in LAYER_PARAMETERS]


@functools.lru_cache(maxsize=64)
def phi_shapes(size: Sizes) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The names of phi and the shapes that the sizes imply, in the order of the flat phi."""
    shapes: list[tuple[str, tuple[int, ...]]] = []
    gates = 4 * size.units
    for layer in range(size.layers):
        widths = (size.units if layer else size.inputs, size.units)
        layer_shapes = [(gates, width) for width in widths] + [(gates,), (gates,)]
        names = [f"lstm.{name}_l{layer}" for name in LAYER_PARAMETERS]
        shapes.extend(zip(names, layer_shapes, strict=True))
    return (*shapes, ("head.weight", (1, size.units)), ("head.bias", (1,)))


def check_window(phi: Phi, inputs: Tensor, state: State, cotangents: Tensor | None) -> None:
    """Refuse shapes, dtypes and devices that do not belong together.

    The compiled kernels read memory by these sizes alone, so every tensor of phi is checked in
    every call: a tensor can change its shape or memory and stay the same object.

    Args:
        phi: the optimizer's parameters.
        inputs: [steps, coordinates, inputs], or [coordinates, inputs] in a forward step.
        state: the state before the first step.
        cotangents: [steps, coordinates], or None in a forward step.

    Raises:
        ValueError: with the tensor's name, and the expected and the actual shape, dtype or device.
    """
    first = phi.get("lstm.weight_ih_l0")
    if first is None or first.ndim != 2:
        actual = "missing" if first is None else f"of shape {tuple(first.shape)}"
        raise ValueError(f"phi's lstm.weight_ih_l0 is {actual}, expected [4 units, inputs]")
    size = sizes(phi)
    shapes = phi_shapes(size)
    for name, shape in shapes:
        if name not in phi:
            raise ValueError(f"phi has no {name}, expected one of shape {shape}")
    like = phi["head.weight"]
    for name, shape in shapes:
        check_tensor(name, phi[name], shape, like)
    outer = inputs.shape[: 1 if cotangents is None else 2]
    check_tensor("inputs", inputs, (*outer, size.inputs), like)
    state.check(size, outer[-1], like)
    if cotangents is not None:
        check_tensor("cotangents", cotangents, tuple(outer), like)


def check_normalised(
    phi: Phi,
    gradients: Tensor,
    moments: Tensor,
    seen: Normalised,
    state: State,
    cotangents: Tensor | None,
) -> None:
    """`check_window` for gradients [steps, coordinates] or [coordinates], and for their moments."""
    decays = seen.weights.shape[-1]
    inputs = 2 * decays + (2 if seen.p is not None else 0)
    check_window(phi, gradients[..., None].expand(*gradients.shape, inputs), state, cotangents)
    like = phi["head.weight"]
    check_tensor("weights", seen.weights, (*gradients.shape[:-1], decays), like)
    check_tensor("moments", moments, (decays, 2, gradients.shape[-1]), like)


def active_part(
    inputs: Tensor, state: State, cotangents: Tensor
) -> tuple[Tensor, LSTMState, Tensor]:
    """A window without the coordinates whose cotangents are zero at all steps.

    They add nothing to the gradient of phi. Arguments as for `l2l.kernels.backward_window`.
    """
    hidden, cell = state.hidden, state.cell
    active = (cotangents != 0).any(dim=0)
    if bool(active.all()):
        return inputs, LSTMState(hidden, cell), cotangents
    return inputs[:, active], LSTMState(hidden[:, active], cell[:, active]), cotangents[:, active]
