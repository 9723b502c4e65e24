"""The kinds of problems and what can be set of each. Code: l2l.problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from l2l.config.base import Count, Name, NonNegative, Range, Section, Whole, mistake
from l2l.config.names import ProblemName
from l2l.errors import did_you_mean
from l2l.registry import DATASETS

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"]
"""Functions of `torch.nn.functional`."""


def _registered(dataset: str) -> str:
    if dataset not in DATASETS:
        raise mistake(
            f"there is no data set '{dataset}'{did_you_mean(dataset, DATASETS)}; there are: "
            f"{', '.join(DATASETS)}"
        )
    return dataset


Dataset = Annotated[Name, AfterValidator(_registered)]


class ProblemSettings(Section):
    """What every kind of problem has."""

    kind: str
    """Which kind it is."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets it is made from, by the names of `l2l.registry.DATASETS`."""
        return ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the problems that a mixture is made of; () for other kinds."""
        return ()

    @property
    def limits(self) -> dict[str, int]:
        """How many problems there are at most, if there is a limit: "test", "validation"."""
        return {}

    @property
    def step_seconds(self) -> float:
        """Roughly the time of an LSTM's step on one problem, on one core (`l2l.config.costs`)."""
        return 0.04


class QuadraticSettings(ProblemSettings):
    """f(theta) = ||W theta - y||^2, W and y i.i.d. standard normal, fresh for each problem."""

    kind: Literal["quadratic"]
    dimensions: Annotated[int, Field(ge=1, le=10000)]
    """Coordinates of theta; W is square."""
    init_std: NonNegative
    """Standard deviation of theta[0]."""

    @property
    def step_seconds(self) -> float:
        """A few microseconds for each coordinate."""
        return 1e-6 * self.dimensions


class ImageSettings(ProblemSettings):
    """What networks on labelled images have."""

    dataset: Dataset
    """The labelled images that it classifies."""
    batch_size: Count
    """Images of a minibatch."""
    init: Literal["torch", "gaussian"]
    """theta[0]: PyTorch's default, or normal with mean 0 and `init_std`."""
    init_std: NonNegative
    """Standard deviation of weights and biases with `init: gaussian`."""
    train_sample: Count
    """Fixed training images that train_loss is the loss on."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets it is made from."""
        return (self.dataset,)


class MLPSettings(ImageSettings):
    """A fully connected classifier: cross-entropy on minibatches of a dataset."""

    kind: Literal["mlp"]
    hidden: tuple[Count, ...]
    """Units of each hidden layer."""
    activation: Activation
    """The activation of the hidden layers."""
    train_sample: Annotated[int, Field(ge=1, le=60000)]

    @property
    def step_seconds(self) -> float:
        """One layer of 20 units takes 3 ms."""
        return 1.5e-4 * sum(self.hidden)


class ConvNetSettings(ImageSettings):
    """Convolutions with batch normalisation, ReLU and max pooling, then fully connected layers."""

    kind: Literal["convnet"]
    labels: Annotated[tuple[Annotated[Whole, Field(ge=0)], ...], Field(min_length=2)]
    """The classes; images of others are left out."""
    channels: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Output channels of each convolutional layer, 5x5."""
    hidden: Count
    """Units of the fully connected hidden layer."""
    batch_size: Annotated[Whole, Field(ge=2)]
    """Images of a minibatch; batch normalisation needs two."""
    train_sample: Annotated[Whole, Field(ge=2)]
    test_sample: Annotated[Whole, Field(ge=2)]
    """Fixed held-out images that test_loss is the loss on."""

    @model_validator(mode="after")
    def _distinct(self) -> ConvNetSettings:
        if len(set(self.labels)) < len(self.labels):
            raise mistake(f"a label stands twice in {list(self.labels)}")
        return self


class PlainConvNetSettings(ConvNetSettings):
    """The same with biases in the place of batch normalisation."""

    kind: Literal["plain_convnet"]  # type: ignore[assignment]


class SequenceSettings(ImageSettings):
    """What networks have that read an image as a sequence of its patches."""

    patch: Annotated[tuple[Count, ...], Field(min_length=2, max_length=2)]
    """Rows and columns of pixels of a patch."""
    train_sample: Annotated[int, Field(ge=1, le=60000)]


class RecurrentSettings(SequenceSettings):
    """A recurrent network that sees the patches of an image one after the other."""

    kind: Literal["recurrent"]
    cell: Literal["tanh", "gru"]
    """The cell of its one layer."""
    units: Count
    """Units of the layer."""

    @property
    def step_seconds(self) -> float:
        """14 patches and a GRU of 16 units take 6 ms."""
        return 6e-3


class AttentionSettings(SequenceSettings):
    """A small transformer on the patches of an image."""

    kind: Literal["attention"]
    blocks: Annotated[int, Field(ge=1, le=8)]
    """Blocks of attention and MLP."""
    width: Count
    """Features of each patch."""
    heads: Count
    """Heads of each attention; they share the width."""

    @property
    def step_seconds(self) -> float:
        """16 patches, a block of width 16."""
        return 6e-3 * self.blocks

    @model_validator(mode="after")
    def _divided(self) -> AttentionSettings:
        if self.width % self.heads:
            raise mistake(f"width = {self.width} must be a multiple of heads = {self.heads}")
        return self


class TableSettings(ProblemSettings):
    """Networks for regression on a table of real data: mean squared error."""

    kind: Literal["table"]
    dataset: Dataset
    """The table, by its name in `l2l data`."""
    hidden: tuple[Count, ...]
    """Units of the network's hidden layers."""
    activation: Activation
    """Of its hidden layers."""
    batch_size: Count
    """Rows of a minibatch."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data set it is made from."""
        return (self.dataset,)

    @property
    def step_seconds(self) -> float:
        """Small networks: a fraction of a millisecond."""
        return 1e-3


