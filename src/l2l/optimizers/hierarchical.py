r"""The hierarchical RNN of Wichrowska et al. 2017, "Learned Optimizers that Scale and Generalize".

Each coordinate i of theta has a small GRU (the parameter RNN), each tensor T of theta one above
them (the tensor RNN), and all of theta one on top (the global RNN). Means of hidden states go up;
linear maps of the upper hidden states come down, as biases of the gates. One step of a problem:

    inputs, for each coordinate and each time scale s = 0, 1, ..., S-1
        m_s     = b_m^(2^-s) m_s + (1 - b_m^(2^-s)) grad            averaged gradients
        v_s     = b_v^(2^-s) v_s + (1 - b_v^(2^-s)) m_s^2           their running squares
        x       = (m_s / sqrt(v_s + 1e-24),  log v_s - mean over s of log v_s,
                   R - mean over the problem of R)                  2 S + 1 numbers
    hierarchy
        h_i     = GRU(x_i, h_i;  bias A h_T + B h_G)                parameter RNNs
        h_T     = GRU(mean over i in T of h_i, h_T;  bias C h_G)    tensor RNNs
        h_G     = GRU(mean over T of h_T, h_G)                      global RNN
    outputs, for each coordinate
        d, a    = W h_i + U (m_s / sqrt(v_s))_s, each divided by its root mean square over T
        r       = R + w h_i + c;   R = p R + (1 - p) r              log learning rate, running one
        base'   = base + e^(q + r) d                                where theta is
        theta'  = base + e^r a                                      where the gradient is looked at
        b_m, b_v = sigmoid(D h_i + e)                               for the next step

A, B, C, W, U, w, c, p, q, D, e and the GRUs' weights are phi. All else is state. Scaling the
gradients by a constant changes no step (down to 1e-12, the square root of the 1e-24).

Taken from the released code where the paper leaves it open: U (an untrained optimizer then is
RMSprop with momentum: U = -1/S at the start, and what the RNN adds is small); a starts equal to d;
q = -1, p = sigmoid(3.2), b_m = sigmoid(2.2) and b_v = sigmoid(3.2) at the start; both b are 0 at
the first step, so that it sees the gradient's sign alone.

With tensor_units and global_units 0 the upper cells are cut: coordinates know of each other by the
root mean square over T and the mean of R alone. This is the ablation of claim C15.

Simplified against the paper:
    - theta, whose loss is measured, is the attended location, not the base: the loop knows one
      location only. The state has their difference. (As Nesterov's momentum is usually coded.)
    - R starts at one learning rate, the same everywhere; there it is drawn anew for each tensor and
      coordinate. r is kept between log 1e-12 and log 1e3.
    - The hidden states start at zero; there, at a learned vector.
    - PyTorch's initialisation of the GRUs; there, gates biased to remember.
    - No products of gradients of neighbouring scales as inputs (an option of the released code),
      and the tensor RNN sees the mean of hidden states alone, there of inputs too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from l2l.config.optimizers import HierarchicalSettings
from l2l.errors import UserError
from l2l.optimizers.base import Phi, UpdateRule, require_gradients
from l2l.optimizers.hierarchical_state import (
    HierarchicalState,
    Segments,
    parameter_inputs,
    running_averages,
    start,
)
from l2l.optimizers.weights import uniform

DIRECTIONS_FLOOR = 1e-8  # directions are of the order of 1 where there are gradients
LOG_RATES = (math.log(1e-12), math.log(1e3))
STEPS_KEPT = 800_000  # steps times coordinates: about half a gigabyte
DECAY_LOGITS = (2.2, 3.2)  # 0.90 and 0.96
MOMENTUM_LOGIT = 3.2
LOG_RATE_OF_BASE = -1.0


@dataclass(frozen=True)
class HierarchicalRNN(UpdateRule):
    """See the head of this file. It runs in plain PyTorch.

    Attributes:
        settings: units, time scales, first learning rate.
        phi: `parameter.*`, `tensor.*` and `global.*`, GRUs by the names of torch.nn.GRUCell;
            `parameter.from_tensor` A, `parameter.from_global` B, `tensor.from_global` C,
            `direction.weight` W, `direction.shortcut` U (rows d, a), `rate.weight` w, `rate.bias`
            c, `rate.momentum` (logit of p), `rate.base` q, `decay.weight` D and `decay.bias` e
            (rows b_m, b_v).
        segments: the problems' tensors, set by `bind`; None: theta is one tensor.
    """

    settings: HierarchicalSettings
    phi: Phi
    segments: Segments | None = None

    @staticmethod
    def shapes(settings: HierarchicalSettings) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi."""
        parameter, tensor, whole, scales = (
            settings.parameter_units,
            settings.tensor_units,
            settings.global_units,
            settings.scales,
        )
        return {
            **_gru_shapes("parameter", 2 * scales + 1, parameter),
            "parameter.from_tensor": (3 * parameter, tensor),
            "parameter.from_global": (3 * parameter, whole),
            **_gru_shapes("tensor", parameter, tensor),
            "tensor.from_global": (3 * tensor, whole),
            **_gru_shapes("global", tensor, whole),
            "direction.weight": (2, parameter),
            "direction.shortcut": (2, scales),
            "rate.weight": (1, parameter),
            "rate.bias": (1,),
            "rate.momentum": (1,),
            "rate.base": (1,),
            "decay.weight": (2, parameter),
            "decay.bias": (2,),
        }

    @staticmethod
    def initial(settings: HierarchicalSettings, generator: torch.Generator) -> Phi:
        """An optimizer that behaves like RMSprop with momentum.

        GRUs, and what comes down to them, are U(+-1/sqrt(units)); the rest as the head of this file
        says, with `head_init_scale` times the same range for W, w and D.
        """
        shapes = HierarchicalRNN.shapes(settings)
        phi: Phi = {}
        for level in ("parameter", "tensor", "global"):
            own = {name: shape for name, shape in shapes.items() if name.startswith(f"{level}.")}
            units = own[f"{level}.weight_hh"][1]
            phi |= uniform(own, 1 / math.sqrt(max(units, 1)), generator)  # 0: nothing to draw
        heads = {name: shapes[f"{name}.weight"] for name in ("direction", "rate", "decay")}
        bound = settings.head_init_scale / math.sqrt(settings.parameter_units)
        for name, weight in uniform(heads, bound, generator).items():
            phi[f"{name}.weight"] = weight
        phi["direction.weight"][1] = phi["direction.weight"][0]
        phi["direction.shortcut"] = torch.full((2, settings.scales), -1 / settings.scales)
        phi["rate.bias"] = torch.zeros(1)
        phi["rate.momentum"] = torch.tensor([MOMENTUM_LOGIT])
        phi["rate.base"] = torch.tensor([LOG_RATE_OF_BASE])
        phi["decay.bias"] = torch.tensor(DECAY_LOGITS)
        return {name: phi[name] for name in shapes}

    @staticmethod
    def conventions(settings: HierarchicalSettings) -> dict[str, str]:
        """What stands in the file beside the weights."""
        return {
            "input": "scaled averaged gradients, relative log squares of them, relative log rate",
            "gates": "r, z, n, as in torch.nn.GRUCell; upper states are added to bias_ih",
            "output": "steps between attended locations; equations: l2l/optimizers/hierarchical.py",
            "state": "HierarchicalState; hidden states zero, decays 0 at the start",
        }

    def bind(self, places: Mapping[str, Tensor], steps: int | None = None) -> Self:
        """The optimizer for problems whose theta consists of these tensors."""
        return dataclasses.replace(self, segments=Segments.of(places))

    def init(self, theta: Tensor) -> HierarchicalState:
        """The state before the first step.

        Raises:
            UserError: it is bound to problems with another number of coordinates.
        """
        n = theta.shape[1]
        sizes = self._segments(n).sizes
        if sum(sizes) != n:
            raise UserError(
                f"this optimizer is bound to parameters with {sum(sizes)} coordinates, but theta "
                f"has {n}: bind it to these problems (l2l.optimizers.bind)"
            )
        return start(self.settings, theta, len(sizes))

    def step(self, gradient: Tensor, state: HierarchicalState) -> tuple[Tensor, HierarchicalState]:
        """The step [B, n] of the attended location for a gradient [B, n], and the next state."""
        segments = self._segments(gradient.shape[1])
        average, square = running_averages(segments.group(gradient), state)
        scaled, inputs = parameter_inputs(average, square, state.log_rate)
        parameter, tensor, whole = self._hierarchy(inputs, state, segments)
        log_rate, running, log_decay = self._rates(parameter, state.log_rate)
        directions = self._directions(parameter, scaled, segments)
        base, attended = directions * torch.exp(
            log_rate + torch.stack([self.phi["rate.base"], log_rate.new_zeros(1)])[:, None]
        )
        after = HierarchicalState(
            average, square, log_decay, running, attended - base, parameter, tensor, whole
        )
        return segments.ungroup(attended - state.offset), after

    def backward(
        self,
        gradients: Tensor,
        state: HierarchicalState,
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of phi over a window; see `UpdateRule.backward`.

        A long window of a large problem is cut into parts. They are differentiated from the last to
        the first, each computed again from the state before it, so that at most `STEPS_KEPT`
        activations are in memory. `sample` is not used, as coordinates depend on each other.
        """
        length = max(1, STEPS_KEPT // gradients[0].numel())
        parts = list(zip(gradients.split(length), cotangents.split(length), strict=True))
        states = [state]
        for seen, _ in parts[:-1]:
            for gradient in seen:
                _, state = self.update(gradient, state)
            states.append(state)
        live = self.with_phi(require_gradients(self.phi))
        total = [torch.zeros_like(weight) for weight in self.phi.values()]
        adjoint: list[Tensor] = []  # dL / d state after the part; of the last one's, none
        for (seen, outer), before in zip(reversed(parts), reversed(states), strict=True):
            with torch.enable_grad():
                leaves = HierarchicalState(*(part.detach().requires_grad_() for part in before))
                value, after = _follow(live, seen, outer, leaves)
            derivatives = torch.autograd.grad(
                [value, *(after if adjoint else ())],
                [*live.phi.values(), *leaves],
                [torch.ones_like(value), *adjoint],
                allow_unused=True,
                materialize_grads=True,
            )
            total = [sofar + more for sofar, more in zip(total, derivatives, strict=False)]
            adjoint = list(derivatives[len(total) :])
        return dict(zip(self.phi, total, strict=True))

    def _segments(self, coordinates: int) -> Segments:
        return self.segments or Segments((coordinates,))

    def _hierarchy(
        self, inputs: Tensor, state: HierarchicalState, segments: Segments
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The next hidden states h_i, h_T, h_G. The biases come from those of the last step."""
        phi, each, tensors = self.phi, state.parameter.shape[1:], state.tensor.shape[1:]
        down = (phi["parameter.from_tensor"] @ state.tensor.flatten(1)).unflatten(1, tensors)
        down = down + _bias(phi, "parameter", state.whole)[..., None]
        parameter = _gru(
            phi,
            "parameter",
            inputs.flatten(1),
            state.parameter.flatten(1),
            segments.spread(down).flatten(1),
        ).unflatten(1, each)
        down = _bias(phi, "tensor", state.whole)[..., None].expand(-1, *tensors)
        tensor = _gru(
            phi,
            "tensor",
            segments.mean(parameter).flatten(1),
            state.tensor.flatten(1),
            down.flatten(1),
        ).unflatten(1, tensors)
        bias = phi["global.bias_ih"][:, None]
        return parameter, tensor, _gru(phi, "global", tensor.mean(dim=2), state.whole, bias)

    def _directions(self, parameter: Tensor, scaled: Tensor, segments: Segments) -> Tensor:
        """d and a, [2, B, n]."""
        raw = self.phi["direction.weight"] @ parameter.flatten(1)
        raw = torch.addmm(raw, self.phi["direction.shortcut"], scaled.flatten(1))
        raw = raw.unflatten(1, parameter.shape[1:])
        return raw * segments.spread(torch.rsqrt(segments.mean(raw * raw) + DIRECTIONS_FLOOR))

    def _rates(self, parameter: Tensor, running: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """r [B, n], the next R [B, n], and the logs of the next b_m and b_v [2, B, n]."""
        weight = torch.cat([self.phi["rate.weight"], self.phi["decay.weight"]])
        bias = torch.cat([self.phi["rate.bias"], self.phi["decay.bias"]])
        raw = torch.addmm(bias[:, None], weight, parameter.flatten(1))
        raw = raw.unflatten(1, parameter.shape[1:])
        log_rate = torch.clamp(running + raw[0], *LOG_RATES)
        running = torch.lerp(log_rate, running, torch.sigmoid(self.phi["rate.momentum"]))
        return log_rate, running, torch.nn.functional.logsigmoid(raw[1:])


def _follow(
    optimizer: HierarchicalRNN, gradients: Tensor, cotangents: Tensor, state: HierarchicalState
) -> tuple[Tensor, HierarchicalState]:
    """The sum of cotangent * step over some steps, and the state after them: for autograd."""
    total = cotangents.new_zeros(())
    for gradient, cotangent in zip(gradients, cotangents, strict=True):
        step, state = optimizer.step(gradient, state)
        total = total + (step * cotangent).sum()
    return total, state


def _bias(phi: Phi, level: str, whole: Tensor) -> Tensor:
    """bias_ih and what the global state [units, B] adds to it, [3 units, B]."""
    return torch.addmm(phi[f"{level}.bias_ih"][:, None], phi[f"{level}.from_global"], whole)


def _gru_shapes(name: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Its weights, under the names of torch.nn.GRUCell: gates in the order r, z, n."""
    return {
        f"{name}.weight_ih": (3 * units, inputs),
        f"{name}.weight_hh": (3 * units, units),
        f"{name}.bias_ih": (3 * units,),
        f"{name}.bias_hh": (3 * units,),
    }


def _gru(phi: Phi, name: str, inputs: Tensor, hidden: Tensor, bias: Tensor) -> Tensor:
    """The next hidden state of a gated recurrent unit over N coordinates.

    Features come first: long rows are fast on a CPU.

    r, z = sigmoid(W_ih x + b + W_hh h + b_hh);  n = tanh(W_ih x + b + r (W_hh h + b_hh));
    h' = (1 - z) n + z h.

    Args:
        phi: the weights, see `_gru_shapes`.
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
    r, z = torch.sigmoid(below[: 2 * units] + before[: 2 * units]).tensor_split(2)
    n = torch.tanh(torch.addcmul(below[2 * units :], r, before[2 * units :]))
    return torch.lerp(n, hidden, z)
