"""The kinds of learned optimizers, and what can be set of each. Their code: l2l.optimizers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from l2l.config.base import Name, Positive, Section, Whole


class LearnedSettings(Section):
    """What every kind of learned optimizer has.

    Attributes:
        couples: whether a coordinate's step depends on other coordinates. Then none can be left out
            of a problem, and the backward pass cannot be sampled.
    """

    couples: ClassVar[bool] = False
    kind: str


class ParameterGroup(Section):
    """Parameters of the optimizee that an LSTM of their own serves."""

    name: Name
    parameters: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="patterns of their names; the first group that fits"),
    ]


class Preprocessing(Section):
    """What a coordinate-wise optimizer sees of a gradient."""

    preprocessing: Literal["none", "log"]  # log: equation (6) of the paper
    p: Annotated[float, Field(gt=0, le=80, description="of equation (6); e^-p is a float32")]
    input_scale: Annotated[float, Field(gt=0, description="times the gradient, where it is none")]


class LSTMSettings(Preprocessing, LearnedSettings):
    """The coordinate-wise LSTM m(grad, h, phi) of the paper."""

    kind: Literal["lstm"]
    layers: Annotated[int, Field(ge=1, le=8)]
    units: Annotated[int, Field(ge=1, le=512)]
    output_scale: Positive
    forget_bias: float
    head_init_scale: Annotated[float, Field(ge=0, description="scales the output layer's init")]
    averaged_cells: Annotated[
        Whole,
        Field(ge=0, description="of each layer: global averaging cells, the paper's appendix"),
    ]
    groups: Annotated[
        tuple[ParameterGroup, ...],
        Field(min_length=1, description="each has weights phi of its own"),
    ]

    @property
    def couples(self) -> bool:  # type: ignore[override]
        """With averaging cells each coordinate sees the mean of all."""
        return self.averaged_cells > 0

    @model_validator(mode="after")
    def _consistent(self) -> LSTMSettings:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise PydanticCustomError(
                "twice", "a group stands twice in {names}", {"names": ", ".join(names)}
            )
        if self.averaged_cells > self.units:
            raise PydanticCustomError(
                "cells",
                "averaged_cells = {cells} must not be above units = {units}",
                {"cells": self.averaged_cells, "units": self.units},
            )
        return self


class RNNSettings(Preprocessing, LearnedSettings):
    """The coordinate-wise optimizer with a plainer cell: tanh RNN, or no recurrence at all."""

    kind: Literal["rnn"]
    recurrence: Literal["tanh", "none"]  # none: a multi-layer perceptron without memory
    layers: Annotated[int, Field(ge=1, le=8)]
    units: Annotated[int, Field(ge=1, le=512)]
    output_scale: Positive
    head_init_scale: Annotated[float, Field(ge=0, description="scales the output layer's init")]


class HierarchicalSettings(LearnedSettings):
    """The hierarchical RNN of Wichrowska et al. 2017: a GRU for each parameter, tensor and all."""

    couples: ClassVar[bool] = True

    kind: Literal["hierarchical"]
    parameter_units: Annotated[int, Field(ge=1, le=512)]
    tensor_units: Annotated[int, Field(ge=1, le=512)]
    global_units: Annotated[int, Field(ge=1, le=512)]
    scales: Annotated[int, Field(ge=1, le=8, description="time scales of averaged gradients")]
    learning_rate: Annotated[float, Field(gt=0, description="the running one's first value")]
    head_init_scale: Annotated[float, Field(ge=0, description="scales the output layers' init")]
