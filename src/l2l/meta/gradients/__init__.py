"""Meta-gradient estimators: the gradient of the meta-loss of one window with respect to phi."""

from l2l.meta.gradients.adjoint import adjoint
from l2l.meta.gradients.base import Estimator, LossWeights, Window
from l2l.meta.gradients.sampling import sample_cotangents
from l2l.meta.gradients.unrolled import unrolled

__all__ = ["Estimator", "LossWeights", "Window", "adjoint", "sample_cotangents", "unrolled"]
