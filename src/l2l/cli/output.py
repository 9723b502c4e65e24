"""Commands of the last stages: figures, executed reports, the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from l2l.cli.options import ConfigFiles, Protocol, Settings, configuration, known
from l2l.errors import UserError
from l2l.files import write_json, write_text


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (figure, report, page, record):
        app.command()(command)


def figure(
    name: Annotated[str, typer.Argument(help="A figure's name, such as mnist.")],
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Draw a figure from its tables, as figures/<protocol>/<name>.png and .pdf."""
    from l2l.figures.catalog import figures
    from l2l.figures.style import save
    from l2l.results import Results

    config, layout = configuration(protocol, config_file, setting)
    known("figure", name, figures(config))
    save(figures(config)[name].draw(Results(config)), layout.figure(name))


def report(
    name: Annotated[str, typer.Argument(help="A figure with a report, such as mnist.")],
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Execute a report, as results/<protocol>/reports/<name>.ipynb and .html."""
    from l2l.report.notebook import execute_report, reports

    config, _ = configuration(protocol, config_file, setting)
    known("report", name, reports(config))
    execute_report(name, config)


def page(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Write the page that shows everything, results/<protocol>/index.html."""
    from l2l.provenance import provenance
    from l2l.report.page import build_page

    config, layout = configuration(protocol, config_file, setting)
    write_json(layout.provenance, provenance())
    write_text(layout.page, build_page(config))


def record(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")],
    page: Annotated[
        list[Path] | None,
        typer.Option(help="A page whose marked tables of verdicts are written; may be repeated."),
    ] = None,
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Copy a finished run's figures, small tables and provenance, to keep them."""
    from l2l.report.claims import fill, marked_tables
    from l2l.report.record import record as write
    from l2l.results import Results

    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder: give another name")
    config, _ = configuration(protocol, config_file, setting)
    results = Results(config)
    write(results, folder)
    for each in page or ():
        fill(each, marked_tables(results.claims(), config))
