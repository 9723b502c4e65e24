"""The claims of the paper: what is compared to judge each of them.

A comparison takes each recipe in `learned` against each of `baselines`, in each of its metrics.
What decides on the claim is said here, before anything is run: the comparisons whose role is
primary, and of the tuned baselines the one that is the strongest on tuning problems. All others are
shown.
`sizes` counts the weights phi on every problem of some experiments. `measured` takes a number of a
table of measurements against another number of that table.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from l2l.config.base import Count, Name, Section, Whole, mistake
from l2l.config.names import ExperimentName

TUNED = "tuned"
"""As `baselines`: every hand-crafted optimizer of the experiment, tuned on it for the metric."""
TRANSFERRED = "transferred"
"""As `baselines`: the same at the rates that were tuned on another experiment (`rates_of`)."""
DEFAULT = "default"
"""As `baselines`: those of the experiment that have a rate in `default_rates`, at that rate."""
UNCHANGED = "unchanged"
"""As `baselines`: the value 1, of a run that makes no progress."""
TRAILING_STEPS = 5
"""Steps averaged before a minibatch loss is compared with a target (one batch is noisy)."""
LOSSES = {"loss": "loss", "train_loss": "loss", "test_loss": "held-out loss"}
"""The losses in a label; train_loss is the same loss without the choice of a minibatch."""

Horizon = Count | Literal["end"]
Direction = Literal["lower", "higher"]
Role = Literal["primary", "counted", "shown"]


class _UpToHorizon(Section):
    metric: str
    """The number that is compared."""
    horizon: Horizon
    """The last step that counts; `end`: the last step of the curves."""

    @property
    def last_step(self) -> int:
        """The last step that the curves must reach."""
        return 1 if self.horizon == "end" else self.horizon


class MeanLoss(_UpToHorizon):
    """Mean loss over steps 1..horizon; a run that diverged counts as infinite."""

    metric: Literal["mean_loss"]
    of: Literal["loss", "train_loss", "test_loss"] = "loss"
    """loss: of every step's minibatch; another loss: at the steps at which it was measured."""

    @property
    def label(self) -> str:
        """Names the random stream of an interval: another text would change the interval."""
        return f"mean {LOSSES[self.of]}, steps 1-{self.horizon}"


class FinalLoss(_UpToHorizon):
    """The loss at step `horizon`; a run whose loss is not finite there counts as infinite."""

    metric: Literal["final_loss"]
    of: Literal["train_loss", "test_loss"] = "train_loss"
    """The loss; test_loss where there are held-out data."""

    @property
    def label(self) -> str:
        """See `MeanLoss.label`."""
        where = "end" if self.horizon == "end" else f"step {self.horizon}"
        return f"final {LOSSES[self.of]}, {where}"


class StepsToTarget(_UpToHorizon):
    """First step at which the mean `loss` of the last TRAILING_STEPS steps is <= target.

    A run that never gets there, and a run that diverges within the horizon, counts as `horizon`:
    the count is censored, so choose a target that nearly every run reaches.
    """

    metric: Literal["steps_to_target"]
    horizon: Annotated[Whole, Field(ge=TRAILING_STEPS)]
    target: Annotated[float, Field(gt=0)]
    """The loss that is to be reached."""

    @property
    def label(self) -> str:
        """See `MeanLoss.label`."""
        return f"steps to loss {self.target:g} (at most {self.horizon})"


