"""The end of an epoch: a row of the log, the best phi kept, a divergence stepped back from."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from l2l.meta.collapse import check_alive
from l2l.meta.divergence import step_back, why_diverged
from l2l.meta.schedule import window_length
from l2l.meta.state import TrainingState
from l2l.meta.validate import ValidationResult

if TYPE_CHECKING:
    from l2l.meta.train import Training

NOWHERE = -1
"""In the log's column `stepped_back_to`: the epoch did not diverge."""


def close_epoch(training: Training, state: TrainingState, result: ValidationResult) -> str:
    """Log the epoch, and keep phi if it is the best so far.

    The row's numbers are infinite where nothing finite was seen; then `stepped_back_to` is the
    episode whose weights are gone on with.

    Returns:
        What was done about a divergence; empty where there was none.

    Raises:
        CollapseError: seen at the first validations of an attempt.
        DivergedError: once more than the recipe's step_backs.
    """
    if not state.alive:
        check_alive(result, state)  # raises where the epoch diverged, too
    reason = why_diverged(result, state)
    losses = [loss for loss in state.epoch_losses if math.isfinite(loss)]
    nothing = math.inf if state.epoch_skipped else 0.0  # no window had a weight: no gradient
    state.rows.append(
        {
            "episode": state.episode,
            "attempt": state.attempt,
            "window": window_length(training.recipe, state.episode - 1),
            "meta_learning_rate": training.rate_at(state, state.episode - 1),
            "train_loss": statistics.fmean(losses) if losses else math.inf,
            "meta_gradient_norm": statistics.median(state.epoch_norms or [nothing]),
            "skipped_windows": state.epoch_skipped,
            "validation_final": result.final,
            "validation_mean": result.mean,
            "stepped_back_to": state.best_episode if reason else NOWHERE,
            "seconds": round(state.seconds, 2),
        }
    )
    state.epoch_losses, state.epoch_norms, state.epoch_skipped = [], [], 0
    if reason:
        return step_back(state, training.name, reason, training.recipe.step_backs)
    if result.final < state.best_validation:
        state.best, state.best_validation = state.average, result.final
        state.best_episode = state.episode
    return ""
