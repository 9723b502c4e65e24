"""The end of an epoch: phi's average is validated and the best is kept; collapse and divergence.

Validation runs a frozen phi on problems kept apart for this, the same ones each time.

A collapse: nothing is learned from the beginning on. Another initialisation is taken
(`l2l.meta.train`).

A divergence: the run has learned, and then a whole epoch is lost (a single window that diverges is
skipped by `l2l.meta.train`). phi steps back to the best validated weights, and the run continues
from there with the episodes that come next. It cannot repeat itself: the streams of problems and
draws have the number of their episode, the meta-optimizer's moments start anew, and the meta
learning rate is halved for the rest of the run. Lost episodes are not repeated, so every run ends
after the episodes that it was given.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

import torch

from l2l.config.recipes import Recipe
from l2l.errors import UserError
from l2l.meta.rollout import begin, rollout
from l2l.meta.schedule import window_length
from l2l.meta.state import TrainingState
from l2l.optimizers import Optimizer, bind
from l2l.problems import Problem

# A collapsed run is both: no progress in validation, and a meta-gradient too weak to change that.
# Measured on MNIST with head_init_scale 1, where most seeds saturate the problem and stay at
# ln(10), 0.98 of the initial loss: norm / meta-loss below 0.03; runs that learn: above 0.3.
NO_PROGRESS = 0.95  # of the initial loss
VANISHED = 0.1  # norm of the meta-gradient / meta-loss
# Healthy runs look the same at first (0.98 of the initial loss, 0.003, for up to 50 updates of an
# averaged phi), and are below 0.25 by update 125: with fewer updates no run is called collapsed.
UPDATES_BEFORE_COLLAPSE = 100

EXPLODED = 1000.0
"""Times the initial loss: more is no fluctuation. Of the default protocol's first fifteen runs none
validated above five times its first validation."""
SLOWER = 0.5
"""Factor of the meta learning rate for each step back."""
NOWHERE = -1
"""In the log's column `stepped_back_to`: the epoch did not diverge."""


class CollapseError(Exception):
    """An attempt that does not learn any more."""


class AllCollapsedError(UserError):
    """Every attempt of a meta-training collapsed."""


class DivergedError(UserError):
    """A meta-training diverged once more often than it may step back."""


@dataclass(frozen=True)
class ValidationResult:
    """Means over the validation problems, infinite where one diverged (never NaN).

    Attributes:
        initial: the judged loss at theta[0].
        final: the judged loss after the last step; the smallest chooses phi.
        mean: mean loss over steps 1..T.
    """

    initial: float
    final: float
    mean: float


def validate(
    problems: Problem, optimizer: Optimizer, steps: int, loss: str = "train_loss"
) -> ValidationResult:
    """Run whole episodes of `steps` inner steps on the validation problems.

    Args:
        problems: of validation.
        optimizer: with a frozen phi.
        steps: of an episode.
        loss: which loss judges: "train_loss" or "test_loss".
    """
    losses: list[torch.Tensor] = []
    optimizer = bind(optimizer, problems.places(), steps)
    carry = begin(problems, optimizer)
    end = rollout(problems, optimizer, carry, steps, lambda now: losses.append(now.loss))
    judged = getattr(problems, loss)
    values = judged(carry.theta), judged(end.theta), torch.stack(losses)
    means = (value.mean().item() for value in values)
    return ValidationResult(*(mean if math.isfinite(mean) else math.inf for mean in means))


def close_epoch(
    name: str, recipe: Recipe, rate: float, state: TrainingState, result: ValidationResult
) -> str:
    """Log the epoch, and keep phi if it is the best so far.

    The row's numbers are infinite where no window was finite; then `stepped_back_to` is the episode
    whose weights the run continues from.

    Args:
        name: of the recipe.
        recipe: what is trained.
        rate: the meta learning rate of the epoch's last episode.
        state: changed in place.
        result: the validation of `state.average`.

    Returns:
        What was done about a divergence; empty where there was none.

    Raises:
        CollapseError: at the first validations of an attempt.
        DivergedError: once more than the recipe's step_backs.
    """
    if not state.alive:
        check_alive(result, state)  # raises where the epoch diverged, too
    reason = why_diverged(result, state)
    losses = [loss for loss in state.epoch_losses if math.isfinite(loss)]
    no_norm = math.inf if state.epoch_skipped else 0.0  # 0: no window had a weight, so no gradient
    state.rows.append(
        {
            "episode": state.episode,
            "attempt": state.attempt,
            "window": window_length(recipe, state.episode - 1),
            "meta_learning_rate": rate,
            "train_loss": statistics.fmean(losses) if losses else math.inf,
            "meta_gradient_norm": statistics.median(state.epoch_norms or [no_norm]),
            "skipped_windows": state.epoch_skipped,
            "validation_final": result.final,
            "validation_mean": result.mean,
            "stepped_back_to": state.best_episode if reason else NOWHERE,
            "seconds": round(state.seconds, 2),
        }
    )
    state.epoch_losses, state.epoch_norms, state.epoch_skipped = [], [], 0
    if reason:
        return step_back(state, name, reason, recipe.step_backs)
    if result.final < state.best_validation:
        state.best, state.best_validation = state.average, result.final
        state.best_episode = state.episode
    return ""


def check_alive(result: ValidationResult, state: TrainingState) -> None:
    """Raise CollapseError where the epoch diverged, or is stuck and the meta-gradient vanished.

    An attempt that passes after enough updates is alive and not judged again.
    """
    if reason := why_diverged(result, state):
        raise CollapseError(reason)
    if len(state.signals) < UPDATES_BEFORE_COLLAPSE:
        return
    signal = statistics.median(state.signals[len(state.signals) // 2 :])
    if result.final > NO_PROGRESS * result.initial and signal < VANISHED:
        raise CollapseError(
            f"stuck at loss {result.final:.3g}, meta-gradient {signal:.1e} of the meta-loss"
        )
    state.alive, state.signals = True, []


def why_diverged(result: ValidationResult, state: TrainingState) -> str | None:
    """What went wrong in the epoch that ends here; None where it did not diverge."""
    if state.epoch_skipped and not state.epoch_norms:
        return "every meta-gradient was non-finite"
    if not (math.isfinite(result.final) and math.isfinite(result.mean)):
        return "the validation problems diverged"
    if result.final > EXPLODED * result.initial:
        return f"the validation loss exploded, {result.initial:.3g} to {result.final:.3g}"
    return None


def step_back(state: TrainingState, name: str, reason: str, limit: int) -> str:
    """Return to the best validated weights; the history and the episode's number stay.

    Args:
        state: changed in place.
        name: of the recipe.
        reason: from `why_diverged`.
        limit: how often a run may step back.

    Returns:
        What was done, for people.

    Raises:
        DivergedError: it has stepped back so often already.
    """
    done = len(state.diverged)
    if done >= limit:
        after = f" after {done} step{'s' * (done > 1)} back" if done else ""
        raise DivergedError(
            f"{name}: diverged at episode {state.episode}{after} ({reason}); lower "
            f"recipes.{name}.meta_learning_rate, or raise recipes.{name}.step_backs = {limit}"
        )
    state.phi = state.average = state.best
    state.memory = state.memory.new_zeros(state.memory.shape)
    state.reset_meta_optimizer()
    event = f"diverged at episode {state.episode} ({reason}), back to episode {state.best_episode}"
    state.diverged = [*state.diverged, event]
    return f"{event}, with half the meta learning rate"
