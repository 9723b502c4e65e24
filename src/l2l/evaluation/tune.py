"""The baselines' learning rates: the best on a log grid, per optimizer, problem and metric.

The tuning problems are not the test problems. What is compared is what tests are judged by: the
loss at the horizon, or the mean loss of the way there, on held-out data where the experiment shows
those. Tuning has held-out data of its own (`Family.apart`). If a best value is at the grid's edge,
the grid is widened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import torch

from l2l.config.experiments import Experiment, Grid, TunedFor
from l2l.errors import UserError
from l2l.evaluation.rates import BOTH, FINAL, MEAN
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import bind, make_baseline
from l2l.problems import Family, Problem, live_part
from l2l.progress import Progress

RATES_AT_ONCE = 4  # copies of the tuning problems that run side by side; this bounds memory


def tune(
    name: str, experiment: Experiment, baseline: str, family_name: str, family: Family
) -> pd.DataFrame:
    """Try a grid of learning rates and choose one by each metric of the experiment's tuning.

    Args:
        name: the experiment's name.
        experiment: the horizon, the loss that is shown, the metrics, the grid, the number of
            problems.
        baseline: the hand-crafted optimizer.
        family_name: the name of the problem in the configuration.
        family: where the tuning problems come from.

    Returns:
        A row for each learning rate: experiment, family, optimizer, learning_rate, final_loss,
        mean_loss (means over problems; infinite where one diverged), chosen_for (see
        `l2l.evaluation.rates`), widened (not in the first grid).

    Raises:
        UserError: a best value is still at the edge after all widenings, or all rates diverged.
    """
    tuning = experiment.tuning
    grid = tuning.grids[baseline]
    source = family.apart() if experiment.tuned_on_held_out else family
    problems = live_part(
        source.sample(("tune", family_name), range(tuning.problems), experiment.horizon)
    )
    exponents = first = _grid(grid, tuning.points_per_decade)
    results: dict[int, dict[str, float]] = {}
    label = f"tune {baseline} on {family_name}"
    for widening in range(tuning.max_widenings + 1):
        new = [k for k in exponents if k not in results]
        progress = Progress(label, math.ceil(len(new) / RATES_AT_ONCE), unit="batch")
        for start in range(0, len(new), RATES_AT_ONCE):
            batch = new[start : start + RATES_AT_ONCE]
            rates = [_rate(k, tuning.points_per_decade) for k in batch]
            losses = _losses(problems, baseline, rates, experiment)
            results.update(zip(batch, losses, strict=True))
            progress.advance()
        progress.close()
        best = {  # all diverged: the lowest
            metric: min(results, key=lambda k: (results[k][metric], k)) for metric in tuning.metrics
        }
        low, high = min(results), max(results)
        at_edge = [k for k in best.values() if not low < k < high]
        if not at_edge:
            break
        extra = tuning.points_per_decade
        downward = at_edge[0] == low
        exponents = range(low - extra, low) if downward else range(high + 1, high + 1 + extra)
        if widening < tuning.max_widenings:
            edge = _rate(at_edge[0], extra)
            progress.say(f"best at the grid's edge ({edge:.3g}): widening the grid")
    else:
        raise UserError(
            f"{label}: the best learning rate is still at the edge of the grid after "
            f"{tuning.max_widenings} widenings; set "
            f"experiments.{name}.tuning.grids.{baseline} to another range"
        )
    tried = sorted(results)
    return pd.DataFrame(
        {
            "experiment": name,
            "family": family_name,
            "optimizer": baseline,
            "learning_rate": [_rate(k, tuning.points_per_decade) for k in tried],
            "final_loss": [results[k][FINAL] for k in tried],
            "mean_loss": [results[k][MEAN] for k in tried],
            "chosen_for": [_chosen_for(k, best) for k in tried],
            "widened": [k not in first for k in tried],
        }
    )


def _chosen_for(exponent: int, best: Mapping[TunedFor, int]) -> str:
    metrics = [metric for metric, k in best.items() if k == exponent]
    return BOTH if len(metrics) == 2 else "".join(metrics)


def _grid(grid: Grid, per_decade: int) -> range:
    """Exponents k of the learning rates 10^(k / per_decade) that cover the grid's range."""
    low = math.floor(math.log10(grid.low) * per_decade + 1e-9)
    high = math.ceil(math.log10(grid.high) * per_decade - 1e-9)
    return range(low, max(high, low + 2) + 1)


def _rate(exponent: int, per_decade: int) -> float:
    return 10 ** (exponent / per_decade)


def _losses(
    problems: Problem, baseline: str, rates: Sequence[float], experiment: Experiment
) -> list[dict[str, float]]:
    """Both losses of each learning rate, means over problems; infinite if one diverged."""
    repeated = problems.repeat(len(rates))
    theta = repeated.initial()
    each = torch.tensor(rates, dtype=theta.dtype, device=theta.device)
    baselines = make_baseline(baseline, each.repeat_interleave(len(theta) // len(rates))[:, None])
    optimizer = bind(baselines, repeated.places(), experiment.horizon)
    held_out, losses = experiment.tuned_on_held_out, list[torch.Tensor]()

    def observe(now: Carry) -> None:
        if not held_out:
            losses.append(now.loss)
        elif experiment.measures(now.step):
            losses.append(_held_out(repeated, now.theta))

    end = rollout(repeated, optimizer, begin(repeated, optimizer), experiment.horizon, observe)
    final = losses[-1] if held_out else repeated.train_loss(end.theta)
    values = {FINAL: final, MEAN: torch.stack(losses).mean(dim=0)}
    means = {key: value.reshape(len(rates), -1).mean(dim=1) for key, value in values.items()}
    infinite = {key: mean.where(mean.isfinite(), torch.inf) for key, mean in means.items()}
    return [{key: mean[i].item() for key, mean in infinite.items()} for i in range(len(rates))]


def _held_out(problems: Problem, theta: torch.Tensor) -> torch.Tensor:
    loss = problems.test_loss(theta)
    assert loss is not None  # experiments that show it have held-out data
    return loss
