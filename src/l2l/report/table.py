"""Tables of raw numbers, and how they are written: in HTML for pages, in Markdown for documents."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from l2l.figures.style import times

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)
MINUS, SPACE = "−", "\u00a0"  # a minus sign, and a space at which no line breaks

PLOT_WIDTH, PLOT_HEIGHT, PLOT_MARGIN = 150, 16, 10
PLOT_FACTOR = 4.0  # the plot reaches from 1/4 to 4 times the baseline


class Interval(NamedTuple):
    """A number with the limits of its interval."""

    value: float
    low: float
    high: float


def number(value: float) -> str:
    """Three significant digits; "diverged" for what is not finite."""
    if not math.isfinite(value):
        return "diverged"
    if value == 0 or 1e-3 <= abs(value) < 1e3:
        text = f"{value:#.3g}".rstrip(".")
    elif 1e3 <= abs(value) < 1e6:
        text = f"{value:,.0f}"
    else:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def plain(value: float) -> str:
    """A setting, such as a learning rate: at most three significant digits, no zeros after them."""
    return f"{value:.3g}".replace("-", MINUS)


def percent(fraction: float) -> str:
    """A relative difference with its sign, "−59 %"; from ten times on the ratio, "×13"."""
    if math.isnan(fraction):
        return "undefined"
    if math.isinf(fraction):
        return "+∞"
    if fraction == 0:
        return f"0{SPACE}%"
    if fraction >= 9:
        return times(1 + fraction)
    value = 100 * fraction
    text = f"{value:+.1f}" if abs(value) < 10 else f"{value:+.0f}"
    return f"{text.replace('-', MINUS)}{SPACE}%"


def duration(seconds: float) -> str:
    """ "8.0 s", "2 min 5 s" or "1 h 20 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(value: int) -> str:
    """ "1,000"."""
    return f"{value:,}"


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def between(counts: Sequence[int], noun: str) -> str:
    """ "3 jobs", or "2 to 5 jobs" where they differ."""
    low, high = min(counts), max(counts)
    text = f"{high:,} {noun}" + ("" if high == 1 else "s")
    return text if low == high else f"{low:,} to {text}"


def with_interval(interval: Interval) -> str:
    """ "0.162 [0.155, 0.170]"."""
    if not math.isfinite(interval.value):
        return number(interval.value)
    return f"{number(interval.value)} [{number(interval.low)}, {number(interval.high)}]"


def effect(interval: Interval) -> str:
    """ "−59 % [−63 %, −55 %]"; without limits where there are none."""
    value, low, high = interval
    if math.isnan(low) or math.isnan(high):
        return percent(value)
    return f"{percent(value)} [{percent(low)}, {percent(high)}]"


def interval_plot(interval: Interval) -> Markup:
    """An interval of learned / baseline - 1 as a line with a dot, on a logarithmic axis of ratios.

    An arrow head at the edge says that the interval goes on. The dotted line is "no difference".
    Nothing is drawn where the interval is undefined.
    """
    estimate, low, high = interval
    if any(map(math.isnan, interval)):
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
    return _svg("".join(parts), "the interval, drawn")


