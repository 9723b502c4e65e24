"""All figures by name: which tables each reads, and the module that draws it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from l2l.config import Config
from l2l.errors import UserError
from l2l.figures import (
    computation_graph,
    coordinatewise_lstm,
    meta_training,
    mnist,
    mnist_continued,
    optimizer_loop,
    quadratics,
)
from l2l.layout import Layout


def draw(name: str, config: Config, layout: Layout) -> Figure:
    """Draw one of FIGURES.

    Raises:
        UserError: a table it needs is missing.
    """
    return FIGURES[name](config, layout)


def _quadratics(config: Config, layout: Layout) -> Figure:
    return quadratics.draw(_curves("quadratics", layout), config.labels(), config.figures)


def _mnist(config: Config, layout: Layout) -> Figure:
    horizon = config.experiments["mnist"].horizon
    return mnist.draw(_curves("mnist", layout), config.labels(), config.figures, horizon)


def _mnist_continued(config: Config, layout: Layout) -> Figure:
    horizon = config.experiments["mnist"].horizon
    return mnist_continued.draw(_curves("mnist", layout), config.labels(), config.figures, horizon)


def _meta_training(config: Config, layout: Layout) -> Figure:
    logs = [
        _existing(layout.run(recipe, seed) / "log.csv", f"l2l train {recipe} --seed {seed}")
        for recipe in config.recipes
        for seed in range(config.meta_seeds)
    ]
    tables = [
        pd.read_csv(path).assign(recipe=path.parent.parent.name, meta_seed=path.parent.name[4:])
        for path in logs
    ]
    return meta_training.draw(pd.concat(tables), config.labels(), config.figures)


def _curves(experiment: str, layout: Layout) -> pd.DataFrame:
    path = layout.curves(experiment)
    return pd.read_parquet(_existing(path, f"l2l collect {experiment}"))


def _existing(path: Path, command: str) -> Path:
    if not path.exists():
        raise UserError(f"{path} is missing: run {command}, or snakemake, which knows the order")
    return path


FIGURES: dict[str, Callable[[Config, Layout], Figure]] = {
    "quadratics": _quadratics,
    "mnist": _mnist,
    "mnist_continued": _mnist_continued,
    "meta_training": _meta_training,
    "optimizer_loop": lambda config, layout: optimizer_loop.draw(config.figures),
    "computation_graph": lambda config, layout: computation_graph.draw(config.figures),
    "coordinatewise_lstm": lambda config, layout: coordinatewise_lstm.draw(config.figures),
}
