"""The pictures of Neural Art as they are, each in its place, and what has to be said below them."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from tests.figures.fake_pictures import discs, mixture, waves, write_fakes

from l2l.config import Config, load_config
from l2l.config.schema import FigureSettings
from l2l.errors import UserError
from l2l.figures import style_images
from l2l.figures.catalog import figures
from l2l.figures.style import look_of
from l2l.files import write_json
from l2l.layout import Layout
from l2l.results import Results

LAYOUT = Layout("default")
SIZES = {"neural_art": 64, "neural_art_new": 128}
SHARES = {"neural_art": 0.6, "adam": 0.3}
FREE = [{"name": name, "stand_in": text} for name, text in style_images.FREE.items()]
REAL = [{"name": name, "stand_in": None} for name in style_images.FREE]


def group(size: int, rows: int = 3, title: str = "A style, 64 x 64") -> style_images.Group:
    styled = {"LSTM (continued)": mixture(rows, size, 0.6), "ADAM": mixture(rows, size, 0.3)}
    return style_images.Group(
        title, "after 128 steps", discs(rows, size), styled, waves(rows, size)
    )


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


def test_every_pixel_is_a_square_of_its_own_colour(style: FigureSettings) -> None:
    """Nothing is interpolated: what lies in the PNG is each pixel, so many times over."""
    groups = [group(64), group(128)]
    settings = style.model_copy(update={"dpi": 300})
    with look_of(settings):
        figure = style_images.draw_groups(groups, [], settings)
    page = rendered(figure)
    expected = [
        picture
        for each in groups
        for pictures in (each.content, *each.styled.values(), each.style)
        for picture in pictures
    ]
    found = places(figure, *page.shape[:2])
    tops = sorted({top for top, *_ in found})
    found.sort(key=lambda place: (tops.index(place[0]) // 3, place[2], place[0]))
    assert len(found) == len(expected) == 24
    for (top, bottom, left, right), picture in zip(found, expected, strict=True):
        times = (bottom - top) / len(picture)
        assert times == (right - left) / len(picture) == int(times) >= 3
        squares = picture.repeat(int(times), axis=0).repeat(int(times), axis=1)
        np.testing.assert_array_equal(page[top:bottom, left:right], squares)


def test_columns_are_content_both_optimizers_and_style_and_rows_are_photographs(
    style: FigureSettings,
) -> None:
    figure = style_images.draw_groups([group(64), group(64, rows=2)], [], style)
    page = rendered(figure)
    found = places(figure, *page.shape[:2])
    lefts, tops = (sorted({place[side] for place in found}) for side in (2, 0))
    assert (len(lefts), len(tops)) == (4, 5)
    height, width = page.shape[:2]
    by_title = {
        text.get_text(): text.get_position()[0] * width
        for text in figure.texts
        if text.get_text() in ("Content", "LSTM (continued)", "ADAM", "Style")
    }
    side = found[0][3] - found[0][2]
    assert [round(x - side / 2) for x in by_title.values()] == lefts
    assert max(place[1] for place in found) < height


def test_pictures_lie_over_both_columns_of_a_page_with_thin_gaps(style: FigureSettings) -> None:
    settings = style.model_copy(update={"dpi": 300})
    figure = style_images.draw_groups([group(64), group(128)], [], settings)
    width, height = figure.get_size_inches() * 300
    assert 1.5 * 300 * 3.25 < width <= 2 * 300 * 3.25
    found = places(figure, round(height), round(width))
    covered = sum((bottom - top) * (right - left) for top, bottom, left, right in found)
    assert covered > 0.85 * width * height


def test_the_notes_stand_below_the_pictures(style: FigureSettings) -> None:
    without, some = (
        style_images.draw_groups([group(64)], notes, style) for notes in ([], ["a", "b"])
    )
    assert set(texts(some)) - set(texts(without)) == {"a", "b"}
    assert some.get_size_inches()[1] > without.get_size_inches()[1]
    lowest = min(axes.get_position().y0 for axes in some.axes)
    assert all(t.get_position()[1] < lowest for t in some.texts if t.get_text() in "ab")


@pytest.fixture
def folder(tmp_path: Path):
    with contextlib.chdir(tmp_path):
        for experiment, size in SIZES.items():
            for optimizer, meta_seed in style_images.OPTIMIZERS.items():
                path = LAYOUT.pictures(experiment, optimizer, meta_seed)
                write_fakes(path, experiment, 3, size, SHARES[optimizer])
        write_records(REAL)
        yield tmp_path


def write_records(records: list[dict]) -> None:
    for record in records:
        write_json(LAYOUT.data(record["name"]), record)


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


def test_each_optimizer_has_its_own_pictures(folder: Path) -> None:
    figure = draw(load_config())
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    for start, size in ((0, 64), (12, 128)):
        for column, share in ((1, 0.6), (2, 0.3)):
            first = start + 3 * column
            np.testing.assert_array_equal(shown[first : first + 3], mixture(3, size, share))


def test_stand_ins_and_who_has_to_be_named_stand_in_the_figure(folder: Path) -> None:
    assert not any("tand-in" in text for text in texts(draw(load_config())))
    write_records(FREE)
    found = "\n".join(texts(draw(load_config())))
    for record in FREE:
        assert f"Stand-in for the {record['name']}: {record['stand_in']}" in found
    assert "danielbuechele" in found
    assert "CC BY 2.0" in found


def draw(config: Config) -> Figure:
    return figures(config)["style_images"].draw(Results(config))


def test_only_pictures_made_from_free_ones_alone_may_be_published() -> None:
    assert style_images.may_be_published(FREE)
    remade = {"name": "photographs", "stand_in": "the same photographs, cropped and scaled anew"}
    for records in (REAL, [FREE[0], REAL[1]], [REAL[0], FREE[1]], FREE[:1], [remade, FREE[1]], []):
        assert not style_images.may_be_published(records)
    assert style_images.attributions([remade, REAL[1]]) == []


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
