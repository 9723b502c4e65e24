"""Commands of the first stages: data, trials of the meta learning rate, meta-training, release."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from l2l.cli.options import (
    ConfigFiles,
    Protocol,
    Settings,
    configuration,
    in_range,
    known,
)
from l2l.config import Config, Recipe
from l2l.config.stages import digest, training_inputs, trial_inputs
from l2l.errors import UserError
from l2l.files import write_json, write_table
from l2l.registry import DATASETS, resolve
from l2l.run import Run

RecipeName = Annotated[str, typer.Argument(help="A recipe of the configuration.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (data, trial, choose_rate, train, take, runs):
        app.command()(command)


def data(
    dataset: Annotated[
        str, typer.Argument(help=f"Which dataset: {', '.join(DATASETS)}.")
    ] = "mnist",
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Fetch a dataset, verify it by content, and note where it came from."""
    from l2l.data.folder import data_directory

    config, layout = configuration(protocol, config_file, setting)
    path = DATASETS[known("dataset", dataset, DATASETS)]
    record = resolve(path).fetch(data_directory(config.data.directory))
    write_json(layout.data(dataset), record.as_json())


def trial(
    recipe: RecipeName,
    number: Annotated[int, typer.Argument(help="Which trial, from 0.")],
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """One trial of the random search: a recipe's beginning at a drawn meta learning rate."""
    from l2l.meta.epoch import AllCollapsedError, DivergedError
    from l2l.meta.schedule import trial_rate

    config, layout = configuration(protocol, config_file, setting)
    settings = config.recipes[known("recipe", recipe, config.recipes)]
    in_range("trial", number, settings.meta_learning_rate.trials)
    rate = trial_rate(settings.meta_learning_rate, config.seed, recipe, number)
    path = layout.trial(recipe, number)
    outcome: dict[str, Any] = {"trial": number, "meta_learning_rate": rate}
    try:
        state = _train(
            config,
            recipe,
            settings.model_copy(update={"step_backs": 0}),
            settings.meta_learning_rate.episodes,
            rate,
            ("trial",),
            f"{recipe} trial {number}",
            path.with_suffix(".state"),
            trial_inputs(config, recipe),
        )
        outcome |= {"validation": state.best_validation, "seconds": round(state.seconds, 1)}
    except (AllCollapsedError, DivergedError) as error:  # a rate that fails is an outcome too
        outcome |= {"validation": None, "failed": str(error)}
    write_json(path, outcome)
    path.with_suffix(".state").unlink(missing_ok=True)


def choose_rate(
    recipe: RecipeName,
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Choose the meta learning rate whose trial validated best."""
    from l2l.meta import search

    config, layout = configuration(protocol, config_file, setting)
    settings = config.recipes[known("recipe", recipe, config.recipes)].meta_learning_rate
    trials = [
        _read(layout.trial(recipe, number), "validation", "meta_learning_rate")
        for number in range(settings.trials)
    ]
    if trials:
        validations = [
            float("inf") if trial["validation"] is None else trial["validation"] for trial in trials
        ]
        rates = [trial["meta_learning_rate"] for trial in trials]
        rate = search.choose_rate(rates, validations, recipe)
    else:
        rate = search.trial_rate(settings, config.seed, recipe, 0)
    write_json(layout.rate(recipe), {"meta_learning_rate": rate, "trials": trials})


def train(
    recipe: RecipeName,
    seed: Annotated[int, typer.Option("--seed", help="Which meta-seed, from 0.")] = 0,
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Meta-train a recipe at the chosen rate; a killed run goes on where it was."""
    import pandas as pd

    from l2l.optimizers import checkpoint
    from l2l.optimizers.weights import make_optimizer, unflatten_phi
    from l2l.provenance import commit

    config, layout = configuration(protocol, config_file, setting)
    settings = config.recipes[known("recipe", recipe, config.recipes)]
    in_range("seed", seed, settings.meta_seeds)
    rate = _read(layout.rate(recipe), "meta_learning_rate")["meta_learning_rate"]
    folder = layout.run(recipe, seed)
    inputs = training_inputs(config, recipe) | {"rate": rate}
    state_path, label = folder / "training.state", f"{recipe} seed {seed}"
    run = ("seed", seed)
    state = _train(
        config, recipe, settings, settings.episodes, rate, run, label, state_path, inputs
    )
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
    best = unflatten_phi(state.best, settings.optimizer)
    origin = {**summary, "protocol": config.protocol, "inputs": inputs}
    del origin["seconds"]  # the same run gives the same bytes
    write_table(folder / "log.csv", pd.DataFrame(state.rows))
    optimizer = make_optimizer(settings.optimizer, best)
    checkpoint.save(folder / "optimizer.safetensors", optimizer, origin)
    write_json(folder / "summary.json", summary)
    state_path.unlink(missing_ok=True)


def take(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Take the released optimizers and tuned rates, in the place of meta-training and tuning."""
    from l2l.kept import take as copy

    config, layout = configuration(protocol, config_file, setting)
    if config.optimizers != "released":
        raise UserError("nothing to take: optimizers = trained (say --set optimizers=released)")
    copy(config)
    print(f"l2l: released optimizers and tuned rates are in {layout.results}", file=sys.stderr)


def runs(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Gather the table of all meta-trainings; the best seed of each recipe is marked."""
    import pandas as pd

    config, layout = configuration(protocol, config_file, setting)
    table = pd.DataFrame(
        _read(layout.run(recipe, seed) / "summary.json", "recipe", "best_validation")
        for recipe in config.used_recipes()
        for seed in range(config.recipes[recipe].meta_seeds)
    )
    best = table.groupby("recipe")["best_validation"].idxmin()
    table.insert(8, "selected", table.index.isin(best))
    write_table(layout.runs, table)


def _train(
    config: Config,
    name: str,
    recipe: Recipe,
    episodes: int,
    rate: float,
    run: tuple[str | int, ...],
    label: str,
    state_path: Path,
    inputs: dict[str, Any],
) -> Any:
    import torch

    from l2l.meta.train import Training, train
    from l2l.optimizers.weights import continued_phi

    families, device = Run(config).open_problems(recipe.problems, "train")
    start = None
    if recipe.start_from:
        seed = int(run[1]) if run[0] == "seed" else 0
        cpu = torch.device("cpu")
        start = continued_phi(Run(config).trained(recipe.start_from, seed, cpu), recipe.optimizer)
        inputs = inputs | {"start": hashlib.sha256(start.numpy().tobytes()).hexdigest()}
    training = Training(name, recipe, rate, run, config.seed, device, episodes, label, start)
    what = digest(inputs | {"rate": rate, "run": list(run)})
    validation = families[recipe.validated_on]
    return train(training, families[recipe.problem], state_path, what, validation)


def _read(path: Path, *keys: str) -> dict[str, Any]:
    """A JSON file of the stage before, which has these keys."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        if missing := {*keys} - {*found}:
            raise ValueError(f"it has no {', '.join(sorted(missing))}")
        return found
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run the stage before (see l2l --help)") from None
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run again") from None
