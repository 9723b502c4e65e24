"""Tables of the tested losses and of the tuned learning rates.

The functions take the name of an experiment, its table of curves (or of tuning), and the
configuration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from l2l.config import Config
from l2l.config.problems import MLPSettings
from l2l.evaluation.rates import FINAL, chosen
from l2l.evaluation.summary import Curve, diverged, final_column, measured, summarise
from l2l.figures.style import display_name
from l2l.report.table import (
    INTERVAL,
    LONG_WORDS,
    NUMBER,
    PERCENT,
    SETTING,
    Format,
    Interval,
    Table,
    count,
    number,
    plain,
)

REPORTED_STEPS = (20, 50, 100, 200, 500, 1000)
LOSSES = {
    "test_loss": "loss on fixed held-out data",
    "train_loss": "loss on a fixed sample of the training set",
    "loss": "loss of the step's own minibatch",
}
"""Column -> what it is, in the order of the tables."""
SAME = 1e-4
"""Relative difference of two computations of one loss: rounding is below it, minibatches above."""
CHASER = "adam"
"""The optimizer whose steps to the losses of the learned ones are counted."""
PARTS = (8, 4, 2, 1)
"""These steps are shown: an eighth of the horizon, a quarter, a half, all of it."""


def _of(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,} of {pair[1]:,}"


OF = Format(_of)
DIVERGED = Format(lambda pair: _of(pair) if pair[0] else "none")
EACH = Format(lambda values: ", ".join(map(number, values)))


def _reached(pair: tuple[float, int | None]) -> str:
    loss, step = pair
    if not math.isfinite(loss):
        return number(loss)
    return f"{number(loss)} → {'none' if step is None else step}"


def kinds(curves: pd.DataFrame) -> dict[str, str]:
    """The columns of curves with a loss of their own, each with its name in words.

    There is one entry where `loss` and `train_loss` are the same.
    """
    both = curves[curves["train_loss"].notna()]
    if np.allclose(both["loss"], both["train_loss"], rtol=SAME, atol=0):
        return {"loss": "loss"}
    return {key: name for key, name in LOSSES.items() if curves[key].notna().any()}


def tables(experiment: str, curves: pd.DataFrame, config: Config) -> list[Table]:
    """All tables of an experiment's losses."""
    if len(config.experiments[experiment].problems) > 1:
        return [of_networks(experiment, curves, config)]
    columns = kinds(curves)
    found = [of_steps(experiment, curves, column, config) for column in columns]
    if [*columns] == ["loss"]:  # no minibatches, in whose noise a first step would say little
        found += catching_up(experiment, curves, config)
    return found


def of_steps(experiment: str, curves: pd.DataFrame, column: str, config: Config) -> Table:
    """The mean loss of every optimizer at REPORTED_STEPS, the lowest at the horizon first.

    It also says how many runs diverged, how far each optimizer ends from the best baseline, and the
    mean of each meta-seed. `column` is one of `kinds`.
    """
    settings = config.experiments[experiment]
    horizon, interval = settings.horizon, config.figures.interval
    summaries = summarise(measured(curves, column), column, interval)
    broken = diverged(curves, final_column(settings.shown), horizon)
    ends = {name: _at(curve, horizon).value for name, curve in summaries.items()}
    best = min((ends[name] for name in settings.baselines), default=math.nan)
    known = {*measured(curves, column)["step"]}
    reported = sorted(step for step in {*REPORTED_STEPS, horizon} if step in known)
    steps = {f"step {step}": step for step in reported}
    difference, each = "against the best baseline", f"each meta-seed, step {horizon}"
    rows, several = [], any(len(curve.seeds) > 1 for curve in summaries.values())
    for name in sorted(ends, key=lambda name: (not math.isfinite(ends[name]), ends[name])):
        curve = summaries[name]
        row: dict[str, Any] = {
            "optimizer": display_name(name, config.labels()),
            "diverged": broken[name],
            **{title: _at(curve, step) for title, step in steps.items()},
            difference: ends[name] / best - 1 if name in settings.learned else None,
        }
        if several:
            seeds = curve.seeds[:, curve.steps == horizon].ravel()
            row[each] = seeds.tolist() if len(seeds) > 1 else None
        rows.append(row)
    problems = curves["problem"].nunique()
    caption = (
        f"{settings.title}: mean {kinds(curves)[column]} over {problems} test problems, with its "
        f"{100 * interval:g} % interval"
    )
    formats = {"diverged": DIVERGED, difference: PERCENT, each: EACH}
    return Table.of(caption, rows, formats | dict.fromkeys(steps, INTERVAL))


