"""Judge the claims of the paper: each comparison gets an effect, an interval and a verdict.

A comparison is one learned optimizer against one baseline in one metric. It has two answers, each
under its own name. *The optimizer*, which is the paper's question: the meta-seed that validated
best, frozen, on fresh problems. *The recipe*: all its meta-seeds, so whether another meta-training
would do as well; three are needed for that.

The verdict of a comparison follows from its 95 % interval: "replicated" if the whole interval lies
in the claimed direction, "not replicated" if the whole interval lies in the other direction,
"inconclusive" otherwise. It is "not settled" where a meta-training had not finished (`last_fall`)
and finishing it could turn the verdict, and "not enough problems" (or meta-seeds) where an interval
means nothing.

The claim says which comparisons are primary; of the tuned baselines it is the strongest on tuning
problems. A claim is replicated for a recipe if every primary comparison is. It is not replicated if
one of them is not. Otherwise it is what the worst of them is. The first rule needs no correction
for the number of comparisons. Where at least k of some comparisons have to be replicated, the one
that decides is the k-th best of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from l2l.config.claims import (
    DEFAULT,
    TRANSFERRED,
    TUNED,
    UNCHANGED,
    Claim,
    Comparison,
    MeanLoss,
    Measured,
    Metric,
    WeightCounts,
)
from l2l.config.measurements import IMPLEMENTATIONS
from l2l.errors import UserError
from l2l.evaluation.metrics import HANDCRAFTED, matrix_of, values
from l2l.evaluation.rates import BOTH, FINAL, MEAN, chosen, tested_at
from l2l.evaluation.statistics import (
    MOST_NEEDED,
    Effect,
    jackknife_difference,
    needed,
    relative_difference,
    relative_ratio,
)
from l2l.evaluation.verdicts import (
    COLUMNS,
    FEW_PROBLEMS,
    FEW_SEEDS,
    INCONCLUSIVE,
    MEASUREMENT,
    NOT_JUDGED,
    NOT_REPLICATED,
    NOT_YET_RUN,
    OPTIMIZER,
    RECIPE,
    REPLICATED,
    TEXT,
    UNFINISHED,
    WORST_FIRST,
)

SMOKE = "smoke"  # the protocol whose numbers are too few for a verdict
SEED_DATA = "drawn from the seed"
MEASURED, WEIGHTS = "measured", "weights"
"""The `metric` of comparisons of measurements, and of numbers of weights."""
LOSS_METRICS = ("mean_loss", "final_loss", "steps_to_target")
"""What more meta-training lowers."""

FEWEST_PROBLEMS, FEWEST_SEEDS = 5, 3
STILL_FALLS = 0.05
"""A meta-training whose best validation fell by more in its last third had not finished."""


def last_fall(log: pd.DataFrame) -> float:
    """By how much the best validation fell in the last third of a meta-training, relative.

    Args:
        log: of a meta-training: columns attempt, episode, validation_final, a row for each epoch.
    """
    last = log[log["attempt"] == log["attempt"].max()]
    before = last["episode"] <= last["episode"].max() * 2 / 3 + 1e-9
    losses = last["validation_final"]
    return float(1 - losses.min() / losses[before].min()) if before.any() else 1.0


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
    tests: Mapping[str, pd.DataFrame],
    protocol: str,
    data: Mapping[str, str],
    *,
    tunings: Mapping[str, pd.DataFrame] | None = None,
    runs: pd.DataFrame | None = None,
    measurements: Mapping[str, pd.DataFrame] | None = None,
    studies: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Judge each claim on the curves and the measurements.

    Args:
        claims: name -> claim, of the configuration.
        tests: experiment -> its tidy curves (columns: see `metrics.run_matrix`), baselines at all
            their rates.
        protocol: "smoke" gets numbers and no verdict.
        data: experiment -> the data behind its curves, in words.
        tunings: experiment -> its tuning table; of `rates_of` experiments, too.
        runs: the meta-trainings: columns recipe, meta_seed, episodes, selected, fall.
        measurements: name -> tidy table, of those that are not loss curves.
        studies: claim -> the study that it belongs to.

    Returns:
        Two rows for each comparison, one for each answer; one row for a measurement or a count;
        columns and types as in `verdicts.COLUMNS`. A claim that nothing judges is one row with the
        verdict "not yet run". Columns that do not apply are empty.

        claim, study: their keys in the configuration, where the statement stands.
        answer: who answers: "optimizer", "recipe" or "measurement".
        experiment, recipe, meta_seed, baseline: what is compared, and where; the meta-seed that
            validated best, where the optimizer answers.
        rates: what the baseline's learning rate was chosen for, see `l2l.evaluation.rates`.
        metric: of a loss (see `l2l.config.claims`), "measured", or "weights" (how many more of them
            the largest theta needs than the smallest).
        loss: the column of the loss curves, or of the measurement.
        first_step, horizon, target: the steps that the metric looks at; the loss to be reached.
        table, condition: of a measurement: its table, and what selects its rows, in words.
        claimed, allowance: "lower" or "higher" than the baseline; by how much it may miss that.
        effect: "means" or "ratios", see `l2l.config.claims.Comparison`.
        seeds, baseline_seeds: meta-seeds of each side, 0 if hand-crafted; of a selected optimizer,
            how many it was selected from.
        problems: paired test problems, repeats of a measurement, or problems counted.
        runs, diverged, baseline_runs, baseline_diverged: of each side, for this metric.
        estimate, low, high: relative difference, learned / baseline - 1, with its 95 % interval
            (see `statistics`); no interval of fewer than five problems.
        geometric: geometric mean of the problems' ratios, - 1.
        wins: fraction of pairs in which the recipe is lower.
        verdict: of this comparison.
        primary: whether the claim names it as one that decides.
        deciding: whether this verdict is the recipe's, or the optimizer's, verdict on the claim: it
            is the worst of the primary ones, and of those the one that speaks least for the claim;
            where at least k of some have to be replicated, the k-th best stands for them.
        needs_problems, needs_seeds, needs_episodes: what would settle a verdict that is not
            settled, from the spread that was seen; empty where no affordable number would.
        protocol, data: of the run; the data sets and what stands in for them, in words.

    Raises:
        UserError: a claim does not fit the tables, or a table has gaps.
    """
    trained = {} if runs is None or runs.empty else dict(_meta_trainings(runs))
    rows: list[dict[str, Any]] = []
    for key, claim in claims.items():
        judged: list[dict[str, Any]] = []
        for comparison in claim.comparisons:
            name = comparison.experiment
            judged += _judge(comparison, tests[name], data[name], tunings or {}, trained)
        judged += [_judge_measured(one, (measurements or {})[one.table]) for one in claim.measured]
        if claim.sizes:
            judged += _judge_sizes(claim.sizes, tests, data)
        if protocol == SMOKE:
            judged = [row | {"verdict": NOT_JUDGED} for row in judged]
        if not judged:
            judged = [{"verdict": NOT_YET_RUN, "primary": True}]
        study = (studies or {}).get(key, "")
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in judged:
            groups.setdefault((row.get("recipe", ""), row.get("answer", "")), []).append(row)
        for own in groups.values():
            decisive = min(_deciding(own, claim.at_least), key=_standing, default=None)
            for row in own:
                row.update(claim=key, study=study, protocol=protocol, deciding=row is decisive)
            rows += own
    cells = {
        name: [row.get(name, "" if kind == TEXT else None) for row in rows]
        for name, kind in COLUMNS.items()
    }
    return pd.DataFrame({name: pd.Series(cells[name], dtype=COLUMNS[name]) for name in COLUMNS})


