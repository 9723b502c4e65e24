"""Commands of the middle stages: tuning, tests, claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from l2l.cli.options import (
    ConfigFiles,
    Protocol,
    Settings,
    configuration,
    in_range,
    known,
)
from l2l.config import Config
from l2l.config.experiments import Baseline
from l2l.errors import UserError
from l2l.files import write_table
from l2l.layout import Layout
from l2l.run import Run

if TYPE_CHECKING:  # torch is imported only by the commands that compute
    import torch

    from l2l.problems import Family

BASELINE_NAMES = get_args(Baseline)
ExperimentName = Annotated[str, typer.Argument(help="An experiment of the configuration.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (tune, evaluate, collect, claims):
        app.command()(command)


def tune(
    experiment: ExperimentName,
    baseline: Annotated[str, typer.Argument(help="sgd, rmsprop, adam or nag.")],
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Tune a baseline's learning rate on an experiment's problems, by the best final error."""
    import pandas as pd

    from l2l.evaluation import tune as tuning

    config, layout = configuration(protocol, config_file, setting)
    settings = config.experiments[known("experiment", experiment, config.experiments)]
    known("baseline", baseline, settings.baselines)
    families, _ = Run(config).open_problems(settings.problems, "tune")
    tables = [
        tuning.tune(experiment, settings, baseline, name, family)
        for name, family in families.items()
    ]
    write_table(layout.tuning(experiment, baseline), pd.concat(tables, ignore_index=True))


def evaluate(
    experiment: ExperimentName,
    optimizer: Annotated[
        str | None,
        typer.Argument(help="A baseline or a recipe; without it all of the experiment's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The meta-seed of a learned optimizer.")
    ] = None,
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Test one optimizer, or all of them, on the experiment's test problems."""
    config, layout = configuration(protocol, config_file, setting)
    settings = config.experiments[known("experiment", experiment, config.experiments)]
    if optimizer is None:
        if seed is not None:
            raise UserError(f"--seed {seed}: name the recipe whose meta-seed is to be tested")
        wanted = config.tested(experiment)
    elif known("optimizer", optimizer, [*settings.baselines, *settings.learned]) in BASELINE_NAMES:
        if seed is not None:
            raise UserError(f"--seed {seed}: {optimizer} is hand-crafted and has no meta-seed")
        wanted = [(optimizer, None)]
    else:
        seed = in_range("seed", seed or 0, config.recipes[optimizer].meta_seeds)
        wanted = [(optimizer, seed)]
    families, device = Run(config).open_problems(settings.problems, "evaluate")
    for name, meta_seed in wanted:
        _test(config, layout, experiment, families, device, name, meta_seed)


def _test(
    config: Config,
    layout: Layout,
    experiment: str,
    families: Mapping[str, Family],
    device: torch.device,
    optimizer: str,
    seed: int | None,
) -> None:
    """Test one optimizer and write its table, and its pictures if there are any."""
    from l2l.evaluation.evaluate import HANDCRAFTED
    from l2l.evaluation.evaluate import evaluate as test
    from l2l.evaluation.pictures import write_pictures
    from l2l.optimizers import Optimizer, make_baseline

    settings = config.experiments[experiment]
    subjects: dict[str, Optimizer]
    if seed is None:
        rates = Run(config).tuned_rates(experiment, optimizer, families)
        subjects = {name: make_baseline(optimizer, rates[name]) for name in families}
    else:
        subjects = dict.fromkeys(families, Run(config).trained(optimizer, seed, device))
    outcome = test(
        experiment,
        settings,
        families,
        optimizer,
        subjects,
        HANDCRAFTED if seed is None else seed,
    )
    write_table(layout.part(experiment, optimizer, seed), outcome.curves)
    if settings.evaluation.pictures:
        free = all(family.publishable for family in families.values())
        write_pictures(layout.pictures(experiment, optimizer, seed), outcome.pictures, free)


def collect(
    experiment: ExperimentName,
    protocol: Protocol = None,
    config_file: ConfigFiles = None,
    setting: Settings = None,
) -> None:
    """Gather an experiment's tests and tunings into one table each."""
    import pandas as pd

    config, layout = configuration(protocol, config_file, setting)
    settings = config.experiments[known("experiment", experiment, config.experiments)]
    parts = [layout.part(experiment, *optimizer) for optimizer in config.tested(experiment)]
    tunings = [layout.tuning(experiment, baseline) for baseline in settings.baselines]
    for path in [*parts, *tunings]:
        if not path.exists():
            raise UserError(f"{path} is missing: run l2l tune and l2l evaluate first")
    write_table(layout.curves(experiment), pd.concat(map(pd.read_parquet, parts)))
    write_table(layout.tuning(experiment), pd.concat(map(pd.read_csv, tunings)))


def claims(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Judge the paper's claims by the tables."""
    from l2l.results import Results

    config, layout = configuration(protocol, config_file, setting)
    write_table(layout.claims, Results(config).judged(config.claims))
