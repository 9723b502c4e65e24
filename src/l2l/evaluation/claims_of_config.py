"""The claims, once it is sure that a run of the configuration can judge them."""

from __future__ import annotations

from pathlib import Path

from l2l.config import Config
from l2l.config.measurements import measurement_columns
from l2l.evaluation.claims_file import Claim, check_claims, load_claims


def claims_of(config: Config, path: Path) -> tuple[Claim, ...]:
    """Read the claims and compare them with what the configuration tests and measures.

    Args:
        config: of the run.
        path: config/claims.yaml.

    Raises:
        UserError: see `load_claims` and `check_claims`.
    """
    claims, experiments = load_claims(path), config.experiments
    check_claims(
        claims,
        {name: (*entry.learned, *entry.baselines) for name, entry in experiments.items()},
        {name: entry.steps for name, entry in experiments.items()},
        [name for name, entry in experiments.items() if len(entry.problems) > 1],
        measurement_columns(config),
    )
    return claims
