"""The sections that the page, the reports and the record show, made once from a run's results."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
from markupsafe import Markup
from PIL import Image
from PIL.Image import Dither, Quantize

from l2l.config import Config
from l2l.data.vgg16 import VGG16
from l2l.evaluation.metrics import HANDCRAFTED
from l2l.figures import style_images
from l2l.figures.base import Figure, figures
from l2l.figures.style import display_name
from l2l.report import claims, losses, runs
from l2l.report.table import Table, between
from l2l.results import Results, compared

NAMES = {
    "photographs": "the photographs",
    "styles": "the styles",
    VGG16.name: "the weights of VGG-16",
}
"""Dataset -> its name for readers, where that is not the key in capitals."""


def in_few_colours(png: Path | BinaryIO) -> bytes:
    """A drawing as a PNG with 256 colours: no eye sees it, and it has a third of the bytes."""
    small = io.BytesIO()
    with Image.open(png) as picture:
        few = picture.convert("RGB").quantize(256, Quantize.FASTOCTREE, dither=Dither.NONE)
    few.save(small, "png")
    return small.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


@dataclass(frozen=True)
class ShownFigure:
    """A figure with its caption and what it was made from."""

    figure: Figure
    results: Results

    @property
    def png(self) -> Path:
        """The file."""
        return self.results.figure(self.figure.name)

    @property
    def uri(self) -> str:
        """The picture itself in the place of its address, smaller than the PNG, the original."""
        if not self.figure.pictures:
            return _uri("png", in_few_colours(self.png))
        small = io.BytesIO()
        with Image.open(self.png) as png:  # the paper is white: nothing shines through
            png.convert("RGB").save(small, "webp", quality=92, method=2)
        return _uri("webp", small.getvalue())

    @property
    def lines(self) -> Markup:
        """The numbers of its lines, see `l2l.figures.lines`, as JSON that may stand in HTML.

        Empty where no line has a name.
        """
        text = self.png.with_suffix(".json").read_text("utf-8")
        return Markup(text.replace("<", "\\u003c") if json.loads(text) else "")

    @property
    def alt(self) -> str:
        """The figure in a line, for those who cannot see it."""
        return self.figure.alt(self.results.config)

    @property
    def wide(self) -> bool:
        """Whether it goes over more than one column of the printed page."""
        width = int.from_bytes(self.png.read_bytes()[16:20], "big")  # pixels, from the header
        settings = self.results.config.figures
        return width > 1.5 * settings.dpi * settings.width_inches

    @cached_property
    def made_from(self) -> str:
        """Protocol, data, test problems, origin of optimizers, and intervals, in a line."""
        figure, results = self.figure, self.results
        config = results.config
        if not (figure.experiments or figure.measurements or figure.logs or figure.claims):
            return "A diagram: it shows no results."
        parts = [f"Protocol {config.protocol}"]
        if used := figure.experiments or (config.experiments if figure.logs else ()):
            parts.append(f"Data: {'; '.join(data_used(used, results))}")
        if figure.pictures:
            records = [results.dataset(name) for name in style_images.DATASETS]
            parts += style_images.attributions(records)
        elif figure.experiments:
            tables = [results.curves(name) for name in figure.experiments]
            problems = between([table["problem"].nunique() for table in tables], "test problem")
            networks = max(table["family"].nunique() for table in tables)
            each = f" of each of {networks} networks" if networks > 1 else ""
            panel = " a panel" if len(tables) > 1 else ""
            parts.append(f"{problems}{each}{panel}, the same for every optimizer")
            learned = [table[table["meta_seed"] != HANDCRAFTED] for table in tables]
            seeds = [int(n) for t in learned for n in t.groupby("optimizer")["meta_seed"].nunique()]
            parts.append(f"{between(seeds, 'meta-seed')} of each learned optimizer")
            parts += origins(figure.experiments, config)
            if not any(config.experiments[name].reference for name in figure.experiments):
                parts.append(f"Bands: {100 * config.figures.interval:g} % intervals")
        for name in figure.measurements:
            parts.append(f"Measurement {name.replace('_', ' ')}, see its settings")
        if figure.logs:
            recipes = [config.recipes[name] for name in config.main_recipes()]
            problems = between([one.validation.problems for one in recipes], "validation problem")
            seeds_of_each = between([one.meta_seeds for one in recipes], "meta-seed")
            parts += [problems, f"{seeds_of_each} of each recipe"]
        return ". ".join(parts) + "."


def origins(experiments: Iterable[str], config: Config) -> list[str]:
    """Where the optimizers and rates of experiments come from: this run, or the record."""
    entries = [config.experiments[name] for name in experiments]
    learned = dict.fromkeys(recipe for entry in entries for recipe in entry.learned)
    taken = [name for name in learned if config.recipes[name].origin == "released"]
    if not taken:
        text = "Meta-trained in this run"
    elif len(taken) == len(learned):
        text = "Learned optimizers of the record"
    else:
        labels = dict.fromkeys(display_name(name, config.labels()) for name in taken)
        text = f"{', '.join(labels)} of the record, the others meta-trained in this run"
    tuned = {entry.tuning.origin for entry in entries if entry.baselines}
    return [text, "Learning rates of the record"] if "released" in tuned else [text]


def data_used(experiments: Iterable[str], results: Results) -> list[str]:
    """The data of experiments with their sources, each once; a stand-in is named as one."""
    records = {name: results.datasets(name) for name in experiments}
    texts = [_data_text(record) for each in records.values() for record in each]
    if not all(records.values()):
        texts.append(f"random problems, drawn from seed {results.config.seed}")
    return list(dict.fromkeys(texts))


def _data_text(record: dict[str, Any]) -> str:
    name = NAMES.get(record["name"], record["name"].replace("_", " ").upper())
    source = "a local folder" if record["source"] == "local" else record["source"]
    if record["stand_in"]:
        return f"STAND-IN for {name}: {record['stand_in']} (from {source})"
    return f"{name} (from {source}; verified by digest)"


def stand_ins(results: Results) -> list[str]:
    """A line for each data set of the run that another one stands in for."""
    records = [record for name in results.config.experiments for record in results.datasets(name)]
    return list(dict.fromkeys(_data_text(record) for record in records if record["stand_in"]))


@dataclass(frozen=True)
class StudySection:
    """A study with its claims, figures and tables. Tables are made when they are asked for.

    Attributes:
        results: of the run.
        name: of the study, or of a figure that belongs to none.
        title: the heading.
        about: what the study asks, in Markdown; may be empty.
        figures: those of the study.
        experiments: names of those of the study.
        keys: of the claims of the study.
        table: the table of claims; None: the claims are judged when they are asked for.
    """

    results: Results
    name: str
    title: str
    about: str
    figures: tuple[Figure, ...]
    experiments: tuple[str, ...]
    keys: tuple[str, ...] = ()
    table: pd.DataFrame | None = None

    @property
    def learned(self) -> list[str]:
        """The learned optimizers of the experiments."""
        entries = [self.results.config.experiments[name] for name in self.experiments]
        return list(dict.fromkeys(key for entry in entries for key in entry.learned))

    @property
    def pictures(self) -> list[ShownFigure]:
        """The figures with their captions."""
        return [ShownFigure(figure, self.results) for figure in self.figures]

    @cached_property
    def claims(self) -> pd.DataFrame:
        """The rows of the claims of this study in the table of claims."""
        if self.table is None:
            return self.results.judged(self.keys)
        return self.table[self.table["claim"].isin(self.keys)]

    def result(self) -> str:
        """What came out for its claims, in a sentence; empty where it has none."""
        return claims.result(self.claims, self.results.config) if self.keys else ""

    def verdicts(self) -> Table:
        """The verdict on each claim for each learned optimizer."""
        return claims.overview(self.claims, self.results.config, f"{self.title}: claims")

    def comparisons(self) -> list[Table]:
        """All comparisons, a table for each claim."""
        return [
            claims.comparisons(rows, self.results.config, f"{key}: all comparisons")
            for key, rows in self.claims.groupby("claim", sort=False)
        ]

    @cached_property
    def curves(self) -> dict[str, pd.DataFrame]:
        """Experiment -> its curves."""
        return {name: self.results.curves(name) for name in self.experiments}

    def losses(self) -> list[Table]:
        """The tested losses of every experiment."""
        config = self.results.config
        return [t for name, c in self.curves.items() for t in losses.tables(name, c, config)]

    def rates(self) -> list[Table]:
        """The tuned learning rates of every experiment."""
        config, tuning = self.results.config, self.results.tuning
        return [losses.rates(name, tuning(name), config) for name in self.experiments]

    def problems(self) -> list[Table]:
        """The settings of the problems that are tested on."""
        config = self.results.config
        names = dict.fromkeys(p for e in self.experiments for p in config.experiments[e].problems)
        return runs.settings("Problems", {name: config.problems[name] for name in names})

    def recipes(self) -> list[Table]:
        """The settings by which the learned optimizers were meta-trained."""
        config = self.results.config
        return runs.settings("Recipes", {name: config.recipes[name] for name in self.learned})

    def settings(self) -> list[Table]:
        """All settings of the study: problems, recipes, experiments and measurements."""
        config = self.results.config
        entries = {name: config.experiments[name] for name in self.experiments}
        tables = [*self.problems(), *self.recipes(), *runs.settings("Experiments", entries)]
        for name in dict.fromkeys(name for each in self.figures for name in each.measurements):
            measured = {name: getattr(config.measurements, name)}
            tables += runs.settings(f"Measurement {name}", measured)
        return tables

    def inputs(self) -> list[Path]:
        """The files that its tables and figures are read from."""
        config, layout = self.results.config, self.results.layout
        files = [layout.figure(figure.name).with_suffix(".png") for figure in self.figures]
        judged = compared(config, self.keys)
        for name in dict.fromkeys((*self.experiments, *judged.experiments)):
            datasets = config.datasets(*config.experiments[name].problems)
            files += [layout.curves(name), *map(layout.data, datasets)]
        files += map(layout.measurement, judged.measurements)
        files += map(layout.tuning, dict.fromkeys((*self.experiments, *judged.tunings)))
        files += map(layout.rate, self.learned)
        for recipe in dict.fromkeys((*self.learned, *judged.recipes)):
            for seed in range(config.recipes[recipe].meta_seeds):
                folder = layout.run(recipe, seed)
                files += [folder / "log.csv", folder / "summary.json"]
        return list(dict.fromkeys(files))


def sections(results: Results, table: pd.DataFrame | None = None) -> list[StudySection]:
    """The sections of the page: a study each, and figures of experiments without a study."""
    config = results.config
    drawn: dict[str, list[Figure]] = {}
    for figure in figures(config).values():
        shown = figure.experiments or figure.measurements
        if study := figure.study or (figure.name if shown else None):
            drawn.setdefault(study, []).append(figure)
    found = [
        StudySection(
            results,
            name,
            study.title,
            study.about,
            tuple(drawn.pop(name, ())),
            tuple(entry for entry in study.experiments if entry in config.experiments),
            study.claims,
            table,
        )
        for name, study in config.studies.items()
    ]
    return found + [
        StudySection(results, name, group[0].title, "", tuple(group), group[0].experiments)
        for name, group in drawn.items()
    ]


def section_of(figure: str, results: Results) -> StudySection:
    """The section in which a figure stands."""
    every = sections(results)
    return next(one for one in every if figure in {each.name for each in one.figures})
