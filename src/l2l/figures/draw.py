"""All figures by name: which tables each reads, and the module that draws it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from l2l.config import Config
from l2l.config.measurements import cost_settings
from l2l.config.problems import MLPSettings
from l2l.errors import UserError
from l2l.evaluation.variants import Variant
from l2l.evaluation.variants import variants as compare
from l2l.figures import (
    architecture,
    computation_graph,
    coordinatewise_lstm,
    hierarchical_diagram,
    meta_training,
    mnist_continued,
    optimizer_loop,
    overhead,
    panels,
    stand_ins,
    style_images,
    unroll,
    updates,
    variants,
)
from l2l.figures.style import display_name
from l2l.layout import Layout

Drawer = Callable[[Config, Layout], Figure]


def draw(name: str, config: Config, layout: Layout) -> Figure:
    """Draw one of `figures`.

    Raises:
        UserError: a table it needs is missing.
    """
    return figures(config)[name](config, layout)


def figures(config: Config) -> dict[str, Drawer]:
    """Every figure of a configuration: of loss curves, as its experiments say, and the fixed ones.

    Returns:
        Name -> what draws it, in the order of the page; none of pictures where none are kept.

    Raises:
        UserError: the figure of an experiment has the name of a fixed one.
    """
    found: dict[str, Drawer] = {}
    for name, experiments in config.figure_experiments().items():
        if name in FIXED:
            raise UserError(
                f"config: experiments.{experiments[0]}.figure = '{name}': this is another figure's "
                "name; choose a new one"
            )
        drawer = _unroll if name == "unroll" else _of_experiments
        found[name] = partial(drawer, experiments)
    missing = {} if style_images.experiments(config) else {"style_images"}
    return found | {name: drawer for name, drawer in FIXED.items() if name not in missing}


def _of_experiments(experiments: list[str], config: Config, layout: Layout) -> Figure:
    """A panel for each experiment; several networks, and variants, have figures of their kinds."""
    first = config.experiments[experiments[0]]
    if len(first.problems) > 1:  # then it is the only one
        return _architecture(experiments[0], config, layout)
    if first.reference:
        compared = [_variants(name, config, layout) for name in experiments]
        return variants.draw(compared, config.labels(), config.figures)
    found = [panels.panel(name, config, _curves(name, layout)) for name in experiments]
    return panels.draw(found, config.labels(), config.figures)


def _variants(experiment: str, config: Config, layout: Layout) -> variants.Panel:
    settings = config.experiments[experiment]
    found = compare(_curves(experiment, layout), settings)
    return variants.Panel(settings.title, str(settings.reference), found)


def _unroll(experiments: list[str], config: Config, layout: Layout) -> Figure:
    """The study of meta-gradients, and what the windows of the experiments' recipes lead to."""
    quality, measured = [], config.measurements.meta_gradients
    for name in experiments:
        if config.experiments[name].reference is None:
            raise UserError(f"config: experiments.{name}.reference is missing: unroll needs one")
        panel, growing = _variants(name, config, layout), None
        by_window: dict[int, Variant] = {}
        reference = config.recipes[panel.reference].unroll[0].window
        for variant in panel.variants:
            stages = config.recipes[variant.optimizer].unroll if variant.meta_seeds else ()
            if len(stages) > 1:
                growing = variant
            elif stages and stages[0].window in (reference, *by_window):
                raise UserError(
                    f"config: experiments.{name}.learned: {variant.optimizer} has the window of "
                    "another one; figure unroll shows one for each window"
                )
            elif stages:
                by_window[stages[0].window] = variant
        quality.append(unroll.Quality(panel.title, by_window, reference, growing))
    table = pd.read_csv(
        _existing(layout.measurement("meta_gradients"), "l2l measure meta-gradients")
    )
    columns = {name: stage.title for name, stage in measured.stages.items()}
    sources = {name: source.title for name, source in measured.estimators.items()}
    return unroll.draw(table, columns, sources, quality, config.figures)


def _architecture(experiment: str, config: Config, layout: Layout) -> Figure:
    settings = config.experiments[experiment]
    networks = {
        name: problem
        for name in settings.problems
        if isinstance(problem := config.problems[name], MLPSettings)
    }
    if len(networks) < len(settings.problems):
        raise UserError(
            f"config: experiments.{experiment} has several problems, and not all are of kind mlp: "
            "give each an experiment of its own"
        )
    trained_on = [config.problems[config.recipes[name].problem] for name in settings.learned]
    return architecture.draw(
        _curves(experiment, layout),
        networks,
        [problem for problem in trained_on if isinstance(problem, MLPSettings)],
        config.labels(),
        config.figures,
        settings.horizon,
    )


