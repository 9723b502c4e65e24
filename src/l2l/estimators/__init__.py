"""Meta-gradient estimators: the gradient of the meta-loss of one window with respect to phi."""

from l2l.config.estimators import EstimatorSettings
from l2l.estimators.adjoint import adjoint
from l2l.estimators.base import Episode, Estimator, LossWeights, Window
from l2l.estimators.sampling import sample_cotangents
from l2l.estimators.unrolled import unrolled
from l2l.registry import ESTIMATORS, resolve

__all__ = [
    "Episode",
    "Estimator",
    "LossWeights",
    "Window",
    "adjoint",
    "make_estimator",
    "sample_cotangents",
    "unrolled",
]


def make_estimator(settings: EstimatorSettings) -> Estimator:
    """The estimator of this kind with these settings."""
    return resolve(ESTIMATORS[settings.kind].code)(settings)