def of_networks(experiment: str, curves: pd.DataFrame, config: Config) -> Table:
    """The mean loss at the horizon of every optimizer on every network, and what diverged."""
    labels, settings = config.labels(), config.experiments[experiment]
    column, optimizers = final_column(settings.shown), (*settings.learned, *settings.baselines)
    rows = []
    for problem in settings.problems:
        own = curves[curves["family"] == problem]
        summaries = summarise(own[own["step"] == settings.horizon], column, config.figures.interval)
        counts = diverged(own, column, settings.horizon)
        broken = [f"{display_name(k, labels)} {_of(counts[k])}" for k in optimizers if counts[k][0]]
        rows.append(
            {
                "network": network(problem, config),
                **{
                    display_name(key, labels): _at(summaries[key], settings.horizon)
                    for key in optimizers
                },
                "diverged": ", ".join(broken) or "none",
            }
        )
    caption = (
        f"{settings.title}: mean {LOSSES[column]} at step {settings.horizon}, over "
        f"{curves['problem'].nunique()} test problems of each network, with its "
        f"{100 * config.figures.interval:g} % interval"
    )
    formats = {display_name(key, labels): INTERVAL for key in optimizers}
    return Table.of(caption, rows, formats | {"diverged": LONG_WORDS})


def catching_up(experiment: str, curves: pd.DataFrame, config: Config) -> list[Table]:
    """When ADAM's mean loss is first as low as that of a learned optimizer at some steps.

    Returns:
        The table; none where ADAM is no baseline.
    """
    settings, labels = config.experiments[experiment], config.labels()
    if CHASER not in settings.baselines:
        return []
    summaries = summarise(curves, "loss", config.figures.interval)
    steps = sorted({max(settings.horizon // part, 1) for part in PARTS})
    rows = []
    for learned in settings.learned:
        row: dict[str, Any] = {"optimizer": display_name(learned, labels)}
        for step in steps:
            loss, chaser = _at(summaries[learned], step).value, summaries[CHASER]
            reached = np.flatnonzero((chaser.mean <= loss) & (chaser.steps <= settings.horizon))
            row[f"step {step}"] = (loss, int(chaser.steps[reached[0]]) if reached.size else None)
        rows.append(row)
    caption = (
        f"{settings.title}: mean loss on the way → the first step at which "
        f"{display_name(CHASER, labels)} is as low (none: not within {settings.horizon})"
    )
    return [Table.of(caption, rows, {f"step {step}": Format(_reached) for step in steps})]


def wins(experiment: str, curves: pd.DataFrame, config: Config, caption: str) -> Table:
    """On how many test problems each learned optimizer ends below each baseline.

    The loss is that which runs are judged by at the horizon, the mean over meta-seeds within each
    problem.
    """
    settings, labels = config.experiments[experiment], config.labels()
    ends = curves[curves["step"] == settings.horizon]
    runs = ends.set_index(["optimizer", "meta_seed", "family", "problem"])
    losses = runs[final_column(settings.shown)]
    losses = losses.where(np.isfinite(losses), np.inf)  # a mean would leave a NaN out
    means = losses.groupby(["optimizer", "family", "problem"]).mean().unstack(["family", "problem"])
    names = {f"below {display_name(key, labels)}": key for key in settings.baselines}
    rows = [
        {"optimizer": display_name(learned, labels)}
        | {
            name: (np.count_nonzero(means.loc[learned] < means.loc[key]), means.shape[1])
            for name, key in names.items()
        }
        for learned in settings.learned
    ]
    return Table.of(f"{settings.title}: {caption}", rows, dict.fromkeys(names, OF))


def rates(experiment: str, tuning: pd.DataFrame, config: Config) -> Table:
    """The learning rate that was chosen for each baseline."""
    settings = config.experiments[experiment]
    caption = (
        f"{settings.title}: learning rates, tuned on {count(settings.tuning.problems)} problems"
    )
    if len(settings.problems) > 1:
        best = chosen(tuning, FINAL).set_index(["family", "optimizer"])["learning_rate"]
        names = {display_name(key, {}): key for key in settings.baselines}
        rows = [
            {"network": network(problem, config)}
            | {name: float(best.loc[(problem, key)]) for name, key in names.items()}
            for problem in settings.problems
        ]
        return Table.of(caption, rows, dict.fromkeys(names, SETTING))
    final, mean = f"loss at step {settings.horizon}", f"mean loss, steps 1–{settings.horizon}"
    rows = []
    for baseline, tried in tuning.groupby("optimizer", sort=False):
        best = chosen(tried, FINAL).iloc[0]
        rows.append(
            {
                "optimizer": display_name(str(baseline), config.labels()),
                "learning rate": best["learning_rate"],
                final: best["final_loss"],
                mean: best["mean_loss"],
                "tried": f"{len(tried)}, from {plain(tried['learning_rate'].min())} to "
                f"{plain(tried['learning_rate'].max())}",
                "grid widened": "yes" if tried["widened"].any() else "no",
            }
        )
    formats: Mapping[str, Format] = {"learning rate": SETTING, final: NUMBER, mean: NUMBER}
    return Table.of(caption, rows, formats)


def network(problem: str, config: Config) -> str:
    """A network by its hidden units, "20-20, sigmoid"; another problem by its name."""
    settings = config.problems[problem]
    if not isinstance(settings, MLPSettings):
        return problem
    return f"{'-'.join(map(str, settings.hidden)) or 'none'}, {settings.activation}"


def _at(curve: Curve, step: int) -> Interval:
    at = int(np.flatnonzero(curve.steps == step)[0])
    return Interval(float(curve.mean[at]), float(curve.low[at]), float(curve.high[at]))
