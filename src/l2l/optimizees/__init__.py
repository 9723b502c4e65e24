"""Optimizees: the functions f(theta) that are minimised, in batches of independent problems."""

from l2l.optimizees.base import Family, Optimizee
from l2l.optimizees.build import make_family

__all__ = ["Family", "Optimizee", "make_family"]