@dataclass(frozen=True)
class _Trained:
    """The meta-trainings of a recipe: which was selected, and whether they had finished."""

    selected: int
    episodes: int
    selected_finished: bool
    finished: bool


def _meta_trainings(runs: pd.DataFrame) -> Iterator[tuple[str, _Trained]]:
    for recipe, rows in runs.groupby("recipe"):
        best = rows[rows["selected"]].iloc[0]
        yield (
            str(recipe),
            _Trained(
                int(best["meta_seed"]),
                int(rows["episodes"].max()),
                bool(best["fall"] <= STILL_FALLS),
                bool(rows["fall"].mean() <= STILL_FALLS),
            ),
        )


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: a metric of one optimizer, [meta-seeds, problems]."""

    name: str
    values: pd.DataFrame
    trained: _Trained | None

    @property
    def seeds(self) -> int:
        return len(self.values) if self.trained else 0

    def answering(self, answer: str) -> pd.DataFrame:
        """All meta-seeds, or the one that was selected."""
        if answer == RECIPE or self.trained is None:
            return self.values
        return self.values.loc[[self.trained.selected]]

    def unfinished(self, answer: str) -> int:
        """The episodes that were too few; 0 where they were enough."""
        if self.trained is None:
            return 0
        one, all_of_them = self.trained.selected_finished, self.trained.finished
        return 0 if (all_of_them if answer == RECIPE else one) else self.trained.episodes


def _judge(
    comparison: Comparison,
    tests: pd.DataFrame,
    data: str,
    tunings: Mapping[str, pd.DataFrame],
    trained: Mapping[str, _Trained],
) -> Iterator[dict[str, Any]]:
    experiment = comparison.experiment
    for metric in comparison.metrics:
        tuned_by = MEAN if isinstance(metric, MeanLoss) else FINAL
        rates = tuned_by
        if comparison.baselines == TRANSFERRED:
            rates = _elsewhere(tests)
        elif comparison.baselines == DEFAULT:
            rates = DEFAULT
        curves = tested_at(tests, rates)
        numbers = values(metric, curves)

        def side(name: str, numbers: pd.Series = numbers) -> _Side:
            matrix = matrix_of(numbers, name, experiment)
            learned = HANDCRAFTED not in matrix.index
            if learned and name not in trained:
                raise UserError(f"the table of meta-trainings has no {name}: run l2l runs again")
            return _Side(name, matrix, trained[name] if learned else None)

        for recipe in comparison.learned:
            ours = side(recipe)
            if comparison.baselines == UNCHANGED:
                ones = pd.DataFrame(1.0, [HANDCRAFTED], ours.values.columns)
                theirs = [_Side("", ones, None)]
            else:
                theirs = [side(name) for name in _baselines(comparison, curves)]
            decide = {other.name for other in theirs}
            if comparison.baselines in (TUNED, TRANSFERRED):
                where = rates if comparison.baselines == TRANSFERRED else experiment
                decide = {strongest(decide, tunings[where], tuned_by)}
            for other in theirs:
                if not ours.values.columns.equals(other.values.columns):
                    raise UserError(
                        f"curves of {experiment}: {recipe} and {other.name} ran on different "
                        "problems; delete the table and evaluate anew"
                    )
                common = {
                    "experiment": experiment,
                    "recipe": recipe,
                    "baseline": other.name,
                    "rates": "" if other.trained or not other.name else rates,
                    **_of_metric(metric, curves),
                    "claimed": comparison.claimed,
                    "allowance": comparison.allowance,
                    "effect": comparison.effect,
                    "seeds": ours.seeds,
                    "baseline_seeds": other.seeds,
                    "primary": comparison.role != "shown" and other.name in decide,
                    "counted": comparison.role == "counted",
                    "data": data,
                }
                for answer in (OPTIMIZER, RECIPE):
                    yield common | _answer(answer, comparison, metric, ours, other)


def _answer(
    answer: str, comparison: Comparison, metric: Metric, ours: _Side, theirs: _Side
) -> dict[str, Any]:
    """The columns of a comparison that depend on who answers."""
    mine, other = ours.answering(answer).to_numpy(), theirs.answering(answer).to_numpy()
    name = f"{comparison.experiment}/{ours.name} vs {theirs.name}: {metric.label}"
    if comparison.effect == "ratios":
        effect = relative_ratio(mine, other)
    else:
        effect = relative_difference(mine, other, name)
    seeds = [side.seeds for side in (ours, theirs) if side.trained]
    row = {
        "answer": answer,
        "meta_seed": ours.trained.selected if ours.trained and answer == OPTIMIZER else None,
        "runs": mine.size,
        "diverged": int((~np.isfinite(mine)).sum()),
        "baseline_runs": other.size,
        "baseline_diverged": int((~np.isfinite(other)).sum()),
        **_of_effect(effect),
    }
    verdict = _verdict(effect, comparison.claimed, comparison.allowance)
    needs: dict[str, int] = {}
    # Two recipes are compared by what was selected of several, never by one meta-training each.
    if (answer == RECIPE or len(seeds) == 2) and min(seeds) < FEWEST_SEEDS:
        verdict, needs = FEW_SEEDS, {"needs_seeds": FEWEST_SEEDS}
        row |= {"low": math.nan, "high": math.nan}
    if effect.problems < FEWEST_PROBLEMS:
        verdict = FEW_PROBLEMS
        needs["needs_problems"] = FEWEST_PROBLEMS
        row |= {"low": math.nan, "high": math.nan}
    if verdict in (REPLICATED, NOT_REPLICATED, INCONCLUSIVE):
        turns = _could_turn(verdict, comparison.claimed, metric)
        too_few = max(
            side.unfinished(answer) if matters else 0
            for side, matters in zip((ours, theirs), turns, strict=True)
        )
        if too_few:
            verdict, needs = UNFINISHED, {"needs_episodes": 2 * too_few}
        elif verdict == INCONCLUSIVE:
            needs = _needs(effect, comparison, min(seeds) if answer == RECIPE else 0)
    return row | {"verdict": verdict, **needs}


def _of_effect(effect: Effect) -> dict[str, Any]:
    columns = asdict(effect)
    return {key: value for key, value in columns.items() if not key.endswith("_margin")}


def _could_turn(verdict: str, claimed: str, metric: Metric) -> tuple[bool, bool]:
    """Whether more meta-training of either side could turn a verdict.

    It lowers the losses of the side that gets it. So a recipe that is lower already stays so.
    """
    if metric.metric not in LOSS_METRICS or verdict == INCONCLUSIVE:
        return True, True
    lower = (verdict == REPLICATED) == (claimed == "lower")
    return not lower, lower


def _needs(effect: Effect, comparison: Comparison, seeds: int) -> dict[str, int]:
    """How many problems and meta-seeds would make the interval end where the two sides meet.

    Both parts of the interval shrink as Student's with the number of values; where there are two,
    each may have 1 / sqrt(2) of the distance.
    """
    allowed = comparison.allowance if comparison.claimed == "lower" else -comparison.allowance
    with np.errstate(divide="ignore"):
        distance = abs(float(np.log1p(effect.estimate)) - math.log1p(allowed))
    distance /= math.sqrt(2 if seeds > 1 else 1)
    margins = effect.problem_margin, effect.seed_margin
    if not (all(map(math.isfinite, margins)) and 0 < distance < math.inf):
        return {}
    needs = {"needs_problems": needed(effect.problem_margin, effect.problems, distance)}
    if seeds > 1:
        needs["needs_seeds"] = needed(effect.seed_margin, seeds, distance)
    return needs if max(needs.values()) < MOST_NEEDED else {}


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
    few = effect.problems < FEWEST_PROBLEMS
    return {
        "answer": MEASUREMENT,
        "recipe": measured.name,
        "baseline": measured.baseline,
        "metric": MEASURED,
        "loss": measured.value,
        "table": measured.table,
        "condition": "; ".join(filter(None, (", ".join(conditions), measured.note))),
        "claimed": measured.claimed,
        "allowance": 0.0,
        "effect": "means",
        **_of_effect(effect),
        **({"low": math.nan, "high": math.nan} if few else {}),
        "verdict": FEW_PROBLEMS if few else _verdict(effect, measured.claimed),
        "primary": measured.role == "primary",
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
            "answer": MEASUREMENT,
            "recipe": recipe,
            "metric": WEIGHTS,
            "condition": f"{small['weights']:,} weights phi for {small['coordinates']:,} "
            f"coordinates of theta, {large['weights']:,} for {large['coordinates']:,}",
            **dict.fromkeys(("estimate", "low", "high", "geometric"), grown),
            "problems": len(counts),
            "verdict": REPLICATED if grown == 0 else NOT_REPLICATED,
            "primary": True,
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
        case "fluctuation":
            loss, first, last = "loss", metric.first_step, metric.last_step
        case "oscillation" | "progress":
            loss, first, last = "train_loss", metric.first_step, metric.last_step
    return {
        "metric": metric.metric,
        "loss": loss,
        "first_step": first,
        "horizon": int(curves["step"].max()) if last == "end" else last,
        "target": getattr(metric, "target", None),
    }


def _elsewhere(tests: pd.DataFrame) -> str:
    """The experiment whose rates an experiment's baselines were tested at, too."""
    others = {*tests["rate_for"]} - {"", FINAL, MEAN, BOTH, DEFAULT}
    if not others:
        raise UserError(
            f"curves of {tests['experiment'].iloc[0]}: no baseline ran at rates of another "
            "experiment; set the experiment's rates_of"
        )
    return str(others.pop())


