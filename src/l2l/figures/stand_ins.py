"""What has to be said where pictures are shown, and whether they may be published.

Pictures made from the real photographs or the real styles may not; those made from the free ones
that stand in for both may, with their attribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from l2l.data.bundled import ATTRIBUTION
from l2l.data.photographs import STAND_IN as FREE_PHOTOGRAPHS
from l2l.data.styles import STAND_IN as FREE_STYLES

FREE = {"photographs": FREE_PHOTOGRAPHS, "styles": FREE_STYLES}
"""Dataset -> how its record names the free pictures; another stand-in need not be free."""

Record = Mapping[str, Any]
"""What results/<protocol>/data/<dataset>.json says, see `l2l.data.sources`."""


def notes(records: Sequence[Record]) -> list[str]:
    """Lines that name each stand-in, and the authors who have to be named; none without any.

    Args:
        records: of the photographs and the styles.
    """
    found = [
        f"Stand-in for the {record['name']}: {record['stand_in']}"
        for record in records
        if record["stand_in"]
    ]
    return [*found, *attributions(records)]


def attributions(records: Sequence[Record]) -> list[str]:
    """Who has to be named, where free pictures are shown."""
    free = any(_is_free(record) for record in records)
    return [f"Among the stand-ins: {ATTRIBUTION}; changed here"] if free else []


def may_be_published(records: Sequence[Record]) -> bool:
    """Whether all of what the pictures were made from is free.

    Args:
        records: of the photographs and the styles, both.
    """
    return {record["name"] for record in records if _is_free(record)} == {*FREE}


def _is_free(record: Record) -> bool:
    return record["stand_in"] is not None and record["stand_in"] == FREE.get(record["name"])
