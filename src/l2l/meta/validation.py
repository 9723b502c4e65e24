"""Validation: phi is frozen and runs on problems kept apart for this, the same ones each time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from l2l.meta.rollout import begin, rollout
from l2l.optimizers import Optimizer, bind
from l2l.problems import Problem


@dataclass(frozen=True)
class ValidationResult:
    """Means over the validation problems, infinite where one diverged (never NaN).

    Attributes:
        initial: train_loss at theta[0].
        final: train_loss after the last step; the smallest chooses phi.
        mean: mean loss over steps 1..T.
    """

    initial: float
    final: float
    mean: float


def validate(problems: Problem, optimizer: Optimizer, steps: int) -> ValidationResult:
    """Run whole episodes of `steps` inner steps on the validation problems."""
    losses: list[torch.Tensor] = []
    optimizer = bind(optimizer, problems.places())
    carry = begin(problems, optimizer)
    end = rollout(problems, optimizer, carry, steps, lambda now: losses.append(now.loss))
    return ValidationResult(
        initial=_mean(problems.train_loss(carry.theta)),
        final=_mean(problems.train_loss(end.theta)),
        mean=_mean(torch.stack(losses)),
    )


def _mean(losses: torch.Tensor) -> float:
    mean = losses.mean().item()
    return mean if math.isfinite(mean) else math.inf
