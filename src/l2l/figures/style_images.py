"""Figure `style_images` (figure 8 of the paper): what the optimizers of Neural Art paint.

Every pixel of a picture is a square of whole pixels of the PNG: nothing is smoothed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure
from numpy.typing import NDArray

from l2l.config import Config
from l2l.figures.style import GREY, Style, look_of

EXPERIMENTS = ("neural_art", "neural_art_new")
"""Whose pictures can be shown."""
OPTIMIZERS = {"neural_art": 0, "adam": None}
"""Whose pictures stand side by side -> the meta-seed of the learned one."""
DATASETS = ("photographs", "styles")
"""What the pictures are made from; a stand-in for one of them is told below the pictures."""


def experiments(config: Config) -> list[str]:
    """Whose pictures are shown, from top to bottom: those of EXPERIMENTS that keep the wanted."""
    entries = {name: config.experiments[name] for name in EXPERIMENTS}
    return [
        name
        for name, entry in entries.items()
        if entry.evaluation.pictures and {*OPTIMIZERS} <= {*entry.learned, *entry.baselines}
    ]


Pixels = NDArray[np.uint8]
GAP, MARGIN = 3.0, 2.0  # points between pictures, and around everything
TITLES, HEADING, NOTE = 20.0, 17.0, 10.0  # points: titles of columns, of a group, a further line


@dataclass(frozen=True)
class Group:
    """The pictures of an experiment.

    Attributes:
        title: says style and resolution.
        detail: what the styled pictures are, in short.
        content: the photographs, uint8 [rows, height, width, RGB].
        styled: name of an optimizer -> what it made of them, likewise.
        style: whose style was asked for, likewise.
    """

    title: str
    detail: str
    content: Pixels
    styled: Mapping[str, Pixels]
    style: Pixels

    @property
    def columns(self) -> dict[str, Pixels]:
        """Title -> pictures, from left to right."""
        return {"Content": self.content, **self.styled, "Style": self.style}


def draw(groups: Sequence[Group], notes: Sequence[str], style: Style) -> Figure:
    """A row for each photograph: content, styled by each optimizer, style; a heading each group.

    Args:
        groups: one or more, all with the same columns.
        notes: lines below the pictures.
        style: the settings of figures.
    """
    grid = _Grid.of(groups, style)
    top, bands = grid.dots(MARGIN + TITLES), [grid.band(len(group.content)) for group in groups]
    below = grid.dots(NOTE) * len(notes) + grid.dots(MARGIN)
    with look_of(style):
        page = _Page.of(grid.width, top + sum(bands) + below, style)
        small = {"color": GREY, "size": rcParams["legend.fontsize"]}
        for column, title in enumerate(groups[0].columns):
            page.text(grid.middle(column), top, title, ha="center", va="bottom", weight="bold")
        styled = sum(grid.middle(column) for column in (1, grid.columns - 2)) / 2
        page.text(styled, grid.dots(MARGIN), "styled by", ha="center", va="top", **small)
        for group, start in zip(groups, np.cumsum([top, *bands]), strict=False):
            line = start + grid.dots(HEADING) - 1.5 * grid.gap
            page.text(grid.left(0), line, group.title, weight="bold")
            page.text(styled, line, group.detail, ha="center", **small)
            for column, pictures in enumerate(group.columns.values()):
                for row, picture in enumerate(pictures):
                    y = start + grid.dots(HEADING) + row * (grid.side + grid.gap)
                    page.picture(grid.left(column), y, grid.side, picture)
        for number, note in enumerate(notes, start=1):
            page.text(grid.left(0), top + sum(bands) + number * grid.dots(NOTE), note, **small)
    return page.figure


@dataclass(frozen=True)
class _Grid:
    """Columns of square pictures, in pixels of the PNG.

    Attributes:
        columns: how many.
        side: of a picture.
        scale: pixels in a point.
    """

    columns: int
    side: int
    scale: float

    @staticmethod
    def of(groups: Sequence[Group], style: Style) -> _Grid:
        """As large as two columns of a page allow, with whole pixels if any such size fits."""
        grid = _Grid(len(groups[0].columns), 0, style.dpi / 72)
        room = (2 * style.width_inches * style.dpi - grid.width) / grid.columns
        whole = math.lcm(*(group.content.shape[2] for group in groups))
        return replace(grid, side=int(room // whole * whole) or int(room))

    def dots(self, points: float) -> int:
        """Points as whole pixels."""
        return round(points * self.scale)

    @property
    def gap(self) -> int:
        """Between pictures."""
        return self.dots(GAP)

    @property
    def width(self) -> int:
        """Of all columns and the margins beside them."""
        return 2 * self.dots(MARGIN) + self.columns * (self.side + self.gap) - self.gap

    def band(self, rows: int) -> int:
        """The height of a group with its heading and what is left free below it."""
        return self.dots(HEADING) + rows * (self.side + self.gap)

    def left(self, column: int) -> int:
        """Where a column begins."""
        return self.dots(MARGIN) + column * (self.side + self.gap)

    def middle(self, column: int) -> float:
        """The middle of a column."""
        return self.left(column) + self.side / 2


@dataclass(frozen=True)
class _Page:
    """A figure on which places are pixels from the left and from the top."""

    figure: Figure
    width: int
    height: int

    @staticmethod
    def of(width: int, height: int, style: Style) -> _Page:
        size = (width / style.dpi, height / style.dpi)
        return _Page(Figure(figsize=size, facecolor="white"), width, height)

    def text(self, x: float, y: float, text: str, **look: Any) -> None:
        """A line of text whose lower left corner is there, unless `look` says another."""
        self.figure.text(x / self.width, 1 - y / self.height, text, **look)

    def picture(self, x: int, y: int, side: int, picture: Pixels) -> None:
        """A picture with its upper left corner there."""
        bottom, high = (self.height - y - side) / self.height, side / self.height
        axes = self.figure.add_axes((x / self.width, bottom, side / self.width, high))
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
