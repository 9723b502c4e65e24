"""What changes over meta-training: window lengths, the meta learning rate, the loss weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from l2l.estimators.base import LossWeights

if TYPE_CHECKING:
    from l2l.config.recipes import MetaLearningRate, Recipe, UnrollStage


def window_length(recipe: Recipe, episode: int) -> int:
    """The window length of an episode, at most the episode's own length."""
    return min(_stage(recipe, episode).window, episode_length(recipe, episode))


def episode_length(recipe: Recipe, episode: int) -> int:
    """The inner steps of an episode."""
    return _stage(recipe, episode).steps or recipe.steps


def _stage(recipe: Recipe, episode: int) -> UnrollStage:
    return [s for s in recipe.unroll if episode >= s.start * recipe.episodes][-1]


def meta_learning_rate(settings: MetaLearningRate, rate: float, progress: float) -> float:
    """The meta learning rate at a fraction `progress` in [0, 1) of the episodes."""
    if settings.schedule == "constant":
        return rate
    final = settings.final_fraction
    return rate * (final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2)


def loss_weights(recipe: Recipe) -> LossWeights:
    """The weights w[t] of equation (4); all of them are constants to phi."""
    chosen = recipe.loss_weights
    if chosen == "inverse":  # equal relative improvements count the same, late ones too
        return lambda losses, first: 1 / (losses + recipe.inverse_offset)
    if chosen == "equal":
        return lambda losses, first: torch.ones_like(losses)
    given = [0.0] * (recipe.steps - 1) + [1.0] if chosen == "final" else list(chosen)

    def weights(losses: Tensor, first: int) -> Tensor:
        window = losses.new_tensor(given[first - 1 : first - 1 + losses.shape[0]])
        return window[:, None].expand_as(losses)

    return weights
