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

    problems: Annotated[Count, Field(description="Tuning problems; none of them is tested on.")]
    points_per_decade: Annotated[Count, Field(description="Learning rates in a factor of ten.")]
    max_widenings: Annotated[
        Whole,
        Field(ge=0, description="How often a grid may grow by a decade before that is an error."),
    ]
    grids: Annotated[
        dict[Baseline, Grid], Field(description="Where the search of each baseline begins.")
    ]


class Evaluation(Section):
    """The test."""

    problems: Annotated[Count, Field(description="Test problems, the same for all optimizers.")]
    batch: Annotated[
        Whole, Field(ge=1, description="Problems that run at once; memory grows with it.")
    ]
    measure_every: Annotated[
        Whole,
        Field(
            ge=1,
            description="Steps between measurements of train_loss and test_loss up to the horizon.",
        ),
    ]
    pictures: Annotated[
        Whole,
        Field(ge=0, description="Test problems whose last theta is kept as a picture."),
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

    title: Annotated[str, Field(description="Stands above its panel, table and section.")]
    figure: Annotated[Name, Field(description="The figure that it is a panel of.")]
    problems: Annotated[
        tuple[Name, ...],
        Field(min_length=1, description="What is minimised; several make an architecture study."),
    ]
    steps: Annotated[Count, Field(description="Inner steps of a test.")]
    horizon: Annotated[
        Whole,
        Field(ge=1, description="The step whose loss decides in tuning and stands in tables."),
    ]
    shown: Annotated[
        Literal["loss", "test_loss"],
        Field(description="What its panel shows: the step's loss, or the held-out one."),
    ]
    reference: Annotated[
        Name | None,
        Field(description="The learned optimizer that the others are variants of; absent: none."),
    ] = None
    learned: Annotated[tuple[Name, ...], Field(min_length=1, description="Recipes, by name.")]
    baselines: Annotated[
        tuple[Baseline, ...],
        Field(min_length=1, description="Hand-crafted optimizers, each with a tuned rate."),
    ]
    tuning: Annotated[Tuning, Field(description="What differs from the common `tuning`.")]
    evaluation: Annotated[
        Evaluation, Field(description="What differs from the common `evaluation`.")
    ]

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
