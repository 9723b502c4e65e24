"""Learned optimizers, their meta-training, and a replication of Andrychowicz et al. (2016).

For your own code: `l2l.LearnedOptimizer` is a `torch.optim.Optimizer`; `l2l.released()` lists the
trained optimizers that come with the package. torch is imported with the first use of the former.
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
