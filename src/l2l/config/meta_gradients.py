"""Settings of the study of meta-gradients: how they depend on the window (claim C16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Name, Section, Whole
from l2l.config.recipes import AnyEstimator


class Stage(Section):
    """A moment of meta-training: the weights phi at which meta-gradients are estimated."""

    title: Annotated[str, Field(description="Its name in the figure.")]
    recipe: Annotated[Name, Field(description="Whose optimizer.")]
    weights: Annotated[
        Literal["initial", "trained"],
        Field(description="Before or after meta-training, of meta-seed 0."),
    ]


class GradientSource(Section):
    """A way to estimate them, with the name that a reader sees."""

    title: Annotated[str, Field(description="Its name in the figure.")]
    estimator: Annotated[AnyEstimator, Field(description="As in a recipe.")]


class MetaGradients(Section):
    """Estimates over whole episodes, phi fixed, the windows' gradients added up."""

    problem: Annotated[Name, Field(description="On what meta-gradients are estimated.")]
    steps: Annotated[Count, Field(description="Inner steps of an episode.")]
    windows: Annotated[
        tuple[Count, ...], Field(min_length=1, description="Window lengths; each divides `steps`.")
    ]
    problems: Annotated[Whole, Field(ge=1, description="Problems of an estimate.")]
    repeats: Annotated[
        Whole, Field(ge=3, description="Estimates of each kind, with problems of their own.")
    ]
    stages: Annotated[
        dict[Name, Stage], Field(min_length=1, description="At which phi they are estimated.")
    ]
    estimators: Annotated[
        dict[Name, GradientSource], Field(min_length=1, description="By what they are estimated.")
    ]

    @model_validator(mode="after")
    def _windows_fit(self) -> MetaGradients:
        wrong = [window for window in self.windows if self.steps % window]
        if wrong:
            raise PydanticCustomError(
                "window",
                "windows: {window} does not divide steps = {steps}; episodes are cut into equal "
                "windows",
                {"window": wrong[0], "steps": self.steps},
            )
        return self
