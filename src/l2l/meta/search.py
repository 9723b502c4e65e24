"""Random search of the meta learning rate; each trial is the recipe's beginning, a job apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from l2l.config.recipes import MetaLearningRate
from l2l.errors import UserError

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def trial_rate(settings: MetaLearningRate, seed: int, recipe: str, trial: int) -> float:
    """The log-uniform draw of a trial; the geometric mean of the range where none is searched.

    Draws are a golden-ratio sequence with a random shift: each is uniform, few of them spread over
    the range, and more trials leave the first ones as they are.
    """
    low, high = math.log(settings.low), math.log(settings.high)
    if settings.trials == 0:
        return math.exp((low + high) / 2)
    import torch  # not at the top: to choose among trials that are done takes no torch

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
