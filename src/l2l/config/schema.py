"""Everything that can be configured, with its type, its range and what it means.

The values stand in config/default.yaml; config/smoke.yaml and config/paper.yaml override some of
them. There are no defaults here, so that the YAML file shows every value that a run depends on.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Name, Range, Section
from l2l.config.measurements import Measurements, unknown_names
from l2l.config.problems import MixtureSettings, ProblemSettings
from l2l.config.recipes import Recipe

Protocol = Literal["smoke", "default", "paper"]
Baseline = Literal["sgd", "rmsprop", "adam", "nag"]


class Grid(Range):
    """The first log grid of learning rates; it widens while the best value is at an edge."""


class Tuning(Section):
    """How the learning rate of each baseline is chosen."""

    problems: Count
    points_per_decade: Count
    max_widenings: Annotated[int, Field(ge=0)]
    grids: dict[Baseline, Grid]


class Evaluation(Section):
    """The test."""

    problems: Count
    batch: Annotated[int, Field(ge=1, description="problems run at once (memory)")]
    measure_every: Annotated[
        int, Field(ge=1, description="steps between measurements of train_loss and test_loss")
    ]
    pictures: Annotated[
        int, Field(ge=0, description="test problems whose last theta is kept as a picture")
    ]

    @model_validator(mode="after")
    def _pictures_of_the_first_batch(self) -> Evaluation:
        most = min(self.problems, self.batch)
        if self.pictures > most:
            raise PydanticCustomError(
                "pictures",
                "pictures = {pictures} must not be above problems and batch: {most}",
                {"pictures": self.pictures, "most": most},
            )
        return self


class Experiment(Section):
    """Learned optimizers and tuned baselines, side by side on fresh test problems."""

    title: str
    figure: Annotated[Name, Field(description="the figure that it is a panel of")]
    problems: Annotated[tuple[Name, ...], Field(min_length=1)]
    steps: Count
    horizon: Annotated[int, Field(ge=1, description="step that tuning and claims look at")]
    shown: Annotated[Literal["loss", "test_loss"], Field(description="what its panel shows")]
    reference: Annotated[
        Name | None,
        Field(description="of its learned optimizers, the one that the others are variants of"),
    ] = None
    learned: Annotated[tuple[Name, ...], Field(min_length=1)]
    baselines: Annotated[tuple[Baseline, ...], Field(min_length=1)]
    tuning: Tuning
    evaluation: Evaluation

    @model_validator(mode="after")
    def _horizon_within(self) -> Experiment:
        if self.horizon > self.steps:
            raise PydanticCustomError(
                "horizon",
                "horizon = {horizon} must not be above steps = {steps}",
                {"horizon": self.horizon, "steps": self.steps},
            )
        if self.reference and self.reference not in self.learned:
            raise PydanticCustomError(
                "unknown_name",
                "reference = '{name}': it is not one of learned: {learned}",
                {"name": self.reference, "learned": ", ".join(self.learned)},
            )
        for names in (self.problems, self.learned, self.baselines):
            if len(set(names)) < len(names):
                raise PydanticCustomError(
                    "twice", "'{name}' stands twice in {names}", {"names": ", ".join(names)}
                )
        return self


class FigureSettings(Section):
    """How figures look. Nothing but figures depends on this."""

    dpi: Annotated[int, Field(ge=50, le=1200)]
    width_inches: Annotated[float, Field(gt=1, le=20)]
    font_size: Annotated[float, Field(ge=4, le=24)]
    interval: Annotated[float, Field(gt=0, lt=1, description="of the shaded bands")]


class Compute(Section):
    """Where and how wide a job computes."""

    device: Literal["auto", "cpu", "cuda"]
    threads: Annotated[int, Field(ge=1, le=256, description="per job")]


class Data(Section):
    """Where data sets are looked for and kept. The variable L2L_DATA_DIR goes first."""

    directory: str | None


class Config(Section):
    """The whole configuration of a run."""

    protocol: Protocol
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    meta_seeds: Count
    data: Data
    compute: Compute
    tuning: Tuning
    evaluation: Evaluation
    problems: dict[Name, ProblemSettings]
    recipes: dict[Name, Recipe]
    experiments: dict[Name, Experiment]
    measurements: Measurements
    figures: FigureSettings

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for name, mixture in self.problems.items():
            for part in mixture.of if isinstance(mixture, MixtureSettings) else ():
                _known(f"problems.{name}.of", part, self.problems)
                if isinstance(self.problems[part], MixtureSettings):
                    raise PydanticCustomError(
                        "mixture",
                        "problems.{name}.of: '{part}' is a mixture itself; name its problems",
                        {"name": name, "part": part},
                    )
        for name in set(self.recipes) & set(get_args(Baseline)):
            raise PydanticCustomError(
                "unknown_name", "recipes.{name}: a baseline has this name", {"name": name}
            )
        for name, recipe in self.recipes.items():
            for problem in recipe.problems:
                _known(f"recipes.{name}.problem", problem, self.problems)
            if isinstance(self.problems[recipe.validated_on], MixtureSettings):
                raise PydanticCustomError(
                    "mixture",
                    "recipes.{name}.validation.problem: a mixture is not validated on; name one "
                    "of its problems",
                    {"name": name},
                )
            limits = getattr(self.problems[recipe.validated_on], "limits", {})
            count = recipe.validation.problems
            _at_most(f"recipes.{name}.validation.problems", count, limits.get("validation"))
            if recipe.start_from:
                self._check_start(name, recipe, recipe.start_from)
        for name, experiment in self.experiments.items():
            for problem in experiment.problems:
                _known(f"experiments.{name}.problems", problem, self.problems)
                if isinstance(self.problems[problem], MixtureSettings):
                    raise PydanticCustomError(
                        "mixture",
                        "experiments.{name}.problems: '{problem}' is a mixture, for meta-training; "
                        "test on one of its problems",
                        {"name": name, "problem": problem},
                    )
                limits = getattr(self.problems[problem], "limits", {})
                tuned, tested = experiment.tuning.problems, experiment.evaluation.problems
                _at_most(f"experiments.{name}.tuning.problems", tuned, limits.get("validation"))
                _at_most(f"experiments.{name}.evaluation.problems", tested, limits.get("test"))
            held_out = all(hasattr(self.problems[p], "test_sample") for p in experiment.problems)
            if experiment.shown == "test_loss" and not held_out:
                raise PydanticCustomError(
                    "held_out",
                    "experiments.{name}.shown = test_loss: its problems have no held-out data; "
                    "show loss",
                    {"name": name},
                )
            for learned in experiment.learned:
                _known(f"experiments.{name}.learned", learned, self.recipes)
            for baseline in experiment.baselines:
                _known(f"experiments.{name}.baselines", baseline, experiment.tuning.grids)
        for figure, names in self.figure_experiments().items():
            kinds = {bool(self.experiments[name].reference) for name in names}
            if len(kinds) > 1:
                raise PydanticCustomError(
                    "figure",
                    "experiments.{name}.reference: of the panels of figure '{figure}' some have a "
                    "reference and others not; give them figures of their own",
                    {"name": names[0], "figure": figure},
                )
            several = [name for name in names if len(self.experiments[name].problems) > 1]
            if several and len(names) > 1:
                raise PydanticCustomError(
                    "figure",
                    "experiments.{name} has several problems: give it a figure of its own, not "
                    "'{figure}' of {others}",
                    {"name": several[0], "figure": figure}
                    | {"others": ", ".join(name for name in names if name != several[0])},
                )
        return self

    @model_validator(mode="after")
    def _measured_names_exist(self) -> Config:
        if unknown := unknown_names(self):
            key, name, among = unknown
            _known(key, name, among)
        return self

    def _check_start(self, name: str, recipe: Recipe, start: str) -> None:
        _known(f"recipes.{name}.start_from", start, self.recipes)
        visited = [name]
        while start:
            if start in visited:
                raise PydanticCustomError(
                    "circle", "recipes.{name}.start_from: goes round in a circle", {"name": name}
                )
            visited.append(start)
            if self.recipes[start].meta_seeds < recipe.meta_seeds:
                raise PydanticCustomError(
                    "seeds",
                    "recipes.{name}.meta_seeds = {own}: recipes.{start}, which it starts from, "
                    "has only {others}",
                    {"name": name, "own": recipe.meta_seeds, "start": start}
                    | {"others": self.recipes[start].meta_seeds},
                )
            start = self.recipes[start].start_from or ""

    def datasets(self, *problems: str) -> list[str]:
        """The datasets that these problems need, each once."""
        found = (
            self.problems[part].datasets for problem in problems for part in self.parts(problem)
        )
        return list(dict.fromkeys(itertools.chain.from_iterable(found)))

    def parts(self, problem: str) -> tuple[str, ...]:
        """The problems that a mixture is made of; of another problem itself."""
        settings = self.problems[problem]
        return settings.of if isinstance(settings, MixtureSettings) else (problem,)

    def figure_experiments(self) -> dict[str, list[str]]:
        """Figures of loss curves: name -> the experiments that are its panels."""
        figures: dict[str, list[str]] = {}
        for name, experiment in self.experiments.items():
            figures.setdefault(experiment.figure, []).append(name)
        return figures

    def main_recipes(self) -> list[str]:
        """The recipes that are not compared as variants of another one alone."""
        main = {
            recipe
            for experiment in self.experiments.values()
            for recipe in experiment.learned
            if not experiment.reference
        }
        return [name for name in self.recipes if name in main]

    def used_recipes(self) -> list[str]:
        """The recipes that an experiment or a measurement needs; no other is meta-trained."""
        stages = self.measurements.meta_gradients.stages.values()
        wanted = [stage.recipe for stage in stages if stage.weights == "trained"]
        for names in (
            *(experiment.learned for experiment in self.experiments.values()),
            *self.measurements.updates.experiments.values(),
        ):
            wanted += names
        used = set[str]()
        while wanted:
            name = wanted.pop()
            used.add(name)
            if start := self.recipes[name].start_from:
                wanted.append(start)
        return [name for name in self.recipes if name in used]

    def labels(self) -> dict[str, str]:
        """Display names of the learned optimizers: recipe name -> label."""
        return {name: recipe.label for name, recipe in self.recipes.items()}


def _at_most(key: str, value: int, limit: int | None) -> None:
    if limit is not None and value > limit:
        raise PydanticCustomError(
            "limit",
            "{key} = {value}: there are only {limit} photographs for it",
            {"key": key, "value": value, "limit": limit},
        )


def _known(key: str, value: str, among: Collection[str]) -> None:
    if value not in among:
        raise PydanticCustomError(
            "unknown_name",
            "{key} = '{value}': there is no such entry; there are: {names}",
            {"key": key, "value": value, "names": ", ".join(among)},
        )
