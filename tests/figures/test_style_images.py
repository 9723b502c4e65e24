"""The pictures of Neural Art as they are, each in its place, and what has to be said below them."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from tests.figures.fake_pictures import FREE, REAL, SHARES, discs, mixture, waves, write_pictures

from l2l.config import Config, load_config
from l2l.errors import UserError
from l2l.figures import style_images
from l2l.figures.base import figures
from l2l.layout import Layout
from l2l.results import Results

LAYOUT = Layout("default")


def rendered(figure: Figure) -> NDArray[np.uint8]:
    """[height, width, RGB] of the PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi="figure")
    return np.asarray(Image.open(buffer).convert("RGB"))


def places(figure: Figure, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """top, bottom, left, right of each picture in the PNG."""
    boxes = [axes.get_position() for axes in figure.axes]
    return [
        (
            round((1 - box.y1) * height),
            round((1 - box.y0) * height),
            round(box.x0 * width),
            round(box.x1 * width),
        )
        for box in boxes
    ]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


@pytest.fixture
def folder(tmp_path: Path):
    with contextlib.chdir(tmp_path):
        write_pictures(load_config(), Path(), REAL)
        yield tmp_path


def draw(config: Config) -> Figure:
    return figures(config)["style_images"].draw(Results(config))


def in_print() -> Config:
    return load_config(overrides={"figures": {"dpi": 300, "width_inches": 3.25}})


def test_every_pixel_is_a_square_of_its_own_colour_in_the_row_of_its_photograph(
    folder: Path,
) -> None:
    """Nothing is interpolated: what lies in the PNG is each pixel, so many times over.

    Columns are content, both optimizers and style.
    """
    figure = draw(in_print())
    page = rendered(figure)
    height, width = page.shape[:2]
    expected = [
        picture
        for size in (64, 128)
        for row in zip(
            discs(3, size),
            *(mixture(3, size, share) for share in SHARES.values()),
            waves(3, size),
            strict=True,
        )
        for picture in row
    ]
    found = sorted(places(figure, height, width), key=lambda place: (place[0], place[2]))
    for (top, bottom, left, right), picture in zip(found, expected, strict=True):
        times = (bottom - top) / len(picture)
        assert times == (right - left) / len(picture) == int(times) >= 3
        squares = picture.repeat(int(times), axis=0).repeat(int(times), axis=1)
        np.testing.assert_array_equal(page[top:bottom, left:right], squares)
    titles = {
        text.get_text(): text.get_position()[0] * width
        for text in figure.texts
        if text.get_text() in ("Content", "LSTM (continued)", "ADAM", "Style")
    }
    half = (found[0][3] - found[0][2]) / 2
    assert [round(x - half) for x in titles.values()] == [left for _, _, left, _ in found[:4]]


def test_pictures_lie_over_both_columns_of_a_page_with_thin_gaps(folder: Path) -> None:
    figure = draw(in_print())
    width, height = figure.get_size_inches() * 300
    assert 1.5 * 300 * 3.25 < width <= 2 * 300 * 3.25
    found = places(figure, round(height), round(width))
    covered = sum((bottom - top) * (right - left) for top, bottom, left, right in found)
    assert covered > 0.85 * width * height


def test_titles_and_steps_are_those_of_the_configuration(folder: Path) -> None:
    changes = {
        "neural_art": {"title": "Seen", "steps": 64, "horizon": 64},
        "neural_art_new": {"title": "Unseen"},
    }
    labels = {"neural_art": {"label": "LSTM (ours)"}}
    config = load_config(overrides={"experiments": changes, "recipes": labels})
    found = texts(draw(config))
    for expected in ("Seen", "Unseen", "LSTM (ours)", "ADAM", "after 64 steps"):
        assert expected in found
    assert len(found) == 4 + 1 + 2 * 2


def test_stand_ins_and_who_has_to_be_named_stand_below_the_pictures(folder: Path) -> None:
    without = draw(load_config())
    assert not any("tand-in" in text for text in texts(without))
    write_pictures(load_config(), Path(), FREE)
    figure = draw(load_config())
    assert figure.get_size_inches()[1] > without.get_size_inches()[1]
    lowest = min(axes.get_position().y0 for axes in figure.axes)
    found = [text.get_text() for text in figure.texts if text.get_position()[1] < lowest]
    for record in FREE:
        assert f"Stand-in for the {record['name']}: {record['stand_in']}" in found
    assert any("danielbuechele" in text and "CC BY 2.0" in text for text in found)


def test_only_who_made_the_free_pictures_is_named() -> None:
    remade = {"name": "photographs", "stand_in": "the same photographs, cropped and scaled anew"}
    assert style_images.attributions([remade, REAL[1]]) == []
    assert style_images.attributions([REAL[0], FREE[1]])


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        (LAYOUT.pictures("neural_art", "adam", None), "l2l evaluate neural_art adam,"),
        (
            LAYOUT.pictures("neural_art_new", "neural_art", 0),
            "l2l evaluate neural_art_new neural_art --seed 0,",
        ),
        (LAYOUT.data("styles"), "l2l data styles,"),
    ],
)
def test_a_missing_file_is_named_with_the_command_that_makes_it(
    folder: Path, missing: Path, command: str
) -> None:
    missing.unlink()
    with pytest.raises(UserError) as caught:
        draw(load_config())
    assert f"{missing} is missing: run {command}" in str(caught.value)


def keeping(counts: dict[str, int]) -> Config:
    """The configuration whose experiments keep so many pictures."""
    changes = {name: {"evaluation": {"pictures": count}} for name, count in counts.items()}
    return load_config(overrides={"experiments": changes})


def test_an_experiment_that_keeps_no_pictures_is_not_shown(folder: Path) -> None:
    figure = draw(keeping({"neural_art": 0, "neural_art_new": 3}))
    assert len(figure.axes) == 12
    assert "style_images" not in figures(keeping({"neural_art": 0, "neural_art_new": 0}))


@pytest.mark.parametrize("protocol", ["smoke", "default", "paper"])
def test_a_title_that_tells_a_resolution_tells_the_right_one(protocol: str) -> None:
    config = load_config(protocol)
    for name in style_images.EXPERIMENTS:
        entry = config.experiments[name]
        size = config.problems[entry.problems[0]].size
        assert f"{size} x {size}" in entry.title.replace("×", "x")
