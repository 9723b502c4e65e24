"""The optimizees that can be configured; the values stand in config/default.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Name, Range, Section, Whole

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"]


class QuadraticSettings(Section):
    """f(theta) = ||W theta - y||^2, W and y i.i.d. standard normal, fresh for each problem."""

    kind: Literal["quadratic"]
    dimensions: Annotated[int, Field(ge=1, le=10_000)]
    init_std: Annotated[float, Field(ge=0, description="standard deviation of theta[0]")]

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it needs: nothing."""
        return ()


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

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it needs, by the names of `l2l data`."""
        return (self.dataset,)


class ConvNetSettings(Section):
    """Convolutions with batch normalisation, ReLU and max pooling, then fully connected layers."""

    kind: Literal["convnet"]
    dataset: Literal["cifar10"]
    labels: Annotated[
        tuple[Annotated[int, Field(ge=0, le=9)], ...],
        Field(min_length=2, description="the classes; images of others are left out"),
    ]
    channels: Annotated[
        tuple[Count, ...], Field(min_length=1, description="of each convolutional layer, 5x5")
    ]
    hidden: Annotated[Whole, Field(ge=1, description="units of the fully connected hidden layer")]
    batch_size: Annotated[Whole, Field(ge=2, description="batch normalisation needs two images")]
    init: Literal["torch", "gaussian"]
    init_std: Annotated[float, Field(ge=0, description="of weights and biases, init: gaussian")]
    train_sample: Annotated[Whole, Field(ge=2, description="training images behind train_loss")]
    test_sample: Annotated[Whole, Field(ge=2, description="held-out images behind test_loss")]

    @model_validator(mode="after")
    def _distinct(self) -> ConvNetSettings:
        if len(set(self.labels)) < len(self.labels):
            raise PydanticCustomError(
                "twice", "a label stands twice in {labels}", {"labels": str(list(self.labels))}
            )
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it needs, by the names of `l2l data`."""
        return (self.dataset,)


Style = Literal["starry_night", "wave", "udnie", "the_scream", "composition_vii", "shipwreck"]


class NeuralArtSettings(Section):
    """A picture that keeps a photograph's content and takes on a style (Gatys et al. 2015)."""

    kind: Literal["neural_art"]
    features: Literal["vgg16_dd21191f"]
    size: Annotated[
        int, Field(ge=16, le=128, description="pixels of a side; the photographs have 128")
    ]
    styles: Annotated[
        tuple[Style, ...], Field(min_length=1, description="problem i has style i, then from anew")
    ]
    content_weight: Annotated[float, Field(ge=0, description="alpha")]
    style_weight: Annotated[float, Field(ge=0, description="beta")]
    variation_weight: Annotated[float, Field(ge=0, description="gamma")]
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Field(description="of the features; auto: bfloat16 on a CPU that multiplies it natively"),
    ]

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it needs, by the names of `l2l data`."""
        return ("photographs", "styles", self.features)

    @property
    def limits(self) -> dict[str, int]:
        """How many problems there are at most; validation photographs are also tuned on."""
        return {"test": 100, "validation": 20}


class MixtureSettings(Section):
    """Problems of several kinds, their parameters and losses in random units."""

    kind: Literal["mixture"]
    of: Annotated[tuple[Name, ...], Field(min_length=1, description="other problems, by name")]
    scale: Annotated[
        Range, Field(description="of theta and of the loss: two log-uniform draws a problem")
    ]

    @property
    def datasets(self) -> tuple[str, ...]:
        """What it needs: see `Config.datasets`, which asks its parts."""
        return ()


ProblemSettings = Annotated[
    QuadraticSettings | MLPSettings | ConvNetSettings | NeuralArtSettings | MixtureSettings,
    Field(discriminator="kind"),
]
