"""The record of a run that is kept with the project: figures, small tables, provenance."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from l2l import release
from l2l.figures.catalog import figures
from l2l.files import write_text
from l2l.report import catching_up, losses, networks, pictures
from l2l.report.captions import caption
from l2l.report.facts import facts
from l2l.report.markdown import markdown
from l2l.report.marked import over_several, overview
from l2l.results import MEASURED, Results


def record(results: Results, folder: Path) -> None:
    """Copy what is small and may be published, write losses and verdicts, keep what was trained.

    Args:
        results: a finished run.
        folder: where to; files of the same names are replaced. What may not be published is not
            there afterwards, and a line on stderr says so.

    Raises:
        UserError: something of the run is missing.
    """
    layout, config = results.layout, results.config
    text = tables(results)
    copies = {
        results.existing(layout.runs, "runs"): "runs.csv",
        results.existing(layout.claims, "claims"): "claims.csv",
        results.existing(layout.provenance, "page"): "provenance.json",
    }
    for name in config.experiments:
        path = results.existing(layout.tuning(name), f"collect {name}")
        copies[path] = f"tuning_{name}.csv"
    left_out = []
    for name in figures(config):
        path = layout.figure(name).with_suffix(".png")
        found = results.existing(path, f"figure {name}")
        for table in set(MEASURED.get(name, ())) & SMALL_TABLES:
            made_by = f"measure {table.replace('_', '-')}"
            copies[results.existing(layout.measurement(table), made_by)] = f"{table}.csv"
        if caption(name, config).pictures and not pictures.may_be_published(results):
            left_out.append(path.name)
        else:
            copies[found] = path.name
    folder.mkdir(parents=True, exist_ok=True)
    if config.optimizers == "trained":
        release.write_release(config, folder / release.FOLDER, results.root)  # first: it may refuse
    for name in left_out:
        (folder / name).unlink(missing_ok=True)  # of another run
        print(f"l2l: {name} is left out: {NOT_FREE}", file=sys.stderr)
    for path, name in copies.items():
        shutil.copyfile(path, folder / name)
    write_text(folder / "tables.md", text)


SMALL_TABLES = {"overhead", "meta_gradients"}
NOT_FREE = (
    "the photographs or styles that its pictures are made from may not be published; the free ones "
    "that stand in for them may"
)


def tables(results: Results) -> str:
    """The losses of every experiment and the verdicts on the claims, in Markdown."""
    parts = [_losses(results), _verdicts(results), _pictures(results)]
    return "\n\n".join(["# Losses and verdicts", *itertools.chain(*parts)]) + "\n"


def _losses(results: Results) -> Iterator[str]:
    config = results.config
    for name, entry in config.experiments.items():
        curves = results.curves(name)
        problems = curves["problem"].nunique()
        yield f"## {entry.title} (`{name}`)"
        if networks.are_several(name, config):
            yield (
                f"Mean loss at step {entry.horizon} on a fixed sample of the training set, over "
                f"{problems} test problems of each network"
            )
            yield markdown(networks.final_losses(curves, name, config))
            continue
        kinds = losses.kinds(curves)
        for column, what in kinds.items():
            yield f"Mean {what}, over {problems} test problems"
            yield markdown(losses.table(curves, column, name, config))
        if [*kinds] == ["loss"] and (rows := catching_up.table(curves, name, config)):
            yield f"The {catching_up.heading(name, config)}"
            yield markdown(rows)


def _verdicts(results: Results) -> Iterator[str]:
    claims = results.claims()
    yield "## Verdicts"
    yield (
        "The difference is learned / baseline - 1 in the comparison that decides, with its 95 % "
        "interval. All comparisons: [claims.csv](claims.csv)."
    )
    yield markdown(overview(claims[claims["deciding"]], over_several(claims), results.config))


def _pictures(results: Results) -> Iterator[str]:
    """What figures of pictures show, or why they are not here."""
    for name in figures(results.config):
        shown = caption(name, results.config)
        if shown.pictures:
            yield f"## {shown.title}"
            free = pictures.may_be_published(results)
            made_from = ". ".join(fact[0].upper() + fact[1:] for fact in facts(name, results))
            yield f"{shown.seen} {made_from}." if free else f"{name}.png is left out: {NOT_FREE}."
