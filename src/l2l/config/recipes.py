"""Learned optimizers: what they are, and how they are meta-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from l2l.config.base import Count, Fraction, Name, Natural, Positive, Range, Section, mistake
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

    start: Fraction
    """Fraction of the episodes that are done when it begins."""
    window: Count
    """Inner steps of a window; phi is updated after each."""
    steps: Count | None = None
    """Inner steps of an episode; absent: the recipe's `steps`."""


class MetaLearningRate(Range):
    """Log-uniform random search; with 0 trials the geometric mean of low and high is taken."""

    trials: Natural
    """Draws that are tried; 0: no search."""
    episodes: Count
    """Episodes of a trial: the recipe's first ones."""
    schedule: Literal["constant", "cosine"]
    """How it falls over the episodes."""
    final_fraction: Annotated[float, Field(gt=0, le=1)]
    """Where the cosine ends, as a part of the first value."""


class Validation(Section):
    """An epoch is `every` episodes; after each, phi is frozen and validated."""

    every: Count
    """Episodes between validations."""
    problems: Count
    """Validation problems, the same each time."""
    steps: Count
    """Inner steps of a validation episode."""
    problem: Name | None = None
    """The problem that is validated on; absent: the recipe's own."""


class Recipe(Section):
    """One learned optimizer: what it is, what it is meta-trained on, and how."""

    label: str
    """Its name in figures and tables."""
    problem: Name
    """What it is meta-trained on."""
    meta_seeds: Count
    """Independent meta-trainings; absent: the common `meta_seeds`."""
    optimizer: AnyOptimizer
    """What is learned."""
    estimator: AnyEstimator
    """How the gradient of the meta-loss is found."""
    start_from: Name | None
    """The recipe whose trained optimizers are gone on from; null: none."""
    episodes: Count
    """Episodes of a meta-training."""
    steps: Count
    """Inner steps of an episode."""
    problems_per_episode: Count
    """Problems that run at once in an episode; their mean counts."""
    unroll: Annotated[tuple[UnrollStage, ...], Field(min_length=1)]
    """Window lengths in the course of meta-training."""
    loss_weights: Literal["equal", "final", "inverse"] | tuple[Annotated[float, Field(ge=0)], ...]
    """w of equation (4). equal: 1; final: 1 at the last step, else 0; inverse: 1 / (loss +
    `inverse_offset`); or a number for each step."""
    inverse_offset: Positive
    """In the loss's unit, with `loss_weights: inverse`."""
    meta_learning_rate: MetaLearningRate
    """Of ADAM, which updates phi."""
    clip: Literal["none", "running_median"] | Positive
    """Most that the meta-gradient's norm may be; or the median of its last 100."""
    sampling: Sampling
    """What the backward pass leaves out."""
    averaging: Annotated[float, Field(ge=0, lt=1)]
    """Decay of phi's moving average, which is what is validated and kept."""
    validation: Validation
    """What chooses among the epochs' phi."""
    attempts: Annotated[int, Field(ge=1, le=100)]
    """Initialisations that may collapse before it gives up."""
    step_backs: Annotated[int, Field(ge=0, le=100)]
    """Divergences that are stepped back from before it gives up; 0: stop."""

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
                raise mistake(
                    f"sampling.fraction = {self.sampling.fraction}: the backward pass with {told} "
                    "cannot be sampled; set it to 1"
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        starts = [stage.start for stage in self.unroll]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise mistake(
                f"unroll has start = {', '.join(map(str, starts))}; the first must be 0 and the "
                "others rise"
            )
        rate = self.meta_learning_rate
        if rate.trials and rate.episodes > self.episodes:
            raise mistake(
                f"meta_learning_rate.episodes = {rate.episodes} must not be above episodes = "
                f"{self.episodes}"
            )
        if any(stage.steps for stage in self.unroll) and self.loss_weights not in (
            "equal",
            "inverse",
        ):
            raise mistake("loss_weights must be equal or inverse where unroll sets steps")
        if isinstance(self.loss_weights, tuple) and len(self.loss_weights) != self.steps:
            raise mistake(
                f"loss_weights has {len(self.loss_weights)} numbers, steps is {self.steps}: give "
                "one weight per step"
            )
        return self