def _mnist_continued(config: Config, layout: Layout) -> Figure:
    horizon = config.experiments["mnist"].horizon
    return mnist_continued.draw(_curves("mnist", layout), config.labels(), config.figures, horizon)


def _meta_training(config: Config, layout: Layout) -> Figure:
    logs = [
        _existing(layout.run(name, seed) / "log.csv", f"l2l train {name} --seed {seed}")
        for name in config.main_recipes()
        for seed in range(config.recipes[name].meta_seeds)
    ]
    tables = [
        pd.read_csv(path).assign(recipe=path.parent.parent.name, meta_seed=path.parent.name[4:])
        for path in logs
    ]
    return meta_training.draw(pd.concat(tables), config.labels(), config.figures)


def _overhead(config: Config, layout: Layout) -> Figure:
    """Times of steps, and the MNIST experiment against them."""
    settings = config.measurements.overhead
    times = pd.read_csv(_existing(layout.measurement("overhead"), "l2l measure overhead"))
    costs = {name: cost_settings(config.recipes[name].optimizer) for name in settings.recipes}
    experiment = config.experiments["mnist"]
    timed_as: dict[str, str] = {name: name for name in experiment.baselines}
    for name in experiment.learned:  # equal architectures take equal times
        cost = cost_settings(config.recipes[name].optimizer)
        if same := next((timed for timed, own in costs.items() if own == cost), None):
            timed_as[name] = same
    problem, curves = experiment.problems[0], _curves("mnist", layout)
    race = overhead.Race(experiment.title, problem, curves, timed_as, experiment.horizon)
    return overhead.draw(times, settings.problems, race, config.labels(), config.figures)


def _updates(config: Config, layout: Layout) -> Figure:
    table = pd.read_csv(_existing(layout.measurement("updates"), "l2l measure updates"))
    titles = {name: experiment.title for name, experiment in config.experiments.items()}
    return updates.draw(table, titles, config.labels(), config.figures)


def _style_images(config: Config, layout: Layout) -> Figure:
    groups = [
        _pictures(experiment, problem, config, layout)
        for experiment in style_images.experiments(config)
        for problem in config.experiments[experiment].problems
    ]
    records = [
        json.loads(_existing(layout.data(name), f"l2l data {name}").read_text(encoding="utf-8"))
        for name in style_images.DATASETS
    ]
    return style_images.draw(groups, stand_ins.notes(records), config.figures)


def _pictures(experiment: str, problem: str, config: Config, layout: Layout) -> style_images.Group:
    """What the optimizers of the figure made of a problem's photographs."""
    from l2l.evaluation.pictures import read_pictures  # imports torch

    settings, found = config.experiments[experiment], {}
    for optimizer, meta_seed in style_images.OPTIMIZERS.items():
        path = layout.pictures(experiment, optimizer, meta_seed)
        seed = "" if meta_seed is None else f" --seed {meta_seed}"
        command = f"l2l evaluate {experiment} {optimizer}{seed}"
        name = display_name(optimizer, config.labels())
        found[name] = read_pictures(_existing(path, command))[problem]
    first = next(iter(found.values()))
    return style_images.Group(
        title=settings.title,
        detail=f"after {settings.steps:,} steps",
        content=first.content.numpy(),
        styled={name: pictures.styled.numpy() for name, pictures in found.items()},
        style=np.stack([style.numpy() for style in first.style]),
    )


def _curves(experiment: str, layout: Layout) -> pd.DataFrame:
    path = layout.curves(experiment)
    return pd.read_parquet(_existing(path, f"l2l collect {experiment}"))


def _existing(path: Path, command: str) -> Path:
    if not path.exists():
        raise UserError(f"{path} is missing: run {command}, or snakemake, which knows the order")
    return path


FIXED: dict[str, Drawer] = {
    "style_images": _style_images,
    "mnist_continued": _mnist_continued,
    "overhead": _overhead,
    "updates": _updates,
    "meta_training": _meta_training,
    "optimizer_loop": lambda config, layout: optimizer_loop.draw(config.figures),
    "computation_graph": lambda config, layout: computation_graph.draw(config.figures),
    "coordinatewise_lstm": lambda config, layout: coordinatewise_lstm.draw(config.figures),
    "hierarchical_diagram": lambda config, layout: hierarchical_diagram.draw(config.figures),
}
