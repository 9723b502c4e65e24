"""An independent computation: torch.nn.LSTM and torch.nn.Linear, autograd, float64."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from l2l.kernels import LSTMState, Phi


class Case(NamedTuple):
    """A window with random phi, inputs, first state and cotangents, and what must come out."""

    phi: Phi
    inputs: Tensor
    state: LSTMState
    cotangents: Tensor
    outputs: Tensor
    last_state: LSTMState
    gradient: Phi

    def to(self, dtype: torch.dtype) -> "Case":
        """The same case in another dtype."""
        return Case(
            {name: value.to(dtype) for name, value in self.phi.items()},
            self.inputs.to(dtype),
            LSTMState(*(part.to(dtype) for part in self.state)),
            self.cotangents.to(dtype),
            self.outputs.to(dtype),
            LSTMState(*(part.to(dtype) for part in self.last_state)),
            {name: value.to(dtype) for name, value in self.gradient.items()},
        )


def make_case(
    coordinates: int, layers: int, units: int, steps: int = 6, inputs: int = 2, gain: float = 1.0
) -> Case:
    """Draw a case; `gain` scales the LSTM's inputs (large ones saturate the gates)."""
    generator = torch.Generator().manual_seed(1000 * coordinates + 10 * units + layers)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    lstm = nn.LSTM(inputs, units, layers, dtype=torch.float64)
    head = nn.Linear(units, 1, dtype=torch.float64)
    parameters = {f"lstm.{name}": value for name, value in lstm.named_parameters()}
    parameters |= {f"head.{name}": value for name, value in head.named_parameters()}
    with torch.no_grad():
        for value in parameters.values():
            value.copy_(draw(*value.shape) / units**0.5)
    x = gain * draw(steps, coordinates, inputs)
    state = LSTMState(
        0.5 * draw(layers, coordinates, units).tanh(), draw(layers, coordinates, units)
    )
    cotangents = draw(steps, coordinates)
    sequence, last = lstm(x, (state.hidden, state.cell))
    outputs = head(sequence)[..., 0]
    gradient = torch.autograd.grad((cotangents * outputs).sum(), list(parameters.values()))
    return Case(
        {name: value.detach() for name, value in parameters.items()},
        x,
        state,
        cotangents,
        outputs.detach(),
        LSTMState(last[0].detach(), last[1].detach()),
        dict(zip(parameters, gradient, strict=True)),
    )


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference over the norm of what is expected."""
    expected = expected.double()
    return float((found.double() - expected).norm() / expected.norm())
