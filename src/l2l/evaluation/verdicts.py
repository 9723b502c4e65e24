"""The table of claims: its columns, its verdicts, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from l2l.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

REPLICATED, NOT_REPLICATED, INCONCLUSIVE = "replicated", "not replicated", "inconclusive"
UNFINISHED = "not settled: meta-training had not finished"
FEW_PROBLEMS = "not enough problems"
FEW_SEEDS = "not enough meta-seeds"
NOT_JUDGED = "not judged (smoke)"
NOT_YET_RUN = "not yet run"
"""The verdict on a claim that nothing of a run can judge."""
WORST_FIRST = (
    NOT_REPLICATED,
    INCONCLUSIVE,
    UNFINISHED,
    FEW_PROBLEMS,
    FEW_SEEDS,
    NOT_JUDGED,
    REPLICATED,
)

OPTIMIZER, RECIPE, MEASUREMENT = "optimizer", "recipe", "measurement"
"""Who answers: the meta-seed that validated best, as in the paper; all meta-seeds of the recipe;
or, where no meta-training is asked, a table of measurements or a count."""

TEXT, COUNT, NUMBER, FLAG = "str", "Int64", "float64", "bool"
COLUMNS = {
    "claim": TEXT,
    "study": TEXT,
    "answer": TEXT,
    "experiment": TEXT,
    "recipe": TEXT,
    "meta_seed": COUNT,
    "baseline": TEXT,
    "rates": TEXT,
    "metric": TEXT,
    "loss": TEXT,
    "first_step": COUNT,
    "horizon": COUNT,
    "target": NUMBER,
    "table": TEXT,
    "condition": TEXT,
    "claimed": TEXT,
    "allowance": NUMBER,
    "effect": TEXT,
    "seeds": COUNT,
    "baseline_seeds": COUNT,
    "problems": COUNT,
    "runs": COUNT,
    "diverged": COUNT,
    "baseline_runs": COUNT,
    "baseline_diverged": COUNT,
    "estimate": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "geometric": NUMBER,
    "wins": NUMBER,
    "verdict": TEXT,
    "primary": FLAG,
    "deciding": FLAG,
    "needs_problems": COUNT,
    "needs_seeds": COUNT,
    "needs_episodes": COUNT,
    "protocol": TEXT,
    "data": TEXT,
}
"""The columns with their types; what they mean: see `l2l.evaluation.claims.evaluate_claims`."""


def read_claims(path: Path) -> pd.DataFrame:
    """A table of claims with the types of `COLUMNS`; texts are "" where there is none.

    Raises:
        UserError: the file is not a table of claims.
    """
    import pandas as pd

    try:
        missing = {name: [""] for name, kind in COLUMNS.items() if kind != TEXT}
        return pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, na_values=missing)[
            [*COLUMNS]
        ]
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is no table of claims ({error}): run l2l claims again") from None
