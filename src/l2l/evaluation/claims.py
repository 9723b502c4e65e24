"""Judge the claims of the paper: each comparison gets an effect, an interval and a verdict.

A comparison is one recipe against one baseline in one metric. Its verdict follows from its 95 %
interval: "replicated" if the whole interval lies in the claimed direction, "not replicated" if the
whole interval lies in the other direction, "inconclusive" otherwise. A claim is replicated for a
recipe if every comparison of the recipe is. It is not replicated if one comparison or more is not.
Otherwise it is inconclusive. The first rule needs no correction for the number of comparisons. The
second rule has none, so look at the interval of the comparison that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from l2l.config.claims import TUNED, Claim, Comparison, Measured, Metric, WeightCounts
from l2l.config.measurements import IMPLEMENTATIONS
from l2l.errors import UserError
from l2l.evaluation.metrics import HANDCRAFTED, matrix_of, values
from l2l.evaluation.statistics import Effect, jackknife_difference, relative_difference

REPLICATED, NOT_REPLICATED, INCONCLUSIVE = "replicated", "not replicated", "inconclusive"
NOT_JUDGED = "not judged (smoke)"
ONE_PROBLEM = "not judged (one problem)"  # between problems it could not differ
WORST_FIRST = (NOT_REPLICATED, INCONCLUSIVE, ONE_PROBLEM, NOT_JUDGED, REPLICATED)

NOT_YET_RUN = "not yet run"
"""The verdict on a claim that nothing of a run can judge."""
SMOKE = "smoke"  # the protocol whose numbers are too few for a verdict
SEED_DATA = "drawn from the seed"

TEXT, COUNT, NUMBER, FLAG = "str", "Int64", "float64", "bool"
COLUMNS = {
    "claim": TEXT,
    "study": TEXT,
    "experiment": TEXT,
    "recipe": TEXT,
    "baseline": TEXT,
    "metric": TEXT,
    "loss": TEXT,
    "first_step": COUNT,
    "horizon": COUNT,
    "target": NUMBER,
    "table": TEXT,
    "condition": TEXT,
    "claimed": TEXT,
    "allowance": NUMBER,
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
    "wins": NUMBER,
    "verdict": TEXT,
    "deciding": FLAG,
    "protocol": TEXT,
    "data": TEXT,
}
"""The columns of the table of claims with their types; what they mean: see `evaluate_claims`."""
MEASURED, WEIGHTS = "measured", "weights"
"""The `metric` of comparisons of measurements, and of numbers of weights."""


def read_claims(path: Path) -> pd.DataFrame:
    """A table of claims with the types of `COLUMNS`; texts are "" where there is none.

    Raises:
        UserError: the file is not a table of claims.
    """
    try:
        missing = {name: [""] for name, kind in COLUMNS.items() if kind != TEXT}
        return pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, na_values=missing)[
            [*COLUMNS]
        ]
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is no table of claims ({error}): run l2l claims again") from None


def compared(claims: Iterable[Claim]) -> tuple[list[str], list[str]]:
    """The experiments whose curves some claims compare, and the measurements, each once."""
    experiments, measurements = [], []
    for claim in claims:
        experiments += [one.experiment for one in claim.comparisons]
        experiments += claim.sizes.experiments if claim.sizes else ()
        measurements += [one.table for one in claim.measured]
    return list(dict.fromkeys(experiments)), list(dict.fromkeys(measurements))


def describe_data(records: Iterable[Mapping[str, Any]]) -> str:
    """The data sets of an experiment in words, from their records; each with its stand-in."""
    texts = [
        f"{record['name']} (stand-in: {record['stand_in']})"
        if record["stand_in"]
        else str(record["name"])
        for record in records
    ]
    return ", ".join(texts) or SEED_DATA


def evaluate_claims(
    claims: Mapping[str, Claim],
    tables: Mapping[str, pd.DataFrame],
    protocol: str,
    data: Mapping[str, str],
    measurements: Mapping[str, pd.DataFrame] | None = None,
    studies: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Judge each claim on the curves and the measurements.

    Args:
        claims: name -> claim, of the configuration.
        tables: experiment -> its tidy curves (columns: see `metrics.run_matrix`).
        protocol: "smoke" gets numbers and no verdict.
        data: experiment -> the data behind its curves, in words.
        measurements: name -> tidy table, of those that are not loss curves.
        studies: claim -> the study that it belongs to.

    Returns:
        One row for each comparison, columns and types as in `COLUMNS`. A claim that nothing judges
        is one row with the verdict "not yet run". Columns that do not apply are empty.

        claim, study: their keys in the configuration, where the statement stands.
        experiment, recipe, baseline: what is compared, and where.
        metric: of a loss ("mean_loss", "final_loss", "steps_to_target", "oscillation"), "measured",
            or "weights" (how many more of them the largest theta needs than the smallest).
        loss: the column of the loss curves, or of the measurement.
        first_step, horizon, target: the steps that the metric looks at; the loss to be reached.
        table, condition: of a measurement: its table, and what selects its rows, in words.
        claimed, allowance: "lower" or "higher" than the baseline; by how much it may miss that.
        seeds, baseline_seeds: meta-seeds of each side, 0 if hand-crafted.
        problems: paired test problems, repeats of a measurement, or problems counted.
        runs, diverged, baseline_runs, baseline_diverged: of each side, for this metric.
        estimate, low, high: relative difference of means, learned / baseline - 1, with its 95 %
            interval (see `statistics`).
        wins: fraction of pairs in which the recipe is lower.
        verdict: of this comparison.
        deciding: whether this verdict is the recipe's verdict on the claim: it is the worst of its
            comparisons, and of those the one that speaks least for the claim.
        protocol, data: of the run; the data sets and what stands in for them, in words.

    Raises:
        UserError: a claim does not fit the tables, or a table has gaps.
    """
    measurements = measurements or {}
    rows: list[dict[str, Any]] = []
    for key, claim in claims.items():
        judged: list[dict[str, Any]] = []
        for comparison in claim.comparisons:
            name = comparison.experiment
            judged += _judge(comparison, tables[name], data[name])
        judged += [_judge_measured(one, measurements[one.table]) for one in claim.measured]
        if claim.sizes:
            judged += _judge_sizes(claim.sizes, tables, data)
        if protocol == SMOKE:
            judged = [row | {"verdict": NOT_JUDGED} for row in judged]
        if not judged:
            judged = [{"verdict": NOT_YET_RUN}]
        study = (studies or {}).get(key, "")
        for recipe in dict.fromkeys(row.get("recipe", "") for row in judged):
            own = [row for row in judged if row.get("recipe", "") == recipe]
            decisive = min(own, key=_standing)
            for row in own:
                row.update(claim=key, study=study, protocol=protocol, deciding=row is decisive)
            rows += own
    cells = {
        name: [row.get(name, "" if kind == TEXT else None) for row in rows]
        for name, kind in COLUMNS.items()
    }
    return pd.DataFrame({name: pd.Series(cells[name], dtype=COLUMNS[name]) for name in COLUMNS})


