"""The kinds of meta-gradient estimators, and what can be set of each. Code: l2l.estimators."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from l2l.config.base import Count, Fraction, Positive, Section, Whole


class EstimatorSettings(Section):
    """What every kind of estimator has.

    Attributes:
        samples: whether its backward pass can be sampled (`sampling` of the recipe).
    """

    samples: ClassVar[bool] = False
    kind: str
    """Which kind it is."""


class Sampling(Section):
    """The backward pass over a random part of the coordinates, weighted to stay unbiased."""

    fraction: Annotated[float, Field(gt=0, le=1)]
    """Expected fraction of each group's coordinates with cotangents that are drawn; 1: exact."""
    uniform: Fraction
    """Part of each probability that is the same for all; the rest is in proportion to the
    cotangents."""


class AdjointSettings(EstimatorSettings):
    """Truncated backpropagation without second derivatives (equation 5), the fast way."""

    samples: ClassVar[bool] = True
    kind: Literal["adjoint"]


class UnrolledSettings(EstimatorSettings):
    """Truncated backpropagation by autograd through the whole window."""

    kind: Literal["unrolled"]
    second_derivatives: Literal["kept", "dropped"]
    """Whether the gradient's own dependence on theta counts."""


class PerturbationSettings(EstimatorSettings):
    """What estimators from perturbed phi have."""

    pairs: Count
    """Antithetic pairs of perturbed phi."""
    sigma: Positive
    """Standard deviation of phi's perturbations."""


class EvolutionSettings(PerturbationSettings):
    """Evolution strategies on the smoothed meta-loss E[L(phi + sigma eps)], antithetic pairs."""

    kind: Literal["es"]


class PersistentEvolutionSettings(PerturbationSettings):
    """Persistent evolution strategies (Vicol et al. 2021): unbiased over truncated windows."""

    kind: Literal["pes"]


class CombinedSettings(PerturbationSettings):
    """Backpropagation and ES, weighted by inverse variances (Metz et al. 2019)."""

    kind: Literal["combined"]
    pairs: Annotated[Whole, Field(ge=2)]
    """Antithetic pairs of perturbed phi; one would have no variance."""
    second_derivatives: Literal["kept", "dropped"]
    """Whether the gradient's own dependence on theta counts."""


class ReinforceSettings(EstimatorSettings):
    """REINFORCE (Williams 1992): steps are drawn from a Gaussian around the optimizer's output."""

    samples: ClassVar[bool] = True
    kind: Literal["reinforce"]
    sigma: Positive
    """Standard deviation of the noise on a coordinate's step."""
    baseline_decay: Annotated[float, Field(ge=0, lt=1)]
    """Decay of the running mean of returns, the baseline."""
