"""Figure `style_images` (figure 8 of the paper): what the optimizers of Neural Art paint.

Every pixel of a picture is a square of whole pixels of the PNG: nothing is smoothed over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from l2l.config import Config
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
"""Pictures, [pictures, height, width, RGB]."""
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


def draw(results: Results) -> Drawing:
    """A row for each photograph: content, styled by each optimizer, style; a heading each problem.

    Pictures are as large as two columns of a page allow, with whole pixels if any such size fits.
    Notes below say what was taken from stand-ins.
    """
    config = results.config
    style, labels = config.figures, config.labels()
    columns = ["Content", *(display_name(optimizer, labels) for optimizer in OPTIMIZERS), "Style"]
    shown = [
        (config.experiments[experiment], _pictures(experiment, problem, results))
        for experiment in experiments(config)
        for problem in config.experiments[experiment].problems
    ]
    notes = said([results.dataset(name) for name in DATASETS])

    def dots(points: float) -> int:
        """As whole pixels of the PNG."""
        return round(points * (style.dpi / 72))

    gap, margin, heading, line = map(dots, (GAP, MARGIN, HEADING, NOTE))
    room = 2 * style.width_inches * style.dpi - 2 * margin - (len(columns) - 1) * gap
    whole = math.lcm(*(content.shape[2] for _, (content, *_) in shown))
    side = int(room / len(columns) // whole * whole) or int(room / len(columns))
    lefts = [margin + column * (side + gap) for column in range(len(columns))]
    bands = [heading + len(content) * (side + gap) for _, (content, *_) in shown]
    top = dots(MARGIN + TITLES)
    width, bottom = lefts[-1] + side + margin, top + sum(bands)
    height = bottom + line * len(notes) + margin
    figure = Drawing(figsize=(width / style.dpi, height / style.dpi), facecolor="white")

    def write(x: float, y: float, text: str, **look: Any) -> None:
        """A line of text whose lower left corner is there, unless `look` says another."""
        figure.text(x / width, 1 - y / height, text, **look)

    small = {"color": GREY, "size": rcParams["legend.fontsize"]}
    for left, title in zip(lefts, columns, strict=True):
        write(left + side / 2, top, title, ha="center", va="bottom", weight="bold")
    styled = (lefts[1] + side / 2 + lefts[-2] + side / 2) / 2
    write(styled, margin, "styled by", ha="center", va="top", **small)
    for (entry, stacks), start in zip(shown, np.cumsum([top, *bands]), strict=False):
        write(lefts[0], start + heading - 1.5 * gap, entry.title, weight="bold")
        detail = f"after {entry.steps:,} steps"
        write(styled, start + heading - 1.5 * gap, detail, ha="center", **small)
        for left, pictures in zip(lefts, stacks, strict=True):
            for row, picture in enumerate(pictures):
                low = (height - (start + heading + row * (side + gap)) - side) / height
                axes = figure.add_axes((left / width, low, side / width, side / height))
                axes.imshow(picture, interpolation="nearest", aspect="auto")
                axes.set_axis_off()
    for number, note in enumerate(notes, start=1):
        write(lefts[0], bottom + number * line, note, **small)
    return figure


def _pictures(experiment: str, problem: str, results: Results) -> list[Pixels]:
    """The photographs of a problem, what each optimizer made of them, and the styles."""
    from l2l.evaluation.evaluate import read_pictures  # imports torch

    made = []
    for optimizer, meta_seed in OPTIMIZERS.items():
        path = results.layout.pictures(experiment, optimizer, meta_seed)
        seed = "" if meta_seed is None else f" --seed {meta_seed}"
        path = results.existing(path, f"evaluate {experiment} {optimizer}{seed}")
        made.append(read_pictures(path)[problem])
    styles = np.stack([style.numpy() for style in made[0].style])
    return [made[0].content.numpy(), *(each.styled.numpy() for each in made), styles]


def said(records: Sequence[Record]) -> list[str]:
    """Lines that name each stand-in, and the authors that must be named; none without any."""
    stand_ins = [
        f"Stand-in for the {record['name']}: {record['stand_in']}"
        for record in records
        if record["stand_in"]
    ]
    return [*stand_ins, *attributions(records)]


def attributions(records: Sequence[Record]) -> list[str]:
    """Who must be named where free pictures are shown."""
    free = any(FREE.get(record["name"]) == (record["stand_in"] or "") for record in records)
    return [f"Two stand-ins: {ATTRIBUTION}; changed here"] if free else []


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
