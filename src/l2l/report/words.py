"""Numbers, times and lists as a reader wants to see them."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS, SPACE = "−", "\u00a0"  # a minus sign, and a space at which no line breaks


def number(value: float) -> str:
    """Three significant digits; "diverged" for what is not finite.

    Args:
        value: a loss, a learning rate, ...
    """
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


def with_interval(value: float, low: float, high: float) -> str:
    """ "0.162 [0.155, 0.170]"."""
    if not math.isfinite(value):
        return "diverged"
    return f"{number(value)} [{number(low)}, {number(high)}]"


def percent(fraction: float) -> str:
    """A relative difference with its sign: "−59 %"."""
    if math.isnan(fraction):
        return "undefined"
    if math.isinf(fraction):
        return "+∞"
    if fraction == 0:
        return f"0{SPACE}%"
    value = 100 * fraction
    text = f"{value:+.1f}" if abs(value) < 10 else f"{value:+,.0f}"
    return f"{text.replace('-', MINUS)}{SPACE}%"


def duration(seconds: float) -> str:
    """ "8 s", "2 min 5 s" or "1 h 20 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def count(how_many: int, noun: str) -> str:
    """ "1 job", "2 jobs"."""
    return f"{how_many:,} {noun}" + ("" if how_many == 1 else "s")


def between(counts: Sequence[int], noun: str) -> str:
    """ "3 jobs", or "2 to 5 jobs" where they differ."""
    low, high = min(counts), max(counts)
    return count(high, noun) if low == high else f"{low:,} to {count(high, noun)}"


def plain(value: float) -> str:
    """A setting, such as a learning rate: at most three significant digits, no zeros after them."""
    return f"{value:.3g}".replace("-", MINUS)


def against(value: float, other: float) -> str:
    """How a positive number stands to another: "59 % lower", "about the same"."""
    difference = value / other - 1
    if abs(difference) < 0.005:
        return "about the same"
    if difference > 1:
        return f"{value / other:.1f} times as high"
    size = f"{100 * abs(difference):.{1 if abs(difference) < 0.0995 else 0}f}{SPACE}%"
    return f"{size} {'lower' if difference < 0 else 'higher'}"
