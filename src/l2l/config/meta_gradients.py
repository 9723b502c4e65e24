"""Settings of the study of meta-gradients: how they depend on the window (claim C16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from l2l.config.base import Count, Name, Section, Whole, mistake
from l2l.config.recipes import AnyEstimator


class Stage(Section):
    """A moment of meta-training: the weights phi at which meta-gradients are estimated."""

    title: str
    """Its name in the figure."""
    recipe: Name
    """Whose optimizer."""
    weights: Literal["initial", "trained"]
    """Before or after meta-training, of meta-seed 0."""


class GradientSource(Section):
    """A way to estimate them, with the name that a reader sees."""

    title: str
    """Its name in the figure."""
    estimator: AnyEstimator
    """As in a recipe."""


class MetaGradients(Section):
    """Estimates over whole episodes, phi fixed, the windows' gradients added up."""

    problem: Name
    """On what meta-gradients are estimated."""
    steps: Count
    """Inner steps of an episode."""
    windows: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Window lengths; each divides `steps`."""
    problems: Count
    """Problems of an estimate."""
    repeats: Annotated[Whole, Field(ge=3)]
    """Estimates of each kind, with problems of their own."""
    stages: Annotated[dict[Name, Stage], Field(min_length=1)]
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
        return self
