"""What a source of a dataset is, how one fails, and how often it is tried."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

TRIES = 2
FIRST_WAIT_SECONDS = 2.0
REASON_CHARACTERS = 240


class SourceError(Exception):
    """Why a source failed, in a few words on one line; trying it again would not help."""

    def __init__(self, reason: object):
        super().__init__(one_line(str(reason)))


class TransientSourceError(SourceError):
    """A source failed in a way that may pass (a network, a timeout)."""


@dataclass(frozen=True)
class Source:
    """Somewhere to get files from.

    Attributes:
        name: as it stands in messages and in the dataset's record.
        megabytes: how much is downloaded.
        read: yields file name -> content; raises SourceError.
    """

    name: str
    megabytes: int
    read: Callable[[], dict[str, bytes]]


def one_line(text: str) -> str:
    """The text on one line, cut to what one can read in an error message."""
    line = " ".join(text.split())
    if len(line) <= REASON_CHARACTERS:
        return line
    return f"{line[: REASON_CHARACTERS - 3]}..."


def with_retries(read: Callable[[], T]) -> T:
    """Call `read`, again after a wait that doubles while it fails in a transient way.

    Args:
        read: the attempt.

    Returns:
        What `read` returned.

    Raises:
        SourceError: it failed for good, or TRIES times in a transient way.
    """
    for attempt in range(1, TRIES):
        try:
            return read()
        except TransientSourceError:
            time.sleep(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return read()
