"""What every optimizer is, and what every learned one is. None sees the problem, only gradients."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor

Phi = dict[str, Tensor]
"""The weights of a learned optimizer by name."""


class Optimizer(Protocol):
    """theta[t+1] = theta[t] + g[t], with (g[t], h[t+1]) = m(grad[t], h[t]): equations (1), (3)."""

    def init(self, theta: Tensor) -> Any:
        """The state h[0] for parameters theta [B, n]."""
        ...

    def update(self, gradient: Tensor, state: Any, reuse: bool = False) -> tuple[Tensor, Any]:
        """The step g[t], [B, n], to add to theta, and the next state.

        The old state stays as it is, unless `reuse` allows to overwrite its memory.
        """
        ...


class UpdateRule(ABC):
    """A learned optimizer m(grad, h, phi); a subclass is a frozen dataclass of `settings`, `phi`.

    A new kind needs `shapes`, `initial`, `init` and `step` (docs/extending.md). The other methods
    can be overridden where there is a faster way.

    A state is a tensor, or a tuple (of tuples) of tensors.

    Attributes:
        settings: as the configuration has them.
        phi: the weights.
    """

    settings: Any
    phi: Phi

    @staticmethod
    @abstractmethod
    def shapes(settings: Any) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi; they depend on the settings alone, never on theta (C12)."""

    @staticmethod
    @abstractmethod
    def initial(settings: Any, generator: torch.Generator) -> Phi:
        """The weights at the start of meta-training: float32 tensors on the CPU."""

    @staticmethod
    def conventions(settings: Any) -> dict[str, str]:
        """What its file says of inputs, outputs and state, for readers without this code."""
        return {}

    @abstractmethod
    def init(self, theta: Tensor) -> Any:
        """The state h[0] for parameters theta [B, n]."""

    @abstractmethod
    def step(self, gradient: Tensor, state: Any) -> tuple[Tensor, Any]:
        """The step g[t], [B, n], for a gradient [B, n], and the next state, in plain PyTorch.

        Autograd can go through it to phi, to the gradient and to the state.
        """

    def bind(self, places: Mapping[str, Tensor], steps: int | None = None) -> UpdateRule:
        """The optimizer for problems with these named parameters; itself, if it needs no names.

        Args:
            places: name -> numbers of its coordinates, see `Problem.places`.
            steps: how many steps there will be; None: nobody knows.
        """
        return self

    def with_phi(self, phi: Phi) -> Self:
        """The same optimizer with other weights."""
        return dataclasses.replace(self, phi=phi)  # type: ignore[type-var]

    @torch.no_grad()
    def update(self, gradient: Tensor, state: Any, reuse: bool = False) -> tuple[Tensor, Any]:
        """The step [B, n] for a gradient [B, n], and the next state; no graph is kept."""
        return self.step(gradient, state)

    def backward(
        self,
        gradients: Tensor,
        state: Any,
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of phi over a window of K steps, through the optimizer alone.

        Here by autograd over the whole window, which keeps all activations.

        Args:
            gradients: what `update` saw at each step, [K, B, n].
            state: h before the first step.
            cotangents: dL / d step, [K, B, n].
            sample: see `l2l.estimators.sampling`; coordinates of zero cotangents add nothing.

        Returns:
            The gradient, under the names and with the shapes of phi.
        """
        if sample is not None:
            cotangents = sample(cotangents.flatten(1)).view_as(cotangents)
        with torch.enable_grad():
            live = self.with_phi(require_gradients(self.phi))
            total = cotangents.new_zeros(())
            for gradient, cotangent in zip(gradients, cotangents, strict=True):
                step, state = live.step(gradient, state)
                total = total + (step * cotangent).sum()
        return gradient_of(total, live.phi)


def require_gradients(phi: Phi) -> Phi:
    """The same weights as leaves of a new graph."""
    return {name: weight.detach().requires_grad_() for name, weight in phi.items()}


def gradient_of(value: Tensor, phi: Phi) -> Phi:
    """The gradient of a scalar with respect to phi; zero where it does not depend on a weight."""
    gradients: Sequence[Tensor | None] = torch.autograd.grad(
        value, list(phi.values()), allow_unused=True
    )
    return {
        name: torch.zeros_like(weight) if gradient is None else gradient
        for (name, weight), gradient in zip(phi.items(), gradients, strict=True)
    }


def map_state(state: Any, function: Callable[[Any], Any]) -> Any:
    """A state that looks the same, with the function's value in place of each of its tensors."""
    if not isinstance(state, tuple):
        return function(state)
    parts = [map_state(part, function) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


def detach_state(state: Any) -> Any:
    """A state without its graph."""
    return map_state(state, lambda part: part.detach() if isinstance(part, Tensor) else part)
