"""Rough costs of work in seconds of one core, and which short pieces one job does together.

To start Python and PyTorch takes seconds, so a job that does less than that is mostly overhead.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log10

from l2l.config.schema import Config

BACKWARD = 3.0
"""A step of meta-training, in tests' steps."""


def training_seconds(config: Config, recipe: str) -> float:
    """The search of the meta learning rate and all meta-trainings of a recipe."""
    settings = config.recipes[recipe]
    trials = settings.meta_learning_rate.trials * trial_seconds(config, recipe)
    return trials + settings.meta_seeds * seed_seconds(config, recipe)


def trial_seconds(config: Config, recipe: str) -> float:
    """A trial of the meta learning rate."""
    return config.recipes[recipe].meta_learning_rate.episodes * _episode(config, recipe)


def seed_seconds(config: Config, recipe: str) -> float:
    """The meta-training of one meta-seed."""
    return config.recipes[recipe].episodes * _episode(config, recipe)


def _episode(config: Config, recipe: str) -> float:
    settings = config.recipes[recipe]
    validation = settings.validation
    steps = settings.steps * settings.problems_per_episode * BACKWARD
    steps += validation.steps * validation.problems / validation.every
    return steps * _problem(config, settings.problem)


def test_seconds(config: Config, experiment: str) -> float:
    """The tunings and tests of an experiment."""
    settings = config.experiments[experiment]
    tests = len(config.tested(experiment)) * evaluation_seconds(config, experiment)
    if settings.tuning.origin == "released":
        return tests
    return tests + sum(tuning_seconds(config, experiment, name) for name in settings.baselines)


def tuning_seconds(config: Config, experiment: str, baseline: str) -> float:
    """The tuning of a baseline."""
    settings = config.experiments[experiment]
    grid = settings.tuning.grids[baseline]
    rates = 1 + settings.tuning.points_per_decade * log10(grid.high / grid.low)
    return rates * settings.tuning.problems * settings.horizon * _step(config, experiment)


def evaluation_seconds(config: Config, experiment: str) -> float:
    """The test of one optimizer."""
    settings = config.experiments[experiment]
    return settings.evaluation.problems * settings.steps * _step(config, experiment)


def _step(config: Config, experiment: str) -> float:
    problems = config.experiments[experiment].problems
    return sum(_problem(config, problem) for problem in problems)


def _problem(config: Config, problem: str) -> float:
    """A step on one problem; of a mixture the mean of its parts."""
    parts = config.parts(problem)
    return sum(config.problems[part].step_seconds for part in parts) / len(parts)


def training_groups(config: Config, shortest: float) -> dict[str, list[str]]:
    """Recipes of this run whose whole meta-training is short, by the job that does them together.

    A job's recipes belong to one study and start from recipes of other jobs or of none, so that a
    figure needs no job of another study. Longer recipes are in no group.

    Args:
        config: the configuration.
        shortest: about the seconds of a job; 0: there are no groups.
    """
    used = [name for name in config.used_recipes() if config.recipes[name].origin == "trained"]
    rows = [
        (f"{study}_{depth}" if depth else study, recipe)
        for study, entry in config.studies.items()
        for recipe in entry.recipes
        if recipe in used
        for depth in [_depth(config, recipe)]
    ]
    return _packed(((key, name, training_seconds(config, name)) for key, name in rows), shortest)


def test_groups(config: Config, shortest: float) -> dict[str, list[str]]:
    """Experiments whose tunings and tests are short together; see `training_groups`."""
    rows = [
        (study, experiment, test_seconds(config, experiment))
        for study, entry in config.studies.items()
        for experiment in entry.experiments
    ]
    return _packed(rows, shortest)


def _depth(config: Config, recipe: str) -> int:
    """How many recipes come before this one, each starting from the one before it."""
    start = config.recipes[recipe].start_from
    return 1 + _depth(config, start) if start else 0


def _packed(rows: Iterable[tuple[str, str, float]], limit: float) -> dict[str, list[str]]:
    """Names of one key together, in their order, while their seconds stay within the limit."""
    groups: dict[str, list[str]] = {}
    latest: dict[str, tuple[str, float]] = {}
    for key, name, seconds in rows:
        if seconds > limit:
            continue
        group, sum_of_group = latest.get(key, (key, 0.0))
        if sum_of_group + seconds > limit:
            group, sum_of_group = f"{key}_from_{name}", 0.0
        groups.setdefault(group, []).append(name)
        latest[key] = group, sum_of_group + seconds
    return groups
