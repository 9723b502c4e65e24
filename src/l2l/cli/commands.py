"""The stages of the replication as commands, in their order: each reads files of earlier ones.

Which parts of the configuration a stage depends on is said in `l2l.config.inputs`. Each command
imports torch and pandas only if it needs them, after its arguments are checked.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from l2l.config.inputs import (
    digest,
    evaluation_inputs,
    training_inputs,
    trial_inputs,
    tuning_inputs,
)
from l2l.errors import UserError, known
from l2l.files import write_json, write_table, write_text
from l2l.registry import BASELINES, DATASETS, MEASUREMENTS, resolve
from l2l.run import Run

if TYPE_CHECKING:
    import torch

    from l2l.meta.state import TrainingState
    from l2l.optimizers import Optimizer
    from l2l.problems import Family

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
    """Run one trial of the random search for a recipe's meta learning rate.

    A trial that diverges or collapses is an outcome too: without a validation loss, never chosen.
    """
    search = run.config.recipes[known("recipe", recipe, run.config.recipes)].meta_learning_rate
    _in_range("trial", number, search.trials)
    _trial(run, recipe, number).unlink(missing_ok=True)


def _trial(run: Run, recipe: str, number: int) -> Path:
    """Run a trial; returns the path of its state, from which it could run on."""
    from l2l.meta.epoch import AllCollapsedError, DivergedError
    from l2l.meta.schedule import trial_rate

    search = run.config.recipes[recipe].meta_learning_rate
    rate = trial_rate(search, run.config.seed, recipe, number)
    path = run.layout.trial(recipe, number)
    state_path = path.with_suffix(".state")
    outcome: dict[str, Any] = {"trial": number, "meta_learning_rate": rate}
    try:
        state = _meta_train(run, recipe, None, rate, f"{recipe} trial {number}", state_path)
        outcome |= {"validation": state.best_validation, "seconds": round(state.seconds, 1)}
    except (AllCollapsedError, DivergedError) as error:
        outcome |= {"validation": None, "failed": str(error)}
    write_json(path, outcome)
    return state_path


def choose_rate(run: Run, recipe: RecipeName) -> None:
    """Choose the meta learning rate whose trial validated best."""
    from l2l.meta import schedule

    search = run.config.recipes[known("recipe", recipe, run.config.recipes)].meta_learning_rate
    keys = ("validation", "meta_learning_rate")
    trials = [
        run.read_json(run.layout.trial(recipe, number), f"trial {recipe} {number}", keys)
        for number in range(search.trials)
    ]
    if trials:
        losses = [float("inf") if (v := trial["validation"]) is None else v for trial in trials]
        rates = [trial["meta_learning_rate"] for trial in trials]
        rate = schedule.choose_rate(rates, losses, recipe)
    else:
        rate = schedule.trial_rate(search, run.config.seed, recipe, 0)
    write_json(run.layout.rate(recipe), {"meta_learning_rate": rate, "trials": trials})


def train(
    run: Run,
    recipes: Annotated[list[str], typer.Argument(help="Recipes of the configuration.")],
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="This meta-seed of one recipe alone, at the chosen rate."),
    ] = None,
) -> None:
    """Meta-train recipes: search the rate, then train every meta-seed. A killed run goes on."""
    for recipe in recipes:
        known("recipe", recipe, run.config.recipes)
    if seed is not None:
        if len(recipes) > 1:
            raise UserError(f"--seed {seed}: name one recipe, not {len(recipes)}")
        _in_range("seed", seed, run.config.recipes[recipes[0]].meta_seeds)
        _train(run, recipes[0], seed).unlink(missing_ok=True)
        return
    states = []  # kept to the end: a killed run does not repeat what it has finished
    for recipe in recipes:
        settings = run.config.recipes[recipe]
        trials = range(settings.meta_learning_rate.trials)
        states += [_trial(run, recipe, number) for number in trials]
        choose_rate(run, recipe)
        states += [_train(run, recipe, number) for number in range(settings.meta_seeds)]
    for state in states:
        state.unlink(missing_ok=True)


def _train(run: Run, recipe: str, seed: int) -> Path:
    """Meta-train at the chosen rate; returns the path of the state, from which it could run on."""
    config, folder = run.config, run.layout.run(recipe, seed)
    settings = config.recipes[recipe]
    key = "meta_learning_rate"
    rate = run.read_json(run.layout.rate(recipe), f"choose-rate {recipe}", [key])[key]

    import pandas as pd

    from l2l.optimizers import checkpoint
    from l2l.optimizers.weights import make_optimizer, unflatten_phi
    from l2l.provenance import commit

    state_path = folder / "training.state"
    state = _meta_train(run, recipe, seed, rate, f"{recipe} seed {seed}", state_path)
    summary = {
        "recipe": recipe,
        "meta_seed": seed,
        "meta_learning_rate": rate,
        "attempts": state.attempt + 1,
        "collapsed": "; ".join([*state.collapsed, *state.diverged]),
        "episodes": state.episode,
        "best_episode": state.best_episode,
        "best_validation": state.best_validation,
        "seconds": round(state.seconds, 1),
        "commit": commit(),
    }
    inputs = training_inputs(config, recipe) | {"rate": rate}
    origin = {**summary, "protocol": config.protocol, "inputs": inputs}
    del origin["seconds"]  # the same run gives the same bytes
    best = unflatten_phi(state.best, settings.optimizer)
    write_table(folder / "log.csv", pd.DataFrame(state.rows))
    optimizer = make_optimizer(settings.optimizer, best)
    checkpoint.save(folder / "optimizer.safetensors", optimizer, origin)
    write_json(folder / "summary.json", summary)
    return state_path


def _meta_train(
    run: Run, name: str, seed: int | None, rate: float, label: str, state_path: Path
) -> TrainingState:
    """Meta-train a recipe with a meta-seed, or for a trial (None), from a saved state if it fits.

    A recipe that starts from another one starts from that one's optimizer of the same meta-seed; a
    trial, from that of meta-seed 0.
    """
    from l2l.meta.train import Training
    from l2l.meta.train import train as meta_train
    from l2l.optimizers.weights import continued_phi

    config, recipe = run.config, run.config.recipes[name]
    streams: tuple[str | int, ...]
    if seed is None:
        streams, episodes = ("trial",), recipe.meta_learning_rate.episodes
        recipe, inputs = recipe.model_copy(update={"step_backs": 0}), trial_inputs(config, name)
    else:
        streams, episodes = ("seed", seed), recipe.episodes
        inputs = training_inputs(config, name)
    families, device = run.open_problems(recipe.problems, "train")
    start = None
    if recipe.start_from:
        trained = run.trained(recipe.start_from, seed or 0, "cpu")
        start = continued_phi(trained, recipe.optimizer)
        inputs["start"] = hashlib.sha256(start.numpy().tobytes()).hexdigest()
    training = Training(name, recipe, rate, streams, config.seed, device, episodes, label, start)
    what = digest(inputs | {"rate": rate, "run": list(streams)})
    family, validated_on = families[recipe.problem], families[recipe.validated_on]
    return meta_train(training, family, state_path, what, validated_on)


def take(run: Run) -> None:
    """Copy the released optimizers and tuned rates, instead of meta-training and tuning."""
    from l2l.release import take_release, taken

    if not taken(run.config):
        raise UserError("nothing to take: this run makes all itself (--set optimizers=released)")
    take_release(run.config)
    print(f"l2l: released optimizers and tuned rates are in {run.layout.results}", file=sys.stderr)


def runs(run: Run) -> None:
    """Gather the table of all meta-trainings; the best seed of each recipe is marked."""
    from l2l.results import Results

    write_table(run.layout.runs, Results(run.config).meta_trainings(run.config.used_recipes()))


def tune(
    run: Run,
    experiment: ExperimentName,
    baseline: Annotated[str, typer.Argument(help=f"One of {', '.join(BASELINES)}.")],
) -> None:
    """Tune a baseline's learning rate on an experiment's problems, by final and by mean loss."""
    settings = run.config.experiments[known("experiment", experiment, run.config.experiments)]
    known("baseline", baseline, settings.baselines)

    import pandas as pd

    from l2l.evaluation.tune import tune as tuned

    families, _ = run.open_problems(settings.problems, "tune")
    tables = [
        tuned(experiment, settings, baseline, name, family) for name, family in families.items()
    ]
    write_table(run.layout.tuning(experiment, baseline), pd.concat(tables, ignore_index=True))


def evaluate(
    run: Run,
    experiment: ExperimentName,
    optimizer: Annotated[str, typer.Argument(help="A baseline or a recipe of the experiment.")],
    seed: Annotated[
        int | None, typer.Option("--seed", help="The meta-seed of a learned optimizer.")
    ] = None,
) -> None:
    """Test one optimizer on the experiment's test problems."""
    settings = run.config.experiments[known("experiment", experiment, run.config.experiments)]
    if known("optimizer", optimizer, [*settings.baselines, *settings.learned]) in BASELINES:
        if seed is not None:
            raise UserError(f"--seed {seed}: {optimizer} is hand-crafted and has no meta-seed")
    else:
        seed = _in_range("seed", seed or 0, run.config.recipes[optimizer].meta_seeds)
    families, device = run.open_problems(settings.problems, "evaluate")
    _evaluate(run, experiment, families, device, optimizer, seed)


