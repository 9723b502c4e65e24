"""The checks that need several sections: names exist, and entries fit together.

Every check raises a `mistake` that names the key and the value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from l2l.config.base import SECTIONS, did_you_mean, mistake
from l2l.config.claims import TUNED, Claim, Measured
from l2l.config.experiments import Experiment
from l2l.config.measurements import measurement_columns
from l2l.config.recipes import Recipe
from l2l.registry import BASELINES

if TYPE_CHECKING:
    from l2l.config.schema import Config


def check(config: Config) -> None:
    """Check everything that several sections must agree on.

    Raises:
        PydanticCustomError: the first thing that does not fit.
    """
    for name in config.problems:
        _check_mixture(name, config)
    for name, recipe in config.recipes.items():
        _check_recipe(name, recipe, config)
    for name, experiment in config.experiments.items():
        _check_experiment(name, experiment, config)
    for figure, names in config.figure_experiments().items():
        _check_figure(figure, names, config)
    for measurement, settings in config.measurements.each().items():
        for key, name, among in settings.names(config):
            _known(f"measurements.{measurement}.{key}", name, among)
            if among is config.problems:
                _check_single(f"measurements.{measurement}.{key}", name, "measure", config)
    for key, claim in config.claims.items():
        _check_claim(f"claims.{key}", claim, config)
    for name, study in config.studies.items():
        for section in SECTIONS:
            entries = getattr(config, section)
            for entry in getattr(study, section):
                among = entries if isinstance(entries, dict) else type(entries).model_fields
                _known(f"studies.{name}.{section}", entry, among)


def _check_mixture(name: str, config: Config) -> None:
    for part in config.problems[name].parts:
        _known(f"problems.{name}.of", part, config.problems)
        if config.problems[part].parts:
            raise mistake(f"problems.{name}.of: '{part}' is a mixture itself; name its problems")


def _check_recipe(name: str, recipe: Recipe, config: Config) -> None:
    if name in BASELINES:
        raise mistake(f"recipes.{name}: a baseline has this name")
    for problem in recipe.problems:
        _known(f"recipes.{name}.problem", problem, config.problems)
    validated_on = config.problems[recipe.validated_on]
    if validated_on.parts:
        raise mistake(
            f"recipes.{name}.validation.problem: a mixture is not validated on; name one of "
            "its problems"
        )
    count, limit = recipe.validation.problems, validated_on.limits.get("validation")
    _at_most(f"recipes.{name}.validation.problems", count, limit)
    if recipe.start_from:
        _check_start(name, recipe, recipe.start_from, config)


def _check_start(name: str, recipe: Recipe, start: str, config: Config) -> None:
    visited = [name]
    while start:
        _known(f"recipes.{visited[-1]}.start_from", start, config.recipes)
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
        _known(f"experiments.{name}.problems", problem, config.problems)
        _check_single(f"experiments.{name}.problems", problem, "test", config)
        limits = config.problems[problem].limits
        tuned, tested = experiment.tuning.problems, experiment.evaluation.problems
        _at_most(f"experiments.{name}.tuning.problems", tuned, limits.get("validation"))
        _at_most(f"experiments.{name}.evaluation.problems", tested, limits.get("test"))
    held_out = all(hasattr(config.problems[p], "test_sample") for p in experiment.problems)
    if experiment.shown == "test_loss" and not held_out:
        raise mistake(
            f"experiments.{name}.shown = test_loss: its problems have no held-out data; show loss"
        )
    for learned in experiment.learned:
        _known(f"experiments.{name}.learned", learned, config.recipes)
    for baseline in experiment.baselines:
        _known(f"experiments.{name}.baselines", baseline, experiment.tuning.grids)


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
        _known(f"{place}.experiment", comparison.experiment, config.experiments)
        experiment = config.experiments[comparison.experiment]
        if len(experiment.problems) > 1:
            raise mistake(
                f"{place}.experiment = '{comparison.experiment}': it has several problems; "
                "compare on an experiment with one of them"
            )
        tested = (*experiment.learned, *experiment.baselines)
        baselines = () if comparison.baselines == TUNED else comparison.baselines
        for side, names in (("learned", comparison.learned), ("baselines", baselines)):
            for name in names:
                _known(f"{place}.{side}", name, tested, f"experiments.{comparison.experiment}")
        for number, metric in enumerate(comparison.metrics):
            if metric.last_step > experiment.steps:
                raise mistake(
                    f"{place}.metrics.{number}: {metric.metric} looks at step {metric.last_step}, "
                    f"experiments.{comparison.experiment} has steps = {experiment.steps}: raise "
                    "these, or let the claim look at fewer"
                )
    for name in claim.sizes.experiments if claim.sizes else ():
        _known(f"{key}.sizes.experiments", name, config.experiments)
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


def _check_single(key: str, problem: str, use: str, config: Config) -> None:
    if config.problems[problem].parts:
        raise mistake(
            f"{key}: '{problem}' is a mixture, for meta-training; {use} on one of its problems"
        )


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
