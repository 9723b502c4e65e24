"""What the results say about a dataset: its name, where it came from, and the digests it passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class DatasetRecord:
    """Provenance of one verified dataset, the content of results/<protocol>/data/<name>.json.

    Attributes:
        name: the dataset, for example "mnist".
        source: the source that yielded the bytes, in words.
        stand_in: what is used in the dataset's place, or None where it is the dataset itself.
        digests: array name -> SHA-256 (hex) of the decoded array in C order.
    """

    name: str
    source: str
    stand_in: str | None
    digests: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The record as plain dicts and strings, for json.dumps."""
        return asdict(self)


@dataclass(frozen=True)
class DataSet(Generic[T]):
    """A data set as `l2l.registry` names it.

    Attributes:
        name: of the data set, and of its record.
        fetch: sees to it that it lies, verified, in a data directory; returns its record.
        load: reads it from a data directory, verified; what is missing is fetched first.
    """

    name: str
    fetch: Callable[[Path], DatasetRecord]
    load: Callable[[Path], T]