def _evaluate(
    run: Run,
    experiment: str,
    families: dict[str, Family],
    device: torch.device,
    name: str,
    seed: int | None,
) -> None:
    import pandas as pd

    from l2l.evaluation.evaluate import evaluate, write_pictures
    from l2l.evaluation.metrics import HANDCRAFTED
    from l2l.evaluation.rates import BOTH, FINAL
    from l2l.optimizers import make_baseline

    settings = run.config.experiments[experiment]
    subjects: dict[str, dict[str, Optimizer]]  # what the rate was chosen for -> family -> optimizer
    if seed is None:
        subjects = {
            chosen_for: {family: make_baseline(name, rate) for family, rate in rates.items()}
            for chosen_for, rates in run.tuned_rates(experiment, name, families).items()
        }
    else:
        subjects = {"": dict.fromkeys(families, run.trained(name, seed, device))}
    number = HANDCRAFTED if seed is None else seed
    outcomes = {
        chosen_for: evaluate(experiment, settings, families, name, each, number, chosen_for)
        for chosen_for, each in subjects.items()
    }
    curves = pd.concat([outcome.curves for outcome in outcomes.values()], ignore_index=True)
    if settings.evaluation.pictures:
        free = all(family.publishable for family in families.values())
        pictures = {
            family: painted
            for chosen_for in ("", FINAL, BOTH)
            if chosen_for in outcomes
            for family, painted in outcomes[chosen_for].pictures.items()
        }
        write_pictures(run.layout.pictures(experiment, name, seed), pictures, free)
    write_table(run.layout.part(experiment, name, seed), curves)


