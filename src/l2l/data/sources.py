"""What a data set is, the sources that it is fetched from, and the record of what was used."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from l2l.data.folder import ENVIRONMENT_VARIABLE, CorruptError, prepare_folder, read, say
from l2l.errors import UserError
from l2l.files import write_bytes

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

WAIT_SECONDS = 2.0
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
class Source:
    """Somewhere to get the files of a data set from.

    Attributes:
        name: as it stands in messages and in the data set's record.
        megabytes: how much is downloaded; 0 for what is on this machine.
        read: returns the content of all files by their names. Whatever it raises is a failure of
            the source; SourceError is said as it is.
    """

    name: str
    megabytes: int
    read: Callable[[], dict[str, bytes]]


def with_retry(read: Callable[[], T]) -> T:
    """Call `read`, and once more after a failure that may pass; SourceError of the last call."""
    try:
        return read()
    except TransientSourceError:
        time.sleep(WAIT_SECONDS)
        return read()


def obtain(
    title: str,
    folder: Path,
    files: Iterable[str],
    check: Callable[[str, bytes], object],
    sources: Sequence[Source],
    by_hand: str,
    places: Sequence[str] = ("{}",),
) -> tuple[dict[str, bytes], str]:
    """The verified files of a data set; what is missing or corrupt comes from a source.

    A corrupt file is named on stderr. In its place, or where a file is missing, lies afterwards
    what the first source with the right content has.

    Args:
        title: the data set, for messages.
        folder: the data set's own.
        files: their names.
        check: raises CorruptError if the content of the file of this name is wrong.
        sources: in the order in which they are tried.
        by_hand: what the user can put into the folder, for the error.
        places: where a file is looked for in the folder, in this order; "{}" stands for its name,
            and ".gz" at the end means that it is gzipped. What is fetched is written to the first.

    Returns:
        File -> content, not compressed; and where they came from.

    Raises:
        UserError: no source has them, or the folder cannot be written.
    """
    contents: dict[str, bytes] = {}
    wrong: dict[str, str] = {}
    for file in files:
        for path in [folder / place.format(file) for place in places]:
            if (content := read(path)) is None:
                continue
            try:
                content = gzip.decompress(content) if path.suffix == ".gz" else content
                check(file, content)
            except (CorruptError, gzip.BadGzipFile, EOFError, zlib.error) as error:
                say(f"{path} is corrupt ({error}); looking for a good one")
                wrong[file] = "corrupt"
            else:
                contents[file] = content
                break
        if file not in contents:
            wrong.setdefault(file, "missing")
    source = "local"
    if wrong:
        prepare_folder(folder)
    if lacking := [f"{file} is {how}" for file, how in wrong.items() if file not in contents]:
        failures = [f"local: {', '.join(lacking)}"]
        for candidate in sources:
            if candidate.megabytes:
                say(f"fetching {title} ({candidate.megabytes} MB) from {candidate.name}")
            try:
                fetched = candidate.read()
                for file, content in fetched.items():
                    check(file, content)
                break
            except Exception as error:  # what a source holds may break whatever reads it
                known = isinstance(error, SourceError | CorruptError)
                reason = SourceError(error if known else f"{type(error).__name__}: {error}")
                say(f"{candidate.name} failed: {reason}")
                failures.append(f"{candidate.name}: {reason}")
        else:
            raise UserError(
                f"no source has {title} ({'; '.join(failures)}); to provide it by hand, put "
                f"{by_hand} into {folder}, or set {ENVIRONMENT_VARIABLE} to a folder whose "
                f"{folder.name}/ holds it"
            )
        source = f"{candidate.name} and local" if contents else candidate.name
        contents = fetched | contents
    for file in wrong:
        write_bytes(folder / places[0].format(file), contents[file])
    return contents, source
