"""What is measured besides losses: the settings of each measurement, and what its table has.

What a table's columns are called stands here, without torch, so that claims can be checked before
a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, create_model, model_validator

from l2l.config.base import Count, Name, Natural, Positive, Range, Section, Whole, mistake
from l2l.config.experiments import Baseline
from l2l.config.names import ExperimentName, RecipeName, SingleProblemName
from l2l.config.optimizers import LearnedSettings
from l2l.config.problems import problem_inputs, training_problem_inputs
from l2l.config.recipes import AnyEstimator
from l2l.registry import Kind, resolve

if TYPE_CHECKING:
    from l2l.config.schema import Config

Columns = dict[str, Collection[Any] | None]
"""Column of a table -> the values that it can have, None where any."""

GRADIENT = "gradient"
"""In the column `timed`: a problem's own loss and gradient, not an optimizer."""
GRID = "grid"
"""In the column `problem`: a number of coordinates that is not that of a problem."""
IMPLEMENTATIONS = ("default", "reference")
"""What runs without a special wish; the LSTM in plain PyTorch, where that is something else."""
ADAM = "adam"
"""The baseline whose proposed updates are measured beside those of learned optimizers."""
KEPT, DROPPED, MEASURED = ESTIMATES = ("kept", "dropped", "measured")
"""The meta-gradient with second derivatives, without them, and finite differences."""
META_SEED = 0
"""The meta-seed of the trained optimizers that are measured."""


class MeasurementSettings(Section):
    """What every measurement has.

    Attributes:
        alone: whether nothing else may run meanwhile, because it takes times.
    """

    alone: ClassVar[bool] = False

    def columns(self, config: Config) -> Columns:
        """The columns of its table."""
        raise NotImplementedError

    def inputs(self, config: Config) -> dict[str, Any]:
        """What its table depends on, besides seed, trained optimizers and tunings.

        By default these are its settings and those of its problems.
        """
        problems = [problem_inputs(config.problems, name) for name in self.problems_of(config)]
        return {"settings": self.model_dump(mode="json"), "problems": problems}

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """The problems that it measures on."""
        return ()

    def trained(self) -> tuple[str, ...]:
        """Recipes whose trained optimizers, of meta-seed `META_SEED`, it measures."""
        return ()

    def tuned(self, config: Config) -> tuple[tuple[str, str], ...]:
        """Tunings that it needs: (experiment, baseline)."""
        return ()

    def shown(self) -> dict[str, Any]:
        """The settings that figures show, under names that no other measurement has."""
        return {}


class Overhead(MeasurementSettings):
    """The time of a step against the number of coordinates."""

    alone: ClassVar[bool] = True
    coordinates: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Sizes of theta that are timed."""
    repeats: Annotated[Whole, Field(ge=2)]
    """Timings of each size; from 2 million on there are two."""
    recipes: tuple[RecipeName, ...]
    """Recipes whose optimizers are timed, with untrained weights."""
    baselines: tuple[Baseline, ...]
    """Baselines that are timed."""
    problems: dict[SingleProblemName, str]
    """Problems whose own gradients are timed, and their names in figures."""

    def columns(self, config: Config) -> Columns:
        """See `l2l.measurements.overhead`."""
        return {
            "timed": (*self.recipes, *self.baselines, GRADIENT),
            "implementation": IMPLEMENTATIONS,
            "problem": (*self.problems, GRID),
            **dict.fromkeys(("coordinates", "repeat")),
            **dict.fromkeys(("seconds", "seconds_with_gradient", "state_bytes")),
        }

    def inputs(self, config: Config) -> dict[str, Any]:
        """Unlike losses, times depend on the machine: on the device and the threads."""
        problems = [problem_inputs(config.problems, name) for name in self.problems]
        return {
            "overhead": self.model_dump(mode="json") | {"problems": problems},
            "compute": {
                "device": config.compute.device_of("measure"),
                "threads": config.compute.threads,
            },
            "optimizers": [cost_settings(config.recipes[name].optimizer) for name in self.recipes],
        }

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """Those whose gradients are timed."""
        return tuple(self.problems)

    def shown(self) -> dict[str, Any]:
        """The names of the problems."""
        return {"problems": self.problems}


class Gradients(Range):
    """The values that replace a gradient: a log grid of both signs, and zero."""

    points_per_decade: Count
    """Values in a factor of ten."""


class Updates(MeasurementSettings):
    """The update that is proposed for a gradient, over the course of a run on a test problem."""

    experiments: dict[ExperimentName, tuple[RecipeName, ...]]
    """Experiments on whose problems, and recipes that are asked there."""
    steps: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Updates that are looked at; 1 is the first, from h[0]."""
    coordinates: Count
    """Coordinates of each problem, drawn at random."""
    gradients: Gradients
    """The values that a gradient is given."""

    def columns(self, config: Config) -> Columns:
        """See `l2l.measurements.updates`."""
        return {
            "experiment": tuple(self.experiments),
            "family": None,
            "optimizer": (*dict.fromkeys(self.trained()), ADAM),
            "step": self.steps,
            **dict.fromkeys(("coordinate", "parameter", "gradient", "update")),
            **dict.fromkeys(("actual_gradient", "actual_update")),
        }

    def inputs(self, config: Config) -> dict[str, Any]:
        """The settings, and the experiments' problems."""
        problems = [problem_inputs(config.problems, name) for name in self.problems_of(config)]
        return {"updates": self.model_dump(mode="json"), "problems": problems}

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """Those of the experiments."""
        experiments = [config.experiments[name] for name in self.experiments]
        return tuple(name for experiment in experiments for name in experiment.problems)

    def trained(self) -> tuple[str, ...]:
        """All recipes."""
        return tuple(name for recipes in self.experiments.values() for name in recipes)

    def tuned(self, config: Config) -> tuple[tuple[str, str], ...]:
        """ADAM, where an experiment has it."""
        with_adam = (
            name for name in self.experiments if ADAM in config.experiments[name].baselines
        )
        return tuple((name, ADAM) for name in with_adam)


