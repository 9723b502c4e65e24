"""Tables of how a run went: tuned learning rates, meta-trainings, search trials, time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from l2l.config import Config
from l2l.figures.style import display_name
from l2l.report.html import Row, wrapped
from l2l.report.words import duration, number, plain


def rates(tuning: pd.DataFrame, experiment: str, config: Config) -> list[Row]:
    """The learning rate that was chosen for each baseline.

    Args:
        tuning: every learning rate tried on the experiment, which has one problem.
        experiment: its name.
        config: labels and horizon.

    Returns:
        A row each: optimizer, learning rate, its losses on the tuning problems, what was tried.
    """
    horizon = config.experiments[experiment].horizon
    rows = []
    for baseline, tried in tuning.groupby("optimizer", sort=False):
        chosen = tried[tried["chosen"]].iloc[0]
        low, high = tried["learning_rate"].min(), tried["learning_rate"].max()
        rows.append(
            {
                "optimizer": display_name(str(baseline), config.labels()),
                "learning rate": plain(chosen["learning_rate"]),
                f"loss at step {horizon}": number(chosen["final_loss"]),
                f"mean loss, steps 1–{horizon}": number(chosen["mean_loss"]),
                "tried": f"{len(tried)}, from {plain(low)} to {plain(high)}",
                "grid widened": "yes" if tried["widened"].any() else "no",
            }
        )
    return rows


def runs(table: pd.DataFrame, config: Config) -> list[Row]:
    """All meta-trainings, a row each.

    Args:
        table: results/<protocol>/training/runs.csv.
        config: labels.

    Returns:
        A row each.
    """
    return [
        {
            "learned optimizer": display_name(str(run["recipe"]), config.labels()),
            "recipe": str(run["recipe"]),
            "meta-seed": f"{run['meta_seed']}",
            "validation loss": number(run["best_validation"]),
            "selected": "✔ best" if run["selected"] else "",
            "best episode": f"{run['best_episode']} of {run['episodes']}",
            "attempts": f"{run['attempts']}",
            "collapsed": wrapped(str(run["collapsed"]) or "none"),
            "meta learning rate": plain(run["meta_learning_rate"]),
            "time": duration(run["seconds"]),
        }
        for run in table.to_dict("records")
    ]


def trials(search: dict[str, Any]) -> list[Row]:
    """The random search of a recipe's meta learning rate, the highest rate first.

    Args:
        search: the content of meta_learning_rate.json.

    Returns:
        A row each; none where none was searched.
    """
    return [
        {
            "meta learning rate": plain(trial["meta_learning_rate"]),
            "validation loss": "failed"
            if trial["validation"] is None
            else number(trial["validation"]),
            "chosen": "✔" if trial["meta_learning_rate"] == search["meta_learning_rate"] else "",
        }
        for trial in sorted(search["trials"], key=lambda trial: -trial["meta_learning_rate"])
    ]


STAGES = {
    "data": "fetch and verify data",
    "trial": "search meta learning rates",
    "choose_rate": "choose meta learning rates",
    "train": "meta-train",
    "take": "take released optimizers",
    "runs": "gather meta-trainings",
    "tune": "tune baselines",
    "evaluate": "test all optimizers",
    "measure": "measure costs, updates and meta-gradients",
    "collect": "gather tests",
    "claims": "judge claims",
    "figure": "draw figures",
    "report": "execute reports",
    "page": "write this page (last time)",
}
"""Folder of the benchmarks -> the stage in words, in the order of the pipeline."""


def stages(seconds: pd.DataFrame) -> list[Row]:
    """Time of each stage: a job's wall-clock seconds, summed over its jobs.

    Args:
        seconds: columns stage, seconds; a row for each job.

    Returns:
        Rows of stage, jobs, the sum, and the longest job; the last row is the total.
    """
    order = {stage: place for place, stage in enumerate(STAGES)}
    known = sorted(seconds["stage"].unique(), key=lambda stage: (order.get(stage, 99), stage))
    groups = [(STAGES.get(s, s), seconds.loc[seconds["stage"] == s, "seconds"]) for s in known]
    if known:
        groups.append(("total", seconds["seconds"]))
    return [
        {
            "stage": stage,
            "jobs": f"{len(group)}",
            "seconds": f"{group.sum():,.1f}",
            "time": duration(group.sum()),
            "longest job": duration(group.max()),
        }
        for stage, group in groups
    ]
