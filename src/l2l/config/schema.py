"""Everything that can be configured, with its type, its range and what it means.

The values stand in config/default.yaml; config/smoke.yaml and config/paper.yaml override some of
them. There are no defaults here, so that the YAML file shows every value that a run depends on.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Section

Protocol = Literal["smoke", "default", "paper"]
Baseline = Literal["sgd", "rmsprop", "adam", "nag"]
Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class QuadraticSettings(Section):
    """f(theta) = ||W theta - y||^2, W and y i.i.d. standard normal, fresh for each problem."""

    kind: Literal["quadratic"]
    dimensions: Annotated[int, Field(ge=1, le=10_000)]
    init_std: Annotated[float, Field(ge=0, description="standard deviation of theta[0]")]


class MLPSettings(Section):
    """A fully connected classifier: cross-entropy on minibatches of a dataset."""

    kind: Literal["mlp"]
    dataset: Literal["mnist"]
    hidden: Annotated[tuple[Count, ...], Field(description="units of each hidden layer")]
    activation: Activation
    batch_size: Count
    init: Literal["torch", "gaussian"]
    init_std: Annotated[float, Field(ge=0, description="of weights and biases, init: gaussian")]
    train_sample: Annotated[
        int, Field(ge=1, le=60_000, description="training images behind train_loss")
    ]


ProblemSettings = Annotated[QuadraticSettings | MLPSettings, Field(discriminator="kind")]


class LSTMSettings(Section):
    """The coordinate-wise LSTM m(grad, h, phi)."""

    layers: Annotated[int, Field(ge=1, le=8)]
    units: Annotated[int, Field(ge=1, le=512)]
    preprocessing: Literal["none", "log"]  # log: equation (6) of the paper
    p: Annotated[float, Field(gt=0, le=80, description="of equation (6); e^-p is a float32")]
    output_scale: Positive
    forget_bias: float
    head_init_scale: Annotated[float, Field(ge=0, description="scales the output layer's init")]


class UnrollStage(Section):
    """From this fraction of the episodes on, windows have this many inner steps."""

    start: Fraction
    window: Count


class Range(Section):
    """From low to high."""

    low: Positive
    high: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise PydanticCustomError(
                "order",
                "low = {low} is above high = {high}; low must not be above high",
                {"low": self.low, "high": self.high},
            )
        return self


class MetaLearningRate(Range):
    """Log-uniform random search; with 0 trials the geometric mean of low and high is taken."""

    trials: Annotated[int, Field(ge=0)]
    episodes: Annotated[int, Field(ge=1, description="of a trial: the recipe's first ones")]
    schedule: Literal["constant", "cosine"]
    final_fraction: Annotated[float, Field(gt=0, le=1, description="of the cosine's last value")]


class Validation(Section):
    """An epoch is `every` episodes; after each, phi is frozen and validated."""

    every: Count
    problems: Count


class Sampling(Section):
    """The backward pass over a random part of the coordinates, weighted to stay unbiased."""

    fraction: Annotated[float, Field(gt=0, le=1, description="of the coordinates; 1: exact")]
    uniform: Annotated[float, Field(ge=0, le=1, description="part drawn whatever the cotangents")]


class Recipe(Section):
    """One learned optimizer: what it is, what it is meta-trained on, and how."""

    label: str
    problem: Name
    optimizer: LSTMSettings
    episodes: Count
    steps: Annotated[int, Field(ge=1, description="inner steps of an episode")]
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

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        starts = [stage.start for stage in self.unroll]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise PydanticCustomError(
                "unroll",
                "unroll has start = {starts}; the first must be 0 and the others rise",
                {"starts": ", ".join(map(str, starts))},
            )
        if self.meta_learning_rate.episodes > self.episodes:
            raise PydanticCustomError(
                "trial",
                "meta_learning_rate.episodes = {trial} must not be above episodes = {episodes}",
                {"trial": self.meta_learning_rate.episodes, "episodes": self.episodes},
            )
        if isinstance(self.loss_weights, tuple) and len(self.loss_weights) != self.steps:
            raise PydanticCustomError(
                "weights",
                "loss_weights has {n} numbers, steps is {steps}: give one weight per step",
                {"n": len(self.loss_weights), "steps": self.steps},
            )
        return self


class Experiment(Section):
    """Learned optimizers and tuned baselines, side by side on fresh test problems."""

    title: str
    problem: Name
    steps: Count
    horizon: Annotated[int, Field(ge=1, description="step that tuning and claims look at")]
    learned: Annotated[tuple[Name, ...], Field(min_length=1)]
    baselines: Annotated[tuple[Baseline, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _horizon_within(self) -> Experiment:
        if self.horizon > self.steps:
            raise PydanticCustomError(
                "horizon",
                "horizon = {horizon} must not be above steps = {steps}",
                {"horizon": self.horizon, "steps": self.steps},
            )
        for names in (self.learned, self.baselines):
            if len(set(names)) < len(names):
                raise PydanticCustomError(
                    "twice", "an optimizer stands twice in {names}", {"names": ", ".join(names)}
                )
        return self


class Grid(Range):
    """The first log grid of learning rates; it widens while the best value is at an edge."""


class Tuning(Section):
    """How the learning rate of each baseline is chosen."""

    problems: Count
    points_per_decade: Count
    max_widenings: Annotated[int, Field(ge=0)]
    grids: dict[Baseline, Grid]


class Evaluation(Section):
    """The test."""

    problems: Count
    batch: Annotated[int, Field(ge=1, description="problems run at once (memory)")]


class FigureSettings(Section):
    """How figures look. Nothing but figures depends on this."""

    dpi: Annotated[int, Field(ge=50, le=1200)]
    width_inches: Annotated[float, Field(gt=1, le=20)]
    font_size: Annotated[float, Field(ge=4, le=24)]
    interval: Annotated[float, Field(gt=0, lt=1, description="of the shaded bands")]


class Compute(Section):
    """Where and how wide a job computes."""

    device: Literal["auto", "cpu", "cuda"]
    threads: Annotated[int, Field(ge=1, le=256, description="per job")]


class Data(Section):
    """Where data sets are looked for and kept. The variable L2L_DATA_DIR goes first."""

    directory: str | None


class Config(Section):
    """The whole configuration of a run."""

    protocol: Protocol
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    meta_seeds: Count
    data: Data
    compute: Compute
    problems: dict[Name, ProblemSettings]
    recipes: dict[Name, Recipe]
    experiments: dict[Name, Experiment]
    tuning: Tuning
    evaluation: Evaluation
    figures: FigureSettings

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        for name in set(self.recipes) & set(get_args(Baseline)):
            raise PydanticCustomError(
                "unknown_name", "recipes.{name}: a baseline has this name", {"name": name}
            )
        for name, recipe in self.recipes.items():
            _known(f"recipes.{name}.problem", recipe.problem, self.problems)
        for name, experiment in self.experiments.items():
            _known(f"experiments.{name}.problem", experiment.problem, self.problems)
            for learned in experiment.learned:
                _known(f"experiments.{name}.learned", learned, self.recipes)
            for baseline in experiment.baselines:
                _known(f"experiments.{name}.baselines", baseline, self.tuning.grids)
        return self

    def dataset(self, problem: str) -> str | None:
        """The dataset that a problem needs, if it needs one."""
        return getattr(self.problems[problem], "dataset", None)

    def labels(self) -> dict[str, str]:
        """Display names of the learned optimizers: recipe name -> label."""
        return {name: recipe.label for name, recipe in self.recipes.items()}


def _known(key: str, value: str, among: dict) -> None:
    if value not in among:
        raise PydanticCustomError(
            "unknown_name",
            "{key} = '{value}': there is no such entry; there are: {names}",
            {"key": key, "value": value, "names": ", ".join(among)},
        )
