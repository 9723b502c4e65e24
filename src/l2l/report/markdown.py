"""Tables of strings in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from l2l.report.html import Row


def markdown(rows: Sequence[Row]) -> str:
    """A table in Markdown; all rows have the same columns."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)


def _plain(cell: str) -> str:
    return cell.striptags() if isinstance(cell, Markup) else cell
