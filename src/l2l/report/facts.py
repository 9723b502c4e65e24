"""What a figure was made from, in short phrases below its caption."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from l2l.config import Config
from l2l.config.optimizers import LSTMSettings
from l2l.config.problems import ConvNetSettings
from l2l.report import describe, describe_recipe, pictures
from l2l.report.captions import caption
from l2l.report.words import between, listed
from l2l.results import Results

NAMES = {"photographs": "the photographs", "styles": "the styles"}
"""Dataset -> how a reader is told of it; those of which nothing stands here have usual names."""
SOURCES = {"local": "a local folder"}
"""The source in a dataset's record -> how a reader is told; others are told as they are."""

HANDCRAFTED = -1  # the meta_seed of an optimizer that was not trained


def facts(name: str, results: Results) -> list[str]:
    """What a figure was made from: protocol, data and stand-ins, test problems, meta-seeds.

    Args:
        name: of the figure.
        results: the run.

    Returns:
        Short phrases.

    Raises:
        UserError: a table is missing.
    """
    config = results.config
    shown = caption(name, config)
    found = [f"protocol {config.protocol}"]
    if shown.pictures:
        found += [
            f"data: {'; '.join(data_used(shown.experiments, results))}",
            *pictures.shown(results),
            *_starts(shown.experiments, config),
        ]
    elif shown.experiments:
        tables = [results.curves(experiment) for experiment in shown.experiments]
        found += [
            f"data: {'; '.join(data_used(shown.experiments, results))}",
            f"{test_problems(tables)}, the same for every optimizer",
            meta_seeds(tables),
            *_bands(shown.experiments, config),
            *_measured(name, config),
            *_classes(shown.experiments, config),
            *pictures.styles(shown.experiments, results),
            *_groups(shown.experiments, config),
            *_starts(shown.experiments, config),
        ]
    elif shown.training:
        recipes = config.recipes.values()
        validated = [recipe.validation.problems for recipe in recipes]
        found += [
            f"data: {'; '.join(data_used(config.experiments, results))}",
            f"{between(validated, 'validation problem')} and "
            f"{between([recipe.meta_seeds for recipe in recipes], 'meta-seed')} of each recipe",
        ]
    elif shown.measured:
        found += _measured(name, config)
    elif name == "computation_graph":
        found = ["a diagram, from the graph that autograd records of this program"]
    else:
        found = ["a diagram, no data"]
    return found


def _bands(experiments: Sequence[str], config: Config) -> list[str]:
    """What the bands around curves are; comparisons with a reference have none."""
    if any(config.experiments[name].reference for name in experiments):
        return []
    return [f"bands: {100 * config.figures.interval:g} % intervals"]


def _measured(name: str, config: Config) -> list[str]:
    """How a measurement was made; nothing of a figure that shows none."""
    measured = config.measurements
    if name == "unroll":
        gradients = measured.meta_gradients
        return [
            f"meta-gradients: of {between([gradients.problems], 'problem')} and "
            f"{between([gradients.steps], 'step')} each, {between([gradients.repeats], 'repeat')}, "
            "meta-seed 0"
        ]
    if name == "overhead":
        repeats = measured.overhead.repeats
        return [
            f"one problem at a time, on {between([config.compute.threads], 'thread')}",
            f"lines are medians of up to {between([repeats], 'repeat')}",
        ]
    if name == "updates":
        parameters = between([measured.updates.coordinates], "parameter")
        return [
            f"{parameters} of the first test problem of each experiment, drawn at random",
            "meta-seed 0 of each learned optimizer",
        ]
    return []


def test_problems(tables: Sequence[pd.DataFrame]) -> str:
    """How many test problems the experiments of a figure have."""
    problems = between([table["problem"].nunique() for table in tables], "test problem")
    networks = max(table["family"].nunique() for table in tables)
    if networks > 1:
        return f"{problems} of each of {networks} networks"
    return f"{problems} a panel" if len(tables) > 1 else problems


def meta_seeds(tables: Sequence[pd.DataFrame]) -> str:
    """How many meta-seeds the learned optimizers of some tables have."""
    learned = [table[table["meta_seed"] != HANDCRAFTED] for table in tables]
    seeds = [int(n) for t in learned for n in t.groupby("optimizer")["meta_seed"].nunique()]
    return f"{between(seeds, 'meta-seed')} of each learned optimizer"


def data_used(experiments: Iterable[str], results: Results) -> list[str]:
    """The data of experiments with their sources, each once; a stand-in is named as one."""
    found = (text for experiment in experiments for text in _data_of(experiment, results))
    return list(dict.fromkeys(found))


def _data_of(experiment: str, results: Results) -> list[str]:
    texts = []
    for record in results.datasets(experiment):
        name, source = _usual(record["name"]), SOURCES.get(record["source"], record["source"])
        texts.append(
            f"STAND-IN for {name}: {record['stand_in']} (from {source})"
            if record["stand_in"]
            else f"{name} (from {source}; verified by digest)"
        )
    return texts or [f"random problems, drawn from seed {results.config.seed}"]


def _usual(dataset: str) -> str:
    """The name of a dataset that a reader knows."""
    if dataset.startswith("vgg16"):
        return "the weights of VGG-16"
    return NAMES.get(dataset, dataset.upper())


def _classes(experiments: Sequence[str], config: Config) -> list[str]:
    """The classes of each panel, and those of meta-training that no panel shows."""
    entries = [config.experiments[name] for name in experiments]
    shown = {problem for entry in entries for problem in entry.problems}
    found = []
    for entry in entries:
        classes = [names for name in entry.problems if (names := _names_of(name, config))]
        found += [f"{entry.title}: {listed(names)}" for names in classes]
        for key in entry.learned:
            recipe = config.recipes[key]
            if recipe.problem not in shown and (names := _names_of(recipe.problem, config)):
                found.append(f"{entry.title}'s {recipe.label} was meta-trained on {listed(names)}")
    return found


def _names_of(problem: str, config: Config) -> list[str]:
    """The classes of a convolutional network; none of another problem."""
    settings = config.problems[problem]
    return describe.class_names(settings) if isinstance(settings, ConvNetSettings) else []


def _groups(experiments: Sequence[str], config: Config) -> list[str]:
    """Which LSTM serves which parameters, for learned optimizers with several."""
    learned = [recipe for name in experiments for recipe in config.experiments[name].learned]
    found = []
    for recipe in (config.recipes[name] for name in learned):
        optimizer = recipe.optimizer
        if isinstance(optimizer, LSTMSettings) and len(optimizer.groups) > 1:
            found.append(f"{recipe.label}: {listed(describe_recipe.groups(optimizer))}")
    return list(dict.fromkeys(found))


def _starts(experiments: Sequence[str], config: Config) -> list[str]:
    """Which learned optimizers went on from another one's weights."""
    labels, found = config.labels(), dict[str, dict[str, None]]()
    for experiment in experiments:
        for recipe in (config.recipes[name] for name in config.experiments[experiment].learned):
            if recipe.start_from:
                start = (
                    f"{labels[recipe.start_from]} of {config.recipes[recipe.start_from].problem}"
                )
                found.setdefault(start, {})[recipe.label] = None
    return [
        f"meta-training went on from {start}: {listed(list(who))}" for start, who in found.items()
    ]
