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
from l2l.config.problems import MLPSettings
from l2l.errors import UserError
from l2l.figures import (
    architecture,
    computation_graph,
    coordinatewise_lstm,
    meta_training,
    mnist_continued,
    optimizer_loop,
    panels,
    stand_ins,
    style_images,
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
        found[name] = partial(_of_experiments, experiments)
    missing = {} if style_images.experiments(config) else {"style_images"}
    return found | {name: drawer for name, drawer in FIXED.items() if name not in missing}


def _of_experiments(experiments: list[str], config: Config, layout: Layout) -> Figure:
    """A panel for each experiment; one with several networks has a figure of its own kind."""
    if len(config.experiments[experiments[0]].problems) > 1:  # then it is the only one
        return _architecture(experiments[0], config, layout)
    found = [panels.panel(name, config, _curves(name, layout)) for name in experiments]
    return panels.draw(found, config.labels(), config.figures)


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
        for name, recipe in config.recipes.items()
        for seed in range(recipe.meta_seeds)
    ]
    tables = [
        pd.read_csv(path).assign(recipe=path.parent.parent.name, meta_seed=path.parent.name[4:])
        for path in logs
    ]
    return meta_training.draw(pd.concat(tables), config.labels(), config.figures)


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
    "meta_training": _meta_training,
    "optimizer_loop": lambda config, layout: optimizer_loop.draw(config.figures),
    "computation_graph": lambda config, layout: computation_graph.draw(config.figures),
    "coordinatewise_lstm": lambda config, layout: coordinatewise_lstm.draw(config.figures),
}
