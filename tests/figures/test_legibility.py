"""Every figure at print size: no small print, nothing cut off, no text on text."""

import itertools

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.figures.fake_tables import make_curves, make_log

from l2l.figures import (
    computation_graph,
    coordinatewise_lstm,
    meta_training,
    mnist,
    mnist_continued,
    optimizer_loop,
    quadratics,
)

BASELINES = ["sgd", "rmsprop", "adam", "nag"]
NAMES = [
    "quadratics",
    "mnist",
    "mnist_continued",
    "meta_training",
    "optimizer_loop",
    "computation_graph",
    "coordinatewise_lstm",
]


@pytest.fixture(params=NAMES)
def figure(request: pytest.FixtureRequest, labels: dict, style: object) -> Figure:
    if request.param == "quadratics":
        return quadratics.draw(make_curves([*BASELINES, "quadratics_lstm"], 8), labels, style)
    if request.param in ("mnist", "mnist_continued"):
        table = make_curves([*BASELINES, "mnist_paper", "mnist_long_unroll"], 8)
        module = {"mnist": mnist, "mnist_continued": mnist_continued}[request.param]
        return module.draw(table, labels, style, 100)
    if request.param == "meta_training":
        logs = [make_log(recipe, seed) for recipe in labels for seed in range(3)]
        return meta_training.draw(pd.concat(logs), labels, style)
    module = {
        "optimizer_loop": optimizer_loop,
        "computation_graph": computation_graph,
        "coordinatewise_lstm": coordinatewise_lstm,
    }[request.param]
    return module.draw(style)


def visible_texts(figure: Figure) -> list[Text]:
    figure.draw_without_rendering()
    ticks = {
        id(tick.label1)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if not low_to_high(axis.get_view_interval(), tick.get_loc())
    }
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in ticks
        and (text.axes is None or text.axes.axison or text in text.axes.texts)
    ]  # fmt: skip


def low_to_high(interval: tuple[float, float], value: float) -> bool:
    return min(interval) <= value <= max(interval)


def test_no_text_is_smaller_than_seven_points(figure: Figure) -> None:
    texts = visible_texts(figure)
    assert len(texts) > 5
    assert min(text.get_fontsize() for text in texts) >= 7


def test_no_text_is_cut_off_or_lies_on_another(figure: Figure) -> None:
    texts = visible_texts(figure)
    boxes = {text: text.get_window_extent() for text in texts}
    for text, extent in boxes.items():
        assert extent.x0 >= -1, text
        assert extent.y0 >= -1, text
        assert extent.x1 <= figure.bbox.x1 + 1, text
        assert extent.y1 <= figure.bbox.y1 + 1, text
    for one, other in itertools.combinations(texts, 2):
        a, b = boxes[one], boxes[other]
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 1, (one, other)  # a pixel: boxes include side bearings
