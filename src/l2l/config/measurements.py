"""What is measured besides losses, each as a tidy table: the cost of a step, proposed updates.

The names of the tables' columns stand here, without torch, so that claims can be checked before a
run (`measurement_columns`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from l2l.config.base import Count, Name, Range, Section, Whole
from l2l.config.meta_gradients import MetaGradients
from l2l.config.optimizers import LearnedSettings

if TYPE_CHECKING:
    from l2l.config.schema import Config

GRADIENT = "gradient"
"""In the column `timed`: a problem's own loss and gradient, not an optimizer."""
GRID = "grid"
"""In the column `problem`: a number of coordinates that is no problem's."""
IMPLEMENTATIONS = ("default", "reference")
"""What runs unless something else is asked for; the LSTM in plain PyTorch, where that differs."""
ADAM = "adam"
"""Whose proposed updates stand beside the learned optimizers', where it is a baseline."""
META_SEED = 0
"""Of the trained optimizers whose updates and meta-gradients are measured."""


class Overhead(Section):
    """The time of a step against the number of coordinates."""

    coordinates: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Sizes of theta that are timed."""
    repeats: Annotated[Whole, Field(ge=2)]
    """Timings of each size; from 2 million on there are two."""
    recipes: tuple[Name, ...]
    """Recipes whose optimizers are timed, with untrained weights."""
    baselines: tuple[Name, ...]
    """Baselines that are timed."""
    problems: dict[Name, str]
    """Problems whose own gradients are timed, and their names in figures."""


class Gradients(Range):
    """The values that a gradient is given: a log grid of both signs, and zero."""

    points_per_decade: Count
    """Values in a factor of ten."""


class Updates(Section):
    """The update that is proposed for a gradient, over the course of a run on a test problem."""

    experiments: dict[Name, tuple[Name, ...]]
    """Experiments on whose problems, and recipes that are asked there."""
    steps: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Updates that are looked at; 1 is the first, from h[0]."""
    coordinates: Count
    """Coordinates of each problem, drawn at random."""
    gradients: Gradients
    """The values that a gradient is given."""


class Measurements(Section):
    """A table each: `l2l measure <name>`."""

    overhead: Overhead
    """The cost of a step."""
    updates: Updates
    """Proposed updates."""
    meta_gradients: MetaGradients
    """Meta-gradients against the window's length."""


def cost_settings(optimizer: LearnedSettings) -> dict[str, Any]:
    """What decides how long an optimizer's step takes: all settings that are not real numbers."""
    values = optimizer.model_dump(mode="json")
    return {key: value for key, value in values.items() if not isinstance(value, float)}


def measurement_columns(config: Config) -> dict[str, dict[str, Collection[Any] | None]]:
    """Table -> column -> the values that it can have, None where any.

    Args:
        config: says what is measured.
    """
    overhead, updates = config.measurements.overhead, config.measurements.updates
    gradients = config.measurements.meta_gradients
    learned = dict.fromkeys(name for names in updates.experiments.values() for name in names)
    return {
        "overhead": {
            "timed": (*overhead.recipes, *overhead.baselines, GRADIENT),
            "implementation": IMPLEMENTATIONS,
            "problem": (*overhead.problems, GRID),
            "coordinates": None,
            "repeat": None,
            "seconds": None,
            "state_bytes": None,
        },
        "updates": {
            "experiment": tuple(updates.experiments),
            "family": None,
            "optimizer": (*learned, ADAM),
            "step": updates.steps,
            "coordinate": None,
            "parameter": None,
            "gradient": None,
            "update": None,
            "actual_gradient": None,
            "actual_update": None,
        },
        "meta_gradients": {
            "stage": tuple(gradients.stages),
            "estimator": tuple(gradients.estimators),
            "window": gradients.windows,
            "repeat": None,
            "norm": None,
            "cosine": None,
            "ratio": None,
            "noise": None,
            "noise_left_out": None,
            "bias": None,
            "bias_left_out": None,
        },
    }


def unknown_names(config: Config) -> tuple[str, str, Mapping[str, Any] | Collection[str]] | None:
    """The first name that the configuration does not have: its key, itself, the allowed ones."""
    overhead, updates = config.measurements.overhead, config.measurements.updates
    gradients = config.measurements.meta_gradients
    asked: list[tuple[str, Collection[str], Collection[str]]] = [
        ("overhead.recipes", overhead.recipes, config.recipes),
        ("overhead.problems", overhead.problems, config.problems),
        ("overhead.baselines", overhead.baselines, config.tuning.grids),
        ("updates.experiments", updates.experiments, config.experiments),
        ("meta_gradients.problem", [gradients.problem], config.problems),
    ]
    for key, stage in gradients.stages.items():
        asked.append((f"meta_gradients.stages.{key}.recipe", [stage.recipe], config.recipes))
    for experiment, learned in updates.experiments.items():
        asked.append((f"updates.experiments.{experiment}", learned, config.recipes))
    for key, names, among in asked:
        for name in names:
            if name not in among:
                return f"measurements.{key}", name, among
    return None
