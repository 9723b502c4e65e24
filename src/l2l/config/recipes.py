"""Learned optimizers: what they are, and how they are meta-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Fraction, Name, Positive, Range, Section, Whole
from l2l.config.estimators import EstimatorSettings, Sampling
from l2l.config.optimizers import LearnedSettings
from l2l.config.registry import ESTIMATORS, OPTIMIZERS, settings_of

if TYPE_CHECKING:
    AnyOptimizer = LearnedSettings
    AnyEstimator = EstimatorSettings
else:
    AnyOptimizer = settings_of(OPTIMIZERS)
    AnyEstimator = settings_of(ESTIMATORS)


class UnrollStage(Section):
    """From this fraction of the episodes on, windows and episodes have this many inner steps."""

    start: Fraction
    window: Count
    steps: Annotated[
        Whole | None, Field(ge=1, description="of an episode; absent: recipe.steps")
    ] = None


class MetaLearningRate(Range):
    """Log-uniform random search; with 0 trials the geometric mean of low and high is taken."""

    trials: Annotated[Whole, Field(ge=0)]
    episodes: Annotated[Whole, Field(ge=1, description="of a trial: the recipe's first ones")]
    schedule: Literal["constant", "cosine"]
    final_fraction: Annotated[float, Field(gt=0, le=1, description="of the cosine's last value")]


class Validation(Section):
    """An epoch is `every` episodes; after each, phi is frozen and validated."""

    every: Count
    problems: Count
    steps: Annotated[Whole, Field(ge=1, description="inner steps of a validation episode")]
    problem: Annotated[
        Name | None, Field(description="validated on; absent: the recipe's own problem")
    ] = None


class Recipe(Section):
    """One learned optimizer: what it is, what it is meta-trained on, and how."""

    label: str
    problem: Name
    meta_seeds: Annotated[Whole, Field(ge=1, description="independent meta-trainings")]
    optimizer: AnyOptimizer
    estimator: AnyEstimator
    start_from: Annotated[
        Name | None, Field(description="the recipe whose trained optimizers are gone on from")
    ]
    episodes: Count
    steps: Annotated[Whole, Field(ge=1, description="inner steps of an episode")]
    problems_per_episode: Count
    unroll: Annotated[tuple[UnrollStage, ...], Field(min_length=1)]
    loss_weights: Literal["equal", "final", "inverse"] | tuple[Annotated[float, Field(ge=0)], ...]
    inverse_offset: Annotated[float, Field(gt=0, description="w = 1 / (loss + offset)")]
    meta_learning_rate: MetaLearningRate
    clip: Literal["none", "running_median"] | Positive
    sampling: Sampling
    averaging: Annotated[float, Field(ge=0, lt=1, description="decay of phi's moving average")]
    validation: Validation
    attempts: Annotated[int, Field(ge=1, le=100, description="initialisations before giving up")]
    step_backs: Annotated[
        int, Field(ge=0, le=100, description="after a divergence, before giving up; 0: stop")
    ]

    @property
    def validated_on(self) -> str:
        """The problem of validation."""
        return self.validation.problem or self.problem

    @property
    def problems(self) -> tuple[str, ...]:
        """All that meta-training needs, each once."""
        return tuple(dict.fromkeys((self.problem, self.validated_on)))

    @model_validator(mode="after")
    def _sampled_where_it_can_be(self) -> Recipe:
        averaged = " and averaged_cells" if getattr(self.optimizer, "averaged_cells", 0) else ""
        for told, can in (
            (f"optimizer.kind = {self.optimizer.kind}{averaged}", not self.optimizer.couples),
            (f"estimator.kind = {self.estimator.kind}", self.estimator.samples),
        ):
            if self.sampling.fraction < 1 and not can:
                raise PydanticCustomError(
                    "sampling",
                    "sampling.fraction = {fraction}: the backward pass with {told} cannot be "
                    "sampled; set it to 1",
                    {"fraction": self.sampling.fraction, "told": told},
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        starts = [stage.start for stage in self.unroll]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise PydanticCustomError(
                "unroll",
                "unroll has start = {starts}; the first must be 0 and the others rise",
                {"starts": ", ".join(map(str, starts))},
            )
        rate = self.meta_learning_rate
        if rate.trials and rate.episodes > self.episodes:
            raise PydanticCustomError(
                "trial",
                "meta_learning_rate.episodes = {trial} must not be above episodes = {episodes}",
                {"trial": rate.episodes, "episodes": self.episodes},
            )
        if any(stage.steps for stage in self.unroll) and self.loss_weights not in (
            "equal",
            "inverse",
        ):
            raise PydanticCustomError(
                "weights", "loss_weights must be equal or inverse where unroll sets steps"
            )
        if isinstance(self.loss_weights, tuple) and len(self.loss_weights) != self.steps:
            raise PydanticCustomError(
                "weights",
                "loss_weights has {n} numbers, steps is {steps}: give one weight per step",
                {"n": len(self.loss_weights), "steps": self.steps},
            )
        return self
