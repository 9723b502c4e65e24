"""Commands of what is measured besides losses; each writes a table."""

from __future__ import annotations

import typer

from l2l.cli.options import ConfigFiles, Protocol, Settings, configuration
from l2l.config.measurements import ADAM, META_SEED
from l2l.files import write_table
from l2l.run import Run


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    measure = typer.Typer(
        help="Measure what is no loss: the cost of a step, proposed updates.", no_args_is_help=True
    )
    for command in (overhead, updates, meta_gradients):
        measure.command()(command)
    app.add_typer(measure, name="measure")


def overhead(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Time the steps of optimizers by the number of coordinates, and the problems' gradients.

    Let nothing else run meanwhile. What needs too much memory or time is left out, and said.
    """
    from l2l.measurements.overhead import both_implementations
    from l2l.measurements.overhead import overhead as measure
    from l2l.optimizers import make_baseline
    from l2l.optimizers.weights import initial_phi, make_optimizer
    from l2l.rng import stream

    config, layout = configuration(protocol, config_file, setting)
    settings = config.measurements.overhead
    families, device = Run(config).open_problems(settings.problems, "measure")
    subjects = []
    for name in settings.recipes:
        optimizer = config.recipes[name].optimizer
        phi = initial_phi(optimizer, stream(config.seed, "measure", "overhead", name))
        phi = {key: weight.to(device) for key, weight in phi.items()}
        subjects += both_implementations(name, make_optimizer(optimizer, phi))
    for name in settings.baselines:
        subjects += both_implementations(name, make_baseline(name, 1e-3))
    sizes = list(settings.coordinates)
    table = measure(subjects, families, sizes, settings.repeats, config.seed, device)
    write_table(layout.measurement("overhead"), table)


def updates(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Ask trained optimizers, and tuned ADAM, for the update to each value of a gradient."""
    import pandas as pd

    from l2l.measurements.updates import gradient_values
    from l2l.measurements.updates import updates as measure
    from l2l.optimizers import Optimizer, make_baseline

    config, layout = configuration(protocol, config_file, setting)
    settings = config.measurements.updates
    values = gradient_values(settings.gradients)
    tables = []
    for name, recipes in settings.experiments.items():
        experiment = config.experiments[name]
        families, device = Run(config).open_problems(experiment.problems, "measure")
        optimizers: dict[str, dict[str, Optimizer]] = {}
        for recipe in recipes:
            learned = Run(config).trained(recipe, META_SEED, device)
            optimizers[recipe] = dict.fromkeys(families, learned)
        if ADAM in experiment.baselines:
            rates = Run(config).tuned_rates(name, ADAM, families)
            optimizers[ADAM] = {key: make_baseline(ADAM, rate) for key, rate in rates.items()}
        for key, family in families.items():
            subjects = {subject: each[key] for subject, each in optimizers.items()}
            arguments = (subjects, key, family, settings.steps, settings.coordinates, values)
            tables.append(measure(name, *arguments, config.seed))
    write_table(layout.measurement("updates"), pd.concat(tables, ignore_index=True))


def meta_gradients(
    protocol: Protocol = None, config_file: ConfigFiles = None, setting: Settings = None
) -> None:
    """Estimate meta-gradients for windows of several lengths, at stages of meta-training."""
    from l2l.measurements.meta_gradients import meta_gradients as measure
    from l2l.optimizers.weights import initial_phi, make_optimizer
    from l2l.rng import stream

    config, layout = configuration(protocol, config_file, setting)
    settings = config.measurements.meta_gradients
    families, device = Run(config).open_problems([settings.problem], "measure")
    optimizers = {}
    for name, stage in settings.stages.items():
        if stage.weights == "trained":
            optimizers[name] = Run(config).trained(stage.recipe, META_SEED, device)
            continue
        kind = config.recipes[stage.recipe].optimizer
        phi = initial_phi(kind, stream(config.seed, "phi", stage.recipe, "seed", META_SEED, 0))
        phi = {key: weight.to(device) for key, weight in phi.items()}
        optimizers[name] = make_optimizer(kind, phi)
    table = measure(settings, families[settings.problem], optimizers, config.seed)
    write_table(layout.measurement("meta_gradients"), table)
