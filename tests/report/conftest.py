"""A small run: synthetic tables with the columns of the real ones, real claims and real figures."""

import contextlib
import json
import os
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from tests.figures.fake_pictures import write_pictures
from tests.figures.fake_tables import (
    make_landscape,
    make_log,
    make_overhead,
    make_step_size,
    make_updates,
)

from l2l.config import Config, load_config, resolved_yaml
from l2l.evaluation.claims import last_fall
from l2l.figures.base import figures
from l2l.figures.style import save
from l2l.files import write_json, write_table, write_text
from l2l.layout import Layout
from l2l.provenance import provenance
from l2l.report.notebook import reports
from l2l.results import Results

CHECKOUT = Path(__file__).resolve().parents[2]
PROBLEMS = 6
BASELINES = {"sgd": 0.39, "rmsprop": 0.36, "adam": 0.34, "nag": 0.31}
MNIST = {**BASELINES, "mnist_paper": 0.35, "mnist_long_unroll": 0.28}
ART = {**BASELINES, "neural_art_scratch": 0.35, "mnist_long_unroll": 0.33, "neural_art": 0.28}
END = {
    "quadratics": {"sgd": 0.9, "rmsprop": 0.8, "adam": 0.6, "nag": 0.4, "quadratics_lstm": 0.16},
    "mnist": MNIST,
    "mnist_40_units": MNIST,
    "mnist_relu": {**MNIST, "mnist_paper": 9.0},
    "architecture": MNIST,
    "cifar10": {**BASELINES, "cifar": 0.25, "cifar_shared": 0.4},
    "cifar5": {**BASELINES, "cifar": 0.25, "cifar5_sub": 0.32},
    "neural_art": ART,
    "neural_art_new": ART,
}
"""The loss at the horizon that every optimizer's curve is built around; above 2.3: it diverges."""

ONE_META_SEED = ("cifar", "cifar_shared", "cifar5_sub", "neural_art_scratch", "neural_art")
RATES = ((-1, "final_loss"), (-1, "mean_loss"), (-1, "mnist"))
"""Of hand-crafted optimizers: no meta-seed, and what their learning rates are chosen for."""
NETWORKS = ("mnist", "mnist_50", "mnist_two_layers")
WITHOUT_MINIBATCHES = ("quadratics", "neural_art", "neural_art_new")
HORIZONS = {"cifar10": 1000, "cifar5": 1000, "neural_art": 128, "neural_art_new": 128}
STEPS = {**HORIZONS, "mnist": 200}  # others: 100
SIZES = {"neural_art": 16, "neural_art_new": 32}


def small_config(protocol: str) -> Config:
    """The protocol's configuration with the experiments of END, whatever else it may hold."""
    experiments = {
        name: {
            "learned": [key for key in ends if key not in BASELINES],
            "baselines": [key for key in ends if key in BASELINES],
            "horizon": HORIZONS.get(name, 100),
            "steps": STEPS.get(name, 100),
            "evaluation": {"problems": PROBLEMS},
        }
        for name, ends in END.items()
    }
    experiments["architecture"]["problems"] = list(NETWORKS)
    claims = {  # those that these experiments and make_overhead can judge
        key: claim.model_copy(
            update={
                "comparisons": tuple(
                    c for c in claim.comparisons if {*c.learned} <= {*END.get(c.experiment, ())}
                ),
                "measured": tuple(m for m in claim.measured if m.name == "mnist_paper"),
                "at_least": None,
            }
        )
        for key, claim in load_config(protocol).claims.items()
    }
    config = load_config(
        protocol,
        settings=["meta_seeds=3", "figures.dpi=50"],
        overrides={
            "experiments": experiments,
            "recipes": {
                **{name: {"meta_seeds": 1} for name in ONE_META_SEED},
                "mnist_paper": {"unroll": [{"start": 0, "window": 20}]},
                "mnist_long_unroll": {
                    "episodes": 400,
                    "unroll": [{"start": 0, "window": 20}, {"start": 0.625, "window": 100}],
                },
            },
            "problems": {"mnist": {"hidden": [20]}},
            "claims": {key: claim.model_dump(mode="json") for key, claim in claims.items()},
            "measurements": {
                "overhead": {"recipes": ["mnist_paper"]},
                "meta_gradients": {
                    "stages": {
                        stage: {"recipe": "quadratics_lstm"} for stage in ("short", "long", "mnist")
                    }
                },
                "landscape": {"slices": {"mnist": {"recipe": "quadratics_lstm"}}},
                "step_size": {"recipe": "quadratics_lstm"},
            },
        },
    )
    keys = dict.fromkeys(key for ends in END.values() for key in ends if key not in BASELINES)
    recipes = {key: config.recipes[key] for key in keys}
    kept = {name: config.experiments[name] for name in END}
    studies = {
        name: study.model_copy(
            update={
                "recipes": tuple(key for key in study.recipes if key in recipes),
                "experiments": tuple(key for key in study.experiments if key in kept),
            }
        )
        for name, study in config.studies.items()
    }
    return config.model_copy(update={"recipes": recipes, "experiments": kept, "studies": studies})


