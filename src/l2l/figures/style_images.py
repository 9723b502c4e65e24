"""Figure `style_images` (figure 8 of the paper): what the optimizers of Neural Art paint.

Every pixel of a picture is a square of whole pixels of the PNG: nothing is smoothed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from l2l.config import Config
from l2l.config.schema import FigureSettings
from l2l.data.bundled import ATTRIBUTION
from l2l.data.photographs import STAND_IN as FREE_PHOTOGRAPHS
from l2l.data.styles import STAND_IN as FREE_STYLES
from l2l.figures.base import Figure
from l2l.figures.style import GREY, display_name
from l2l.layout import Layout
from l2l.results import Results

EXPERIMENTS = ("neural_art", "neural_art_new")
"""Whose pictures can be shown."""
OPTIMIZERS = {"neural_art": 0, "adam": None}
"""Whose pictures stand side by side -> the meta-seed of the learned one."""
DATASETS = ("photographs", "styles")
"""What the pictures are made from; a stand-in for one of them is named below the pictures."""
FREE = {"photographs": FREE_PHOTOGRAPHS, "styles": FREE_STYLES}
"""Dataset -> how its record names the free pictures; another stand-in need not be free."""

Record = Mapping[str, Any]
"""What results/<protocol>/data/<dataset>.json says, see `l2l.data.sources`."""
Pixels = NDArray[np.uint8]
GAP, MARGIN = 3.0, 2.0  # points between pictures, and around everything
TITLES, HEADING, NOTE = 20.0, 17.0, 10.0  # points: titles of columns, of a group, a further line


def experiments(config: Config) -> list[str]:
    """Whose pictures are shown, from top to bottom: those of EXPERIMENTS that keep the wanted."""
    entries = {name: config.experiments[name] for name in EXPERIMENTS if name in config.experiments}
    return [
        name
        for name, entry in entries.items()
        if entry.evaluation.pictures and {*OPTIMIZERS} <= {*entry.learned, *entry.baselines}
    ]


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


def draw(results: Results) -> Drawing:
    """A group for each problem, with notes on what was taken from stand-ins."""
    config = results.config
    groups = [
        _group(experiment, problem, results)
        for experiment in experiments(config)
        for problem in config.experiments[experiment].problems
    ]
    records = [results.dataset(name) for name in DATASETS]
    return draw_groups(groups, notes(records), config.figures)


def _group(experiment: str, problem: str, results: Results) -> Group:
    """What the optimizers of the figure made of a problem's photographs."""
    from l2l.evaluation.pictures import read_pictures  # imports torch

    settings, labels = results.config.experiments[experiment], results.config.labels()
    by_name = {}
    for optimizer, meta_seed in OPTIMIZERS.items():
        path = results.layout.pictures(experiment, optimizer, meta_seed)
        seed = "" if meta_seed is None else f" --seed {meta_seed}"
        path = results.existing(path, f"evaluate {experiment} {optimizer}{seed}")
        by_name[display_name(optimizer, labels)] = read_pictures(path)[problem]
    first = next(iter(by_name.values()))
    return Group(
        title=settings.title,
        detail=f"after {settings.steps:,} steps",
        content=first.content.numpy(),
        styled={name: pictures.styled.numpy() for name, pictures in by_name.items()},
        style=np.stack([style.numpy() for style in first.style]),
    )


def notes(records: Sequence[Record]) -> list[str]:
    """Lines that name each stand-in, and the authors that must be named; none without any.

    Args:
        records: of the photographs and the styles.
    """
    stand_ins = [
        f"Stand-in for the {record['name']}: {record['stand_in']}"
        for record in records
        if record["stand_in"]
    ]
    return [*stand_ins, *attributions(records)]


def attributions(records: Sequence[Record]) -> list[str]:
    """Who must be named where free pictures are shown."""
    free = any(_is_free(record) for record in records)
    return [f"Among the stand-ins: {ATTRIBUTION}; changed here"] if free else []


def may_be_published(records: Sequence[Record]) -> bool:
    """Whether the pictures may be published: only if all that they were made from is free.

    Args:
        records: of the photographs and the styles, both.
    """
    return {record["name"] for record in records if _is_free(record)} == {*FREE}


def _is_free(record: Record) -> bool:
    return record["stand_in"] is not None and record["stand_in"] == FREE.get(record["name"])