class _Plateau(Section):
    metric: str
    """The number that is compared."""
    first_step: Annotated[Whole, Field(ge=0)]
    """The first step that counts."""
    last_step: Count
    """The last step that counts."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last_step < self.first_step + 2:
            raise mistake("last_step must be at least first_step + 2: two changes or more")
        return self


class Oscillation(_Plateau):
    """Movement of `train_loss` that is undone again, per step, over first_step..last_step."""

    metric: Literal["oscillation"]

    @property
    def label(self) -> str:
        """See `MeanLoss.label`."""
        return f"oscillation, steps {self.first_step}-{self.last_step}"


class Fluctuation(_Plateau):
    """Standard deviation of the minibatch `loss` about its line, over first_step..last_step."""

    metric: Literal["fluctuation"]

    @property
    def label(self) -> str:
        """See `MeanLoss.label`."""
        return f"fluctuation, steps {self.first_step}-{self.last_step}"


class Progress(_Plateau):
    """`train_loss` at last_step, divided by that at first_step: 1 where nothing is gained."""

    metric: Literal["progress"]

    @property
    def label(self) -> str:
        """See `MeanLoss.label`."""
        return f"progress, steps {self.first_step}-{self.last_step}"


Metric = Annotated[
    MeanLoss | FinalLoss | StepsToTarget | Oscillation | Fluctuation | Progress,
    Field(discriminator="metric"),
]


class Comparison(Section):
    """Each recipe in `learned` against each of `baselines`, in each of `metrics`."""

    experiment: ExperimentName
    """The experiment whose curves are compared."""
    learned: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Recipes; each gets a verdict of its own."""
    baselines: (
        Literal["tuned", "transferred", "default", "unchanged"]
        | Annotated[tuple[Name, ...], Field(min_length=1)]
    )
    """tuned: every hand-crafted optimizer of the experiment, of which the strongest decides;
    transferred: the same at the rates of the experiment `rates_of`; default: those with a rate in
    `default_rates`, at that rate, each of which decides; unchanged: no progress; or names of
    baselines or recipes, of which each decides."""
    claimed: Direction
    """Whether the learned value is said to be lower or higher than the baseline's."""
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    """The numbers that are compared."""
    allowance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """A relative difference against the claim that still passes: with 0.1, "lower" means "at most
    10 % higher"; for claims that something makes little difference."""
    effect: Literal["means", "ratios"] = "means"
    """means: the ratio of the means over problems; ratios: the geometric mean of the problems'
    ratios, where losses of different problems have different sizes."""
    role: Role = "primary"
    """primary: it decides on the claim; counted: on `at_least` so many experiments all of these
    have to be replicated; shown: it stands beside."""


class WeightCounts(Section):
    """The number of weights phi of each recipe in `learned`, over the problems of `experiments`."""

    experiments: Annotated[tuple[ExperimentName, ...], Field(min_length=1)]
    """Experiments whose problems have different numbers of coordinates."""
    learned: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Recipes; each gets a verdict of its own."""


class Measured(Section):
    """A number of a table of measurements against another one, repeat by repeat."""

    table: Name
    """The measurement."""
    name: Name
    """What gets the verdict: an optimizer's key, or another word."""
    baseline: Name
    """What it is compared with, likewise."""
    value: str
    """The column with the number, which is not negative."""
    of: dict[str, str | int | float]
    """Column: value, of the rows of `name`."""
    against: dict[str, str | int | float]
    """Column: value, of the rows of `baseline`."""
    pair: str
    """The column whose values pair the rows of both sides, such as `repeat`."""
    claimed: Direction
    """Whether the value of `name` is said to be lower or higher."""
    interval: Literal["repeats", "jackknife"] = "repeats"
    """repeats: a row's value is that of its repeat alone; jackknife: it is a statistic of all
    repeats but its own."""
    note: str = ""
    """What a reader has to know about it, in a few words."""
    role: Role = "primary"
    """primary: it decides on the claim; shown: it stands beside."""


class Claim(Section):
    """A claim of the paper or of its summary; with nothing to judge it by it is not yet run."""

    statement: str
    """What is claimed."""
    brief: str = ""
    """The same in a few words, for the table of README."""
    source: str
    """Where: [P] Andrychowicz et al. 2016, [S] its summary (Jiang 2019)."""
    comparisons: tuple[Comparison, ...] = ()
    """What has to come out lower or higher in loss curves."""
    at_least: Count | None = None
    """On how many experiments the `counted` comparisons have to be replicated."""
    sizes: WeightCounts | None = None
    """For the claim that phi does not grow with theta."""
    measured: tuple[Measured, ...] = ()
    """What has to come out lower or higher in tables of measurements."""
