"""Learned optimizers: what they are, and how they are meta-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from l2l.config.base import Count, Fraction, Natural, Positive, Range, Section, mistake
from l2l.config.estimators import EstimatorSettings, Sampling
from l2l.config.names import ProblemName, RecipeName
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
    """Fraction of the episodes after which the stage begins."""
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
    """How the rate falls over the episodes."""
    final_fraction: Annotated[float, Field(gt=0, le=1)]
    """Last value of the cosine, as a fraction of the first one."""


class Validation(Section):
    """An epoch is `every` episodes; after each, phi is frozen and validated."""

    every: Count
    """Episodes between validations."""
    problems: Count
    """Validation problems, the same each time."""
    steps: Count
    """Inner steps of a validation episode."""
    loss: Literal["train_loss", "test_loss"] = "train_loss"
    """The loss after the last step, by which phi and the meta-seed are chosen; test_loss: on data
    that are held out of the training data, not those of tests."""
    problem: ProblemName | None = None
    """The problem of validation; absent: the recipe's own."""


class Recipe(Section):
    """One learned optimizer: what it is, what it is meta-trained on, and how."""

    label: str
    """Its name in figures and tables."""
    origin: Literal["trained", "released"] = "trained"
    """trained: meta-trained in this run; released: taken from the committed record."""
    problem: ProblemName
    """What it is meta-trained on."""
    meta_seeds: Count
    """Independent meta-trainings; absent: the common `meta_seeds`."""
    optimizer: AnyOptimizer
    """What is learned."""
    estimator: AnyEstimator
    """How the gradient of the meta-loss is estimated."""
    start_from: RecipeName | None
    """The recipe from whose trained optimizers meta-training starts; null: from new weights."""
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
    """Added to the loss in `loss_weights: inverse`, in units of the loss."""
    meta_learning_rate: MetaLearningRate
    """The learning rate of ADAM, which updates phi."""
    clip: Literal["none", "running_median"] | Positive
    """Largest norm of the meta-gradient; running_median: the median of recent norms."""
    sampling: Sampling
    """What the backward pass leaves out."""
    averaging: Annotated[float, Field(ge=0, lt=1)]
    """Decay of the moving average of phi that is validated and kept; 0: phi itself."""
    validation: Validation
    """How phi is chosen among the epochs."""
    attempts: Annotated[int, Field(ge=1, le=100)]
    """How many initialisations may collapse before meta-training gives up."""
    step_backs: Annotated[int, Field(ge=0, le=100)]
    """How many divergences may be answered by a return to the best phi; 0: stop at the first."""

    @property
    def validated_on(self) -> str:
        """The problem of validation."""
        return self.validation.problem or self.problem

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems of meta-training and validation, each once."""
        return tuple(dict.fromkeys((self.problem, self.validated_on)))

    @model_validator(mode="after")
    def _sampled_where_it_can_be(self) -> Recipe:
        averaged = " and averaged_cells" if getattr(self.optimizer, "averaged_cells", 0) else ""
        for setting, can in (
            (f"optimizer.kind = {self.optimizer.kind}{averaged}", not self.optimizer.couples),
            (f"estimator.kind = {self.estimator.kind}", self.estimator.samples),
        ):
            if self.sampling.fraction < 1 and not can:
                raise mistake(
                    f"sampling.fraction = {self.sampling.fraction}: the backward pass with "
                    f"{setting} cannot be sampled; set it to 1"
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