def _judge(comparison: Comparison, curves: pd.DataFrame, data: str) -> Iterator[dict[str, Any]]:
    experiment = comparison.experiment
    for metric in comparison.metrics:
        numbers = values(metric, curves)
        for recipe in comparison.learned:
            ours = matrix_of(numbers, recipe, experiment)
            for baseline in _baselines(comparison, curves):
                theirs = matrix_of(numbers, baseline, experiment)
                if not ours.columns.equals(theirs.columns):
                    raise UserError(
                        f"curves of {experiment}: {recipe} and {baseline} ran on different "
                        "problems; delete the table and evaluate anew"
                    )
                name = f"{experiment}/{recipe} vs {baseline}: {metric.label}"
                effect = relative_difference(ours.to_numpy(), theirs.to_numpy(), name)
                verdict = _verdict(effect, comparison.claimed, comparison.allowance)
                if ours.shape[1] == 1:
                    verdict = ONE_PROBLEM
                yield {
                    "experiment": experiment,
                    "recipe": recipe,
                    "baseline": baseline,
                    **_of_metric(metric, curves),
                    "claimed": comparison.claimed,
                    "allowance": comparison.allowance,
                    "seeds": 0 if HANDCRAFTED in ours.index else len(ours),
                    "baseline_seeds": 0 if HANDCRAFTED in theirs.index else len(theirs),
                    "runs": ours.size,
                    "diverged": int((~np.isfinite(ours.to_numpy())).sum()),
                    "baseline_runs": theirs.size,
                    "baseline_diverged": int((~np.isfinite(theirs.to_numpy())).sum()),
                    **asdict(effect),
                    "verdict": verdict,
                    "data": data,
                }


def _judge_measured(measured: Measured, table: pd.DataFrame) -> dict[str, Any]:
    """One selection of a table of measurements against another; `problems` are the repeats.

    The interval is over the repeats (a jackknife's, if each value leaves one repeat out).
    """
    ours = _selected(measured, measured.of, table)
    theirs = _selected(measured, measured.against, table)
    if not ours.index.equals(theirs.index):
        raise UserError(
            f"table {measured.table}: the rows of {measured.name} and {measured.baseline} have "
            f"different values of {measured.pair}; measure anew"
        )
    conditions = []  # what holds on both sides, or differs besides the two that are compared
    for column, value in measured.of.items():
        other = measured.against.get(column)
        if other == value:
            if (column, value) != ("implementation", IMPLEMENTATIONS[0]):  # nothing special
                conditions.append(f"{_words(column)} {_words(value)}")
        elif column == "implementation":
            conditions.append(f"{_words(column)} {value} against {other}")
    if measured.interval == "jackknife":
        effect = jackknife_difference(ours.to_numpy(), theirs.to_numpy())
    else:
        what = ", ".join([_words(measured.value.removesuffix("_left_out")), *conditions])
        note = f"; {measured.note}" if measured.note else ""
        name = f"{measured.table}/{measured.name} vs {measured.baseline}: {what}{note}"
        effect = relative_difference(ours.to_numpy()[None], theirs.to_numpy()[None], name)
    return {
        "recipe": measured.name,
        "baseline": measured.baseline,
        "metric": MEASURED,
        "loss": measured.value,
        "table": measured.table,
        "condition": "; ".join(filter(None, (", ".join(conditions), measured.note))),
        "claimed": measured.claimed,
        "allowance": 0.0,
        **asdict(effect),
        "verdict": _verdict(effect, measured.claimed),
    }


