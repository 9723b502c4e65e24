"""What every optimizer is. It never sees the problem, only gradients."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor


class Optimizer(Protocol):
    """theta[t+1] = theta[t] + g[t], with (g[t], h[t+1]) = m(grad[t], h[t]): equations (1), (3)."""

    def init(self, theta: Tensor) -> Any:
        """The state h[0] for parameters theta [B, n]."""
        ...

    def update(self, gradient: Tensor, state: Any, reuse: bool = False) -> tuple[Tensor, Any]:
        """The step g[t] [B, n] to add to theta, and the next state.

        The old state stays as it is, unless `reuse` allows to overwrite its memory.
        """
        ...
