"""Claims are code: each comparison of the claims gets an effect size and a verdict.

The verdict of one comparison (one recipe, one baseline, one metric) follows its 95 % interval:
"replicated" where all of it lies in the claimed direction, "not replicated" where all of it lies
in the other, "inconclusive" otherwise. A claim, for a recipe, is replicated where every comparison
is, not replicated where one or more is not, and else inconclusive. The first needs no correction
for the number of comparisons; the second has none, so look at the interval of the one that decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from l2l.config.claims import TUNED, Claim, Comparison, Measured
from l2l.errors import UserError
from l2l.evaluation.measured import measured_effect
from l2l.evaluation.metrics import HANDCRAFTED, matrix_of, values
from l2l.evaluation.sizes import growth
from l2l.evaluation.statistics import Effect, relative_difference

COLUMNS = ["claim", "statement", "comparison", "estimate", "low", "high", "n", "verdict"]
COLUMNS += ["protocol", "data"]

REPLICATED, NOT_REPLICATED, INCONCLUSIVE = "replicated", "not replicated", "inconclusive"
NOT_JUDGED = "not judged (smoke)"
ONE_PROBLEM = "not judged (one problem)"  # between problems it could not differ

NOT_YET_RUN = "not yet run"
"""The verdict on a claim that nothing of a run can judge."""
MEASUREMENT = "measurement"
"""Before a table's name, as the data of a comparison in the table of claims."""
SMOKE = "smoke"  # the protocol whose numbers are too few for a verdict
NO_EFFECT = Effect(np.nan, np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class _Judged:
    """One comparison: `recipe` against `against` ("<baseline>: <metric>"), effect and verdict."""

    recipe: str
    against: str
    claimed: str
    effect: Effect
    verdict: str
    data: str
    allowance: float = 0.0


def claims_table(
    claims: Mapping[str, Claim],
    curves_paths: Mapping[str, Path],
    data_records: Mapping[str, Sequence[Path]],
    protocol: str,
    measurement_paths: Mapping[str, Path] | None = None,
) -> pd.DataFrame:
    """The content of results/<protocol>/claims.csv, from files.

    Args:
        claims: name -> claim, of the configuration.
        curves_paths: experiment -> its curves.parquet, for every experiment that a claim names.
        data_records: experiment -> the json records of its data sets; none (or no entry) where the
            problems are drawn from the seed alone.
        protocol: "smoke", "default", "paper".
        measurement_paths: name -> its table, of those that claims name.

    Returns:
        See `evaluate_claims`.

    Raises:
        UserError: a claim does not fit the curves, see `evaluate_claims`.
    """
    tables = {name: pd.read_parquet(path) for name, path in curves_paths.items()}
    data = {name: describe_data(data_records.get(name, ())) for name in curves_paths}
    measurements = {name: pd.read_csv(path) for name, path in (measurement_paths or {}).items()}
    return evaluate_claims(claims, tables, protocol, data, measurements)


def describe_data(records: Sequence[Path]) -> str:
    """The data sets of an experiment in words, each with its stand-in where it has one."""
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in records]
    texts = [
        f"{record['name']} (stand-in: {record['stand_in']})"
        if record["stand_in"]
        else str(record["name"])
        for record in loaded
    ]
    return ", ".join(texts) or "drawn from the seed"