class RegressionSettings(ProblemSettings):
    """A network learns what another one, drawn at random, says of normal inputs; squared error."""

    kind: Literal["regression"]
    dimensions: Count
    """Numbers of an input."""
    hidden: tuple[Count, ...]
    """Units of each hidden layer."""
    activation: Activation
    """The activation of the hidden layers."""
    teacher: Count
    """Units of the teacher's hidden layer."""
    noise: NonNegative
    """Standard deviation of what is added to the teacher's answers."""
    batch_size: Count
    """Inputs of a minibatch."""

    @property
    def step_seconds(self) -> float:
        """Small networks: a fraction of a millisecond."""
        return 1e-3


Style = Literal["starry_night", "wave", "udnie", "the_scream", "composition_vii", "shipwreck"]


class NeuralArtSettings(ProblemSettings):
    """A picture that keeps a photograph's content and takes on a style (Gatys et al. 2015)."""

    kind: Literal["neural_art"]
    features: Literal["vgg16_dd21191f"]
    """The network whose features are compared; its name has the digest of its weights."""
    size: Annotated[int, Field(ge=16, le=128)]
    """Pixels of a side; the photographs have 128."""
    styles: Annotated[tuple[Style, ...], Field(min_length=1)]
    """Problem i has style i; after the last style the first one follows."""
    content_weight: NonNegative
    """alpha, the weight of the content."""
    style_weight: NonNegative
    """beta, the weight of the style."""
    variation_weight: NonNegative
    """gamma, the weight of the total variation."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Precision of the features; auto: bfloat16 on a CPU with native bfloat16, else float32."""

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets it is made from."""
        return ("photographs", "styles", self.features)

    @property
    def limits(self) -> dict[str, int]:
        """One problem for each photograph; baselines are tuned on the validation photographs."""
        return {"test": 100, "validation": 20}


class MixtureSettings(ProblemSettings):
    """Problems of several kinds, their parameters and losses in random units."""

    kind: Literal["mixture"]
    of: Annotated[tuple[ProblemName, ...], Field(min_length=1)]
    """The names of other problems; each episode has one of them."""
    scale: Range
    """Units of theta and of the loss: two log-uniform draws for each problem."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The problems that it is made of."""
        return self.of


def problem_inputs(problems: Mapping[str, ProblemSettings], name: str) -> dict[str, Any]:
    """What results on a problem depend on: its name, because streams have it, and its settings."""
    return {"name": name, **problems[name].model_dump(mode="json")}


def training_problem_inputs(problems: Mapping[str, ProblemSettings], name: str) -> dict[str, Any]:
    """What meta-training and tuning on a problem depend on: nothing of its held-out data."""
    inputs = problem_inputs(problems, name)
    inputs.pop("test_sample", None)
    if parts := problems[name].parts:
        inputs["parts"] = [training_problem_inputs(problems, part) for part in parts]
    return inputs
