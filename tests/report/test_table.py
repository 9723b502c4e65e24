"""Tables of raw numbers in HTML and in Markdown, and how numbers are written."""

import math
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import Markup

from l2l.report.table import (
    COUNT,
    EFFECT,
    INTERVAL,
    NUMBER,
    PLOT,
    VERDICT,
    Format,
    Interval,
    Table,
    badge,
    between,
    duration,
    effect,
    interval_plot,
    listed,
    number,
    percent,
    plain,
    with_interval,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.16, "0.160"),
        (2.345, "2.35"),
        (123.4, "123"),
        (0, "0.00"),
        (12345.6, "12,346"),
        (-0.5, "−0.500"),
        (3.21e-5, "3.21e−5"),
        (4.5e9, "4.50e9"),
        (math.inf, "diverged"),
        (math.nan, "diverged"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, text: str):
    assert number(value) == text


def test_settings_have_no_trailing_zeros():
    assert [plain(x) for x in (0.001, 10.0, 0.0316228, 1e-5)] == ["0.001", "10", "0.0316", "1e−05"]


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (-0.592, "−59\u00a0%"),
        (0.0234, "+2.3\u00a0%"),
        (0.0, "0\u00a0%"),
        (14.0, "×15"),
        (7e30, "×7·10³⁰"),
        (math.inf, "+∞"),
        (math.nan, "undefined"),
    ],
)
def test_relative_differences_have_a_sign(fraction: float, text: str):
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.54, "2.5 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (4800, "1 h 20 min"),
    ],
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


def test_lists_counts_and_intervals():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert between([1], "job") == "1 job"
    assert between([1200, 3], "job") == "3 to 1,200 jobs"
    assert with_interval(Interval(0.162, 0.155, 0.17)) == "0.162 [0.155, 0.170]"
    assert with_interval(Interval(math.inf, math.nan, math.nan)) == "diverged"
    assert effect(Interval(-0.592, -0.63, -0.55)) == "−59\u00a0% [−63\u00a0%, −55\u00a0%]"
    assert effect(Interval(-0.592, math.nan, math.nan)) == "−59\u00a0%"


ROWS = [
    {"name": "<b>&|", "loss": 0.5, "count": 1200, "mean": Interval(1.0, 0.9, 1.1)},
    {"name": None, "loss": math.inf, "count": None, "mean": Interval(math.inf, math.nan, math.nan)},
]
FORMATS = {"loss": NUMBER, "count": COUNT, "mean": INTERVAL}


class Cells(HTMLParser):
    """The class of every cell of a table's body, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[tuple[str | None, str]] = []
        self.feed(text.partition("<tbody>")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self.cells.append((dict(attrs).get("class"), ""))

    def handle_data(self, data: str) -> None:
        if self.cells:
            kind, text = self.cells[-1]
            self.cells[-1] = (kind, text + data)


def test_html_is_escaped_and_numbers_stand_at_the_right():
    text = Table.of("A <title>", ROWS, FORMATS).html()
    assert "<b>" not in text
    assert "A &lt;title&gt;" in text
    assert [(kind, content.strip()) for kind, content in Cells(text).cells] == [
        (None, "<b>&|"),
        ("number", "0.500"),
        ("number", "1,200"),
        ("number", "1.00 [0.900, 1.10]"),
        (None, ""),
        ("number", "diverged"),
        ("number", ""),
        ("number", "diverged"),
    ]


def test_markdown_has_the_same_cells():
    lines = Table.of("A title", ROWS, FORMATS).markdown().splitlines()
    assert lines == [
        "| name | loss | count | mean |",
        "| --- | --: | --: | --: |",
        r"| <b>&\| | 0.500 | 1,200 | 1.00 [0.900, 1.10] |",
        "|  | diverged |  | diverged |",
    ]


def test_plots_and_badges_stand_on_pages_only():
    row = {"verdict": "replicated", "difference": Interval(-0.5, -0.6, -0.4)}
    table = Table.of("t", [row | {"drawn": row["difference"]}], {"verdict": VERDICT, "drawn": PLOT})
    assert table.html().count("<svg") == 2, "the interval and the axis in the head"
    assert badge("replicated") in table.html()
    assert table.markdown().splitlines()[0] == "| verdict | difference |"
    assert "| replicated |" in table.markdown()


def test_a_format_may_make_html():
    bold = Format(html=lambda text: Markup("<i>{}</i>").format(text))
    assert "<i>&lt;x</i>" in Table.of("t", [{"a": "<x"}], {"a": bold}).html()


def test_an_empty_table_says_so():
    assert Table.of("Trials", []).html() == '<p class="none">Trials: none.</p>'
    assert Table.of("Trials", []).markdown() == "None."


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (Interval(0.5, 0.4, 0.6), EFFECT, "0.5"),
        ((3, 40), Format(lambda pair: "3 of 40"), "3.0"),
        (math.inf, NUMBER, "Infinity"),
        (-math.inf, NUMBER, "-Infinity"),
        (math.nan, NUMBER, "NaN"),
        (np.int64(7), COUNT, "7.0"),
        ({"estimate": -0.5}, Format(number=lambda row: row["estimate"]), "-0.5"),
        ("C2", Format(), None),
        (None, NUMBER, None),
    ],
)
def test_cells_say_what_rows_are_sorted_by(value: object, form: Format, expected: str | None):
    assert form.place(value) == expected
    cell = f' data-value="{expected}">' if expected else '<th scope="row"'
    assert cell in Table.of("t", [{"a": value}], {"a": form}).html()


def test_an_effect_has_its_interval_in_small():
    text = Table.of("t", [{"a": Interval(0.5, 0.4, 0.6)}], {"a": EFFECT}).html()
    assert '+50\u00a0% <small class="interval">[+40\u00a0%, +60\u00a0%]</small>' in text


@pytest.mark.parametrize(
    ("interval", "circles", "heads"),
    [
        ((-0.2, -0.3, -0.1), 1, 0),
        ((-0.9, -0.95, -0.1), 0, 1),
        ((2.0, -1.0, math.inf), 1, 2),
        ((math.nan, math.nan, math.nan), 0, 0),
    ],
)
def test_intervals_beyond_the_axis_end_in_arrow_heads(
    interval: tuple[float, float, float], circles: int, heads: int
):
    text = interval_plot(Interval(*interval))
    assert text.count("<circle") == circles
    assert text.count("<polygon") == heads


def test_every_verdict_has_a_word_and_a_sign_of_its_own():
    known = ("replicated", "not replicated", "inconclusive", "not yet run")
    badges = [str(badge(verdict)) for verdict in known]
    assert all(verdict in text for verdict, text in zip(known, badges, strict=True))
    assert len({text.partition(">")[2][0] for text in badges}) == len(known)
