"""The named lines of a figure as numbers: what was drawn, and where it lies in the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from l2l.figures.lines import MOST_POINTS, lines_of
from l2l.figures.style import save


@pytest.fixture
def drawing() -> Figure:
    """Two panels in a row and one below; the lower one is logarithmic across."""
    figure = Figure(figsize=(4, 3), layout="constrained", dpi=100)
    (first, second), (third, _) = figure.subplots(2, 2)
    x = np.arange(1001)
    first.plot(x, 2.0 - x / 1000, color="#ff0000", label="ADAM", linewidth=3)
    first.plot(x, np.full(1001, 0.1), color="#000000")  # a rule: it has no label
    first.plot(x, np.where(x < 500, 1 / 3, np.nan), label="LSTM")
    first.set(title="MNIST", ylabel="held-out\nloss", xlim=(0, 1000))
    second.plot([0, 10], [0, 1])
    third.plot([1, 10, 100, 1000], [1, 2, 3, 4], label="times", color="#0000ff", linewidth=3)
    third.set(xscale="log", xlim=(1, 100), xlabel="step")
    figure.draw_without_rendering()
    return figure


def test_lines_with_labels_count_with_four_digits_and_none_for_no_number(drawing: Figure) -> None:
    first, third = lines_of(drawing)  # the second panel has no named line
    (group,) = first["groups"]
    assert group["x"] == [*range(0, 1001, 10)]
    assert len(group["x"]) == MOST_POINTS
    adam, lstm = group["lines"]
    assert (adam["name"], adam["color"]) == ("ADAM", "#ff0000")
    assert adam["y"] == pytest.approx([2 - x / 1000 for x in group["x"]], abs=1e-3)
    assert lstm["y"][0] == 0.3333
    assert lstm["y"][50:] == [None] * 51
    assert third["groups"][0]["x"] == [1, 10, 100], "what lies outside of the panel is left out"


def test_words_of_axes_come_from_the_row_or_column_that_has_them_once(drawing: Figure) -> None:
    first, third = lines_of(drawing)
    assert (first["title"], first["x"], first["y"]) == ("MNIST", "step", "held-out loss")
    assert (third["title"], third["x"], third["y"]) == ("", "step", "")


def test_places_are_those_of_the_picture(drawing: Figure, tmp_path: Path) -> None:
    png, _, file = save(drawing, tmp_path / "drawing")
    pixels = np.asarray(Image.open(png).convert("RGB"), np.int16)
    height, width = pixels.shape[:2]
    first, third = json.loads(file.read_text())
    for panel, color in ((first, (255, 0, 0)), (third, (0, 0, 255))):
        left, top, right, bottom = panel["box"]
        rows, columns = np.nonzero(np.abs(pixels - color).sum(axis=2) < 60)
        assert columns.min() / width == pytest.approx(left, abs=0.02)
        assert columns.max() / width == pytest.approx(right, abs=0.02)
        assert top <= rows.min() / height <= rows.max() / height <= bottom
        at = panel["groups"][0]["at"]
        assert (at[0], at[-1]) == pytest.approx((left, right), abs=1e-3)
    assert third["groups"][0]["at"][1] == pytest.approx(
        (third["box"][0] + third["box"][2]) / 2, abs=1e-3
    )
