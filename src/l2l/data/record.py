"""What the results say about a dataset: its name, where it came from, and the digests it passed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


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