def evaluate_claims(
    claims: Mapping[str, Claim],
    tables: Mapping[str, pd.DataFrame],
    protocol: str,
    data: Mapping[str, str],
    measurements: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Judge each claim on the curves and the measurements.

    Args:
        claims: name -> claim, of the configuration.
        tables: experiment -> its tidy curves (columns: see `metrics.run_matrix`).
        protocol: "smoke" gets numbers and no verdict.
        data: experiment -> the data behind its curves, in words.
        measurements: name -> tidy table, of those that are not loss curves.

    Returns:
        Columns claim, statement, comparison, estimate, low, high, n, verdict, protocol, data.
        A row for each comparison ("<recipe> vs <baseline>: <metric>", then runs that diverged, and
        "one meta-seed" where a learned side has no more), and after those of a recipe
        a row "overall <recipe>: vs ..." with the recipe's verdict and the numbers of the comparison
        that decides it: of those with that verdict, the one that speaks least for the claim.
        Comparisons of measurements are rows of the same kind, with "measurement <table>" as data. A
        claim without comparisons is one row "overall". `estimate`, `low`, `high`: relative
        difference of means, learned / baseline - 1, with its 95 % interval (see `statistics`), NaN
        where there is none. `n`: paired problems, or repeats of a measurement.

    Raises:
        UserError: a claim does not fit the tables, or a table has gaps.
    """
    measurements = measurements or {}
    rows: list[tuple[Any, ...]] = []

    def add(key: str, comparison: str, effect: Effect, verdict: str, source: str) -> None:
        numbers = (effect.estimate, effect.low, effect.high, effect.problems)
        start = (key, claims[key].statement, comparison)
        rows.append((*start, *numbers, verdict, protocol, source))

    for key, claim in claims.items():
        several = len({comparison.experiment for comparison in claim.comparisons}) > 1
        judged = [
            found
            for comparison in claim.comparisons
            for found in _judge(comparison, tables[comparison.experiment], data, protocol, several)
        ]
        judged += [_judge_measured(one, measurements, protocol) for one in claim.measured]
        for recipe in dict.fromkeys(found.recipe for found in judged):
            own = [found for found in judged if found.recipe == recipe]
            for found in own:
                text = f"{recipe} vs {found.against}"
                add(key, text, found.effect, found.verdict, found.data)
            decisive = _decisive(own)
            sources = "; ".join(dict.fromkeys(found.data for found in own))
            text = f"overall {recipe}: vs {decisive.against}"
            add(key, text, decisive.effect, decisive.verdict, sources)
        if claim.sizes:
            names = claim.sizes.experiments
            sources = "; ".join(dict.fromkeys(data[name] for name in names))
            for recipe in claim.sizes.learned:
                text, effect = growth(recipe, [tables[name] for name in names])
                verdict = REPLICATED if effect.estimate == 0 else NOT_REPLICATED
                verdict = NOT_JUDGED if protocol == SMOKE else verdict
                add(key, f"overall {recipe}: {text}", effect, verdict, sources)
        elif not judged:
            add(key, "overall", NO_EFFECT, NOT_YET_RUN, "none")
    return pd.DataFrame(rows, columns=COLUMNS)


def _judge(
    comparison: Comparison,
    curves: pd.DataFrame,
    data: Mapping[str, str],
    protocol: str,
    say_experiment: bool,
) -> Iterator[_Judged]:
    """Every recipe against every baseline, metric by metric."""
    experiment = comparison.experiment
    where = f" on {experiment}" if say_experiment else ""
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
                against = f"{baseline}{where}: {metric.label}"
                name = f"{experiment}/{recipe} vs {baseline}: {metric.label}"
                effect = relative_difference(ours.to_numpy(), theirs.to_numpy(), name)
                for side, table in ((recipe, ours), (baseline, theirs)):
                    broken = int((~np.isfinite(table.to_numpy())).sum())
                    if broken:
                        against += f"; {broken} of {table.size} runs of {side} diverged"
                if any(len(t) == 1 and HANDCRAFTED not in t.index for t in (ours, theirs)):
                    against += "; one meta-seed"  # whose chance no interval can tell
                how = (comparison.claimed, comparison.allowance)
                if comparison.allowance:
                    against += f"; {100 * comparison.allowance:g} % allowed"
                verdict = ONE_PROBLEM if ours.shape[1] == 1 else _verdict(effect, *how)
                verdict = NOT_JUDGED if protocol == SMOKE else verdict
                source, allowance = data[experiment], comparison.allowance
                yield _Judged(
                    recipe, against, comparison.claimed, effect, verdict, source, allowance
                )


def _judge_measured(
    measured: Measured, tables: Mapping[str, pd.DataFrame], protocol: str
) -> _Judged:
    """One number of a table of measurements against another."""
    text, effect = measured_effect(measured, tables[measured.table])
    verdict = NOT_JUDGED if protocol == SMOKE else _verdict(effect, measured.claimed)
    against, data = f"{measured.baseline}: {text}", f"{MEASUREMENT} {measured.table}"
    return _Judged(measured.name, against, measured.claimed, effect, verdict, data)


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


def _support(effect: Effect, claimed: str, allowance: float = 0.0) -> tuple[float, float]:
    """The interval, turned so that positive values speak for the claim."""
    if claimed == "lower":
        return allowance - effect.high, allowance - effect.low
    return effect.low + allowance, effect.high + allowance


def _verdict(effect: Effect, claimed: str, allowance: float = 0.0) -> str:
    least, most = _support(effect, claimed, allowance)
    if least > 0:
        return REPLICATED
    return NOT_REPLICATED if most < 0 else INCONCLUSIVE


def _decisive(judged: Sequence[_Judged]) -> _Judged:
    """The comparison whose verdict is the recipe's: the worst verdict, least support."""
    order = [NOT_REPLICATED, INCONCLUSIVE, ONE_PROBLEM, NOT_JUDGED, REPLICATED]

    def support(one: _Judged) -> float:
        return _support(one.effect, one.claimed, one.allowance)[0]

    return min(judged, key=lambda one: (order.index(one.verdict), support(one)))