class MetaGradientStage(Section):
    """A trained optimizer of meta-seed 0, at whose weights phi meta-gradients are estimated."""

    title: str
    """Its name in the figure."""
    recipe: RecipeName
    """Whose optimizer."""
    problem: SingleProblemName
    """On what meta-gradients are estimated."""
    problems: Annotated[Whole, Field(ge=2, multiple_of=2)]
    """Problems of an estimate; its variance is told from the difference of both halves."""
    estimators: tuple[Name, ...] | None = None
    """By which of the estimators; absent: by all."""


class GradientSource(Section):
    """A way to estimate them, with the name that a reader sees."""

    title: str
    """Its name in the figure."""
    estimator: AnyEstimator
    """As in a recipe."""


class MetaGradients(MeasurementSettings):
    """Meta-gradients of whole episodes, as sums over windows, at fixed phi."""

    steps: Count
    """Inner steps of an episode."""
    windows: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Window lengths; each divides `steps`."""
    repeats: Annotated[Whole, Field(ge=3)]
    """Estimates of each kind, with problems of their own."""
    stages: Annotated[dict[Name, MetaGradientStage], Field(min_length=1)]
    """At which phi they are estimated."""
    estimators: Annotated[dict[Name, GradientSource], Field(min_length=1)]
    """By what they are estimated."""

    @model_validator(mode="after")
    def _windows_fit(self) -> MetaGradients:
        wrong = [window for window in self.windows if self.steps % window]
        if wrong:
            raise mistake(
                f"windows: {wrong[0]} does not divide steps = {self.steps}; episodes are cut into "
                "equal windows"
            )
        for name, stage in self.stages.items():
            for estimator in stage.estimators or ():
                if estimator not in self.estimators:
                    raise mistake(
                        f"stages.{name}.estimators: '{estimator}' is none of "
                        f"{', '.join(self.estimators)}"
                    )
        return self

    def estimators_at(self, stage: str) -> dict[str, GradientSource]:
        """Those by which meta-gradients are estimated at a stage."""
        chosen = self.stages[stage].estimators or self.estimators
        return {name: source for name, source in self.estimators.items() if name in chosen}

    def columns(self, config: Config) -> Columns:
        """See `l2l.measurements.meta_gradients`."""
        return {
            "stage": tuple(self.stages),
            "estimator": tuple(self.estimators),
            "window": self.windows,
            **dict.fromkeys(("repeat", "norm", "variance", "cosine", "agreement")),
        }

    def inputs(self, config: Config) -> dict[str, Any]:
        """All settings but the titles, and the problems."""
        without_titles = {"stages": {"__all__": {"title"}}, "estimators": {"__all__": {"title"}}}
        return {
            "meta_gradients": self.model_dump(mode="json", exclude=without_titles),
            "problems": [
                training_problem_inputs(config.problems, name) for name in self.problems_of(config)
            ],
        }

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """Those of the stages."""
        return tuple(dict.fromkeys(stage.problem for stage in self.stages.values()))

    def trained(self) -> tuple[str, ...]:
        """Those of the stages."""
        return tuple(dict.fromkeys(stage.recipe for stage in self.stages.values()))

    def shown(self) -> dict[str, Any]:
        """The titles."""
        titles = [
            {key: one.title for key, one in titled.items()}
            for titled in (self.stages, self.estimators)
        ]
        return {"meta_gradients": titles}


class Slice(Section):
    """A trained optimizer of meta-seed 0, around whose weights the meta-loss is looked at."""

    title: str
    """Its name in the figure."""
    recipe: RecipeName
    """Whose optimizer."""
    problem: SingleProblemName
    """On what it runs."""


class Landscape(MeasurementSettings):
    """The meta-loss along random directions of phi, for episodes of several lengths."""

    slices: Annotated[dict[Name, Slice], Field(min_length=1)]
    """Around which phi."""
    directions: Count
    """Random directions from each phi."""
    reach: Positive
    """How far to go to both sides; 1: as far as each weight matrix is long."""
    points: Annotated[Whole, Field(ge=3)]
    """Places on a line, both ends among them."""
    horizons: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Inner steps over whose losses the meta-loss is the mean."""
    problems: Count
    """Problems, the same at all places."""

    def columns(self, config: Config) -> Columns:
        """See `l2l.measurements.landscape`."""
        return {
            "slice": tuple(self.slices),
            "direction": range(self.directions),
            "horizon": self.horizons,
            **dict.fromkeys(("place", "problem", "loss")),
        }

    def inputs(self, config: Config) -> dict[str, Any]:
        """All settings but the titles, and the problems."""
        return {
            "landscape": self.model_dump(mode="json", exclude={"slices": {"__all__": {"title"}}}),
            "problems": [
                training_problem_inputs(config.problems, name) for name in self.problems_of(config)
            ],
        }

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """Those of the slices."""
        return tuple(dict.fromkeys(one.problem for one in self.slices.values()))

    def trained(self) -> tuple[str, ...]:
        """Those of the slices."""
        return tuple(dict.fromkeys(one.recipe for one in self.slices.values()))

    def shown(self) -> dict[str, Any]:
        """The titles."""
        return {"landscape": {key: one.title for key, one in self.slices.items()}}


