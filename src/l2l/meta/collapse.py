"""Meta-trainings at which nothing is learned: seen early, so that another start can be taken."""

from __future__ import annotations

import statistics

from l2l.errors import UserError
from l2l.meta.divergence import why_diverged
from l2l.meta.state import TrainingState
from l2l.meta.validate import ValidationResult

# A collapsed run is both: no progress in validation, and a meta-gradient too weak to change that.
# Measured on MNIST with head_init_scale 1, where most seeds saturate the problem and stay at
# ln(10), 0.98 of the initial loss: norm / meta-loss below 0.03; runs that learn: above 0.3.
STUCK = 0.95  # of the initial loss
VANISHED = 0.1  # norm of the meta-gradient / meta-loss
# Healthy runs look the same at first (0.98 of the initial loss, 0.003, for up to 50 updates of an
# averaged phi), and are below 0.25 by update 125: before this many, nothing is called stuck.
UPDATES_BEFORE_STUCK = 100


class CollapseError(Exception):
    """An attempt at which nothing is learned any more."""


class AllCollapsedError(UserError):
    """Every attempt of a meta-training collapsed."""


def check_alive(result: ValidationResult, state: TrainingState) -> None:
    """Raise CollapseError where the epoch diverged, or is stuck and the meta-gradient vanished.

    Once an attempt has made enough updates and stands, it is not judged again.
    """
    if reason := why_diverged(result, state):
        raise CollapseError(reason)
    if len(state.signals) < UPDATES_BEFORE_STUCK:
        return
    signal = statistics.median(state.signals[len(state.signals) // 2 :])
    if result.final > STUCK * result.initial and signal < VANISHED:
        raise CollapseError(
            f"stuck at loss {result.final:.3g}, meta-gradient {signal:.1e} of the meta-loss"
        )
    state.alive, state.signals = True, []
