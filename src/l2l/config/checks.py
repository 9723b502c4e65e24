"""The checks that need several sections: names exist, and entries fit together.

Every check raises a `mistake` that names the key and the value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from l2l.config.base import mistake
from l2l.config.claims import DEFAULT, TRANSFERRED, UNCHANGED, Claim, Measured
from l2l.config.experiments import Experiment
from l2l.config.measurements import measurement_columns
from l2l.config.names import Entry
from l2l.config.recipes import Recipe
from l2l.errors import did_you_mean
from l2l.registry import BASELINES

if TYPE_CHECKING:
    from l2l.config.schema import Config


def check(config: Config) -> None:
    """Check everything that several sections must agree on.

    Raises:
        PydanticCustomError: the first thing that does not fit.
    """
    for key, name, entry in _references(None, config, ""):
        entries = getattr(config, entry.section)
        _known(key, name, entries if isinstance(entries, dict) else type(entries).model_fields)
        if entry.single and config.problems[name].parts:
            raise mistake(f"{key}: '{name}' is a mixture, for meta-training; name its problems")
    for name in config.problems:
        _check_mixture(name, config)
    for name, recipe in config.recipes.items():
        _check_recipe(name, recipe, config)
    for name, experiment in config.experiments.items():
        _check_experiment(name, experiment, config)
    for figure, names in config.figure_experiments().items():
        _check_figure(figure, names, config)
    for key, claim in config.claims.items():
        _check_claim(f"claims.{key}", claim, config)


def _references(kind: Any, value: Any, key: str) -> Iterator[tuple[str, str, Entry]]:
    """The names of entries of sections in a value of this type: dotted key, name, mark."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            item, place = getattr(value, name), f"{key}.{name}".lstrip(".")
            yield from _marked(field.metadata, item, place)
            yield from _references(field.annotation, item, place)
    elif get_origin(kind) is Annotated:
        yield from _marked(kind.__metadata__, value, key)
        yield from _references(kind.__origin__, value, key)
    elif isinstance(value, dict):
        of_keys, of_values = get_args(kind)
        for name, item in value.items():
            yield from _references(of_keys, name, key)
            yield from _references(of_values, item, f"{key}.{name}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            place = f"{key}.{index}" if isinstance(item, BaseModel) else key
            yield from _references(get_args(kind)[0], item, place)
    else:
        for member in get_args(kind):  # of a union
            yield from _references(member, value, key)


def _marked(metadata: Iterable[Any], value: Any, key: str) -> Iterator[tuple[str, str, Entry]]:
    return ((key, value, one) for one in metadata if isinstance(one, Entry) and value)


def _check_mixture(name: str, config: Config) -> None:
    for part in config.problems[name].parts:
        if config.problems[part].parts:
            raise mistake(f"problems.{name}.of: '{part}' is a mixture itself; name its problems")


def _check_recipe(name: str, recipe: Recipe, config: Config) -> None:
    if name in BASELINES:
        raise mistake(f"recipes.{name}: a baseline has this name")
    validated_on = config.problems[recipe.validated_on]
    if validated_on.parts:
        raise mistake(
            f"recipes.{name}.validation.problem: a mixture is not validated on; name one of "
            "its problems"
        )
    if recipe.validation.loss == "test_loss" and not hasattr(validated_on, "test_sample"):
        raise mistake(
            f"recipes.{name}.validation.loss = test_loss: {recipe.validated_on} has no held-out "
            "data; validate by train_loss"
        )
    count, limit = recipe.validation.problems, validated_on.limits.get("validation")
    _at_most(f"recipes.{name}.validation.problems", count, limit)
    if recipe.start_from:
        _check_start(name, recipe, recipe.start_from, config)


def _check_start(name: str, recipe: Recipe, start: str, config: Config) -> None:
    visited = [name]
    while start:
        if start in visited:
            raise mistake(f"recipes.{name}.start_from: goes round in a circle")
        visited.append(start)
        if config.recipes[start].meta_seeds < recipe.meta_seeds:
            raise mistake(
                f"recipes.{name}.meta_seeds = {recipe.meta_seeds}: recipes.{start}, which it "
                f"starts from, has only {config.recipes[start].meta_seeds}"
            )
        start = config.recipes[start].start_from or ""


def _check_experiment(name: str, experiment: Experiment, config: Config) -> None:
    for problem in experiment.problems:
        limits = config.problems[problem].limits
        tuned, tested = experiment.tuning.problems, experiment.evaluation.problems
        _at_most(f"experiments.{name}.tuning.problems", tuned, limits.get("validation"))
        _at_most(f"experiments.{name}.evaluation.problems", tested, limits.get("test"))
    held_out = all(hasattr(config.problems[p], "test_sample") for p in experiment.problems)
    if experiment.shown == "test_loss" and not held_out:
        raise mistake(
            f"experiments.{name}.shown = test_loss: its problems have no held-out data; show loss"
        )
    for baseline in experiment.baselines:
        _known(f"experiments.{name}.baselines", baseline, experiment.tuning.grids)
    for baseline in experiment.default_rates:
        _known(f"experiments.{name}.default_rates", baseline, experiment.baselines)
    if experiment.rates_of and len(config.experiments[experiment.rates_of].problems) > 1:
        raise mistake(
            f"experiments.{name}.rates_of = {experiment.rates_of}: it has several problems; name "
            "an experiment with one"
        )


def _check_figure(figure: str, names: list[str], config: Config) -> None:
    without = [name for name in names if not config.experiments[name].reference]
    if without and len(without) < len(names):
        raise mistake(
            f"experiments.{without[0]}.reference: some panels of figure '{figure}' have a "
            "reference and others not; give them figures of their own"
        )
    several = [name for name in names if len(config.experiments[name].problems) > 1]
    if several and len(names) > 1:
        raise mistake(
            f"experiments.{several[0]} has several problems: give it a figure of its own, not "
            f"'{figure}' of {', '.join(name for name in names if name != several[0])}"
        )


def _check_claim(key: str, claim: Claim, config: Config) -> None:
    for index, comparison in enumerate(claim.comparisons):
        place = f"{key}.comparisons.{index}"
        experiment = config.experiments[comparison.experiment]
        if len(experiment.problems) > 1:
            raise mistake(
                f"{place}.experiment = '{comparison.experiment}': it has several problems; "
                "compare on an experiment with one of them"
            )
        tested = (*experiment.learned, *experiment.baselines)
        baselines = comparison.baselines if isinstance(comparison.baselines, tuple) else ()
        if comparison.baselines == TRANSFERRED and not experiment.rates_of:
            raise mistake(
                f"{place}.baselines = {TRANSFERRED}: experiments.{comparison.experiment} has no "
                "rates_of"
            )
        if comparison.baselines == DEFAULT and not experiment.default_rates:
            raise mistake(
                f"{place}.baselines = {DEFAULT}: experiments.{comparison.experiment} has no "
                "default_rates"
            )
        for side, names in (("learned", comparison.learned), ("baselines", baselines)):
            for name in names:
                _known(f"{place}.{side}", name, tested, f"experiments.{comparison.experiment}")
        for number, metric in enumerate(comparison.metrics):
            if metric.metric == "progress" and comparison.baselines != UNCHANGED:
                raise mistake(f"{place}.metrics.{number}: progress is compared with {UNCHANGED}")
            if metric.metric == "mean_loss" and "mean_loss" not in experiment.tuning.metrics:
                raise mistake(
                    f"{place}.metrics.{number}: no baseline is tuned for mean_loss: add it to "
                    f"experiments.{comparison.experiment}.tuning.metrics"
                )
            if metric.last_step > experiment.steps:
                raise mistake(
                    f"{place}.metrics.{number}: {metric.metric} looks at step {metric.last_step}, "
                    f"experiments.{comparison.experiment} has steps = {experiment.steps}: raise "
                    "these, or let the claim look at fewer"
                )
    roles = [one.role for one in claim.comparisons] + [one.role for one in claim.measured]
    if roles and not claim.sizes and not {"primary", "counted"} & {*roles}:
        raise mistake(f"{key}: all comparisons are shown only, and none decides")
    counted = {one.experiment for one in claim.comparisons if one.role == "counted"}
    if (claim.at_least or 0) > len(counted):
        raise mistake(
            f"{key}.at_least = {claim.at_least}: comparisons on {len(counted)} experiments have "
            "the role counted"
        )
    if counted and not claim.at_least:
        raise mistake(f"{key}: some comparisons have the role counted: say at_least how many")
    for name in claim.sizes.experiments if claim.sizes else ():
        for recipe in claim.sizes.learned if claim.sizes else ():
            learned = config.experiments[name].learned
            _known(f"{key}.sizes.learned", recipe, learned, f"experiments.{name}")
    for index, measured in enumerate(claim.measured):
        _check_measured(f"{key}.measured.{index}", measured, config)


def _check_measured(key: str, measured: Measured, config: Config) -> None:
    tables = measurement_columns(config)
    _known(f"{key}.table", measured.table, tables)
    columns = tables[measured.table]
    for side in ("value", "pair"):
        _known(f"{key}.{side}", getattr(measured, side), columns)
    if columns[measured.value] is not None:
        raise mistake(f"{key}.value = '{measured.value}': this column does not hold numbers")
    for side, selected in (("of", measured.of), ("against", measured.against)):
        for column, value in selected.items():
            _known(f"{key}.{side}.{column}", column, columns)
            values = columns[column]
            if values is not None:
                _known(f"{key}.{side}.{column}", value, values)


def _at_most(key: str, value: int, limit: int | None) -> None:
    if limit is not None and value > limit:
        raise mistake(f"{key} = {value}: there are only {limit} photographs for it")


def _known(key: str, value: Any, among: Collection[Any], owner: str = "") -> None:
    """Check that a value is one of those `among`, which are all that there are or the owner's."""
    if value not in among:
        reason = f"{owner} does not have it" if owner else "there is no such entry"
        raise mistake(
            f"{key} = {value!r}: {reason}{did_you_mean(value, among)}; there are: "
            f"{', '.join(map(str, among))}"
        )
