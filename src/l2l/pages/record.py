"""The record of a run that is kept with the project: figures, small tables, provenance."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from l2l.figures.draw import figures
from l2l.files import write_text
from l2l.pages import losses, networks, verdicts
from l2l.pages.html import Row
from l2l.pages.results import Results


def record(results: Results, folder: Path) -> None:
    """Copy what is small and may be published, and write the losses and verdicts as `tables.md`.

    Args:
        results: a finished run.
        folder: where to; files of the same names are replaced.

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
    for name in figures(config):
        path = layout.figure(name).with_suffix(".png")
        copies[results.existing(path, f"figure {name}")] = path.name
    folder.mkdir(parents=True, exist_ok=True)
    for path, name in copies.items():
        shutil.copyfile(path, folder / name)
    write_text(folder / "tables.md", text)


def tables(results: Results) -> str:
    """The losses of every experiment and the verdicts on the claims, in Markdown."""
    return "\n\n".join(["# Losses and verdicts", *_losses(results), *_verdicts(results)]) + "\n"


def _losses(results: Results) -> Iterator[str]:
    config = results.config
    for name, entry in config.experiments.items():
        curves = results.curves(name)
        problems = curves["problem"].nunique()
        yield f"## {entry.title}"
        if networks.are_several(name, config):
            yield (
                f"Mean loss at step {entry.horizon} on a fixed sample of the training set, over "
                f"{problems} test problems of each network"
            )
            yield markdown(networks.final_losses(curves, name, config))
            continue
        for column, what in losses.kinds(curves).items():
            yield f"Mean {what}, over {problems} test problems"
            yield markdown(losses.table(curves, column, name, config))


def _verdicts(results: Results) -> Iterator[str]:
    claims = results.claims()
    yield "## Verdicts"
    yield (
        "The difference is learned / baseline - 1 in the comparison that decides, with its 95 % "
        "interval. All comparisons: [claims.csv](claims.csv)."
    )
    overall = claims[verdicts.is_overall(claims)]
    yield markdown(
        [
            {
                "claim": claim["claim"],
                "statement": claim["statement"],
                "decided by": claim["comparison"].removeprefix("overall").strip(" :"),
                "difference": verdicts.difference(claim),
                "verdict": claim["verdict"],
            }
            for claim in overall.to_dict("records")
        ]
    )


def markdown(rows: Sequence[Row]) -> str:
    """A table in Markdown; all rows have the same columns."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(map(_plain, line))} |" for line in lines)


def _plain(cell: str) -> str:
    return cell.striptags() if isinstance(cell, Markup) else cell
