"""Which figures there are, and what they are drawn from, follows from the configuration alone."""

import contextlib
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from tests.figures.fake_tables import BASELINES, make_curves

from l2l.config import Config, load_config
from l2l.config.load import merge
from l2l.errors import UserError
from l2l.figures.base import figures
from l2l.files import write_table
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


def draw(name: str, config: Config) -> Figure:
    return figures(config)[name].draw(Results(config))


@pytest.fixture
def folder(tmp_path: Path):
    with contextlib.chdir(tmp_path):
        yield tmp_path


def write_curves(names: list[str], **changes: object) -> None:
    optimizers = [*BASELINES, "mnist_paper", "mnist_long_unroll"]
    for name in names:
        write_table(LAYOUT.curves(name), make_curves(optimizers, 2, 100, **changes))


def test_an_experiment_of_the_users_is_a_further_panel(folder: Path) -> None:
    config = load_config(overrides=EIGHTY)
    write_curves(config.figure_experiments()["mnist_transfer"])
    figure = draw("mnist_transfer", config)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert titles == ["40 hidden units", "Two hidden layers", "ReLU", "tanh", "80 hidden units"]
    assert figure.axes[0].get_ylabel() == "minibatch loss"


def test_a_loss_without_minibatches_is_not_called_one_of_them(folder: Path) -> None:
    config = load_config()
    experiments = config.figure_experiments()["style_curves"]
    learned = config.experiments[experiments[0]].learned
    for name in experiments:
        write_table(LAYOUT.curves(name), make_curves([*BASELINES, *learned], 2, 128))
    figure = draw("style_curves", config)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        config.experiments[name].title for name in experiments
    ]
    assert figure.axes[0].get_ylabel() == "loss"
    assert {axes.get_yscale() for axes in figure.axes} == {"log"}


def test_an_experiment_with_a_figure_of_its_own_makes_that_figure(folder: Path) -> None:
    own = {"experiments": {"mnist_80_units": {"figure": "never_seen_before"}}}
    config = load_config(overrides=merge(EIGHTY, own))
    assert "never_seen_before" in figures(config)
    write_curves(["mnist_80_units"])
    figure = draw("never_seen_before", config)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["80 hidden units"]


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
        if figure.logs:
            assert LAYOUT.run("quadratics_lstm", 0) / "log.csv" in inputs


def test_a_figure_without_an_experiment_to_show_is_left_out() -> None:
    config = load_config()
    kept = {name: entry for name, entry in config.experiments.items() if entry.figure == "cifar"}
    left = figures(config.model_copy(update={"experiments": kept}))
    assert "cifar" in left
    assert not {"mnist", "mnist_continued", "unroll", "style_images", "overhead"} & {*left}


def test_several_networks_that_are_not_all_mlps_are_refused_in_one_line(folder: Path) -> None:
    changes = {"architecture": {"problems": ["mnist", "cifar10"]}}
    config = load_config(overrides={"experiments": changes})
    with pytest.raises(UserError, match="not all are of kind mlp"):
        draw("architecture", config)


def test_a_missing_table_is_named_with_the_command_that_makes_it(folder: Path) -> None:
    with pytest.raises(UserError, match=r"curves\.parquet is missing: run l2l test cifar10"):
        draw("cifar", load_config())