def _plot_head(name: str) -> Markup:
    ticks = {"¼": 0.25, "½": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
    scale = "".join(
        f'<text x="{_place(ratio - 1):.1f}" y="12" text-anchor="middle" font-size="11" '
        f'fill="currentColor">{tick}×</text>'
        for tick, ratio in ticks.items()
    )
    return escape(name) + _svg(scale, "scale from a quarter to four times")


def _svg(content: str, label: str) -> Markup:
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


SIGNS = {
    "replicated": "✔",
    "not replicated": "✘",
    "inconclusive": "?",
    "not settled": "…",
}


def badge(verdict: str) -> Markup:
    """A verdict with a sign and a colour of its own."""
    short = verdict.partition(":")[0]
    kind = short.replace(" ", "-") if short in SIGNS else "none"
    return Markup('<span class="verdict {}">{} {}</span>').format(
        kind, SIGNS.get(short, "–"), verdict
    )


def _small_interval(interval: Interval, text: Callable[[float], str]) -> Markup:
    value, *limits = interval
    if not math.isfinite(value) or any(map(math.isnan, limits)):
        return escape(text(value))
    low, high = map(text, limits)
    return Markup('{} <small class="interval">[{}, {}]</small>').format(text(value), low, high)


@dataclass(frozen=True)
class Format:
    """How the values of a column are written.

    Attributes:
        text: a value in a document.
        html: a value on a page; None: as `text`.
        right: whether to align at the right, as numbers are.
        head: the column's name on a page; None: as it is.
        number: of a value, the one that rows are sorted by; None: it is one, or begins with one.
    """

    text: Callable[[Any], str] = str
    html: Callable[[Any], Markup] | None = None
    right: bool = True
    head: Callable[[str], Markup] | None = None
    number: Callable[[Any], float] | None = None

    def in_document(self, value: Any) -> str:
        """Empty where a value is missing; a number that is NaN is there (diverged, undefined)."""
        return "" if _is_missing(value) else self.text(value)

    def on_page(self, value: Any) -> str:
        """Likewise; what is no Markup is to be escaped."""
        return self.html(value) if self.html and not _is_missing(value) else self.in_document(value)

    def place(self, value: Any) -> str | None:
        """The number that rows are sorted by, as JavaScript reads it; None: they are by words."""
        if _is_missing(value):
            return None
        if self.number:
            value = self.number(value)
        while isinstance(value, tuple) and value:
            value = value[0]
        if not isinstance(value, (int, float, np.number)):
            return None
        return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA


WORDS = Format(right=False)
LONG_WORDS = Format(
    html=lambda text: Markup('<span class="wrap">{}</span>').format(text), right=False
)
NUMBER, SETTING, COUNT = Format(number), Format(plain), Format(count)
DURATION, PERCENT = Format(duration), Format(percent)
INTERVAL = Format(with_interval, lambda value: _small_interval(value, number))
EFFECT = Format(effect, lambda value: _small_interval(value, percent))
PLOT = Format(lambda _: "", interval_plot, right=False, head=_plot_head)
VERDICT = Format(html=badge, right=False)
SHARE = Format(lambda fraction: f"{100 * fraction:.0f}{SPACE}%")


@dataclass(frozen=True)
class Table:
    """A table for readers.

    Attributes:
        caption: what it shows.
        frame: raw values. A missing value (None, pandas.NA) is written as an empty cell.
        formats: column -> how its values are written; columns without one are words. Columns with
            `PLOT` are left out of documents.
    """

    caption: str
    frame: pd.DataFrame
    formats: Mapping[str, Format] = field(default_factory=dict)

    @staticmethod
    def of(
        caption: str, rows: Sequence[Mapping[str, Any]], formats: Mapping[str, Format] | None = None
    ) -> Table:
        """A table of rows that all have the same columns; values keep their types."""
        return Table(caption, pd.DataFrame([*rows], dtype=object), formats or {})

    def html(self) -> Markup:
        """In a box that scrolls sideways where the window is narrow; all text is escaped."""
        if self.frame.empty:
            return Markup('<p class="none">{}: none.</p>').format(self.caption)
        template = TEMPLATES.get_template("table.html")
        rows, columns = self.frame.to_dict("records"), self._columns()
        return Markup(template.render(caption=self.caption, columns=columns, rows=rows))

    def markdown(self) -> str:
        """A table in Markdown, without the caption; "None." where there are no rows."""
        if self.frame.empty:
            return "None."
        columns = [(name, form) for name, form in self._columns() if form is not PLOT]
        lines = [[name for name, _ in columns], ["--:" if f.right else "---" for _, f in columns]]
        for row in self.frame.to_dict("records"):
            cells = [form.in_document(row[name]) for name, form in columns]
            lines.append([cell.replace("|", r"\|") for cell in cells])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _columns(self) -> list[tuple[str, Format]]:
        return [(str(name), self.formats.get(str(name), WORDS)) for name in self.frame.columns]
