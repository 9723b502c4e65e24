"""Learned optimizers: what they are, and how they are meta-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Fraction, Name, Positive, Range, Section, Whole
from l2l.config.estimators import EstimatorSettings, Sampling
from l2l.config.optimizers import LearnedSettings
from l2l.registry import ESTIMATORS, OPTIMIZERS, settings_of

if TYPE_CHECKING:
    AnyOptimizer = LearnedSettings
    AnyEstimator = EstimatorSettings
else:
    AnyOptimizer = settings_of(OPTIMIZERS)
    AnyEstimator = settings_of(ESTIMATORS)


class UnrollStage(Section):
    """From this fraction of the episodes on, windows and episodes have this many inner steps."""

    start: Annotated[
        Fraction, Field(description="Fraction of the episodes that are done when it begins.")
    ]
    window: Annotated[
        Count, Field(description="Inner steps of a window; phi is updated after each.")
    ]
    steps: Annotated[
        Whole | None,
        Field(ge=1, description="Inner steps of an episode; absent: the recipe's `steps`."),
    ] = None


class MetaLearningRate(Range):
    """Log-uniform random search; with 0 trials the geometric mean of low and high is taken."""

    trials: Annotated[Whole, Field(ge=0, description="Draws that are tried; 0: no search.")]
    episodes: Annotated[
        Whole, Field(ge=1, description="Episodes of a trial: the recipe's first ones.")
    ]
    schedule: Annotated[
        Literal["constant", "cosine"], Field(description="How it falls over the episodes.")
    ]
    final_fraction: Annotated[
        float, Field(gt=0, le=1, description="Where the cosine ends, as a part of the first value.")
    ]


class Validation(Section):
    """An epoch is `every` episodes; after each, phi is frozen and validated."""

    every: Annotated[Count, Field(description="Episodes between validations.")]
    problems: Annotated[Count, Field(description="Validation problems, the same each time.")]
    steps: Annotated[Whole, Field(ge=1, description="Inner steps of a validation episode.")]
    problem: Annotated[
        Name | None,
        Field(description="The problem that is validated on; absent: the recipe's own."),
    ] = None


class Recipe(Section):
    """One learned optimizer: what it is, what it is meta-trained on, and how."""

    label: Annotated[str, Field(description="Its name in figures and tables.")]
    problem: Annotated[Name, Field(description="What it is meta-trained on.")]
    meta_seeds: Annotated[
        Whole,
        Field(ge=1, description="Independent meta-trainings; absent: the common `meta_seeds`."),
    ]
    optimizer: Annotated[AnyOptimizer, Field(description="What is learned.")]
    estimator: Annotated[
        AnyEstimator, Field(description="How the gradient of the meta-loss is found.")
    ]
    start_from: Annotated[
        Name | None,
        Field(description="The recipe whose trained optimizers are gone on from; null: none."),
    ]
    episodes: Annotated[Count, Field(description="Episodes of a meta-training.")]
    steps: Annotated[Whole, Field(ge=1, description="Inner steps of an episode.")]
    problems_per_episode: Annotated[
        Count, Field(description="Problems that run at once in an episode; their mean counts.")
    ]
    unroll: Annotated[
        tuple[UnrollStage, ...],
        Field(min_length=1, description="Window lengths in the course of meta-training."),
    ]
    loss_weights: Annotated[
        Literal["equal", "final", "inverse"] | tuple[Annotated[float, Field(ge=0)], ...],
        Field(
            description="w of equation (4). equal: 1; final: 1 at the last step, else 0; inverse: "
            "1 / (loss + `inverse_offset`); or a number for each step."
        ),
    ]
    inverse_offset: Annotated[
        float, Field(gt=0, description="In the loss's unit, with `loss_weights: inverse`.")
    ]
    meta_learning_rate: Annotated[
        MetaLearningRate, Field(description="Of ADAM, which updates phi.")
    ]
    clip: Annotated[
        Literal["none", "running_median"] | Positive,
        Field(
            description="Most that the meta-gradient's norm may be; or the median of its last 100."
        ),
    ]
    sampling: Annotated[Sampling, Field(description="What the backward pass leaves out.")]
    averaging: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Decay of phi's moving average, which is what is validated and kept.",
        ),
    ]
    validation: Annotated[Validation, Field(description="What chooses among the epochs' phi.")]
    attempts: Annotated[
        int,
        Field(ge=1, le=100, description="Initialisations that may collapse before it gives up."),
    ]
    step_backs: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="Divergences that are stepped back from before it gives up; 0: stop.",
        ),
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
