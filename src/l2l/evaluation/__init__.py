"""Tuning, testing, statistics and claims."""
