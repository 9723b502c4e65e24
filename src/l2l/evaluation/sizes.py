"""How the number of the optimizer's weights phi grows with the number of coordinates of theta."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from l2l.errors import UserError
from l2l.evaluation.statistics import Effect


def growth(recipe: str, curves: Sequence[pd.DataFrame]) -> tuple[str, Effect]:
    """Count phi on the smallest and on the largest theta that a recipe was run on.

    Args:
        recipe: the learned optimizer.
        curves: tidy tables with `family`, `coordinates` and `weights`.

    Returns:
        The range of coordinates in words, and the growth of phi over it as a relative difference.
        It is a count, so the interval is the number itself; `problems` is the number of families.

    Raises:
        UserError: all families have the same number of coordinates.
    """
    runs = pd.concat([table[table["optimizer"] == recipe] for table in curves])
    sizes = runs.groupby("family")[["coordinates", "weights"]].max().sort_values("coordinates")
    small, large = sizes.iloc[0], sizes.iloc[-1]
    if small["coordinates"] == large["coordinates"]:
        raise UserError(f"sizes of {recipe}: all problems have {small['coordinates']} coordinates")
    grown = large["weights"] / small["weights"] - 1
    text = (
        f"{small['weights']:,} weights phi for {small['coordinates']:,} coordinates of theta, "
        f"{large['weights']:,} for {large['coordinates']:,}"
    )
    return text, Effect(grown, grown, grown, 0.0, len(sizes))
