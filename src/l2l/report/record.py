"""The record of a run that is kept with the project: figures, small tables, provenance."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from l2l import release
from l2l.figures import style_images
from l2l.figures.base import figures
from l2l.files import write_text
from l2l.report import claims, free_pictures
from l2l.report.execute import to_html
from l2l.report.notebook import reports
from l2l.report.sections import sections
from l2l.results import Results

SMALL_TABLES = {"overhead", "meta_gradients", "landscape", "step_size"}
PAINTED = (
    "Pictures made from the run's photographs or styles may not be published. These were painted "
    "for the record, by the same optimizers"
)


def record(results: Results, folder: Path) -> None:
    """Copy what is small and may be published, write losses and verdicts, keep what was trained.

    Executed reports become pages of reports/, but for those that show pictures that are not free.

    Args:
        results: a finished run.
        folder: where to; files of the same names are replaced. Where pictures may not be published,
            free ones are painted in their place, which takes minutes; a line on stderr says so.

    Raises:
        UserError: something of the run is missing.
    """
    layout, config = results.layout, results.config
    copies = {
        results.existing(layout.claims, "claims"): "claims.csv",
        results.existing(layout.runs, "runs"): "runs.csv",
        results.existing(layout.provenance, "page"): "provenance.json",
    }
    drawn = figures(config)
    free = any(one.pictures for one in drawn.values()) and _may_be_published(results)
    text = tables(results, free)
    for name in config.experiments:
        path = results.existing(layout.tuning(name), f"test {name}")
        copies[path] = f"tuning_{name}.csv"
    executed = {}
    for section in sections(results):
        if not free and any(figure.pictures for figure in section.figures):
            continue
        for name in {figure.name for figure in section.figures}.intersection(reports(config)):
            path = results.existing(layout.report(name).with_suffix(".ipynb"), f"report {name}")
            executed[f"{name}.html"] = to_html(nbformat.read(path, as_version=4))
    not_free = []
    for name, figure in drawn.items():
        path = results.existing(layout.figure(name).with_suffix(".png"), f"figure {name}")
        for table in SMALL_TABLES.intersection(figure.measurements):
            measured = results.existing(layout.measurement(table), f"measure {table}")
            copies[measured] = f"{table}.csv"
        if figure.pictures and not free:
            not_free.append(path.name)
        else:
            copies[path] = path.name
    folder.mkdir(parents=True, exist_ok=True)
    if config.optimizers != "released":
        release.write_release(config, folder / release.FOLDER, results.root)  # first: it may refuse
    for name in not_free:
        print(f"l2l: {name} may not be published: painting free pictures", file=sys.stderr)
        with TemporaryDirectory() as place:
            shutil.copyfile(free_pictures.paint(results, Path(place)), folder / name)
    for path, name in copies.items():
        shutil.copyfile(path, folder / name)
    for name, page in executed.items():
        write_text(folder / "reports" / name, page)
    write_text(folder / "tables.md", text)


def tables(results: Results, free: bool) -> str:
    """The losses of every experiment and the verdicts on the claims, in Markdown.

    Where pictures are not `free`, it says from what those of the record are made.
    """
    judged, parts = results.claims(), ["# Losses and verdicts"]
    for section in sections(results, judged):
        if section.experiments:
            parts.append(f"## {section.title}")
        for table in section.losses():
            parts += [table.caption, table.markdown()]
        for picture in (one for one in section.pictures if one.figure.pictures):
            painted = ". ".join([PAINTED, *style_images.said(free_pictures.STAND_INS)])
            made_from = picture.made_from if free else f"{painted}."
            parts.append(f"{picture.figure.caption} {made_from}")
    parts += [
        "## Verdicts",
        "The difference is learned / baseline - 1 in the comparison that decides, with its 95 % "
        "interval. All comparisons: [claims.csv](claims.csv).",
        claims.overview(judged, results.config, "Verdicts").markdown(),
    ]
    return "\n\n".join(parts) + "\n"


def _may_be_published(results: Results) -> bool:
    """Whether all that the pictures of the run are made from is free, as their files say."""
    from l2l.evaluation.evaluate import may_be_published  # imports torch

    files = [
        results.layout.pictures(experiment, *optimizer)
        for experiment in style_images.experiments(results.config)
        for optimizer in style_images.OPTIMIZERS.items()
    ]
    return all(path.exists() and may_be_published(path) for path in files)