def collect(run: Run, experiment: ExperimentName) -> None:
    """Gather an experiment's tests and tunings into one table each."""
    import pandas as pd

    from l2l.evaluation.rates import read_tuning

    config, layout = run.config, run.layout
    known("experiment", experiment, config.experiments)
    parts = []
    for name, seed in config.tested(experiment):
        option = "" if seed is None else f" --seed {seed}"
        path = layout.part(experiment, name, seed)
        parts.append(run.existing(path, f"evaluate {experiment} {name}{option}"))
    tunings = [
        run.existing(layout.tuning(experiment, baseline), f"tune {experiment} {baseline}")
        for baseline in config.experiments[experiment].baselines
    ]
    write_table(layout.curves(experiment), pd.concat(map(pd.read_parquet, parts)))
    write_table(layout.tuning(experiment), pd.concat(map(read_tuning, tunings)))


def test(
    run: Run,
    experiments: Annotated[list[str], typer.Argument(help="Experiments of the configuration.")],
) -> None:
    """Do all of experiments: tune their baselines, test every optimizer, gather the tables.

    Rates that are released are not tuned. A killed run goes on after the last optimizer that it
    has tuned or tested.
    """
    for experiment in experiments:
        known("experiment", experiment, run.config.experiments)
    for experiment in experiments:
        _test(run, experiment)