def _words(value: str | int | float) -> str:
    return str(value).replace("_", " ")


def _selected(
    measured: Measured, selected: Mapping[str, str | int | float], table: pd.DataFrame
) -> pd.Series:
    """The values of the selected rows, by what pairs them."""
    rows = table
    for column, value in selected.items():
        rows = rows[rows[column] == value]
    choice = ", ".join(f"{column} = {value}" for column, value in selected.items())
    if rows.empty:
        raise UserError(f"table {measured.table} has no rows with {choice}; measure anew")
    values = rows.set_index(measured.pair)[measured.value].sort_index()
    if not values.index.is_unique:
        raise UserError(
            f"table {measured.table} has several rows with {choice} for a value of "
            f"{measured.pair}: say more in the claim"
        )
    if (values < 0).any():
        raise UserError(
            f"table {measured.table}: {measured.value} is negative, and has no relative difference"
        )
    return values


def _judge_sizes(
    sizes: WeightCounts, tables: Mapping[str, pd.DataFrame], data: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """How the number of weights grows from the smallest to the largest theta, recipe by recipe.

    It is a count, so the interval is the number itself; `problems` is the number of families.
    """
    curves = pd.concat([tables[name] for name in sizes.experiments])
    for recipe in sizes.learned:
        runs = curves[curves["optimizer"] == recipe]
        counts = runs.groupby("family")[["coordinates", "weights"]].max()
        counts = counts.sort_values("coordinates")
        small, large = counts.iloc[0], counts.iloc[-1]
        if small["coordinates"] == large["coordinates"]:
            same = small["coordinates"]
            raise UserError(f"sizes of {recipe}: all problems have {same} coordinates")
        grown = large["weights"] / small["weights"] - 1
        yield {
            "recipe": recipe,
            "metric": WEIGHTS,
            "condition": f"{small['weights']:,} weights phi for {small['coordinates']:,} "
            f"coordinates of theta, {large['weights']:,} for {large['coordinates']:,}",
            **asdict(Effect(grown, grown, grown, 0.0, len(counts))),
            "verdict": REPLICATED if grown == 0 else NOT_REPLICATED,
            "data": "; ".join(dict.fromkeys(data[name] for name in sizes.experiments)),
        }


def _of_metric(metric: Metric, curves: pd.DataFrame) -> dict[str, Any]:
    """The columns that say what a metric looks at; "end" becomes the last step of the curves."""
    first: int | None
    match metric.metric:
        case "mean_loss":
            loss, first, last = metric.of, 1, metric.horizon
        case "final_loss":
            loss, first, last = metric.of, None, metric.horizon
        case "steps_to_target":
            loss, first, last = "loss", 1, metric.horizon
        case "oscillation":
            loss, first, last = "train_loss", metric.first_step, metric.last_step
    return {
        "metric": metric.metric,
        "loss": loss,
        "first_step": first,
        "horizon": int(curves["step"].max()) if last == "end" else last,
        "target": getattr(metric, "target", None),
    }


def _baselines(comparison: Comparison, curves: pd.DataFrame) -> tuple[str, ...]:
    if comparison.baselines != TUNED:
        return tuple(comparison.baselines)
    handcrafted = curves.loc[curves["meta_seed"] == HANDCRAFTED, "optimizer"]
    if handcrafted.empty:
        raise UserError(
            f"curves of {comparison.experiment}: no tuned baseline to compare with; name some in "
            f"experiments.{comparison.experiment}.baselines"
        )
    return tuple(dict.fromkeys(handcrafted))


def _support(low: float, high: float, claimed: str, allowance: float) -> tuple[float, float]:
    """The interval, turned so that positive values speak for the claim."""
    if claimed == "lower":
        return allowance - high, allowance - low
    return low + allowance, high + allowance


def _verdict(effect: Effect, claimed: str, allowance: float = 0.0) -> str:
    least, most = _support(effect.low, effect.high, claimed, allowance)
    if least > 0:
        return REPLICATED
    return NOT_REPLICATED if most < 0 else INCONCLUSIVE


def _standing(row: Mapping[str, Any]) -> tuple[int, float]:
    """The order of a recipe's comparisons, the one that decides first."""
    if "claimed" not in row:  # the only one
        return 0, 0.0
    support = _support(row["low"], row["high"], row["claimed"], row["allowance"])
    return WORST_FIRST.index(row["verdict"]), support[0]