class StepSize(MeasurementSettings):
    """What meta-gradients say of the size of steps, against finite differences."""

    recipe: RecipeName
    """Whose trained optimizer, of meta-seed 0."""
    problem: SingleProblemName
    """On what it runs."""
    problems: Count
    """Runs, each on a problem of its own."""
    starts: Annotated[tuple[Natural, ...], Field(min_length=1)]
    """Steps of a run at which windows begin."""
    windows: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Window lengths."""
    factor: Annotated[float, Field(gt=1)]
    """How many times as large and as small the steps are of which the difference is taken."""

    def columns(self, config: Config) -> Columns:
        """See `l2l.measurements.step_size`."""
        return {
            "start": self.starts,
            "window": self.windows,
            "estimate": ESTIMATES,
            **dict.fromkeys(("repeat", "loss", "slope", "error")),
        }

    def inputs(self, config: Config) -> dict[str, Any]:
        """All settings; the problem as in meta-training."""
        return {
            "step_size": self.model_dump(mode="json"),
            "problem": training_problem_inputs(config.problems, self.problem),
        }

    def problems_of(self, config: Config) -> tuple[str, ...]:
        """The one."""
        return (self.problem,)

    def trained(self) -> tuple[str, ...]:
        """The one."""
        return (self.recipe,)


class Measurements(Section):
    """Measurements, each with a table of its own: `l2l measure <name>`."""

    def each(self) -> dict[str, MeasurementSettings]:
        """Those that the configuration has, by name."""
        return {name: settings for name, settings in self if settings is not None}

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """The settings of a measurement; None: the configuration does not have it."""


def measurements_of(registry: Mapping[str, Kind]) -> type[Measurements]:
    """The section `measurements`, with a key for each registered measurement."""
    fields: dict[str, Any] = {}
    for name, kind in registry.items():
        settings = resolve(kind.settings)
        meaning = settings.__doc__.splitlines()[0]
        fields[name] = (settings | None, Field(default=None, description=meaning))
    return create_model(
        "Measurements", __base__=Measurements, __doc__=Measurements.__doc__, **fields
    )


def cost_settings(optimizer: LearnedSettings) -> dict[str, Any]:
    """What decides how long an optimizer's step takes: all settings that are not real numbers."""
    values = optimizer.model_dump(mode="json")
    return {key: value for key, value in values.items() if not isinstance(value, float)}


def measurement_columns(config: Config) -> dict[str, Columns]:
    """The tables of all measurements, by name."""
    return {name: one.columns(config) for name, one in config.measurements.each().items()}
