"""Learned optimizers as a `torch.optim.Optimizer`, for one's own code: `l2l.LearnedOptimizer`."""

from l2l.torch_optim.optimizer import LearnedOptimizer

__all__ = ["LearnedOptimizer"]
