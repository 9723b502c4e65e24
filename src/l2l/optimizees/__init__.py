"""Optimizees: the functions f(theta) that are minimised, in batches of independent problems."""

from l2l.optimizees.base import Family, Optimizee, Pictures
from l2l.optimizees.build import make_family
from l2l.optimizees.live import live_part

__all__ = ["Family", "Optimizee", "Pictures", "live_part", "make_family"]
