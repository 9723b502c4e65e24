"""The kinds of learned optimizers, and what can be set of each. Code: l2l.optimizers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from l2l.config.base import (
    Layers,
    Name,
    Natural,
    NonNegative,
    Positive,
    Range,
    Section,
    Units,
    UpperUnits,
    mistake,
)

Decay = Annotated[float, Field(gt=0, lt=1)]


class LearnedSettings(Section):
    """What every kind of learned optimizer has.

    Attributes:
        couples: whether a coordinate's step depends on other coordinates. If so, no coordinate can
            be left out of a problem, and the backward pass cannot be sampled.
    """

    couples: ClassVar[bool] = False
    kind: str
    """Which kind it is."""


class ParameterGroup(Section):
    """Parameters of a problem that share an LSTM of their own."""

    name: Name
    """Prefix of the names of its weights."""
    parameters: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of parameter names; a parameter belongs to the first group that matches."""


class Preprocessing(Section):
    """What a coordinate-wise optimizer sees of a gradient."""

    preprocessing: Literal["none", "log"]
    """log: size and sign apart, equation (6) of the paper; none: the gradient."""
    p: Annotated[float, Field(gt=0, le=80)]
    """p of equation (6): gradients below e^-p count as small."""
    input_scale: Positive
    """Factor on the gradient with `preprocessing: none`."""


class LSTMSettings(Preprocessing, LearnedSettings):
    """The coordinate-wise LSTM m(grad, h, phi) of the paper."""

    kind: Literal["lstm"]
    layers: Layers
    """Layers of the LSTM."""
    units: Units
    """Units of each layer."""
    output_scale: Positive
    """Factor on the output before it is added to theta."""
    forget_bias: float
    """Added to the forget gates' initial biases."""
    head_init_scale: NonNegative
    """Factor on the output layer's initial weights and bias."""
    averaged_cells: Natural
    """Units of each layer whose outputs are averaged over theta (the paper's appendix)."""
    groups: Annotated[tuple[ParameterGroup, ...], Field(min_length=1)]
    """Which parameters share an LSTM; each has its own phi."""

    @property
    def couples(self) -> bool:  # type: ignore[override]
        """With averaging cells each coordinate sees the mean of all."""
        return self.averaged_cells > 0

    @model_validator(mode="after")
    def _consistent(self) -> LSTMSettings:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise mistake(f"a group stands twice in {', '.join(names)}")
        if self.averaged_cells > self.units:
            raise mistake(
                f"averaged_cells = {self.averaged_cells} must not be above units = {self.units}"
            )
        return self


class RNNSettings(Preprocessing, LearnedSettings):
    """The coordinate-wise optimizer with a plainer cell: tanh RNN, or no recurrence at all."""

    kind: Literal["rnn"]
    recurrence: Literal["tanh", "none"]
    """tanh: an RNN; none: a multi-layer perceptron without memory."""
    layers: Layers
    """Hidden layers."""
    units: Units
    """Units of each layer."""
    output_scale: Positive
    """Factor on the output before it is added to theta."""
    head_init_scale: NonNegative
    """Factor on the output layer's initial weights and bias."""


class NormalisedSettings(LearnedSettings):
    """A coordinate-wise LSTM that sees gradients relative to their own running size."""

    kind: Literal["normalised"]
    layers: Layers
    """Layers of the LSTM."""
    units: Units
    """Units of each layer."""
    decays: Annotated[tuple[Decay, ...], Field(min_length=1)]
    """Of the running means m and v of the gradient and its square; each adds two inputs,
    m / sqrt(v) and gradient / sqrt(v)."""
    p: Annotated[float, Field(gt=0, le=80)] | None
    """p of equation (6) of the paper, whose two inputs are added; null: they are not."""
    tensor_size: Range | None
    """The output is multiplied by the root mean square that its tensor has at the start, within
    this range; null: it is not."""
    schedule: Literal["constant", "linear"]
    """linear: steps shrink to zero over the length of a run, where it is known."""
    warm_up: Annotated[float, Field(ge=0, lt=1)]
    """Over this part of a run, where its length is known, steps grow to their size."""
    output_scale: Positive
    """Factor on the output before it is added to theta."""
    head_init_scale: NonNegative
    """Factor on the output layer's initial weights and bias."""


class HierarchicalSettings(LearnedSettings):
    """The hierarchical RNN of Wichrowska et al. 2017: a GRU for each parameter, tensor and all."""

    couples: ClassVar[bool] = True

    kind: Literal["hierarchical"]
    parameter_units: Units
    """Units of the GRU of each coordinate."""
    tensor_units: UpperUnits
    """Units of the GRU of each tensor; 0: it is cut."""
    global_units: UpperUnits
    """Units of the GRU above all tensors; 0: it is cut."""
    scales: Layers
    """Time scales over which gradients are averaged."""
    learning_rate: Positive
    """First value of the running learning rate."""
    head_init_scale: NonNegative
    """Factor on the output layers' initial weights."""

    @model_validator(mode="after")
    def _connected(self) -> HierarchicalSettings:
        if self.global_units and not self.tensor_units:
            raise mistake(
                f"global_units = {self.global_units} with tensor_units = 0: the global RNN sees "
                "coordinates by the tensor RNNs alone; set global_units to 0, too"
            )
        return self