def _test(run: Run, experiment: str) -> None:
    config, layout = run.config, run.layout
    settings, tested = config.experiments[experiment], config.tested(experiment)
    parts = [layout.part(experiment, *optimizer) for optimizer in tested]
    tunings = {baseline: layout.tuning(experiment, baseline) for baseline in settings.baselines}
    tuned_here = settings.tuning.origin == "tuned"
    # Files of an unfinished run count as done if its inputs were the same.
    inputs = evaluation_inputs(config, experiment)
    inputs["tuning"] = [tuning_inputs(config, experiment, baseline) for baseline in tunings]
    inputs["optimizers"] = [
        hashlib.sha256(run.optimizer_file(recipe, seed).read_bytes()).hexdigest()
        for recipe, seed in tested
        if seed is not None
    ]
    if settings.rates_of:
        table = run.existing(layout.tuning(settings.rates_of), f"test {settings.rates_of}")
        inputs["rates_of"] = hashlib.sha256(table.read_bytes()).hexdigest()
    unfinished = layout.unfinished(experiment)
    if not unfinished.exists() or unfinished.read_text() != digest(inputs):
        for path in [*parts, *(tunings.values() if tuned_here else ())]:
            path.unlink(missing_ok=True)
        write_text(unfinished, digest(inputs))
    for baseline, path in tunings.items():
        if tuned_here and not path.exists():
            tune(run, experiment, baseline)
    families, device = run.open_problems(settings.problems, "evaluate")
    for optimizer, path in zip(tested, parts, strict=True):
        files = [path]
        if settings.evaluation.pictures:  # Snakemake deletes those of a job that was killed
            files.append(layout.pictures(experiment, *optimizer))
        if not all(file.exists() for file in files):
            _evaluate(run, experiment, families, device, *optimizer)
    collect(run, experiment)
    unfinished.unlink(missing_ok=True)  # another process may do the same


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
    from l2l.results import Results

    write_table(run.layout.claims, Results(run.config).judged(run.config.claims))


def figure(
    run: Run, name: Annotated[str, typer.Argument(help="A figure's name, such as mnist.")]
) -> None:
    """Draw a figure from its tables, as figures/<protocol>/<name>.png and .pdf.

    The numbers of its lines are in <name>.json.
    """
    from l2l.figures.base import figures
    from l2l.figures.style import save
    from l2l.results import Results

    known("figure", name, drawn := figures(run.config))
    save(drawn[name].draw(Results(run.config)), run.layout.figure(name))


def report(
    run: Run, name: Annotated[str, typer.Argument(help="A figure with a report, such as mnist.")]
) -> None:
    """Execute a report, as results/<protocol>/reports/<name>.ipynb and .html."""
    from l2l.report.execute import execute_report

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


def crate(
    run: Run,
    folder: Annotated[Path, typer.Argument(help="Where to; a new folder.")],
) -> None:
    """Write a finished run's record, its workflow and their metadata, as an RO-Crate."""
    from l2l.report.crate import crate as write
    from l2l.results import Results

    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder: give another name")
    write(Results(run.config), folder)


def _in_range(kind: str, number: int, count: int) -> int:
    if not 0 <= number < count:
        raise UserError(f"{kind} {number}: the configuration has 0..{count - 1}")
    return number


COMMANDS = (
    *(data, trial, choose_rate, train, take, runs, tune, evaluate, collect, test, measure),
    *(claims, figure, report, page, record, crate),
)
