"""The baselines' learning rates: the best final error on a log grid, per optimizer and problem.

The tuning problems are not the test problems. If the best value is at the grid's edge, the grid is
widened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import torch

from l2l.config.experiments import Experiment, Grid
from l2l.errors import UserError
from l2l.meta.rollout import begin, rollout
from l2l.optimizers import make_baseline
from l2l.problems import Family, Problem, live_part
from l2l.progress import Progress

RATES_AT_ONCE = 4  # copies of the tuning problems that run side by side; this bounds memory


def tune(
    name: str, experiment: Experiment, baseline: str, family_name: str, family: Family
) -> pd.DataFrame:
    """Try a grid of learning rates and choose one.

    Args:
        name: the experiment's name.
        experiment: the horizon (the step whose loss decides), the grid, the number of problems.
        baseline: the hand-crafted optimizer.
        family_name: the name of the problem in the configuration.
        family: where the tuning problems come from.

    Returns:
        A row for each learning rate: experiment, family, optimizer, learning_rate, final_loss,
        mean_loss (means over problems; infinite where one diverged), chosen, widened (not in the
        first grid).

    Raises:
        UserError: the best value is still at the edge after all widenings, or all rates diverged.
    """
    tuning = experiment.tuning
    grid = tuning.grids[baseline]
    problems = live_part(
        family.sample(("tune", family_name), range(tuning.problems), experiment.horizon)
    )
    exponents = first = _grid(grid, tuning.points_per_decade)
    results: dict[int, tuple[float, float]] = {}
    label = f"tune {baseline} on {family_name}"
    for widening in range(tuning.max_widenings + 1):
        new = [k for k in exponents if k not in results]
        progress = Progress(label, math.ceil(len(new) / RATES_AT_ONCE), unit="batch")
        for start in range(0, len(new), RATES_AT_ONCE):
            batch = new[start : start + RATES_AT_ONCE]
            rates = [_rate(k, tuning.points_per_decade) for k in batch]
            losses = _losses(problems, baseline, rates, experiment.horizon)
            results.update(zip(batch, losses, strict=True))
            progress.advance()
        progress.close()
        best = min(results, key=lambda k: (results[k][0], k))  # all diverged: the lowest
        low, high = min(results), max(results)
        if low < best < high:
            break
        extra = tuning.points_per_decade
        downward = best == low
        exponents = range(low - extra, low) if downward else range(high + 1, high + 1 + extra)
        if widening < tuning.max_widenings:
            progress.say(f"best at the grid's edge ({_rate(best, extra):.3g}): widening the grid")
    else:
        raise UserError(
            f"{label}: the best learning rate is still at the edge of the grid after "
            f"{tuning.max_widenings} widenings; set "
            f"experiments.{name}.tuning.grids.{baseline} to another range"
        )
    return pd.DataFrame(
        {
            "experiment": name,
            "family": family_name,
            "optimizer": baseline,
            "learning_rate": [_rate(k, tuning.points_per_decade) for k in sorted(results)],
            "final_loss": [results[k][0] for k in sorted(results)],
            "mean_loss": [results[k][1] for k in sorted(results)],
            "chosen": [k == best for k in sorted(results)],
            "widened": [k not in first for k in sorted(results)],
        }
    )


def chosen_rates(table: pd.DataFrame) -> dict[str, float]:
    """The learning rates that tuning chose: family -> rate."""
    chosen = table[table["chosen"]]
    return dict(zip(chosen["family"], chosen["learning_rate"].astype(float), strict=True))


def _grid(grid: Grid, per_decade: int) -> range:
    """Exponents k of the learning rates 10^(k / per_decade) that cover the grid's range."""
    low = math.floor(math.log10(grid.low) * per_decade + 1e-9)
    high = math.ceil(math.log10(grid.high) * per_decade - 1e-9)
    return range(low, max(high, low + 2) + 1)


def _rate(exponent: int, per_decade: int) -> float:
    return 10 ** (exponent / per_decade)


def _losses(
    problems: Problem, baseline: str, rates: Sequence[float], horizon: int
) -> list[tuple[float, float]]:
    """(final, mean) loss of each learning rate, means over problems; infinite if one diverged."""
    repeated = problems.repeat(len(rates))
    theta = repeated.initial()
    each = torch.tensor(rates, dtype=theta.dtype, device=theta.device)
    optimizer = make_baseline(baseline, each.repeat_interleave(len(theta) // len(rates))[:, None])
    losses: list[torch.Tensor] = []
    end = rollout(
        repeated,
        optimizer,
        begin(repeated, optimizer),
        horizon,
        lambda now: losses.append(now.loss),
    )
    final = repeated.train_loss(end.theta).reshape(len(rates), -1).mean(dim=1)
    mean = torch.stack(losses).mean(dim=0).reshape(len(rates), -1).mean(dim=1)
    both = torch.stack([final, mean], dim=1)
    return [(f, m) for f, m in both.where(both.isfinite(), torch.inf).tolist()]
