"""Problems: the functions f(theta) that optimizers minimise, in batches of independent problems."""

from l2l.problems.base import Family, Pictures, Problem, Setup, make_family
from l2l.problems.live_coordinates import live_part

__all__ = ["Family", "Pictures", "Problem", "Setup", "live_part", "make_family"]
