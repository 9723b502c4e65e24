"""Experiments: what is compared on which problems, and how baselines are tuned for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from l2l.config.base import Count, Name, Natural, Positive, Range, Section, mistake
from l2l.config.names import ExperimentName, RecipeName, SingleProblemName
from l2l.registry import BASELINES

if TYPE_CHECKING:
    Baseline = str
else:
    Baseline = Literal[tuple(BASELINES)]


class Grid(Range):
    """The first log grid of learning rates; it widens while the best value is at an edge."""


TunedFor = Literal["final_loss", "mean_loss"]
"""What a learning rate can be chosen by: the loss at the horizon, or the mean of the way there."""


class Tuning(Section):
    """How the learning rate of each baseline is chosen."""

    origin: Literal["tuned", "released"] = "tuned"
    """tuned: the rates are tuned in this run; released: taken from the committed record."""
    problems: Count
    """Tuning problems; none of them is tested on."""
    metrics: Annotated[tuple[TunedFor, ...], Field(min_length=1)]
    """A rate is chosen by each of them, and each chosen rate is tested: comparisons of mean losses
    take the one, all others the other."""
    loss: Literal["shown", "train_loss"]
    """shown: held out where the experiment shows held-out losses; train_loss: never held out."""
    points_per_decade: Count
    """Learning rates in a factor of ten."""
    max_widenings: Natural
    """How often a grid may grow by a decade before that is an error."""
    grids: dict[Baseline, Grid]
    """Where the search of each baseline begins."""


class Evaluation(Section):
    """How optimizers are tested."""

    problems: Count
    """Test problems, the same for all optimizers."""
    batch: Count
    """Problems that run at once; memory grows with it."""
    measure_every: Count
    """Steps between measurements of train_loss and test_loss up to the horizon."""
    pictures: Natural
    """Test problems whose last theta is kept as a picture."""

    @model_validator(mode="after")
    def _pictures_of_the_first_batch(self) -> Evaluation:
        most = min(self.problems, self.batch)
        if self.pictures > most:
            raise mistake(
                f"pictures = {self.pictures} must not be above problems and batch: {most}"
            )
        return self


class Experiment(Section):
    """Learned optimizers and tuned baselines, side by side on fresh test problems."""

    title: str
    """The heading of its panel and its tables."""
    figure: Name
    """The figure in which it is a panel."""
    problems: Annotated[tuple[SingleProblemName, ...], Field(min_length=1)]
    """What is minimised; several make an architecture study."""
    steps: Count
    """Inner steps of a test."""
    horizon: Count
    """The step whose loss decides the tuning and stands in tables."""
    shown: Literal["loss", "test_loss"]
    """The loss that its panel shows: of the minibatch of each step, or on held-out data."""
    reference: Name | None = None
    """The recipe of which the others are variants; absent: none."""
    learned: Annotated[tuple[RecipeName, ...], Field(min_length=1)]
    """Names of recipes."""
    baselines: Annotated[tuple[Baseline, ...], Field(min_length=1)]
    """Hand-crafted optimizers, each with a tuned rate."""
    rates_of: ExperimentName | None = None
    """Baselines are tested at the rates tuned on this experiment, too, as if nobody had tuned them
    here; absent: they are not. It has one problem."""
    default_rates: dict[Baseline, Positive] = Field(default_factory=dict)
    """Baselines that are tested at these rates, too, as people start without tuning."""
    tuning: Tuning
    """The common `tuning`, with what differs here."""
    evaluation: Evaluation
    """The common `evaluation`, with what differs here."""

    @property
    def tuned_on_held_out(self) -> bool:
        """Whether learning rates are chosen by held-out losses."""
        return self.shown == "test_loss" and self.tuning.loss == "shown"

    def measures(self, step: int) -> bool:
        """Whether train_loss and test_loss are measured at a step of a test."""
        return step >= self.horizon or step % self.evaluation.measure_every == 0

    @model_validator(mode="after")
    def _horizon_within(self) -> Experiment:
        if self.horizon > self.steps:
            raise mistake(f"horizon = {self.horizon} must not be above steps = {self.steps}")
        if self.reference and self.reference not in self.learned:
            raise mistake(
                f"reference = '{self.reference}': it is not one of learned: "
                f"{', '.join(self.learned)}"
            )
        for names in (self.problems, self.learned, self.baselines):
            if len(set(names)) < len(names):
                raise mistake(f"'{max(names, key=names.count)}' stands twice in {', '.join(names)}")
        return self
