"""Which figures there are, and what they are drawn from, follows from the configuration alone."""

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from tests.figures.fake_tables import BASELINES, make_curves, make_log, make_tuning

from l2l.config import Config, load_config
from l2l.config.load import merge
from l2l.errors import UserError
from l2l.figures.base import figures
from l2l.files import write_json, write_table
from l2l.layout import Layout
from l2l.results import Results

EIGHTY = {
    "problems": {"mnist_80_units": {"like": "mnist", "hidden": [80]}},
    "experiments": {
        "mnist_80_units": {
            "like": "mnist_40_units",
            "title": "80 hidden units",
            "problems": ["mnist_80_units"],
        }
    },
}
LAYOUT = Layout("default")
MNIST = ("mnist_paper", "mnist_long_unroll")
REST = ("meta_learning_rate", "attempts", "collapsed", "episodes", "best_episode", "seconds")
"""What nobody looks at in a summary."""


def draw(name: str, config: Config) -> Figure:
    return figures(config)[name].draw(Results(config))


@pytest.fixture
def folder(tmp_path: Path):
    with contextlib.chdir(tmp_path):
        yield tmp_path


def write_run(names: list[str], learned: Sequence[str], steps: int = 100) -> None:
    """What figures of losses read of experiments."""
    for name in names:
        write_table(LAYOUT.curves(name), make_curves([*BASELINES, *learned], 2, steps))
        write_table(LAYOUT.tuning(name), make_tuning())
    for recipe, seed in itertools.product(learned, range(3)):
        summary = {"recipe": recipe, "meta_seed": seed, "best_validation": abs(seed - 1)}
        rest = dict.fromkeys(REST)
        write_json(LAYOUT.run(recipe, seed) / "summary.json", summary | rest)
        write_table(LAYOUT.run(recipe, seed) / "log.csv", make_log(recipe, seed))


def test_an_experiment_of_the_users_is_a_further_panel(folder: Path) -> None:
    config = load_config(overrides=EIGHTY)
    write_run(config.figure_experiments()["mnist_transfer"], MNIST)
    figure = draw("mnist_transfer", config)
    titles = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    assert titles == ["40 hidden units", "Two hidden layers", "ReLU", "tanh", "80 hidden units"]
    assert figure.axes[0].get_ylabel() == "minibatch loss"


def test_a_loss_without_minibatches_is_not_called_one_of_them(folder: Path) -> None:
    config = load_config()
    experiments = config.figure_experiments()["style_curves"]
    learned = config.experiments[experiments[0]].learned
    write_run(experiments, learned, 128)
    figure = draw("style_curves", config)
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == [
        config.experiments[name].title for name in experiments
    ]
    assert figure.axes[0].get_ylabel() == "loss"
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}


def test_an_experiment_with_a_figure_of_its_own_makes_that_figure(folder: Path) -> None:
    own = {"experiments": {"mnist_80_units": {"figure": "never_seen_before"}}}
    config = load_config(overrides=merge(EIGHTY, own))
    assert "never_seen_before" in figures(config)
    write_run(["mnist_80_units"], MNIST)
    figure = draw("never_seen_before", config)
    assert figure.axes[0].get_title(loc="left") == "80 hidden units"


@pytest.mark.parametrize("name", ["meta_training", "style_images", "optimizer_loop"])
def test_the_name_of_a_registered_figure_is_refused(name: str) -> None:
    config = load_config(overrides={"experiments": {"mnist": {"figure": name}}})
    with pytest.raises(UserError, match=rf"experiments\.mnist\.figure = '{name}'"):
        figures(config)


def test_every_figure_has_words_and_says_what_it_reads() -> None:
    config = load_config()
    for name, figure in figures(config).items():
        assert figure.name == name
        assert figure.title
        assert len(figure.caption) > len(figure.title)
        alt = figure.alt(config)
        assert alt.startswith(f"Figure: {figure.title}")
        reads = {LAYOUT.curves(experiment) for experiment in figure.experiments}
        reads |= {LAYOUT.measurement(table) for table in figure.measurements}
        inputs = figure.inputs(config, LAYOUT)
        if figure.pictures:
            assert LAYOUT.pictures("neural_art", "adam", None) in inputs
        else:
            assert reads <= {*inputs}
        if figure.claims:
            assert inputs == [LAYOUT.claims]
        if name in ("mnist", "figure4"):
            assert LAYOUT.tuning("mnist") in inputs
            assert LAYOUT.run("mnist_paper", 2) / "summary.json" in inputs
        if figure.logs:
            assert LAYOUT.run("quadratics_lstm", 0) / "log.csv" in inputs


def test_a_figure_without_an_experiment_to_show_is_left_out() -> None:
    config = load_config()
    kept = {name: entry for name, entry in config.experiments.items() if entry.figure == "cifar"}
    left = figures(config.model_copy(update={"experiments": kept}))
    assert "cifar" in left
    assert "verdicts" in left
    assert "verdicts" not in figures(config.model_copy(update={"claims": {}}))
    assert not {"mnist", "figure4", "unroll", "style_images", "overhead"} & {*left}


def test_several_networks_that_are_not_all_mlps_are_refused_in_one_line(folder: Path) -> None:
    changes = {"architecture": {"problems": ["mnist", "cifar10"]}}
    config = load_config(overrides={"experiments": changes})
    with pytest.raises(UserError, match="not all are of kind mlp"):
        draw("architecture", config)


def test_a_missing_table_is_named_with_the_command_that_makes_it(folder: Path) -> None:
    with pytest.raises(UserError, match=r"curves\.parquet is missing: run l2l test cifar10"):
        draw("cifar", load_config())
