"""The kinds of meta-gradient estimators, and what can be set of each. Code: l2l.meta.gradients."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from l2l.config.base import Count, Positive, Section, Whole


class EstimatorSettings(Section):
    """What every kind of estimator has.

    Attributes:
        samples: whether its backward pass can be sampled (`sampling` of the recipe).
    """

    samples: ClassVar[bool] = False
    kind: str


class Sampling(Section):
    """The backward pass over a random part of the coordinates, weighted to stay unbiased."""

    fraction: Annotated[
        float, Field(gt=0, le=1, description="of the coordinates of each group; 1: exact")
    ]
    uniform: Annotated[float, Field(ge=0, le=1, description="part drawn whatever the cotangents")]


class AdjointSettings(EstimatorSettings):
    """Truncated backpropagation without second derivatives (equation 5), the fast way."""

    samples: ClassVar[bool] = True
    kind: Literal["adjoint"]


class UnrolledSettings(EstimatorSettings):
    """Truncated backpropagation by autograd through the whole window."""

    kind: Literal["unrolled"]
    second_derivatives: Literal["kept", "dropped"]


class EvolutionSettings(EstimatorSettings):
    """Evolution strategies on the smoothed meta-loss E[L(phi + sigma eps)], antithetic pairs."""

    kind: Literal["es"]
    pairs: Count
    sigma: Positive


class PersistentEvolutionSettings(EstimatorSettings):
    """Persistent evolution strategies (Vicol et al. 2021): unbiased over truncated windows."""

    kind: Literal["pes"]
    pairs: Count
    sigma: Positive


class CombinedSettings(EstimatorSettings):
    """Backpropagation and ES, weighted by inverse variances (Metz et al. 2019)."""

    kind: Literal["combined"]
    pairs: Annotated[Whole, Field(ge=2, description="at least two, or they have no variance")]
    sigma: Positive
    second_derivatives: Literal["kept", "dropped"]


class ReinforceSettings(EstimatorSettings):
    """REINFORCE (Williams 1992): steps are drawn from a Gaussian around the optimizer's output."""

    samples: ClassVar[bool] = True
    kind: Literal["reinforce"]
    sigma: Annotated[float, Field(gt=0, description="standard deviation of a coordinate's step")]
    baseline_decay: Annotated[float, Field(ge=0, lt=1, description="of the running mean return")]
