"""The sources that a data set is fetched from, how one fails, and the record of what was used."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from l2l.data.folder import CorruptError, say
from l2l.errors import UserError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TRIES = 2
FIRST_WAIT_SECONDS = 2.0
REASON_CHARACTERS = 240


@dataclass(frozen=True)
class DatasetRecord:
    """Provenance of one verified data set, the content of results/<protocol>/data/<name>.json.

    Attributes:
        name: the data set, for example "mnist".
        source: where its files came from, in words.
        stand_in: what is used instead of the data set; None where it is the data set itself.
        digests: array or part -> SHA-256 (hex) of its content.
    """

    name: str
    source: str
    stand_in: str | None
    digests: dict[str, str]


class Dataset(Protocol[T_co]):
    """What `l2l.registry.DATASETS` names. Importing one does not import torch."""

    @property
    def name(self) -> str:
        """In the registry and in its record."""

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put what is missing or corrupt into a data directory, verified.

        Args:
            directory: the data directory; it is made if only its last part is missing.

        Raises:
            UserError: no source has the data, or the directory cannot be written.
        """

    def load(self, directory: Path) -> T_co:
        """Read the data, verified; what is missing or corrupt is fetched first.

        Args:
            directory: the data directory.

        Raises:
            UserError: as `fetch`.
        """


class SourceError(Exception):
    """Why a source failed, in a few words on one line; trying it again would not help."""

    def __init__(self, reason: object):
        line = " ".join(str(reason).split())
        if len(line) > REASON_CHARACTERS:
            line = f"{line[: REASON_CHARACTERS - 3]}..."
        super().__init__(line)


class TransientSourceError(SourceError):
    """A source failed in a way that may pass (a network, a timeout)."""


@dataclass(frozen=True)
class Source(Generic[T]):
    """Somewhere to get a data set from.

    Attributes:
        name: as it stands in messages and in the data set's record.
        megabytes: how much is downloaded; 0 for a file on this machine.
        read: returns the content; raises SourceError or CorruptError.
    """

    name: str
    megabytes: int
    read: Callable[[], T]


def with_retries(read: Callable[[], T]) -> T:
    """Call `read` up to TRIES times while it fails in a transient way; the waits double.

    Raises:
        SourceError: of the last call.
    """
    for attempt in range(1, TRIES):
        try:
            return read()
        except TransientSourceError:
            time.sleep(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return read()


def read_first_good(
    title: str,
    sources: Sequence[Source[T]],
    check: Callable[[T], None],
    missing: str,
    by_hand: str,
) -> tuple[T, str]:
    """Read the first source whose content is right; say on stderr which are tried and fail.

    Args:
        title: the data set, for messages.
        sources: in the order in which they are tried.
        check: raises CorruptError if some content is wrong.
        missing: which local files are missing or corrupt, for the error.
        by_hand: how the user can provide the files, the end of the error.

    Returns:
        The content and the source's name.

    Raises:
        UserError: no source has it.
    """
    failures = [f"local: {missing}"]
    for source in sources:
        if source.megabytes:
            say(f"fetching {title} ({source.megabytes} MB) from {source.name}")
        try:
            content = source.read()
            check(content)
        except (SourceError, CorruptError) as error:
            say(f"{source.name} failed: {error}")
            failures.append(f"{source.name}: {error}")
        else:
            return content, source.name
    raise UserError(f"no source has {title} ({'; '.join(failures)}); {by_hand}")
