"""Experiments: what is compared on which problems, and how baselines are tuned for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Name, Range, Section, Whole

Baseline = Literal["sgd", "rmsprop", "adam", "nag"]


class Grid(Range):
    """The first log grid of learning rates; it widens while the best value is at an edge."""


class Tuning(Section):
    """How the learning rate of each baseline is chosen."""

    problems: Count
    points_per_decade: Count
    max_widenings: Annotated[Whole, Field(ge=0)]
    grids: dict[Baseline, Grid]


class Evaluation(Section):
    """The test."""

    problems: Count
    batch: Annotated[Whole, Field(ge=1, description="problems run at once (memory)")]
    measure_every: Annotated[
        Whole, Field(ge=1, description="steps between measurements of train_loss and test_loss")
    ]
    pictures: Annotated[
        Whole, Field(ge=0, description="test problems whose last theta is kept as a picture")
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
    horizon: Annotated[Whole, Field(ge=1, description="step that tuning and claims look at")]
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
                    "twice",
                    "'{name}' stands twice in {names}",
                    {"name": max(names, key=names.count), "names": ", ".join(names)},
                )
        return self
