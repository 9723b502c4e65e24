"""What changes over meta-training: window lengths, the meta learning rate, the loss weights.

The meta learning rate is found by a random search; a trial is a job that runs the recipe's first
episodes. This module does not import torch: choosing among finished trials takes none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from l2l.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from l2l.config.recipes import MetaLearningRate, Recipe, UnrollStage
    from l2l.estimators.base import LossWeights

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


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


def trial_rate(settings: MetaLearningRate, seed: int, recipe: str, trial: int) -> float:
    """The log-uniform draw of a trial; the geometric mean of the range where none is searched.

    Draws are a golden-ratio sequence with a random shift: each is uniform, few of them spread over
    the range, and more trials leave the first ones as they are.
    """
    low, high = math.log(settings.low), math.log(settings.high)
    if settings.trials == 0:
        return math.exp((low + high) / 2)
    import torch

    from l2l.rng import stream

    shift = torch.rand(1, generator=stream(seed, "search", recipe), dtype=torch.float64).item()
    return math.exp(low + (high - low) * ((shift + trial * GOLDEN_RATIO) % 1))


def choose_rate(rates: Sequence[float], validations: Sequence[float], recipe: str) -> float:
    """The meta learning rate of the trial with the best validation loss.

    Raises:
        UserError: no trial came through.
    """
    finite = [pair for pair in zip(validations, rates, strict=True) if math.isfinite(pair[0])]
    if not finite:
        raise UserError(
            f"recipe {recipe}: no trial of the meta learning rate came through; "
            f"lower recipes.{recipe}.meta_learning_rate.low and high, or give it more episodes"
        )
    return min(finite)[1]


def loss_weights(recipe: Recipe) -> LossWeights:
    """The weights w[t] of equation (4); all of them are constants to phi."""
    chosen = recipe.loss_weights
    if chosen == "inverse":  # equal relative improvements count the same, late ones too
        return lambda losses, first: 1 / (losses + recipe.inverse_offset)
    if chosen == "equal":
        return lambda losses, first: losses.new_ones(losses.shape)
    given = [0.0] * (recipe.steps - 1) + [1.0] if chosen == "final" else list(chosen)

    def weights(losses: Tensor, first: int) -> Tensor:
        window = losses.new_tensor(given[first - 1 : first - 1 + losses.shape[0]])
        return window[:, None].expand_as(losses)

    return weights
