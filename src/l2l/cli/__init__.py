"""The command `l2l`: each stage of the replication as a small command."""

from l2l.cli.app import main

__all__ = ["main"]
