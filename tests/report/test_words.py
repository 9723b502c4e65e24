"""Numbers in words."""

import math

import pytest

from l2l.report.words import against, count, duration, listed, number, percent, plain, with_interval


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
        (14.0, "+1,400\u00a0%"),
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


@pytest.mark.parametrize(
    ("value", "other", "text"),
    [
        (0.16, 0.4, "60\u00a0% lower"),
        (1.031, 1.0, "3.1\u00a0% higher"),
        (1.001, 1.0, "about the same"),
        (3.2, 1.0, "3.2 times as high"),
    ],
)
def test_a_number_against_another(value: float, other: float, text: str):
    assert against(value, other) == text


def test_lists_counts_and_intervals():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert count(1, "job") == "1 job"
    assert count(1200, "job") == "1,200 jobs"
    assert with_interval(0.162, 0.155, 0.17) == "0.162 [0.155, 0.170]"
    assert with_interval(math.inf, math.nan, math.nan) == "diverged"