def _baselines(comparison: Comparison, curves: pd.DataFrame) -> tuple[str, ...]:
    if isinstance(comparison.baselines, tuple):
        return comparison.baselines
    handcrafted = curves.loc[curves["meta_seed"] == HANDCRAFTED, "optimizer"]
    if handcrafted.empty:
        raise UserError(
            f"curves of {comparison.experiment}: no tuned baseline to compare with; name some in "
            f"experiments.{comparison.experiment}.baselines"
        )
    return tuple(dict.fromkeys(handcrafted))


def strongest(names: Iterable[str], tuning: pd.DataFrame, metric: str) -> str:
    """The baseline that was the best on tuning problems, at the rate for the metric."""
    best = chosen(tuning, metric)
    best = best[best["optimizer"].isin([*names])]
    return str(best["optimizer"].iloc[int(best[metric].argmin())])


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


def _deciding(rows: list[dict[str, Any]], at_least: int | None) -> Iterator[dict[str, Any]]:
    """Of a recipe's primary comparisons those of which each one has to be replicated.

    The counted ones are counted by experiment, of which the worst of its comparisons stands for
    all. So the k-th best experiment decides whether there are at least k.
    """
    counted: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("counted") and row["primary"]:
            counted.setdefault(row["experiment"], []).append(row)
        elif row["primary"]:
            yield row
    if at_least:
        worst = [min(each, key=_standing) for each in counted.values()]
        yield sorted(worst, key=_standing, reverse=True)[at_least - 1]


def _standing(row: Mapping[str, Any]) -> tuple[int, float]:
    """The order of a recipe's primary comparisons, the one that decides first."""
    if "claimed" not in row:  # the only one
        return 0, 0.0
    low, high = (row["estimate"] if math.isnan(row[key]) else row[key] for key in ("low", "high"))
    support = _support(low, high, row["claimed"], row["allowance"])
    return WORST_FIRST.index(row["verdict"]), support[0]