def make_curves(experiment: str, config: Config) -> pd.DataFrame:
    """Exponential decays to END, noisy; loss and train_loss differ where there are minibatches."""
    rng = np.random.default_rng(3)
    settings = config.experiments[experiment]
    step = np.arange(settings.steps + 1)
    above = 1.1 if settings.shown == "test_loss" else np.nan
    every = {"test_loss": 25}.get(settings.shown, 64 if experiment in SIZES else 1)
    parts = []
    for place, family in enumerate(settings.problems):
        hardness = np.exp(rng.normal(0, 0.1, (PROBLEMS, 1)) + 0.1 * place)
        noise = rng.normal(0, 0.1, (PROBLEMS, settings.steps + 1))
        noise *= experiment not in WITHOUT_MINIBATCHES
        for optimizer, end in END[experiment].items():
            recipe = config.recipes.get(optimizer)
            runs = [(seed, "") for seed in range(recipe.meta_seeds)] if recipe else RATES
            for meta_seed, rate_for in runs:
                level = end * (1 + 0.02 * max(meta_seed, 0))
                train = hardness * (level + (2.3 - level) * np.exp(-12 * step / settings.horizon))
                if recipe:
                    train = train * (1 + 0.02 * np.sin(step))
                measured = np.where((step % every == 0) | (step >= settings.horizon), train, np.nan)
                parts.append(
                    pd.DataFrame(
                        {
                            "experiment": experiment,
                            "family": family,
                            "problem": np.repeat(np.arange(PROBLEMS), settings.steps + 1),
                            "optimizer": optimizer,
                            "meta_seed": meta_seed,
                            "rate_for": rate_for,
                            "step": np.tile(step, PROBLEMS),
                            "loss": (train * np.exp(noise)).ravel(),
                            "train_loss": measured.ravel(),
                            "test_loss": (measured * above).ravel(),
                            "coordinates": 1000 * (1 + place),
                            "weights": 5301,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)


def make_tuning(experiment: str, config: Config) -> pd.DataFrame:
    rates = np.logspace(-3, 1, 9)
    rows = []
    settings = config.experiments[experiment]
    for family in settings.problems:
        for place, baseline in enumerate(settings.baselines):
            for k, rate in enumerate(rates):
                loss = 0.3 + 0.1 * (k - 3 - place) ** 2
                chosen, widened = "both" if k == 3 + place else "", k > 7
                rows.append((experiment, family, baseline, rate, loss, 1.5 * loss, chosen, widened))
            rows[-1] = (*rows[-1][:4], np.inf, np.inf, *rows[-1][6:])
    columns = ["experiment", "family", "optimizer", "learning_rate", "final_loss", "mean_loss"]
    return pd.DataFrame(rows, columns=[*columns, "chosen_for", "widened"])


def make_training(recipe: str, config: Config, layout: Layout) -> list[dict]:
    """The logs and the outcome of the search of a recipe; its rows of runs.csv."""
    trials = [
        {"trial": 0, "meta_learning_rate": 0.002, "validation": 0.5, "seconds": 9.0},
        {"trial": 1, "meta_learning_rate": 0.008, "validation": None, "failed": "collapsed"},
    ]
    write_json(layout.rate(recipe), {"meta_learning_rate": 0.002, "trials": trials})
    rows = []
    for seed in range(config.recipes[recipe].meta_seeds):
        log = make_log(recipe, seed, 300).drop(columns=["recipe", "meta_seed"])
        write_table(layout.run(recipe, seed) / "log.csv", log)
        write_text(layout.run(recipe, seed) / "optimizer.safetensors", f"{recipe} {seed}")
        rows.append(
            {
                "recipe": recipe,
                "meta_seed": seed,
                "meta_learning_rate": 0.002,
                "attempts": 1 + seed,
                "collapsed": "stuck at loss 2.3" if seed else "",
                "episodes": 300,
                "best_episode": 300,
                "best_validation": float(log["validation_final"].iloc[-1]),
                "selected": seed == 0,
                "fall": last_fall(log),
                "seconds": 100.0 + seed,
                "commit": "0123456789ab",
            }
        )
        summary = {k: v for k, v in rows[-1].items() if k not in ("selected", "fall")}
        write_json(layout.run(recipe, seed) / "summary.json", summary)
    return rows


def make_run(root: Path, config: Config) -> None:
    """Everything that the page reads, under root/results and root/figures."""
    layout = Layout(config.protocol)
    with contextlib.chdir(root):
        for name in config.experiments:
            write_table(layout.curves(name), make_curves(name, config))
            write_table(layout.tuning(name), tuning := make_tuning(name, config))
            for baseline in config.experiments[name].baselines:
                one = tuning[tuning["optimizer"] == baseline]
                write_table(layout.tuning(name, baseline), one)
        write_pictures(config, Path(), (), SIZES.values())
        for dataset in config.datasets(*config.problems):
            record = {"name": dataset, "source": "local", "stand_in": None, "digests": {}}
            write_json(layout.data(dataset), record)
        runs = [row for recipe in config.recipes for row in make_training(recipe, config, layout)]
        write_table(layout.runs, pd.DataFrame(runs))
        stages, lines = config.measurements.step_size, config.measurements.landscape
        measured = {
            "overhead": make_overhead(),
            "updates": make_updates(config.measurements.updates.experiments, (1, 5)),
            "landscape": make_landscape(lines.slices, lines.directions, lines.horizons),
            "step_size": make_step_size(stages.starts, stages.windows),
        }
        for name, table in measured.items():
            write_table(layout.measurement(name), table)
        write_table(layout.claims, Results(config).judged(config.claims))
        write_json(layout.provenance, provenance())
        write_text(layout.config, resolved_yaml(config))
        for name in figures(config):
            save(figures(config)[name].draw(Results(config)), layout.figure(name))


def set_stand_ins(root: Path, stand_ins: dict[str, str]) -> None:
    """Let the records of a run say that these stand in for its datasets, and nothing for others."""
    for path in sorted((root / "results/default/data").glob("*.json")):
        record = json.loads(path.read_text())
        record["stand_in"] = stand_ins.get(record["name"])
        path.unlink()  # it is linked to that of the finished run
        write_json(path, record)


def write_reports(root: Path, config: Config) -> None:
    """Stand-ins for the executed reports, for tests of the page that only links to them."""
    for name in reports(config):
        stem = root / Layout(config.protocol).report(name)
        write_text(stem.with_suffix(".html"), "<!DOCTYPE html><title>report</title>")
        cells = [nbformat.v4.new_markdown_cell(f"# Report {name}")]
        notebook = nbformat.v4.new_notebook(cells=cells)
        write_text(stem.with_suffix(".ipynb"), nbformat.writes(notebook))


@pytest.fixture(scope="session")
def config() -> Config:
    return small_config("default")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    """The working directory of a finished run. Tests leave it as it is."""
    root = tmp_path_factory.mktemp("run")
    make_run(root, config)
    write_reports(root, config)
    return root


@pytest.fixture
def results(finished: Path, config: Config) -> Results:
    return Results(config, finished)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to take something out of."""
    for path in finished.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(finished)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return tmp_path
