"""Problems: the functions f(theta) that are minimised, in batches of independent problems."""

from l2l.problems.base import Family, Pictures, Problem
from l2l.problems.build import make_family
from l2l.problems.live import live_part

__all__ = ["Family", "Pictures", "Problem", "live_part", "make_family"]
