"""Files from the future, left by a clock that was wrong."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path


def bring_back(folders: Iterable[Path]) -> int:
    """Give files whose time lies ahead a time between the newest of the others and now.

    The order of all files stays: what was older than something else, or as old, is so still.

    Args:
        folders: where to look, all below; one that is missing has no files.

    Returns:
        How many files there were.
    """
    now = time.time_ns()
    times = {}
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with contextlib.suppress(FileNotFoundError):  # a temporary one of another process
            times[path] = path.stat().st_mtime_ns
    ahead = [path for path in times if times[path] > now]
    newest = max((then for then in times.values() if then <= now), default=now - 10**9)
    ranks = {then: rank for rank, then in enumerate(sorted({times[path] for path in ahead}), 1)}
    for path in ahead:
        then = newest + (now - newest) * ranks[times[path]] // len(ranks)
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.utime(path, ns=(then, then))
    return len(ahead)
