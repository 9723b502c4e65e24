"""A coordinate-wise LSTM whose inputs and steps have no units.

It sees m / sqrt(v) and grad / sqrt(v), with ADAM's running means m and v (Lv, Jiang and Li 2017,
"Learning gradient descent: better generalization and longer horizons"). Its steps may be relative
to the size of their tensor, and over a run whose length it is told, as VeLO is (Metz et al. 2022),
they grow at first and then shrink to zero. A coordinate whose gradient has always been zero does
not move.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from l2l import kernels
from l2l.config.optimizers import NormalisedSettings
from l2l.kernels import Normalised
from l2l.kernels.interface import Sizes, phi_shapes
from l2l.kernels.reference import normalised_features
from l2l.optimizers.base import Phi, UpdateRule
from l2l.optimizers.lstm import lstm_step
from l2l.optimizers.weights import cells_and_head


class NormalisedState(NamedTuple):
    """The state of B problems with n coordinates each.

    Attributes:
        steps: how many there were, int64 [].
        moments: m and v for each decay, [decays, 2, B n].
        scale: what the LSTM's outputs are multiplied by, [B, n], or [B, 1] for one tensor.
        cells: of the LSTM.
    """

    steps: Tensor
    moments: Tensor
    scale: Tensor
    cells: kernels.State


@dataclass(frozen=True)
class NormalisedLSTM(UpdateRule):
    """theta[t+1] = theta[t] + output_scale * rms * head(lstm(m / sqrt(v), grad / sqrt(v))).

    rms is the root mean square of theta[0] over the coordinate's tensor, within bounds.

    Attributes:
        settings: architecture, decays, bounds.
        phi: the weights, under the names of torch.nn.LSTM and torch.nn.Linear.
        tensors: the number of each coordinate's tensor, int64 [n]; None: theta is one tensor.
        length: how many steps there will be; None: nobody knows, and steps do not shrink.
    """

    settings: NormalisedSettings
    phi: Phi
    tensors: Tensor | None = None
    length: int | None = None

    def bind(self, places: Mapping[str, Tensor], steps: int | None = None) -> NormalisedLSTM:
        """The optimizer for problems with these named parameters, and for so many steps."""
        if self.settings.tensor_size is None or len(places) == 1:
            return dataclasses.replace(self, tensors=None, length=steps)
        tensors = torch.empty_like(torch.cat(list(places.values())))
        for number, place in enumerate(places.values()):
            tensors[place] = number
        return dataclasses.replace(self, tensors=tensors, length=steps)

    def init(self, theta: Tensor) -> NormalisedState:
        """Moments and cells are zero; scales depend on theta [B, n]."""
        moments = self.phi["head.weight"].new_zeros(len(self.settings.decays), 2, theta.numel())
        steps = torch.zeros((), dtype=torch.int64, device=theta.device)
        cells = kernels.zero_state(self.phi, theta.numel())
        return NormalisedState(steps, moments, self._scale(theta), cells)

    def _scale(self, theta: Tensor) -> Tensor:
        bounds, scale = self.settings.tensor_size, self.settings.output_scale
        if bounds is None:
            return torch.full_like(theta[:, :1], scale)
        squares = theta.square()
        if self.tensors is None:
            means = squares.mean(dim=1, keepdim=True)
        else:
            sizes = self.tensors.bincount()
            sums = theta.new_zeros(len(theta), len(sizes)).index_add_(1, self.tensors, squares)
            means = (sums / sizes).index_select(1, self.tensors)
        return scale * means.sqrt().clamp(bounds.low, bounds.high)

    def _seen(self, before: Tensor, steps: int) -> Normalised:
        """How the gradients after so many steps are normalised; weights are [steps, decays]."""
        like, decays = self.phi["head.weight"], self.settings.decays
        if before.is_cuda:  # a CUDA graph knows no numbers
            t = before + torch.arange(1, steps + 1, dtype=torch.float64, device=before.device)
            weights = torch.stack([(1 - b) / (1 - b**t) for b in decays], dim=1).to(like)
        else:
            numbers = range(int(before) + 1, int(before) + steps + 1)
            weights = like.new_tensor([[(1 - b) / (1 - b**t) for b in decays] for t in numbers])
        return Normalised(weights, self.settings.p)

    def _factor(self, before: Tensor, steps: int = 1) -> Tensor:
        """What the next steps after so many are multiplied by, [steps, 1, 1]."""
        warm_up, linear = self.settings.warm_up, self.settings.schedule == "linear"
        if self.length is None or not (warm_up or linear):
            return self.phi["head.weight"].new_ones(())
        t = before + torch.arange(steps, dtype=torch.float64, device=before.device)
        factor = (1 - t / self.length).clamp(min=0) if linear else torch.ones_like(t)
        if warm_up:
            factor = factor * ((t + 1) / (warm_up * self.length)).clamp(max=1)
        return factor.to(self.phi["head.weight"])[:, None, None]

    def see(
        self, gradient: Tensor, state: NormalisedState
    ) -> tuple[Tensor, Tensor, NormalisedState]:
        """What the LSTM sees of a gradient [B, n]; for autograd.

        Returns:
            Its inputs [B n, inputs], which coordinates have ever had a gradient, bool [B n], and
            the state after the step but for its cells.
        """
        seen = self._seen(state.steps, 1)
        seen = seen._replace(weights=seen.weights[0])
        inputs, moves, moments = normalised_features(gradient.flatten(), state.moments, seen)
        return inputs, moves, state._replace(steps=state.steps + 1, moments=moments)

    def step(self, gradient: Tensor, state: NormalisedState) -> tuple[Tensor, NormalisedState]:
        """The step [B, n] for a gradient [B, n], and the next state: for autograd."""
        inputs, moves, after = self.see(gradient, state)
        output, *cells = lstm_step(self.phi, inputs, state.cells.hidden, state.cells.cell)
        scale = state.scale * self._factor(state.steps).reshape(-1, 1)
        step = scale * torch.where(moves, output, 0).reshape(gradient.shape)
        return step, after._replace(cells=kernels.LSTMState(*cells))

    def update(
        self, gradient: Tensor, state: NormalisedState, reuse: bool = False
    ) -> tuple[Tensor, NormalisedState]:
        """The step [B, n] for a gradient [B, n], and the next state; no graph is kept."""
        seen = self._seen(state.steps, 1)
        seen = seen._replace(weights=seen.weights[0])
        output, moments, cells = kernels.normalised_step(
            self.phi, gradient.flatten(), state.moments, seen, state.cells, reuse
        )
        step = output.reshape(gradient.shape).mul_(state.scale)
        step.mul_(self._factor(state.steps).reshape(-1, 1))
        return step, NormalisedState(state.steps + 1, moments, state.scale, cells)

    def backward(
        self,
        gradients: Tensor,
        state: NormalisedState,
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of phi over a window; see `UpdateRule.backward`."""
        scale = state.scale * self._factor(state.steps, len(gradients))
        outer = (cotangents * scale).flatten(1)
        seen = self._seen(state.steps, len(gradients))
        return kernels.normalised_window(
            self.phi,
            gradients.flatten(1),
            state.moments,
            seen,
            state.cells,
            sample(outer) if sample else outer,
        )

    @staticmethod
    def shapes(settings: NormalisedSettings) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi."""
        inputs = 2 * len(settings.decays) + (0 if settings.p is None else 2)
        return dict(phi_shapes(Sizes(inputs, settings.layers, settings.units)))

    @staticmethod
    def initial(settings: NormalisedSettings, generator: torch.Generator) -> Phi:
        """PyTorch's initialisation, U(+-1/sqrt(units)), the output layer times a setting."""
        shapes = NormalisedLSTM.shapes(settings)
        return cells_and_head(shapes, settings.units, settings.head_init_scale, generator)

    @staticmethod
    def conventions(settings: NormalisedSettings) -> dict[str, str]:
        """In the words of torch.nn.LSTM."""
        log = "" if settings.p is None else ", then equation (6) of the paper"
        rms = "" if settings.tensor_size is None else " * the clamped rms of the tensor's theta[0]"
        factors = ["1 - t / steps"] if settings.schedule == "linear" else []
        if settings.warm_up:
            factors.append(f"min(1, (t + 1) / ({settings.warm_up} steps))")
        left = "".join(f" * ({factor})" for factor in factors)
        left += ", if steps is known" if left else ""
        return {
            "input": "m / sqrt(v) and grad[t] / sqrt(v) of one coordinate for each decay, m and v "
            f"as ADAM's without bias, 0 where v is 0{log}",
            "gates": "i, f, g, o, as in torch.nn.LSTM",
            "output": f"theta[t+1] = theta[t] + output_scale * head(lstm(input)){rms}{left}; a "
            "coordinate whose gradient has always been 0 stays",
            "state": "one (m, v) for each coordinate and decay, one (h, c) for each coordinate, "
            "zero at the start",
        }
