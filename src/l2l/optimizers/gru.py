"""A gated recurrent unit over many coordinates, features first: long rows are fast on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor

from l2l.optimizers.learned import Phi


def gru_shapes(name: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Its weights, under the names of torch.nn.GRUCell: gates in the order r, z, n."""
    return {
        f"{name}.weight_ih": (3 * units, inputs),
        f"{name}.weight_hh": (3 * units, units),
        f"{name}.bias_ih": (3 * units,),
        f"{name}.bias_hh": (3 * units,),
    }


def gru(phi: Phi, name: str, inputs: Tensor, hidden: Tensor, bias: Tensor) -> Tensor:
    """The next hidden state.

    r, z = sigmoid(W_ih x + b + W_hh h + b_hh);  n = tanh(W_ih x + b + r (W_hh h + b_hh));
    h' = (1 - z) n + z h.

    Args:
        phi: the weights, see `gru_shapes`.
        name: of this unit in phi.
        inputs: x of all N, [inputs, N].
        hidden: h, [units, N].
        bias: b, in which bias_ih is contained, [3 units, N] or [3 units, 1].

    Returns:
        h', [units, N].
    """
    units = hidden.shape[0]
    below = torch.addmm(bias, phi[f"{name}.weight_ih"], inputs)
    before = torch.addmm(phi[f"{name}.bias_hh"][:, None], phi[f"{name}.weight_hh"], hidden)
    r, z = torch.sigmoid(below[: 2 * units] + before[: 2 * units]).split(units)
    n = torch.tanh(torch.addcmul(below[2 * units :], r, before[2 * units :]))
    return torch.lerp(n, hidden, z)
