"""Settings of the study of meta-gradients: how they depend on the window (claim C16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Name, Section, Whole
from l2l.config.recipes import AnyEstimator


class Stage(Section):
    """A moment of meta-training: the weights phi at which meta-gradients are estimated."""

    title: str
    recipe: Name
    weights: Literal["initial", "trained"]  # of its meta-seed 0


class GradientSource(Section):
    """A way to estimate them, with the name that a reader sees."""

    title: str
    estimator: AnyEstimator


class MetaGradients(Section):
    """Estimates over whole episodes, phi fixed, the windows' gradients added up."""

    problem: Name
    steps: Count
    windows: Annotated[tuple[Count, ...], Field(min_length=1, description="their lengths")]
    problems: Annotated[Whole, Field(ge=1, description="of an estimate")]
    repeats: Annotated[Whole, Field(ge=3, description="estimates, each with problems of its own")]
    stages: Annotated[dict[Name, Stage], Field(min_length=1)]
    estimators: Annotated[dict[Name, GradientSource], Field(min_length=1)]

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
