"""Meta-trainings that diverge after they have learned: seen, and stepped back from.

A single window that diverges is skipped (`l2l.meta.train`). Where a whole epoch was lost, phi goes
back to the best weights that were validated, and the run goes on from there with the episodes that
come next. It cannot repeat itself: problems and draws have the number of their episode, the
meta-optimizer's moments start anew, and the meta learning rate is halved for the rest of the run.
Episodes are not made up for, so a run ends, whatever happens, after as many as it was given.
"""

from __future__ import annotations

import math

from l2l.errors import UserError
from l2l.meta.state import TrainingState
from l2l.meta.validate import ValidationResult

EXPLODED = 1000.0
"""Times the initial loss: more is no fluctuation. Of the default protocol's first fifteen runs none
validated above five times its first validation."""
SLOWER = 0.5
"""Factor of the meta learning rate for each step back."""


class DivergedError(UserError):
    """A meta-training diverged once more often than it may step back."""


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
    """Go back to the best validated weights; the history and the episode's number stay.

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
    told = f"diverged at episode {state.episode} ({reason}), back to episode {state.best_episode}"
    state.diverged = [*state.diverged, told]
    return f"{told}, with half the meta learning rate"