def draw_groups(groups: Sequence[Group], notes: Sequence[str], style: FigureSettings) -> Drawing:
    """A row for each photograph: content, styled by each optimizer, style; a heading each group.

    Pictures are as large as two columns of a page allow, with whole pixels if any such size fits.

    To be drawn within `style.look_of`.

    Args:
        groups: one or more, all with the same columns.
        notes: lines below the pictures.
        style: the settings of figures.
    """
    gap, margin, heading, line = (_dots(points, style) for points in (GAP, MARGIN, HEADING, NOTE))
    columns = len(groups[0].columns)
    room = 2 * style.width_inches * style.dpi - 2 * margin - (columns - 1) * gap
    whole = math.lcm(*(group.content.shape[2] for group in groups))
    side = int(room / columns // whole * whole) or int(room / columns)
    lefts = [margin + column * (side + gap) for column in range(columns)]
    bands = [heading + len(group.content) * (side + gap) for group in groups]
    top = _dots(MARGIN + TITLES, style)
    width, bottom = lefts[-1] + side + margin, top + sum(bands)
    height = bottom + line * len(notes) + margin
    figure = Drawing(figsize=(width / style.dpi, height / style.dpi), facecolor="white")

    def write(x: float, y: float, text: str, **look: Any) -> None:
        """A line of text whose lower left corner is there, unless `look` says another."""
        figure.text(x / width, 1 - y / height, text, **look)

    small = {"color": GREY, "size": rcParams["legend.fontsize"]}
    for left, title in zip(lefts, groups[0].columns, strict=True):
        write(left + side / 2, top, title, ha="center", va="bottom", weight="bold")
    styled = (lefts[1] + side / 2 + lefts[-2] + side / 2) / 2
    write(styled, margin, "styled by", ha="center", va="top", **small)
    for group, start in zip(groups, np.cumsum([top, *bands]), strict=False):
        write(lefts[0], start + heading - 1.5 * gap, group.title, weight="bold")
        write(styled, start + heading - 1.5 * gap, group.detail, ha="center", **small)
        for left, pictures in zip(lefts, group.columns.values(), strict=True):
            for row, picture in enumerate(pictures):
                low = (height - (start + heading + row * (side + gap)) - side) / height
                axes = figure.add_axes((left / width, low, side / width, side / height))
                axes.imshow(picture, interpolation="nearest", aspect="auto")
                axes.set_axis_off()
    for number, note in enumerate(notes, start=1):
        write(lefts[0], bottom + number * line, note, **small)
    return figure


def _dots(points: float, style: FigureSettings) -> int:
    """Points as whole pixels of the PNG."""
    return round(points * (style.dpi / 72))


class StyleImages(Figure):
    """It shows pictures in place of curves, of the experiments that keep some."""

    def within(self, config: Config) -> Figure | None:
        """With these experiments; None: no pictures are kept."""
        super().within(config)  # refuses a name that is taken
        shown = tuple(experiments(config))
        return replace(self, experiments=shown) if shown else None

    def inputs(self, config: Config, layout: Layout) -> list[Path]:
        """The pictures, and the records of what they are made from."""
        pictures = [
            layout.pictures(experiment, optimizer, meta_seed)
            for experiment in self.experiments
            for optimizer, meta_seed in OPTIMIZERS.items()
        ]
        return [*pictures, *map(layout.data, DATASETS)]

    def alt(self, config: Config) -> str:
        """The figure in a line, for those who cannot see it."""
        who = " and ".join(display_name(key, config.labels()) for key in OPTIMIZERS)
        titles = ", ".join(config.experiments[name].title for name in self.experiments)
        return f"Figure: {self.title}: photographs, what {who} made of them, and styles; {titles}"


FIGURE = StyleImages(
    name="style_images",
    title="Neural Art: the pictures",
    caption="A row for each test photograph, which no optimizer has learned on: the photograph, "
    "what a learned optimizer made of it, what ADAM (its learning rate tuned) made of it in as "
    "many steps, and the picture that gives the style. Above: the style and the resolution that "
    "the optimizer learned on. Below: styles that it never met, at a higher resolution. Every "
    "pixel is shown as it is, as a square.",
    drawn_by=draw,
    experiments=EXPERIMENTS,
    pictures=True,
)
