"""The stages of the replication as commands, in their order: names are checked, then one call."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from l2l import stages
from l2l.errors import UserError, known
from l2l.files import write_json, write_table, write_text
from l2l.registry import BASELINES, DATASETS, MEASUREMENTS, resolve
from l2l.run import Run

RecipeName = Annotated[str, typer.Argument(help="A recipe of the configuration.")]
ExperimentName = Annotated[str, typer.Argument(help="An experiment of the configuration.")]


def data(
    run: Run,
    dataset: Annotated[str, typer.Argument(help=f"One of {', '.join(DATASETS)}.")] = "mnist",
) -> None:
    """Fetch a data set, verify it by content, and record where it came from."""
    from l2l.data.folder import data_directory

    source = resolve(DATASETS[known("data set", dataset, DATASETS)])
    record = source.fetch(data_directory(run.config.data.directory))
    write_json(run.layout.data(dataset), asdict(record))


def trial(
    run: Run,
    recipe: RecipeName,
    number: Annotated[int, typer.Argument(help="Which trial, from 0.")],
) -> None:
    """Run one trial of the random search for a recipe's meta learning rate."""
    settings = run.config.recipes[known("recipe", recipe, run.config.recipes)]
    _in_range("trial", number, settings.meta_learning_rate.trials)
    stages.run_trial(run, recipe, number)


def choose_rate(run: Run, recipe: RecipeName) -> None:
    """Choose the meta learning rate whose trial validated best."""
    stages.choose_rate(run, known("recipe", recipe, run.config.recipes))


def train(
    run: Run,
    recipe: RecipeName,
    seed: Annotated[int, typer.Option("--seed", help="Which meta-seed, from 0.")] = 0,
) -> None:
    """Meta-train a recipe at the chosen rate; a killed run goes on where it was."""
    settings = run.config.recipes[known("recipe", recipe, run.config.recipes)]
    stages.train(run, recipe, _in_range("seed", seed, settings.meta_seeds))


def take(run: Run) -> None:
    """Copy the released optimizers and tuned rates, instead of meta-training and tuning."""
    from l2l.release import take_release

    if run.config.optimizers != "released":
        raise UserError("nothing to take: optimizers = trained (say --set optimizers=released)")
    take_release(run.config)
    print(f"l2l: released optimizers and tuned rates are in {run.layout.results}", file=sys.stderr)


def runs(run: Run) -> None:
    """Gather the table of all meta-trainings; the best seed of each recipe is marked."""
    stages.gather_runs(run)


def tune(
    run: Run,
    experiment: ExperimentName,
    baseline: Annotated[str, typer.Argument(help=f"One of {', '.join(BASELINES)}.")],
) -> None:
    """Tune a baseline's learning rate on an experiment's problems, by the best final loss."""
    settings = run.config.experiments[known("experiment", experiment, run.config.experiments)]
    stages.tune(run, experiment, known("baseline", baseline, settings.baselines))


def evaluate(
    run: Run,
    experiment: ExperimentName,
    optimizer: Annotated[
        str | None,
        typer.Argument(help="A baseline or a recipe; without it all of the experiment's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The meta-seed of a learned optimizer.")
    ] = None,
) -> None:
    """Test one optimizer, or all of them, on the experiment's test problems."""
    config = run.config
    settings = config.experiments[known("experiment", experiment, config.experiments)]
    optimizers: list[stages.Tested]
    if optimizer is None:
        if seed is not None:
            raise UserError(f"--seed {seed}: name the recipe whose meta-seed is to be tested")
        optimizers = list(config.tested(experiment))
    elif known("optimizer", optimizer, [*settings.baselines, *settings.learned]) in BASELINES:
        if seed is not None:
            raise UserError(f"--seed {seed}: {optimizer} is hand-crafted and has no meta-seed")
        optimizers = [(optimizer, None)]
    else:
        meta_seeds = config.recipes[optimizer].meta_seeds
        optimizers = [(optimizer, _in_range("seed", seed or 0, meta_seeds))]
    stages.evaluate(run, experiment, optimizers)


def collect(run: Run, experiment: ExperimentName) -> None:
    """Gather an experiment's tests and tunings into one table each."""
    stages.collect(run, known("experiment", experiment, run.config.experiments))


def measure(
    run: Run,
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(MEASUREMENTS)}.")],
) -> None:
    """Measure something other than losses, such as the time of a step, into a table."""
    measurement = known("measurement", name.replace("-", "_"), run.config.measurements.each())
    table = resolve(MEASUREMENTS[measurement].code)(run)
    write_table(run.layout.measurement(measurement), table)


def claims(run: Run) -> None:
    """Judge the paper's claims by the tables."""
    stages.judge_claims(run)


def figure(
    run: Run, name: Annotated[str, typer.Argument(help="A figure's name, such as mnist.")]
) -> None:
    """Draw a figure from its tables, as figures/<protocol>/<name>.png and .pdf."""
    from l2l.figures.catalog import figures
    from l2l.figures.style import save
    from l2l.results import Results

    known("figure", name, drawn := figures(run.config))
    save(drawn[name].draw(Results(run.config)), run.layout.figure(name))


def report(
    run: Run, name: Annotated[str, typer.Argument(help="A figure with a report, such as mnist.")]
) -> None:
    """Execute a report, as results/<protocol>/reports/<name>.ipynb and .html."""
    from l2l.report.notebook import execute_report, reports

    known("report", name, reports(run.config))
    execute_report(name, run.config)


def page(run: Run) -> None:
    """Write the page that shows everything, results/<protocol>/index.html."""
    from l2l.provenance import provenance
    from l2l.report.page import build_page

    write_json(run.layout.provenance, provenance())
    write_text(run.layout.page, build_page(run.config))


def record(
    run: Run,
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")],
    page: Annotated[
        list[Path] | None,
        typer.Option(help="A page whose marked tables of verdicts are written; may be repeated."),
    ] = None,
) -> None:
    """Copy a finished run's figures, small tables and provenance, to keep them."""
    from l2l.report.claims import fill, marked_tables
    from l2l.report.record import record as write
    from l2l.results import Results

    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder: give another name")
    results = Results(run.config)
    write(results, folder)
    for each in page or ():
        fill(each, marked_tables(results.claims(), run.config))


def _in_range(kind: str, number: int, count: int) -> int:
    if not 0 <= number < count:
        raise UserError(f"{kind} {number}: the configuration has 0..{count - 1}")
    return number


COMMANDS = (
    *(data, trial, choose_rate, train, take, runs, tune, evaluate, collect, measure, claims),
    *(figure, report, page, record),
)
