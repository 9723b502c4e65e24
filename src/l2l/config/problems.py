"""The optimizees that can be configured; the values stand in config/default.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Count, Section

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"]


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
    hidden: Annotated[int, Field(ge=1, description="units of the fully connected hidden layer")]
    batch_size: Annotated[int, Field(ge=2, description="batch normalisation needs two images")]
    init: Literal["torch", "gaussian"]
    init_std: Annotated[float, Field(ge=0, description="of weights and biases, init: gaussian")]
    train_sample: Annotated[int, Field(ge=2, description="training images behind train_loss")]
    test_sample: Annotated[int, Field(ge=2, description="held-out images behind test_loss")]

    @model_validator(mode="after")
    def _distinct(self) -> ConvNetSettings:
        if len(set(self.labels)) < len(self.labels):
            raise PydanticCustomError(
                "twice", "a label stands twice in {labels}", {"labels": str(list(self.labels))}
            )
        return self


ProblemSettings = Annotated[
    QuadraticSettings | MLPSettings | ConvNetSettings, Field(discriminator="kind")
]
