"""Tables of strings, pictures and intervals as HTML that needs nothing from outside."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup, escape

from l2l.config.schema import FigureSettings

Row = dict[str, str]
"""Column -> text. A Markup, as text or as column, is HTML already."""

NUMERIC = re.compile(
    r"(([−+]?[\d.,]+(e[−+]?\d+)?(\s%| s| min.*| h.*)?|[−+]∞|undefined)( \[.*\])?|diverged|failed)?"
)
WITH_INTERVAL = re.compile(r"(.+) \[(.+)\]")

PLOT_WIDTH, PLOT_HEIGHT, PLOT_MARGIN = 150, 16, 10
PLOT_FACTOR = 4.0  # the plot reaches from 1/4 to 4 times the baseline


def table(rows: Sequence[Row], heading: str) -> Markup:
    """A table in a box that scrolls sideways where the window is narrow.

    Args:
        rows: all with the same columns. "1.2 [1.1, 1.3]" gets its interval in small.
        heading: what the table is; its caption.

    Returns:
        The element; a sentence where there are no rows.
    """
    if not rows:
        return Markup('<p class="none">{}: none.</p>').format(heading)
    columns = list(rows[0])
    numeric = {column for column in columns if all(NUMERIC.fullmatch(row[column]) for row in rows)}
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_aligned(column in numeric), column)
        for column in columns
    )
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                _cell(row[column], first=column == columns[0], numeric=column in numeric)
                for column in columns
            )
        )
        for row in rows
    )
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table>'
        "<caption><span>{}</span></caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table></div>"
    ).format(heading, heading, head, body)


def wrapped(text: str) -> Markup:
    """A cell of more than a few words, which may go over several lines."""
    return Markup('<span class="wrap">{}</span>').format(text)


def _aligned(numeric: bool) -> Markup:
    return Markup(' class="number"') if numeric else Markup("")


def _cell(text: str, first: bool, numeric: bool) -> Markup:
    tag, scope = ("th", Markup(' scope="row"')) if first else ("td", "")
    found = None if isinstance(text, Markup) else WITH_INTERVAL.fullmatch(text)
    content = escape(text)
    if found:
        content = Markup('{} <small class="interval">[{}]</small>').format(*found.groups())
    return Markup("<{}{}{}>{}</{}>").format(tag, scope, _aligned(numeric), content, tag)


def interval_plot(estimate: float, low: float, high: float) -> Markup:
    """An interval of a relative difference as a line with a dot, on a logarithmic axis of ratios.

    What lies beyond the axis ends in an arrow head at its edge. The dotted line is "no difference".

    Args:
        estimate: learned / baseline - 1; NaN: nothing is drawn.
        low: lower limit, -1 or more.
        high: upper limit, possibly infinite.
    """
    if math.isnan(estimate) or math.isnan(low) or math.isnan(high):
        return Markup("")
    middle = PLOT_HEIGHT / 2
    left, right = _place(low), _place(high)
    parts = [
        f'<line x1="{_place(0):.1f}" y1="0" x2="{_place(0):.1f}" y2="{PLOT_HEIGHT}" '
        'stroke="currentColor" stroke-dasharray="1.5 2" opacity="0.7"/>',
        f'<line x1="{left:.1f}" y1="{middle}" x2="{right:.1f}" y2="{middle}" '
        'stroke="currentColor" stroke-width="2"/>',
    ]
    edge = math.log(PLOT_FACTOR)
    if _log(low) < -edge:
        parts.append(_head(left, middle, -5))
    if _log(high) > edge:
        parts.append(_head(right, middle, 5))
    if abs(_log(estimate)) <= edge:
        parts.append(
            f'<circle cx="{_place(estimate):.1f}" cy="{middle}" r="3.5" fill="currentColor"/>'
        )
    return _plot("".join(parts), "the interval, drawn")


def interval_axis() -> Markup:
    """What `interval_plot` shows and its scale, for a table's head."""
    ticks = {"¼": 0.25, "½": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
    scale = _plot(
        "".join(
            f'<text x="{_place(ratio - 1):.1f}" y="12" text-anchor="middle" font-size="11" '
            f'fill="currentColor">{name}×</text>'
            for name, ratio in ticks.items()
        ),
        "scale from a quarter to four times",
    )
    return Markup("learned / baseline{}").format(scale)


def _plot(content: str, label: str) -> Markup:
    return Markup(
        f'<svg class="plot" width="{PLOT_WIDTH}" height="{PLOT_HEIGHT}" role="img" '
        f'viewBox="0 0 {PLOT_WIDTH} {PLOT_HEIGHT}" aria-label="{label}">{content}</svg>'
    )


def _head(x: float, y: float, size: float) -> str:
    points = f"{x + size:.1f},{y} {x:.1f},{y - 4} {x:.1f},{y + 4}"
    return f'<polygon points="{points}" fill="currentColor"/>'


def _log(difference: float) -> float:
    return math.log1p(difference) if difference > -1 else -math.inf


def _place(difference: float) -> float:
    """Where a relative difference lies, in pixels from the left, kept within the axis."""
    edge = math.log(PLOT_FACTOR)
    inside = min(max(_log(difference), -edge), edge)
    return PLOT_WIDTH / 2 + inside / edge * (PLOT_WIDTH / 2 - PLOT_MARGIN)


def data_uri(png: Path) -> str:
    """The picture itself in the place of its address."""
    return f"data:image/png;base64,{base64.b64encode(png.read_bytes()).decode('ascii')}"


def is_wide(png: bytes, settings: FigureSettings) -> bool:
    """Whether a picture goes over more than one column of the printed page."""
    width = int.from_bytes(png[16:20], "big")  # pixels, from the header chunk
    return width > 1.5 * settings.dpi * settings.width_inches
