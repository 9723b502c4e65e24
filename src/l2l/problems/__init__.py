"""Problems: the functions f(theta) that optimizers minimise, in batches of independent problems."""

from l2l.problems.base import Family, Problem, Setup, StyledPictures, make_family
from l2l.problems.live_coordinates import live_part

__all__ = ["Family", "Problem", "Setup", "StyledPictures", "live_part", "make_family"]
