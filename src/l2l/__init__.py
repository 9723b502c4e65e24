"""Learned optimizers, their meta-training, and a replication of Andrychowicz et al. (2016).

For one's own code: `l2l.LearnedOptimizer`, a `torch.optim.Optimizer`, and `l2l.released()`, what
ships. The first imports torch when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from l2l.shipped import released
    from l2l.torch_optim import LearnedOptimizer

__all__ = ["LearnedOptimizer", "released"]


def __getattr__(name: str) -> Any:
    if name == "LearnedOptimizer":
        from l2l.torch_optim import LearnedOptimizer

        return LearnedOptimizer
    if name == "released":
        from l2l.shipped import released

        return released
    raise AttributeError(f"module 'l2l' has no attribute '{name}'")
