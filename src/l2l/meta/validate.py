"""Validation: phi is frozen and run on problems kept apart for this, the same ones each time."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from l2l.meta.rollout import begin, rollout
from l2l.optimizees import Optimizee
from l2l.optimizers import Optimizer, bind


@dataclass(frozen=True)
class ValidationResult:
    """Means over the validation problems.

    Attributes:
        initial: train_loss at theta[0].
        final: train_loss after the last step; the smallest chooses phi.
        mean: mean loss over steps 1..T.
    """

    initial: float
    final: float
    mean: float


def validate(problems: Optimizee, optimizer: Optimizer, steps: int) -> ValidationResult:
    """Run whole episodes of `steps` inner steps on the validation problems."""
    losses: list[torch.Tensor] = []
    optimizer = bind(optimizer, problems.places())
    carry = begin(problems, optimizer)
    end = rollout(problems, optimizer, carry, steps, lambda now: losses.append(now.loss))
    return ValidationResult(
        initial=problems.train_loss(carry.theta).mean().item(),
        final=problems.train_loss(end.theta).mean().item(),
        mean=torch.stack(losses).mean().item(),
    )
